// A whole server as those see it who watch: its HTTP port, its gRPC health, and
// ListExtractions, while an extraction runs.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "proto/v1.h"
#include "server/extractor_server.h"
#include "server/server_config.h"
#include "server/server_fixture.h"
#include "tests/fake_intercom/fake_intercom.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class WatchTest : public ServerFixture {
 protected:
  WatchTest() { config_.metrics_listen = "127.0.0.1:0"; }

  httplib::Result Get(const std::string& path) {
    httplib::Client client("127.0.0.1", server_->metrics_port());
    return client.Get(path);
  }

  v1::ListExtractionsResponse List(const std::string& connection = "") {
    grpc::ClientContext context;
    v1::ListExtractionsRequest request;
    request.set_connection(connection);
    v1::ListExtractionsResponse response;
    const grpc::Status status = stub_->ListExtractions(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

// Reads one answer after the other of a health `Watch` on a thread of its own.
class HealthWatch {
 public:
  HealthWatch(const std::shared_ptr<grpc::Channel>& channel,
              std::function<void(const std::string&)> on_change)
      : stub_(channel), on_change_(std::move(on_change)), thread_([this] { Read(); }) {}
  ~HealthWatch() { thread_.join(); }

 private:
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  void Read() {
    auto call = stub_.PrepareCall(&context_, "/grpc.health.v1.Health/Watch", &queue_);
    call->StartCall(nullptr);
    Await();
    const grpc::Slice everything("", 0);
    call->Write(grpc::ByteBuffer(&everything, 1), nullptr);
    Await();
    while (true) {
      grpc::ByteBuffer bytes;
      call->Read(&bytes, nullptr);
      if (!Await()) break;
      grpc::Slice received;
      if (!bytes.DumpToSingleSlice(&received).ok()) break;
      on_change_(std::string(received.begin(), received.end()));
    }
    grpc::Status status;
    call->Finish(&status, nullptr);
    Await();
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  const std::function<void(const std::string&)> on_change_;
  std::thread thread_;
};

TEST_F(WatchTest, ReadinessGoesBeforeHealthDoes) {
  Start();
  EXPECT_EQ(Get("/readyz")->status, 200);
  std::atomic<int> changes{0};
  std::atomic<int> ready_when_not_serving{0};
  {
    HealthWatch health(channel_, [&](const std::string& answer) {
      // `status: NOT_SERVING`; the port still answers, as the server waits for its calls.
      if (answer == "\x08\x02") ready_when_not_serving = Get("/readyz")->status;
      ++changes;
    });
    while (changes == 0) std::this_thread::yield();
    server_->Shutdown(absl::Seconds(5));
  }
  EXPECT_EQ(ready_when_not_serving, 503);
  EXPECT_EQ(Get("/readyz")->status, 503);
  EXPECT_EQ(Get("/livez")->status, 200);
}

TEST_F(WatchTest, ListsAnExtractionWhileItRunsAndAfterItsEnd) {
  options_.quota = fake::Quota::Parse("5/10s");
  Start();
  EXPECT_EQ(List().running_size(), 0);

  v1::ExtractRequest request;
  request.set_template_(v1::TEMPLATE_ALL);
  grpc::ClientContext context;
  auto reader = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  // Read on until the quota keeps it waiting, which takes some windows to be over.
  while (reader->Read(&event)) {
    if (event.has_progress() && event.progress().waiting_for() == v1::WAIT_REASON_QUOTA) break;
  }
  const v1::ListExtractionsResponse list = List();
  ASSERT_EQ(list.running_size(), 1);
  const v1::ExtractionStatus& running = list.running(0);
  EXPECT_EQ(running.id().size(), 16);
  EXPECT_EQ(running.connection(), "default");
  EXPECT_EQ(running.progress().waiting_for(), v1::WAIT_REASON_QUOTA);
  EXPECT_EQ(running.progress().quota().limit(), 5);
  EXPECT_EQ(running.progress().tables_size(), 22);

  const std::string metrics = Get("/metrics")->body;
  EXPECT_THAT(
      metrics,
      AllOf(HasSubstr("intercom_extractor_extractions_running{connection=\"default\"} 1\n"),
            HasSubstr("intercom_extractor_quota_limit_requests{connection=\"default\"} 5\n"),
            HasSubstr("method=\"intercom.extractor.v1.ExtractorService/Extract\"} 1\n"),
            HasSubstr("intercom_extractor_ready 1\n"), Not(HasSubstr(options_.access_token))));
  const std::string status = Get("/status.json")->body;
  EXPECT_THAT(status, AllOf(HasSubstr(running.id()), HasSubstr("\"waiting_for\":\"quota\""),
                            Not(HasSubstr(options_.access_token))));

  context.TryCancel();
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  v1::ListExtractionsResponse after;
  do after = List();
  while (after.running_size() > 0);
  ASSERT_EQ(after.ended_size(), 1);
  EXPECT_EQ(after.ended(0).id(), running.id());
  EXPECT_EQ(after.ended(0).code(), 1);
}

TEST_F(WatchTest, CallsAreCountedByMethodAndCode) {
  Start();
  List();
  v1::CheckConnectionResponse response;
  EXPECT_EQ(Check("nobody", &response).error_code(), grpc::StatusCode::NOT_FOUND);
  CheckHealth(channel_, "");
  // A client has its answer before the call is over in every respect.
  std::string metrics;
  for (int tries = 0; tries < 1000 && !absl::StrContains(metrics, "Health/Check\",code=");
       ++tries) {
    metrics = Get("/metrics")->body;
  }
  EXPECT_THAT(metrics,
              AllOf(HasSubstr("intercom_extractor_grpc_calls_total{method=\"intercom.extractor.v1."
                              "ExtractorService/ListExtractions\",code=\"OK\"} 1\n"),
                    HasSubstr("intercom_extractor_grpc_calls_total{method=\"intercom.extractor.v1."
                              "ExtractorService/CheckConnection\",code=\"NOT_FOUND\"} 1\n"),
                    HasSubstr("intercom_extractor_grpc_calls_total{method=\"grpc.health.v1."
                              "Health/Check\",code=\"OK\"} 1\n")));
}

TEST_F(WatchTest, ListingAnUnknownConnectionIsAnError) {
  Start();
  grpc::ClientContext context;
  v1::ListExtractionsRequest request;
  request.set_connection("nobody");
  v1::ListExtractionsResponse response;
  const grpc::Status status = stub_->ListExtractions(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailsOf(status).reason, "CONNECTION_UNKNOWN");
}

TEST_F(WatchTest, ThePortIsForThisMachineUnlessTheConfigurationSaysOtherwise) {
  config_.metrics_listen = "0.0.0.0:0";
  EXPECT_THAT(StartError(), AllOf(HasSubstr("metrics.listen: \"0.0.0.0:0\""),
                                  HasSubstr("metrics.allow_plaintext: true")));
  config_.metrics_allow_plaintext = true;
  Start();
  EXPECT_EQ(Get("/livez")->status, 200);
}

TEST_F(WatchTest, WithoutAnAddressThereIsNoPort) {
  config_.metrics_listen = "";
  Start();
  EXPECT_EQ(server_->metrics_port(), 0);
}

TEST_F(WatchTest, ChannelzIsThereOnlyWhenWanted) {
  constexpr char kGetServers[] = "/grpc.channelz.v1.Channelz/GetServers";
  config_.channelz = true;
  Start();
  EXPECT_TRUE(CallRaw(channel_, kGetServers, "").status.ok());
  config_.channelz = false;
  StartServer();
  EXPECT_EQ(CallRaw(channel_, kGetServers, "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace intercom_extractor
