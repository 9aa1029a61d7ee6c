#include "tests/benchmarks/streaming/event_reader.h"

#include <set>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpc/grpc.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"

namespace intercom_extractor {
namespace {

using google::protobuf::internal::WireFormatLite;

constexpr char kMethod[] = "/intercom.extractor.v1.ExtractorService/Extract";
constexpr int kMaxMessageBytes = 64 << 20;

// Fields of a batch that hold rows: one list for each table, and that of parents.
bool HoldsRows(int field_number) {
  static const auto& fields = *[] {
    auto* numbers = new std::set<int>;
    const google::protobuf::Descriptor* batch = v1::RowBatch::descriptor();
    for (int i = 0; i < batch->field_count(); ++i) {
      if (batch->field(i)->is_repeated()) numbers->insert(batch->field(i)->number());
    }
    numbers->erase(v1::RowBatch::kParentsFieldNumber);
    return numbers;
  }();
  return fields.count(field_number) > 0;
}

// Waits for what was begun with `cq`; whether it went well.
bool Await(grpc::CompletionQueue* cq) {
  void* tag = nullptr;
  bool ok = false;
  return cq->Next(&tag, &ok) && ok;
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

grpc::Status ReadBytes(const std::shared_ptr<grpc::Channel>& channel,
                       const v1::ExtractRequest& request,
                       const std::function<bool(grpc::ByteBuffer*)>& on_event) {
  grpc::TemplatedGenericStub<v1::ExtractRequest, grpc::ByteBuffer> stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue cq;
  const auto stream = stub.PrepareCall(&context, kMethod, &cq);
  stream->StartCall(nullptr);
  Await(&cq);
  stream->WriteLast(request, grpc::WriteOptions(), nullptr);
  Await(&cq);
  grpc::ByteBuffer event;
  while (true) {
    stream->Read(&event, nullptr);
    if (!Await(&cq)) break;
    if (!on_event(&event)) {
      context.TryCancel();
      break;
    }
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  Await(&cq);
  return status;
}

grpc::Status ReadMessages(const std::shared_ptr<grpc::Channel>& channel,
                          const v1::ExtractRequest& request,
                          const std::function<bool(const v1::ExtractResponse&)>& on_event) {
  const auto stub = v1::ExtractorService::NewStub(channel);
  grpc::ClientContext context;
  const auto reader = stub->Extract(&context, request);
  v1::ExtractResponse event;
  while (reader->Read(&event)) {
    if (!on_event(event)) {
      context.TryCancel();
      break;
    }
  }
  return reader->Finish();
}

int64_t CountRows(grpc::ByteBuffer* event) {
  grpc::ProtoBufferReader reader(event);
  google::protobuf::io::CodedInputStream input(&reader);
  const uint32_t batch_tag = WireFormatLite::MakeTag(v1::ExtractResponse::kRowBatchFieldNumber,
                                                     WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  // A batch is all that such an event holds: its end is the event's.
  uint32_t bytes = 0;
  if (input.ReadTag() != batch_tag || !input.ReadVarint32(&bytes)) return 0;
  int64_t rows = 0;
  while (const uint32_t tag = input.ReadTag()) {
    if (HoldsRows(WireFormatLite::GetTagFieldNumber(tag))) ++rows;
    if (!WireFormatLite::SkipField(&input, tag)) return -1;
  }
  return rows;
}

}  // namespace intercom_extractor
