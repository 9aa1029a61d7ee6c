#include "clients/cpp/event_stream.h"

#include "grpcpp/impl/codegen/proto_utils.h"

namespace intercom_extractor {
namespace {

constexpr char kMethod[] = "/intercom.extractor.v1.ExtractorService/Extract";

}  // namespace

EventStream::EventStream(const std::shared_ptr<grpc::ChannelInterface>& channel,
                         grpc::ClientContext* context, const v1::ExtractRequest& request)
    : context_(context),
      call_(grpc::TemplatedGenericStub<v1::ExtractRequest, grpc::ByteBuffer>(channel).PrepareCall(
          context, kMethod, &queue_)) {
  // What fails here, Finish() says.
  call_->StartCall(nullptr);
  Await();
  call_->WriteLast(request, grpc::WriteOptions(), nullptr);
  Await();
}

EventStream::~EventStream() {
  if (!finished_) {
    context_->TryCancel();
    Finish();
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool EventStream::Await() {
  void* tag = nullptr;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

bool EventStream::ReadBytes() {
  call_->Read(&bytes_, nullptr);
  return Await();
}

bool EventStream::Read(ReceivedEvent* event) {
  if (malformed_ || !ReadBytes()) return false;
  malformed_ = !event->Parse(&bytes_);
  bytes_.Clear();
  return !malformed_;
}

grpc::Status EventStream::Finish() {
  finished_ = true;
  // It ends only once all has been read.
  if (malformed_) context_->TryCancel();
  while (ReadBytes()) bytes_.Clear();
  grpc::Status status;
  call_->Finish(&status, nullptr);
  Await();
  if (malformed_) return {grpc::StatusCode::INTERNAL, "the server sent what is no event"};
  return status;
}

}  // namespace intercom_extractor
