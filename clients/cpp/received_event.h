#ifndef CLIENTS_CPP_RECEIVED_EVENT_H_
#define CLIENTS_CPP_RECEIVED_EVENT_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "clients/cpp/rows.h"
#include "grpcpp/support/byte_buffer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// An event of a stream, in memory that the next one uses again: most of what rows cost
// a reader is the memory of their texts. A plain `ExtractResponse` gives that back each
// time, as its events are a oneof. For one thread.
class ReceivedEvent {
 public:
  // What becomes of the rows of a batch: messages in get(), or bytes in serialized_rows().
  enum class Rows { kParsed, kSerialized };

  explicit ReceivedEvent(Rows rows = Rows::kParsed) : keeps_(rows) {}

  // Reads what came, in place of what was there. False: it is no event.
  bool Parse(grpc::ByteBuffer* bytes);

  // Valid until the next Parse().
  const v1::ExtractResponse& get() const { return event_; }
  const SerializedRows& serialized_rows() const { return serialized_rows_; }

  // How many rows a batch has, in either form.
  int row_count() const;

 private:
  bool ParseMessages(grpc::ByteBuffer* bytes);
  // Of an event that is kept as bytes in `bytes_`.
  bool ParseBytes();
  bool ParseBatch(absl::string_view batch);

  const Rows keeps_;
  v1::ExtractResponse event_;
  std::unique_ptr<v1::RowBatch> rows_;  // Of the last batch, while the event is another.
  int uses_ = 0;                        // Of these rows.
  std::string bytes_;                   // What `serialized_rows_` points into.
  std::string rest_;                    // A batch without its rows.
  SerializedRows serialized_rows_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_RECEIVED_EVENT_H_
