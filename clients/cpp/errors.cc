#include "clients/cpp/errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace intercom_extractor {
namespace {

template <typename Message>
std::optional<Message> Payload(const absl::Status& status) {
  const auto payload =
      status.GetPayload(absl::StrCat("type.googleapis.com/", Message::descriptor()->full_name()));
  Message message;
  if (!payload.has_value() || !message.ParseFromString(std::string(*payload))) return std::nullopt;
  return message;
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  absl::Status made(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return made;
  for (const google::protobuf::Any& detail : details.details()) {
    made.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return made;
}

ErrorDetails DetailsOf(const absl::Status& status) {
  ErrorDetails details;
  if (const auto info = Payload<google::rpc::ErrorInfo>(status); info.has_value()) {
    details.reason = info->reason();
    details.metadata.insert(info->metadata().begin(), info->metadata().end());
  }
  if (const auto retry = Payload<google::rpc::RetryInfo>(status);
      retry.has_value() && retry->has_retry_delay()) {
    details.retry_delay = absl::Seconds(retry->retry_delay().seconds()) +
                          absl::Nanoseconds(retry->retry_delay().nanos());
  }
  return details;
}

std::string ErrorReason(const absl::Status& status) {
  const auto info = Payload<google::rpc::ErrorInfo>(status);
  return info.has_value() ? info->reason() : "";
}

bool RefusesResumeToken(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) &&
         absl::StartsWith(ErrorReason(status), "RESUME_TOKEN_");
}

bool IsLostConnection(const absl::Status& status) {
  // CANCELLED is a server's last answer as it stops.
  if (!absl::IsUnavailable(status) && !absl::IsCancelled(status)) return false;
  // What a server says of Intercom has a reason; what gRPC says of the connection has none.
  const std::string reason = ErrorReason(status);
  return reason.empty() || reason == "SERVER_STOPPING" || reason == "CONNECTION_AGE";
}

}  // namespace intercom_extractor
