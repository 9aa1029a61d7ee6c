#include "server/status_details.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/intercom/utf8_prefix.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/retry_delay.h"

namespace intercom_extractor {
namespace {

constexpr size_t kMaxMessageBytes = 1024;

// After a quarter of an hour of refusals, the next window will hardly be better.
constexpr absl::Duration kQuotaRetryDelay = absl::Minutes(1);
// The server has already tried for about a minute before it gives up.
constexpr absl::Duration kUnavailableRetryDelay = absl::Seconds(30);

std::string Shortened(absl::string_view message) {
  if (message.size() <= kMaxMessageBytes) return std::string(message);
  return absl::StrCat(Utf8Prefix(message, kMaxMessageBytes), "...");
}

void AddRetryInfo(absl::Duration delay, google::rpc::Status* status) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(absl::IDivDuration(delay, absl::Seconds(1), &delay));
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(delay)));
  status->add_details()->PackFrom(info);
}

void AddQuotaFailure(const std::string& subject, google::rpc::Status* status) {
  google::rpc::QuotaFailure failure;
  google::rpc::QuotaFailure::Violation* violation = failure.add_violations();
  violation->set_subject(subject);
  violation->set_description(status->message());
  status->add_details()->PackFrom(failure);
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status, const ErrorContext& context) {
  if (status.ok()) return grpc::Status::OK;

  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(Shortened(status.message()));

  google::rpc::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  if (info.reason().empty()) info.set_reason(absl::StatusCodeToString(status.code()));
  info.set_domain("intercom-extractor");
  if (!context.connection.empty()) (*info.mutable_metadata())["connection"] = context.connection;
  if (!context.field.empty()) (*info.mutable_metadata())["field"] = context.field;
  details.add_details()->PackFrom(info);

  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      AddRetryInfo(kUnavailableRetryDelay, &details);
      break;
    case absl::StatusCode::kResourceExhausted:
      if (info.reason() == "RATE_LIMITED") {
        AddRetryInfo(kQuotaRetryDelay, &details);
        AddQuotaFailure(absl::StrCat("connection:", context.connection), &details);
      } else if (const auto delay = RetryDelayOf(status)) {
        AddRetryInfo(*delay, &details);
      }
      // The other kind, no room on this machine, does not pass by itself.
      break;
    case absl::StatusCode::kInvalidArgument:
      if (!context.field.empty()) {
        google::rpc::BadRequest bad_request;
        google::rpc::BadRequest::FieldViolation* violation = bad_request.add_field_violations();
        violation->set_field(context.field);
        violation->set_description(details.message());
        details.add_details()->PackFrom(bad_request);
      }
      break;
    default:
      break;
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), details.message(),
                      details.SerializeAsString());
}

}  // namespace intercom_extractor
