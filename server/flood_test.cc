// Ten thousand streams at once: the program refuses all but a few, in little time and memory,
// and then serves a normal call.
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/sync/mutex.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/caller_token.h"
#include "server/program_fixture.h"
#include "server/raw_http2.h"
#include "server/server_fixture.h"
#include "server/test_certificates.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

constexpr int kConnections = 100;
constexpr int kStreamsEach = 100;
constexpr int kStreams = kConnections * kStreamsEach;
constexpr char kToken[] = "flood-test-token-of-at-least-thirty-two-characters";
// What the program may hold at most; a stream that runs takes under 2 MiB here.
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
// Its quarantine of what was freed holds 256 MiB.
constexpr int64_t kMaxMemory = int64_t{400 + 256} << 20;
#else
constexpr int64_t kMaxMemory = int64_t{400} << 20;
#endif

// How the streams stand.
class Tally {
 public:
  void AddOpen() { Add(&open_); }
  void AddEnd(const grpc::Status& status) {
    {
      MutexLock lock(&mu_);
      ends_[absl::StrCat(static_cast<int>(status.error_code()), " ", DetailsOf(status).reason)]++;
    }
    Add(&ended_);
  }
  // Waits until every stream is open or has ended.
  void WaitForAll() {
    MutexLock lock(&mu_);
    while (open_ + ended_ < kStreams) changed_.Wait(&mu_);
  }
  // Waits until those that were open have ended as well.
  void WaitForEnds() {
    MutexLock lock(&mu_);
    while (ended_ < kStreams) changed_.Wait(&mu_);
  }
  int open() const {
    MutexLock lock(&mu_);
    return open_;
  }
  // By code and reason.
  std::map<std::string, int> ends() const {
    MutexLock lock(&mu_);
    return ends_;
  }

 private:
  void Add(int* count) {
    MutexLock lock(&mu_);
    ++*count;
    changed_.SignalAll();
  }

  mutable Mutex mu_;
  CondVar changed_;
  int open_ = 0;
  int ended_ = 0;
  std::map<std::string, int> ends_;
};

// One `Extract` that is left open once it has begun.
class Stream : public grpc::ClientReadReactor<v1::ExtractResponse> {
 public:
  Stream(v1::ExtractorService::Stub* stub, const std::string& token, Tally* tally) : tally_(tally) {
    if (!token.empty()) context_.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    request_.add_tables("tags");
    stub->async()->Extract(&context_, &request_, this);
    StartRead(&event_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    // The first progress; what comes later is read, too, as the client has a window to fill.
    if (!opened_) tally_->AddOpen();
    opened_ = true;
    StartRead(&event_);
  }
  void OnDone(const grpc::Status& status) override { tally_->AddEnd(status); }

 private:
  Tally* const tally_;
  grpc::ClientContext context_;
  v1::ExtractRequest request_;
  v1::ExtractResponse event_;
  bool opened_ = false;
};

class FloodTest : public ::testing::Test {
 protected:
  FloodTest() {
    fake::FakeIntercomOptions options;
    options.access_token = kProgramToken;
    // Streams that are let in stay open.
    options.latency = std::chrono::hours(1);
    intercom_ = std::make_unique<fake::FakeIntercom>(
        options, std::make_shared<fake::GeneratedWorkspace>(fake::GeneratorOptions()));
  }

  void Start(const std::string& more) {
    const std::string config = WriteTestFile(
        "flood.yaml", absl::StrCat("listen: 127.0.0.1:0\n"
                                   "connections:\n"
                                   "  - name: default\n"
                                   "    base_url: ",
                                   intercom_->base_url(),
                                   "\n"
                                   "    access_token_env: SERVER_PROGRAM_TEST_TOKEN\n",
                                   more));
    program_ = std::make_unique<Program>(std::vector<std::string>{"--config", config});
    address_ = AddressIn(program_->ReadLine());
    // Nobody may wait for a full pipe.
    program_->DropOutput();
  }

  std::unique_ptr<v1::ExtractorService::Stub> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return v1::ExtractorService::NewStub(
        grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments));
  }

  // Opens them all, waits until each is open or refused, then ends them.
  void Flood(const std::string& token) {
    for (int i = 0; i < kConnections; ++i) stubs_.push_back(Connect());
    for (const auto& stub : stubs_) {
      for (int i = 0; i < kStreamsEach; ++i) streams_.emplace_back(stub.get(), token, &tally_);
    }
    tally_.WaitForAll();
    refused_ = tally_.ends();
    for (Stream& stream : streams_) stream.Cancel();
    tally_.WaitForEnds();
    const int64_t memory = program_->PeakMemory();
    RecordProperty("server_peak_mib", static_cast<int>(memory >> 20));
    EXPECT_LT(memory, kMaxMemory);
  }

  void ExpectServes(const std::string& token) {
    const auto stub = Connect();
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    v1::ListTablesResponse response;
    const grpc::Status status = stub->ListTables(&context, v1::ListTablesRequest(), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  static std::string Callers(const std::string& limits) {
    return absl::StrCat("callers:\n  - name: nightly\n    token_sha256: ",
                        absl::BytesToHexString(HashCallerToken(kToken)),
                        "\n    connections: default\n", limits);
  }

  std::unique_ptr<fake::FakeIntercom> intercom_;
  std::unique_ptr<Program> program_;
  std::string address_;
  Tally tally_;
  std::vector<std::unique_ptr<v1::ExtractorService::Stub>> stubs_;
  std::deque<Stream> streams_;
  std::map<std::string, int> refused_;
};

using Ends = std::map<std::string, int>;

TEST_F(FloodTest, ACallerHasAsManyStreamsAsItMay) {
  Start(Callers("    max_streams: 10\n"));
  Flood(kToken);
  EXPECT_EQ(tally_.open(), 10);
  EXPECT_EQ(refused_, (Ends{{"8 CALLER_LIMIT", kStreams - 10}}));
  ExpectServes(kToken);
}

TEST_F(FloodTest, WithoutCallersTheServersLimitHolds) {
  Start("max_streams: 20\n");
  Flood("");
  EXPECT_EQ(tally_.open(), 20);
  EXPECT_EQ(refused_, (Ends{{"8 CALLER_LIMIT", kStreams - 20}}));
  ExpectServes("");
}

TEST_F(FloodTest, NobodyGetsNone) {
  Start(Callers(""));
  Flood("not the token");
  EXPECT_EQ(tally_.open(), 0);
  EXPECT_EQ(refused_, (Ends{{"16 CALLER_UNKNOWN", kStreams}}));
  EXPECT_EQ(intercom_->stats().total, 0);
  ExpectServes(kToken);
}

class RawFloodTest : public FloodTest {
 protected:
  // Heads of calls that never get a message, on one connection; true when the server has cut
  // it.
  bool SendHeads(RawConnection* connection, int count) {
    const Http2Header authorization = {"authorization", absl::StrCat("Bearer ", kToken)};
    const std::string headers =
        GrpcHeaders("/intercom.extractor.v1.ExtractorService/Extract", {authorization});
    std::string frames;
    for (int i = 0; i < count; ++i) {
      frames +=
          Http2Frame(kHttp2Headers, kHttp2EndHeaders, static_cast<unsigned>(2 * i + 1), headers);
    }
    return !connection->Send(frames);
  }

  void ExpectUnharmed() {
    const int64_t memory = program_->PeakMemory();
    RecordProperty("server_peak_mib", static_cast<int>(memory >> 20));
    EXPECT_LT(memory, kMaxMemory);
    EXPECT_EQ(intercom_->stats().total, 0);
    ExpectServes(kToken);
  }

  std::unique_ptr<RawConnection> ConnectRaw() const {
    auto connection =
        std::make_unique<RawConnection>(std::stoi(address_.substr(address_.rfind(':') + 1)));
    EXPECT_TRUE(connection->Send(Http2Preface()));
    // The server's settings.
    EXPECT_NE(connection->Receive(absl::Seconds(30)), "");
    return connection;
  }
};

TEST_F(RawFloodTest, AConnectionThatIgnoresItsLimitIsCut) {
  Start(Callers(""));
  const auto connection = ConnectRaw();
  ASSERT_TRUE(connection->Send(Http2SettingsAck()));
  EXPECT_TRUE(SendHeads(connection.get(), kStreams) || connection->WaitForClose(absl::Seconds(30)));
  ExpectUnharmed();
}

TEST_F(RawFloodTest, HeadsOfCallsWithoutMessagesCostLittle) {
  Start(Callers(""));
  // gRPC holds a connection to a limit only once it has agreed to it; this one does not.
  const auto connection = ConnectRaw();
  ASSERT_FALSE(SendHeads(connection.get(), kStreams));
  // Answered once the server has seen all that came before.
  ASSERT_TRUE(connection->Send(Http2Frame(kHttp2Ping, 0, 0, "12345678")));
  std::string received;
  while (FramesOfType(received, kHttp2Ping).empty() && !connection->closed()) {
    received += connection->Receive(absl::Seconds(30));
  }
  EXPECT_FALSE(FramesOfType(received, kHttp2Ping).empty());
  ExpectUnharmed();
}

}  // namespace
}  // namespace intercom_extractor
