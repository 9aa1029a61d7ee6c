#ifndef CLIENTS_CPP_EVENT_STREAM_H_
#define CLIENTS_CPP_EVENT_STREAM_H_

#include <memory>

#include "clients/cpp/received_event.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// One call of `Extract`, as it comes. What a stub's reader does, but into memory of the
// caller's choice. For one thread; the context's TryCancel() may be called from any.
class EventStream {
 public:
  // Begins the call. `context` is used for this call alone and must outlive the object.
  EventStream(const std::shared_ptr<grpc::ChannelInterface>& channel, grpc::ClientContext* context,
              const v1::ExtractRequest& request);

  // Cancels the call where it has not ended.
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Waits for the next event. False once there are no more: then Finish() says why.
  bool Read(ReceivedEvent* event);

  // How the call ended. Passes over events that have not been read; once.
  grpc::Status Finish();

 private:
  using Call = grpc::TemplatedGenericStub<v1::ExtractRequest, grpc::ByteBuffer>;

  // Waits for what was begun; whether it went well.
  bool Await();
  bool ReadBytes();

  grpc::ClientContext* const context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::ExtractRequest, grpc::ByteBuffer>> call_;
  grpc::ByteBuffer bytes_;
  bool malformed_ = false;
  bool finished_ = false;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_EVENT_STREAM_H_
