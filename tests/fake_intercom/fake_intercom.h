#ifndef TESTS_FAKE_INTERCOM_FAKE_INTERCOM_H_
#define TESTS_FAKE_INTERCOM_FAKE_INTERCOM_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/fake_intercom/api.h"
#include "tests/fake_intercom/clock.h"
#include "tests/fake_intercom/fault_rule.h"
#include "tests/fake_intercom/faults.h"
#include "tests/fake_intercom/http_server.h"
#include "tests/fake_intercom/oauth.h"
#include "tests/fake_intercom/quota.h"
#include "tests/fake_intercom/scroll.h"
#include "tests/fake_intercom/stats.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// How the fake behaves, whatever its workspace holds.
struct FakeIntercomOptions {
  HttpServer::Options server;
  std::string access_token = "fake-access-token";
  OAuth::Options oauth;
  // In force when a request has no Intercom-Version.
  std::string default_version = "2.16";
  Api::Options api;
  Quota::Options quota;
  Scroll::Options scroll;
  // Each answer waits `latency`, plus `page_latency_per_item` for each record in
  // it. Answers 401 and 429 do not wait.
  std::chrono::microseconds latency{0};
  std::chrono::microseconds page_latency_per_item{0};
  // As Faults::Add reads them.
  std::string faults;
  // And what else goes wrong.
  std::vector<FaultRule> fault_rules;
  std::vector<ConnectionRule> connection_rules;
  Clock clock = [] { return absl::Now(); };
  // Called before each request that token and quota admit; may change the workspace.
  // On the server's threads, several at once.
  std::function<void()> on_request;
  // Called with each request and its answer before that is sent. As above.
  std::function<void(const Request& request, const Response& response)> on_answer;
};

// A server on the loopback interface that behaves as Intercom's API does. Serves
// from construction to destruction. Thread-safe.
//
//   FakeIntercom intercom(FakeIntercomOptions(),
//                         std::make_shared<GeneratedWorkspace>(GeneratorOptions()));
//   client.Connect(intercom.base_url());
class FakeIntercom {
 public:
  // Answers a request, and returns true, or leaves it to the server.
  using RouteHandler = std::function<bool(const Request& request, Response* response)>;

  // Throws std::exception for unusable options.
  FakeIntercom(const FakeIntercomOptions& options, std::shared_ptr<const Workspace> workspace);

  // "http://127.0.0.1:PORT", https with TLS.
  const std::string& base_url() const { return base_url_; }
  uint16_t port() const { return server_->port(); }
  const Workspace& workspace() const { return *workspace_; }

  // Throws std::invalid_argument for a fault that does not exist.
  void AddFaults(const std::string& list) { faults_.Add(list); }
  void ClearFaults() { faults_.Clear(); }

  // Calls `handler` first for requests of this method whose path begins with
  // `path_prefix`, after token and quota. Handlers added later come first. It runs
  // on the server's threads and must not block.
  void SetHandler(std::string method, std::string path_prefix, RouteHandler handler);
  void ClearHandlers();
  // Calls `alter` with what Intercom would have answered to such requests, to
  // damage it. As handlers otherwise; ClearHandlers() ends it too.
  using Alteration = std::function<void(const Request& request, Response* response)>;
  void AlterAnswers(std::string method, std::string path_prefix, Alteration alter);

  Stats::Snapshot stats() const { return stats_.snapshot(); }
  void ResetStats() { stats_.Reset(); }
  Quota& quota() { return quota_; }
  Scroll::State scroll_state() const { return scroll_.state(); }

 private:
  struct Handler {
    std::string method;
    std::string path_prefix;
    RouteHandler function;
    Alteration alter;  // Instead of `function`.
  };

  void Handle(const Request& request, Response* response);
  // The endpoints of the fake itself; false for any other path.
  bool HandleControl(const Request& request, Response* response);
  // False when the request was refused.
  bool Admit(const Request& request, Response* response);
  // True when the answer is what Intercom would give.
  bool AnswerWithFaults(const Request& request, const FaultAction& action, Response* response);
  bool AnswerWithHandler(const Request& request, Response* response);
  void AlterAnswer(const Request& request, Response* response);
  std::string StatsJson() const;

  const FakeIntercomOptions options_;
  const std::shared_ptr<const Workspace> workspace_;
  Stats stats_;
  Faults faults_;
  Quota quota_;
  Scroll scroll_;
  OAuth oauth_;
  Api api_;

  std::mutex mu_;
  std::vector<std::shared_ptr<const Handler>> handlers_;  // Guarded by mu_.

  std::string base_url_;
  // Last: its threads use everything above.
  std::unique_ptr<HttpServer> server_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_FAKE_INTERCOM_H_
