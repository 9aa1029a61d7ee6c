#ifndef EXTRACTOR_PIPELINE_SCROLL_SPILL_H_
#define EXTRACTOR_PIPELINE_SCROLL_SPILL_H_

#include <cstddef>
#include <deque>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "extractor/http/response_body.h"

namespace intercom_extractor {

// Keeps answers of the company scroll, first in, first out, until they become
// rows: the first of them in memory, more in unlinked temporary files, which
// vanish with the process (TMPDIR says where). Not thread-safe.
class ScrollSpill {
 public:
  struct Options {
    // Full when this much waits. In bytes.
    size_t quota = size_t{1} << 30;
    // The files are given back one by one, so the disk holds up to this much
    // more than waits. Also bounds how many are open: quota / segment.
    size_t segment = size_t{32} << 20;
    // No file is made for less.
    size_t max_in_memory = size_t{1} << 20;
  };

  explicit ScrollSpill(const Options& options) : options_(options) {}

  // Takes also what goes beyond the quota: to look before is up to the caller.
  // kResourceExhausted when a file cannot take it; then everything is lost.
  absl::Status Put(ResponseBody body);

  // The oldest answer; there must be one. kResourceExhausted when it cannot be
  // read back; then everything is lost.
  absl::StatusOr<ResponseBody> Take();

  void Clear();

  bool full() const { return bytes_ >= options_.quota; }
  size_t size() const { return sizes_.size(); }
  // What waits.
  size_t bytes() const { return bytes_; }
  // What of it is kept in files; for tests.
  size_t bytes_in_files() const;

 private:
  struct Segment {
    ResponseBody content;
    size_t taken = 0;
  };

  const Options options_;
  size_t bytes_ = 0;
  // Of the answers that wait.
  std::deque<size_t> sizes_;
  std::deque<Segment> segments_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SCROLL_SPILL_H_
