#include "server/gate.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/fake_clock.h"
#include "gtest/gtest.h"
#include "server/caller_config.h"
#include "server/caller_registry.h"
#include "server/caller_token.h"

namespace intercom_extractor {
namespace {

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    for (const char* name : {"default", "europe"}) {
      Connection connection;
      connection.name = name;
      connection.base_url = "http://127.0.0.1:1";
      connection.access_token = "secret";
      config_.connections.push_back(connection);
    }
    auto gate = Gate::Create(config_, HttpClient::Options(), &clock_);
    EXPECT_TRUE(gate.ok()) << gate.status();
    gate_ = *std::move(gate);
  }

  std::shared_ptr<IntercomClient> Client(const std::string& name) {
    const auto visit = gate_->Enter(CallIdentity());
    EXPECT_TRUE(visit.ok()) << visit.status();
    auto client = visit->Connect(name);
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }

  FakeClock clock_;
  AccessConfig config_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, AConnectionThatHasNotChangedKeepsItsClient) {
  const auto main = Client("default");
  const auto europe = Client("europe");
  EXPECT_EQ(Client(""), main) << "no name is that of the default";
  config_.connections[1].access_token = "another";
  ASSERT_TRUE(gate_->Reload(config_).ok());
  EXPECT_EQ(Client("default"), main);
  EXPECT_NE(Client("europe"), europe);
  EXPECT_EQ(Client("europe")->connection().access_token, "another");
  // Who has the old one goes on with it.
  EXPECT_EQ(europe->connection().access_token, "secret");
}

TEST_F(GateTest, EachSettingOfAConnectionCounts) {
  using Change = void (*)(Connection*);
  const Change changes[] = {
      [](Connection* c) { c->base_url = "http://127.0.0.1:2"; },
      [](Connection* c) { c->access_token = "b"; },
      [](Connection* c) { c->resume_key = "c"; },
      [](Connection* c) { c->api_version = "2.15"; },
      [](Connection* c) { c->quota_reserve = 0.3; },
  };
  for (const Change change : changes) {
    const auto before = Client("default");
    change(&config_.connections[0]);
    ASSERT_TRUE(gate_->Reload(config_).ok());
    EXPECT_NE(Client("default"), before);
  }
}

TEST_F(GateTest, AVisitSeesWhatWasThereWhenItCame) {
  const auto visit = gate_->Enter(CallIdentity());
  ASSERT_TRUE(visit.ok());
  config_.connections.pop_back();
  ASSERT_TRUE(gate_->Reload(config_).ok());
  EXPECT_TRUE(visit->Connect("europe").ok());
  const auto later = gate_->Enter(CallIdentity())->Connect("europe");
  EXPECT_EQ(later.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(later.status()), "CONNECTION_UNKNOWN");
}

TEST_F(GateTest, AReloadThatFailsChangesNothing) {
  const auto main = Client("default");
  AccessConfig bad = config_;
  bad.connections[1].base_url = "http://intercom.example";
  CallerConfig caller;
  caller.name = "nightly";
  caller.token_hashes = {HashCallerToken("x")};
  bad.callers = {caller};
  EXPECT_FALSE(gate_->Reload(bad).ok());
  bad = config_;
  bad.connections.push_back(bad.connections[0]);
  EXPECT_FALSE(gate_->Reload(bad).ok());
  bad.connections.clear();
  EXPECT_FALSE(gate_->Reload(bad).ok());
  EXPECT_EQ(Client("default"), main);
}

TEST_F(GateTest, AClientMayBeLetGoAfterItsConnectionAndOnItsOwnThread) {
  // The answer holds the client and comes on the thread of HTTP; the last to let it go.
  std::shared_ptr<IntercomClient> client = Client("default");
  const IntercomClient::GroupId group = client->NewGroup();
  ApiRequest request;
  request.operation = "GET /me";
  request.path_and_query = "/me";
  request.max_attempts = 1;
  IntercomClient* const raw = client.get();
  config_.connections.erase(config_.connections.begin());
  raw->Fetch(group, std::move(request),
             [client = std::move(client)](const ApiAnswer&) mutable { client.reset(); });
  ASSERT_TRUE(gate_->Reload(config_).ok());
  // Waits for all that is pending.
  gate_ = nullptr;
}

}  // namespace
}  // namespace intercom_extractor
