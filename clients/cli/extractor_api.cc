#include "clients/cli/extractor_api.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

// ListTables asks nobody, so that this is for the network alone.
constexpr std::chrono::seconds kListTablesDeadline{30};
// A request per endpoint, each of which may wait for the quota and be retried.
constexpr std::chrono::seconds kAskDeadline{300};

}  // namespace

ExtractorApi::ExtractorApi(const std::shared_ptr<grpc::ChannelInterface>& channel,
                           std::string caller_token, Interrupt* interrupt)
    : channel_(channel),
      stub_(v1::ExtractorService::NewStub(channel)),
      caller_token_(std::move(caller_token)),
      interrupt_(interrupt) {}

void ExtractorApi::Prepare(grpc::ClientContext* context) const {
  if (caller_token_.empty()) return;
  context->AddMetadata("authorization", absl::StrCat("Bearer ", caller_token_));
}

grpc::Status ExtractorApi::ListTables(const v1::ListTablesRequest& request,
                                      v1::ListTablesResponse* response) {
  grpc::ClientContext context;
  Prepare(&context);
  context.set_deadline(std::chrono::system_clock::now() + kListTablesDeadline);
  Interrupt::Scope scope(interrupt_, &context);
  return stub_->ListTables(&context, request, response);
}

grpc::Status ExtractorApi::CheckConnection(const v1::CheckConnectionRequest& request,
                                           v1::CheckConnectionResponse* response) {
  grpc::ClientContext context;
  Prepare(&context);
  context.set_deadline(std::chrono::system_clock::now() + kAskDeadline);
  Interrupt::Scope scope(interrupt_, &context);
  return stub_->CheckConnection(&context, request, response);
}

grpc::Status ExtractorApi::PlanExtraction(const v1::PlanExtractionRequest& request,
                                          v1::PlanExtractionResponse* response) {
  grpc::ClientContext context;
  Prepare(&context);
  context.set_deadline(std::chrono::system_clock::now() + kAskDeadline);
  Interrupt::Scope scope(interrupt_, &context);
  return stub_->PlanExtraction(&context, request, response);
}

}  // namespace intercom_extractor
