#ifndef SERVER_CHECK_CALL_H_
#define SERVER_CHECK_CALL_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/mutex.h"
#include "grpcpp/support/server_callback.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/active_calls.h"

namespace intercom_extractor {

// One running `CheckConnection` call. A check cannot be stopped, and with an
// Intercom that hangs it takes minutes; so a cancelled call ends at once and the
// check's answer, when it comes, finds nobody.
//
// Owns itself: deleted in OnDone. gRPC calls the reactions on any thread, the
// check answers on the HTTP loop's.
class CheckCall : public grpc::ServerUnaryReactor {
 public:
  // `response` is gRPC's and lives until OnDone.
  CheckCall(const std::string& connection, v1::CheckConnectionResponse* response,
            ActiveCalls::Token active);

  // `client` must outlive the check, not only the call.
  void Begin(IntercomClient* client);

  void OnCancel() override;
  void OnDone() override { delete this; }

 private:
  // What the check's callback reaches: it may outlive the call.
  struct Link {
    Mutex mu;
    // Null once the call has an answer.
    CheckCall* call ABSL_GUARDED_BY(mu) = nullptr;
  };

  static void Answer(const std::shared_ptr<Link>& link,
                     absl::StatusOr<v1::CheckConnectionResponse> answer);

  const ActiveCalls::Token active_;
  const std::string connection_;
  v1::CheckConnectionResponse* const response_;
  const std::shared_ptr<Link> link_;
};

}  // namespace intercom_extractor

#endif  // SERVER_CHECK_CALL_H_
