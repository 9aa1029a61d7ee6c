#include "clients/cpp/client.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "clients/cpp/errors.h"

namespace intercom_extractor {
namespace {

// Calls `method` of the stub with what each call needs besides its request.
template <typename Response, typename Request>
absl::StatusOr<Response> Ask(const Client& client, v1::ExtractorService::StubInterface* stub,
                             grpc::Status (v1::ExtractorService::StubInterface::*method)(
                                 grpc::ClientContext*, const Request&, Response*),
                             const Request& request, const CallOptions& options) {
  grpc::ClientContext context;
  client.Prepare(&context);
  if (options.deadline != absl::InfiniteFuture()) {
    context.set_deadline(absl::ToChronoTime(options.deadline));
  }
  Cancellation::Scope scope(options.cancellation, &context);
  Response response;
  const grpc::Status status = (stub->*method)(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

}  // namespace

absl::StatusOr<Client> Client::Connect(const ConnectOptions& options) {
  if (absl::Status status = CheckCallerToken(options.caller_token); !status.ok()) return status;
  auto channel = MakeChannel(options);
  if (!channel.ok()) return channel.status();
  return Client(*std::move(channel), options.caller_token);
}

Client::Client(std::shared_ptr<grpc::ChannelInterface> channel, const std::string& caller_token)
    : channel_(std::move(channel)),
      stub_(v1::ExtractorService::NewStub(channel_)),
      authorization_(caller_token.empty() ? "" : absl::StrCat("Bearer ", caller_token)) {}

void Client::Prepare(grpc::ClientContext* context) const {
  if (!authorization_.empty()) context->AddMetadata("authorization", authorization_);
}

absl::StatusOr<v1::ListTablesResponse> Client::ListTables(const v1::ListTablesRequest& request,
                                                          const CallOptions& options) const {
  return Ask(*this, stub_.get(), &v1::ExtractorService::StubInterface::ListTables, request,
             options);
}

absl::StatusOr<v1::CheckConnectionResponse> Client::CheckConnection(
    const v1::CheckConnectionRequest& request, const CallOptions& options) const {
  return Ask(*this, stub_.get(), &v1::ExtractorService::StubInterface::CheckConnection, request,
             options);
}

absl::StatusOr<v1::PlanExtractionResponse> Client::PlanExtraction(
    const v1::PlanExtractionRequest& request, const CallOptions& options) const {
  return Ask(*this, stub_.get(), &v1::ExtractorService::StubInterface::PlanExtraction, request,
             options);
}

absl::StatusOr<v1::ListExtractionsResponse> Client::ListExtractions(
    const v1::ListExtractionsRequest& request, const CallOptions& options) const {
  return Ask(*this, stub_.get(), &v1::ExtractorService::StubInterface::ListExtractions, request,
             options);
}

}  // namespace intercom_extractor
