#ifndef SERVER_STREAM_TALLY_H_
#define SERVER_STREAM_TALLY_H_

#include <cstdint>

#include "extractor/pipeline/event.h"

namespace intercom_extractor {

// Counts what a stream's events hold, for the log line at its end. Reads only progress
// and summary, never rows. Not thread-safe.
class StreamTally {
 public:
  void Add(const Event& event);

  // As the last progress or the summary said: with a summary exact.
  int64_t tables() const { return tables_; }
  int64_t rows() const { return rows_; }
  // Bytes of all events.
  int64_t bytes() const { return bytes_; }

 private:
  int64_t tables_ = 0;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace intercom_extractor

#endif  // SERVER_STREAM_TALLY_H_
