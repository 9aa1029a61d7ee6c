#ifndef CLIENTS_CPP_RECEIVED_EVENT_H_
#define CLIENTS_CPP_RECEIVED_EVENT_H_

#include <memory>

#include "grpcpp/support/byte_buffer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// An event of a stream, in memory that the next one uses again: most of what rows cost
// a reader is the memory of their texts. A plain `ExtractResponse` gives that back each
// time, as its events are a oneof. For one thread.
class ReceivedEvent {
 public:
  // Reads what came, in place of what was there. False: it is no event.
  bool Parse(grpc::ByteBuffer* bytes);

  // Valid until the next Parse().
  const v1::ExtractResponse& get() const { return event_; }

 private:
  v1::ExtractResponse event_;
  std::unique_ptr<v1::RowBatch> rows_;  // Of the last batch, while the event is another.
  int uses_ = 0;                        // Of these rows.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_RECEIVED_EVENT_H_
