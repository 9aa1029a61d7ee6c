#include "server/extractor_service.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/connection_check.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/extraction.h"
#include "extractor/pipeline/extraction_planner.h"
#include "extractor/tables/table_catalog.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "server/extract_call.h"
#include "server/log.h"
#include "server/status_details.h"

namespace intercom_extractor {
namespace {

// What one stream may hold for its reader: a few batches, so that neither side
// waits for the other's every breath, and little enough for many stalled readers.
constexpr size_t kQueueBytes = size_t{2} << 20;

// A call that was wrong from the start.
class RefusedExtract : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit RefusedExtract(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

absl::Status BadRequest(absl::string_view message) {
  return StatusWithReason(absl::StatusCode::kInvalidArgument, "BAD_REQUEST", message);
}

absl::Status Stopping() {
  return StatusWithReason(absl::StatusCode::kUnavailable, "SERVER_STOPPING",
                          "this server is stopping; call again");
}

bool Parse(const grpc::ByteBuffer& bytes, v1::ExtractRequest* request) {
  // The reader wants to change a buffer; a copy shares the bytes.
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  return reader.status().ok() && request->ParseFromZeroCopyStream(&reader);
}

// Echoed into error details and logs only when it is one of ours: a caller may
// send anything.
std::string NameOf(IntercomClient* client) { return client->connection().name; }

grpc::Status Refusal(absl::string_view call, const absl::Status& status,
                     const ErrorContext& context) {
  Log(spdlog::level::warn, absl::StrCat(call, " refused"),
      {{"connection", context.connection},
       {"status", std::string(absl::StatusCodeToString(status.code()))},
       {"error", status.message()}});
  return ToGrpcStatus(status, context);
}

}  // namespace

grpc::ServerUnaryReactor* ExtractorServiceImpl::ListTables(grpc::CallbackServerContext* context,
                                                           const v1::ListTablesRequest* request,
                                                           v1::ListTablesResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const v1::Template wanted = request->template_();
  if (!v1::Template_IsValid(wanted)) {
    reactor->Finish(Refusal("list",
                            BadRequest(absl::StrCat("template: ", static_cast<int>(wanted),
                                                    " is no template that this server knows")),
                            {/*connection=*/"", "template"}));
    return reactor;
  }
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    if (wanted == v1::TEMPLATE_UNSPECIFIED || TableCatalog::InTemplate(table, wanted)) {
      *response->add_tables() = table.description;
    }
  }
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

template <typename Response>
grpc::ServerUnaryReactor* ExtractorServiceImpl::Ask(
    const char* name, const std::string& connection, grpc::CallbackServerContext* context,
    Response* response,
    const std::function<void(IntercomClient*, typename ConnectionCall<Response>::Done)>& ask) {
  const absl::StatusOr<IntercomClient*> client = connections_->Find(connection);
  if (!client.ok()) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(Refusal(name, client.status(), {/*connection=*/"", "connection"}));
    return reactor;
  }
  ActiveCalls::Token active = active_->Begin();
  if (active == nullptr) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(Refusal(name, Stopping(), {NameOf(*client), /*field=*/""}));
    return reactor;
  }
  auto* call = new ConnectionCall<Response>(name, NameOf(*client), response, std::move(active));
  call->Begin([&](typename ConnectionCall<Response>::Done done) {
    // The client outlives the answer, not only the call.
    ask(*client, std::move(done));
  });
  return call;
}

grpc::ServerUnaryReactor* ExtractorServiceImpl::CheckConnection(
    grpc::CallbackServerContext* context, const v1::CheckConnectionRequest* request,
    v1::CheckConnectionResponse* response) {
  return Ask<v1::CheckConnectionResponse>(
      "check", request->connection(), context, response,
      [](IntercomClient* client, ConnectionCall<v1::CheckConnectionResponse>::Done done) {
        intercom_extractor::CheckConnection(client, std::move(done));
      });
}

grpc::ServerUnaryReactor* ExtractorServiceImpl::PlanExtraction(
    grpc::CallbackServerContext* context, const v1::PlanExtractionRequest* request,
    v1::PlanExtractionResponse* response) {
  return Ask<v1::PlanExtractionResponse>(
      "plan", request->connection(), context, response,
      [request](IntercomClient* client, ConnectionCall<v1::PlanExtractionResponse>::Done done) {
        intercom_extractor::PlanExtraction(*request, client, std::move(done));
      });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ExtractorServiceImpl::Extract(
    grpc::CallbackServerContext*, const grpc::ByteBuffer* request_bytes) {
  v1::ExtractRequest request;
  if (!Parse(*request_bytes, &request)) {
    return new RefusedExtract(
        Refusal("extract", BadRequest("the request is no ExtractRequest message"), {}));
  }
  const absl::StatusOr<IntercomClient*> client = connections_->Find(request.connection());
  if (!client.ok()) {
    return new RefusedExtract(
        Refusal("extract", client.status(), {/*connection=*/"", "connection"}));
  }
  auto events = std::make_unique<EventQueue>(kQueueBytes);
  absl::StatusOr<std::unique_ptr<Extraction>> extraction =
      Extraction::Create(request, *client, events.get());
  if (!extraction.ok()) {
    return new RefusedExtract(Refusal("extract", extraction.status(), {NameOf(*client), "tables"}));
  }
  ActiveCalls::Token active = active_->Begin();
  if (active == nullptr) {
    return new RefusedExtract(Refusal("extract", Stopping(), {NameOf(*client), /*field=*/""}));
  }
  if (max_stream_age_ != absl::InfiniteDuration()) {
    (*extraction)->DrainAfter(max_stream_age_, stream_grace_);
  }
  Log(spdlog::level::info, "extract begins", {{"connection", NameOf(*client)}});
  auto* call = new ExtractCall(NameOf(*client), std::move(events), *std::move(extraction),
                               std::move(active), reaper_, clock_);
  call->Begin();
  return call;
}

}  // namespace intercom_extractor
