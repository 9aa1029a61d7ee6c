#include "server/extractor_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/connection_check.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/extraction.h"
#include "extractor/pipeline/extraction_planner.h"
#include "extractor/pipeline/live_progress.h"
#include "extractor/pipeline/scroll_drain.h"
#include "extractor/tables/privacy_rules.h"
#include "extractor/tables/table_catalog.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "server/call_identity.h"
#include "server/call_labels.h"
#include "server/caller_limits.h"
#include "server/extract_call.h"
#include "server/log.h"
#include "server/status_details.h"
#include "server/trace_context.h"

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

// Who a call is from and what it asked, as far as it was let in.
struct Refused {
  std::string caller;
  // Only when it is one of ours: a caller may send anything.
  std::string connection;
  // The request's field that is wrong.
  std::string field;
};

grpc::Status Refusal(const grpc::ServerContextBase& context, absl::string_view call,
                     const absl::Status& status, const Refused& refused) {
  const CallLabels labels = {/*extraction_id=*/"", refused.connection, refused.caller,
                             TraceIdOf(context)};
  Log(spdlog::level::warn, absl::StrCat(call, " refused"),
      labels.With(
          {{"status", absl::StatusCodeToString(status.code())}, {"error", status.message()}}));
  return ToGrpcStatus(status, {refused.connection, refused.field});
}

grpc::ServerUnaryReactor* RefuseUnary(absl::string_view call, const absl::Status& status,
                                      const Refused& refused,
                                      grpc::CallbackServerContext* context) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(Refusal(*context, call, status, refused));
  return reactor;
}

void DropForbiddenTables(const Visit& visit, v1::CheckConnectionResponse* response) {
  auto* tables = response->mutable_tables();
  tables->erase(
      std::remove_if(tables->begin(), tables->end(),
                     [&](const v1::TableCheck& check) { return !visit.MayRead(check.table()); }),
      tables->end());
}

// Those of connections that the caller may not use.
void DropForbiddenExtractions(
    const Visit& visit, google::protobuf::RepeatedPtrField<v1::ExtractionStatus>* extractions) {
  extractions->erase(std::remove_if(extractions->begin(), extractions->end(),
                                    [&](const v1::ExtractionStatus& one) {
                                      return !visit.MayUse(one.connection());
                                    }),
                     extractions->end());
}

RefusedExtract* RefuseExtract(const absl::Status& status, const Refused& refused,
                              const grpc::CallbackServerContext& context) {
  return new RefusedExtract(Refusal(context, "extract", status, refused));
}

}  // namespace

grpc::ServerUnaryReactor* ExtractorServiceImpl::ListTables(grpc::CallbackServerContext* context,
                                                           const v1::ListTablesRequest* request,
                                                           v1::ListTablesResponse* response) {
  const absl::StatusOr<Visit> visit = gate_->Enter(IdentityOf(*context));
  if (!visit.ok()) return RefuseUnary("list", visit.status(), {}, context);
  const v1::Template wanted = request->template_();
  if (!v1::Template_IsValid(wanted)) {
    return RefuseUnary("list",
                       BadRequest(absl::StrCat("template: ", static_cast<int>(wanted),
                                               " is no template that this server knows")),
                       {visit->caller(), /*connection=*/"", "template"}, context);
  }
  std::shared_ptr<const PrivacyRules> privacy;
  if (!request->connection().empty()) {
    const auto client = visit->Connect(request->connection());
    if (!client.ok()) {
      return RefuseUnary("list", client.status(),
                         {visit->caller(), /*connection=*/"", "connection"}, context);
    }
    privacy = (*client)->connection().privacy;
  }
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    if (wanted == v1::TEMPLATE_UNSPECIFIED || TableCatalog::InTemplate(table, wanted)) {
      *response->add_tables() = table.description;
      if (privacy != nullptr) privacy->Describe(&*response->mutable_tables()->rbegin());
    }
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ExtractorServiceImpl::Ask(
    const char* name, const Request& request, grpc::CallbackServerContext* context,
    Response* response,
    const std::function<void(const Visit&, IntercomClient*,
                             typename ConnectionCall<Response>::Done)>& ask) {
  const absl::StatusOr<Visit> visit = gate_->Enter(IdentityOf(*context));
  if (!visit.ok()) return RefuseUnary(name, visit.status(), {}, context);
  const absl::StatusOr<std::shared_ptr<IntercomClient>> client =
      visit->Connect(request.connection());
  if (!client.ok()) {
    return RefuseUnary(name, client.status(), {visit->caller(), /*connection=*/"", "connection"},
                       context);
  }
  const std::string& connection = (*client)->connection().name;
  ActiveCalls::Token active = active_->Begin();
  if (active == nullptr) {
    return RefuseUnary(name, Stopping(), {visit->caller(), connection, /*field=*/""}, context);
  }
  auto* call = new ConnectionCall<Response>(
      name, CallLabels{/*extraction_id=*/"", connection, visit->caller(), TraceIdOf(*context)},
      response, std::move(active));
  call->Begin([&](typename ConnectionCall<Response>::Done done) {
    // The client must outlive the answer, not only the call.
    ask(*visit, client->get(),
        [kept = *client, done = std::move(done)](absl::StatusOr<Response> answer) mutable {
          std::move(done)(std::move(answer));
        });
  });
  return call;
}

grpc::ServerUnaryReactor* ExtractorServiceImpl::CheckConnection(
    grpc::CallbackServerContext* context, const v1::CheckConnectionRequest* request,
    v1::CheckConnectionResponse* response) {
  return Ask<v1::CheckConnectionRequest, v1::CheckConnectionResponse>(
      "check", *request, context, response,
      [](const Visit& visit, IntercomClient* client,
         ConnectionCall<v1::CheckConnectionResponse>::Done done) {
        intercom_extractor::CheckConnection(
            client, [visit, done = std::move(done)](
                        absl::StatusOr<v1::CheckConnectionResponse> answer) mutable {
              // What the token may read is none of the business of who may not.
              if (answer.ok()) DropForbiddenTables(visit, &*answer);
              std::move(done)(std::move(answer));
            });
      });
}

grpc::ServerUnaryReactor* ExtractorServiceImpl::PlanExtraction(
    grpc::CallbackServerContext* context, const v1::PlanExtractionRequest* request,
    v1::PlanExtractionResponse* response) {
  return Ask<v1::PlanExtractionRequest, v1::PlanExtractionResponse>(
      "plan", *request, context, response,
      [request](const Visit& visit, IntercomClient* client,
                ConnectionCall<v1::PlanExtractionResponse>::Done done) {
        const absl::Status allowed = visit.MayReadAll(
            request->template_(), {request->tables().begin(), request->tables().end()});
        if (!allowed.ok()) {
          std::move(done)(allowed);
          return;
        }
        intercom_extractor::PlanExtraction(*request, client, std::move(done));
      });
}

grpc::ServerUnaryReactor* ExtractorServiceImpl::ListExtractions(
    grpc::CallbackServerContext* context, const v1::ListExtractionsRequest* request,
    v1::ListExtractionsResponse* response) {
  const absl::StatusOr<Visit> visit = gate_->Enter(IdentityOf(*context));
  if (!visit.ok()) return RefuseUnary("list extractions", visit.status(), {}, context);
  if (!request->connection().empty()) {
    const auto client = visit->Connect(request->connection());
    if (!client.ok()) {
      return RefuseUnary("list extractions", client.status(),
                         {visit->caller(), /*connection=*/"", "connection"}, context);
    }
  }
  *response = running_->List(request->connection());
  DropForbiddenExtractions(*visit, response->mutable_running());
  DropForbiddenExtractions(*visit, response->mutable_ended());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ExtractorServiceImpl::Extract(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request_bytes) {
  // Before anything that it sent is looked at.
  const absl::StatusOr<Visit> visit = gate_->Enter(IdentityOf(*context));
  if (!visit.ok()) return RefuseExtract(visit.status(), {}, *context);
  const std::string& caller = visit->caller();
  v1::ExtractRequest request;
  if (!Parse(*request_bytes, &request)) {
    return RefuseExtract(BadRequest("the request is no ExtractRequest message"),
                         {caller, /*connection=*/"", /*field=*/""}, *context);
  }
  const absl::StatusOr<std::shared_ptr<IntercomClient>> client =
      visit->Connect(request.connection());
  if (!client.ok()) {
    return RefuseExtract(client.status(), {caller, /*connection=*/"", "connection"}, *context);
  }
  const std::string& connection = (*client)->connection().name;
  const absl::Status allowed =
      visit->MayReadAll(request.template_(), {request.tables().begin(), request.tables().end()});
  if (!allowed.ok()) return RefuseExtract(allowed, {caller, connection, "tables"}, *context);
  ExtractCall::Kept kept;
  kept.client = *client;
  // Before the extraction, which costs a thread.
  absl::StatusOr<std::unique_ptr<StreamPass>> pass = visit->BeginStream();
  if (!pass.ok()) return RefuseExtract(pass.status(), {caller, connection, /*field=*/""}, *context);
  kept.pass = *std::move(pass);
  auto events = std::make_unique<EventQueue>(kQueueBytes);
  auto live = std::make_shared<LiveProgress>();
  absl::StatusOr<std::unique_ptr<Extraction>> extraction = Extraction::Create(
      request, client->get(), events.get(), caller, ScrollDrain::Options(), live);
  if (!extraction.ok()) {
    const bool columns = absl::StartsWith(extraction.status().message(), "columns: ");
    return RefuseExtract(extraction.status(), {caller, connection, columns ? "columns" : "tables"},
                         *context);
  }
  kept.active = active_->Begin();
  if (kept.active == nullptr) {
    return RefuseExtract(Stopping(), {caller, connection, /*field=*/""}, *context);
  }
  if (max_stream_age_ != absl::InfiniteDuration()) {
    (*extraction)->DrainAfter(max_stream_age_, stream_grace_);
  }
  auto entry = running_->Begin({connection, caller, live, events.get()});
  auto* call =
      new ExtractCall({/*extraction_id=*/"", connection, caller, TraceIdOf(*context)},
                      std::move(events), *std::move(extraction), std::move(kept), reaper_, clock_);
  call->Show(std::move(entry));
  call->Begin();
  return call;
}

}  // namespace intercom_extractor
