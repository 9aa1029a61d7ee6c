#include "clients/cli/extractor_api.h"

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace intercom_extractor {
namespace {

// These ask nobody, so that this is for the network alone.
constexpr absl::Duration kListDeadline = absl::Seconds(30);
// A request per endpoint, each of which may wait for the quota and be retried.
constexpr absl::Duration kAskDeadline = absl::Seconds(300);

}  // namespace

absl::StatusOr<v1::ListTablesResponse> ExtractorApi::ListTables(const std::string& connection) {
  v1::ListTablesRequest request;
  request.set_connection(connection);
  return client_.ListTables(request, {absl::Now() + kListDeadline, interrupt_});
}

absl::StatusOr<v1::CheckConnectionResponse> ExtractorApi::CheckConnection(
    const v1::CheckConnectionRequest& request) {
  return client_.CheckConnection(request, {absl::Now() + kAskDeadline, interrupt_});
}

absl::StatusOr<v1::PlanExtractionResponse> ExtractorApi::PlanExtraction(
    const v1::PlanExtractionRequest& request) {
  return client_.PlanExtraction(request, {absl::Now() + kAskDeadline, interrupt_});
}

absl::StatusOr<v1::ListExtractionsResponse> ExtractorApi::ListExtractions(
    const v1::ListExtractionsRequest& request) {
  return client_.ListExtractions(request, {absl::Now() + kListDeadline, interrupt_});
}

}  // namespace intercom_extractor
