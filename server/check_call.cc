#include "server/check_call.h"

#include <utility>

#include "extractor/pipeline/connection_check.h"
#include "server/log.h"
#include "server/status_details.h"

namespace intercom_extractor {

CheckCall::CheckCall(const std::string& connection, v1::CheckConnectionResponse* response,
                     ActiveCalls::Token active)
    : active_(std::move(active)),
      connection_(connection),
      response_(response),
      link_(std::make_shared<Link>()) {
  MutexLock lock(&link_->mu);
  link_->call = this;
}

void CheckCall::Begin(IntercomClient* client) {
  // The check answers on another thread, perhaps before this returns; the call
  // lives at least until gRPC has got it from its handler.
  CheckConnection(client,
                  [link = link_](absl::StatusOr<v1::CheckConnectionResponse> answer) mutable {
                    Answer(link, std::move(answer));
                  });
}

void CheckCall::OnCancel() { Answer(link_, absl::CancelledError("the client has gone")); }

void CheckCall::Answer(const std::shared_ptr<Link>& link,
                       absl::StatusOr<v1::CheckConnectionResponse> answer) {
  CheckCall* call = nullptr;
  {
    MutexLock lock(&link->mu);
    std::swap(call, link->call);
  }
  if (call == nullptr) return;
  // Only one caller gets here, and OnDone cannot come before the Finish below.
  Log(answer.ok() ? spdlog::level::info : spdlog::level::warn, "check ended",
      {{"connection", call->connection_},
       {"status", std::string(absl::StatusCodeToString(answer.status().code()))},
       {"error", answer.status().message()}});
  if (answer.ok()) call->response_->Swap(&*answer);
  call->Finish(ToGrpcStatus(answer.status(), {call->connection_, /*field=*/""}));
}

}  // namespace intercom_extractor
