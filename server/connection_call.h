#ifndef SERVER_CONNECTION_CALL_H_
#define SERVER_CONNECTION_CALL_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/mutex.h"
#include "grpcpp/support/server_callback.h"
#include "server/active_calls.h"
#include "server/call_labels.h"
#include "server/log.h"
#include "server/status_details.h"

namespace intercom_extractor {

// One running unary call that asks Intercom: `CheckConnection`, `PlanExtraction`.
// What it asks cannot be stopped, and with an Intercom that hangs it takes minutes;
// so a cancelled call ends at once and the answer, when it comes, finds nobody.
//
// Owns itself: deleted in OnDone. gRPC calls the reactions on any thread, the
// answer comes on the HTTP loop's.
template <typename Response>
class ConnectionCall : public grpc::ServerUnaryReactor {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>) &&>;

  // `response` is gRPC's and lives until OnDone. `name` and `labels` are for the log.
  ConnectionCall(std::string name, CallLabels labels, Response* response, ActiveCalls::Token active)
      : active_(std::move(active)),
        name_(std::move(name)),
        labels_(std::move(labels)),
        response_(response),
        link_(std::make_shared<Link>()) {
    MutexLock lock(&link_->mu);
    link_->call = this;
  }

  // `ask` gets what is to be called with the answer, on another thread or before
  // it returns: the call lives at least until gRPC has got it from its handler.
  void Begin(const std::function<void(Done)>& ask) {
    ask([link = link_](absl::StatusOr<Response> answer) mutable {
      Answer(link, std::move(answer));
    });
  }

  void OnCancel() override { Answer(link_, absl::CancelledError("the client has gone")); }
  void OnDone() override { delete this; }

 private:
  // What the answer's callback reaches: it may outlive the call.
  struct Link {
    Mutex mu;
    // Null once the call has an answer.
    ConnectionCall* call ABSL_GUARDED_BY(mu) = nullptr;
  };

  static void Answer(const std::shared_ptr<Link>& link, absl::StatusOr<Response> answer) {
    ConnectionCall* call = nullptr;
    {
      MutexLock lock(&link->mu);
      std::swap(call, link->call);
    }
    if (call == nullptr) return;
    // Only one caller gets here, and OnDone cannot come before the Finish below.
    std::vector<LogField> fields = {{"status", absl::StatusCodeToString(answer.status().code())},
                                    {"error", answer.status().message()}};
    const std::string request_id = RequestIdOf(answer.status());
    if (!request_id.empty()) fields.emplace_back("request_id", request_id);
    Log(answer.ok() ? spdlog::level::info : spdlog::level::warn,
        absl::StrCat(call->name_, " ended"), call->labels_.With(std::move(fields)));
    if (answer.ok()) call->response_->Swap(&*answer);
    // Of what a caller says, only the tables are left to be wrong.
    const char* field = absl::IsInvalidArgument(answer.status()) ? "tables" : "";
    call->Finish(ToGrpcStatus(answer.status(), {call->labels_.connection, field}));
  }

  const ActiveCalls::Token active_;
  const std::string name_;
  const CallLabels labels_;
  Response* const response_;
  const std::shared_ptr<Link> link_;
};

}  // namespace intercom_extractor

#endif  // SERVER_CONNECTION_CALL_H_
