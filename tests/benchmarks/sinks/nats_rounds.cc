// How fast the sink for NATS takes batches of rows of users, beside a bare loop that publishes
// the same messages, in commits of the same size, over libnats.
//
//   sinks/nats/users/ours    NatsSink: Write() of the batches and Commit(), each commit 5,000
//                            rows, as a checkpoint
//   sinks/nats/users/floor   js_PublishMsgAsync() of ids, values and headers that are ready,
//                            as many of them pending; once all are acknowledged, a token into
//                            a bucket
//
// nats_sink_benchmark.py starts the server, and names it in the environment.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "clients/sinks/nats/nats_sink.h"
#include "clients/sinks/nats/nats_url.h"
#include "nats/nats.h"
#include "tests/benchmarks/sinks/queue_rounds.h"

namespace intercom_extractor {
namespace {

constexpr char kStream[] = "benchmark";
constexpr char kSubject[] = "benchmark.users";
constexpr int64_t kPendingMessages = 4'000;

void Check(natsStatus status) {
  if (status != NATS_OK) FailBenchmark(natsStatus_GetText(status));
}

// The bare loop, into the stream and bucket that the sink has made.
class Floor {
 public:
  explicit Floor(const NatsTarget& target) {
    natsOptions* options = nullptr;
    Check(natsOptions_Create(&options));
    Check(natsOptions_SetURL(options, absl::StrCat("nats://", target.hosts[0]).c_str()));
    Check(natsOptions_SetUserInfo(options, target.user.c_str(), target.password.c_str()));
    Check(natsConnection_Connect(&connection_, options));
    natsOptions_Destroy(options);
    jsOptions js;
    jsOptions_Init(&js);
    js.PublishAsync.MaxPending = kPendingMessages;
    js.PublishAsync.StallWait = 30'000;
    js.PublishAsync.ErrHandler = [](jsCtx*, jsPubAckErr* error, void*) {
      FailBenchmark(error->ErrText);
    };
    Check(natsConnection_JetStream(&js_, connection_, &js));
    Check(js_KeyValue(&bucket_, js_, target.bucket().c_str()));
  }

  ~Floor() {
    kvStore_Destroy(bucket_);
    jsCtx_Destroy(js_);
    natsConnection_Destroy(connection_);
  }

  void Empty() { Check(js_PurgeStream(js_, kStream, nullptr, nullptr)); }

  int64_t Count() {
    jsStreamInfo* info = nullptr;
    Check(js_GetStreamInfo(&info, js_, kStream, nullptr, nullptr));
    const auto count = static_cast<int64_t>(info->State.Msgs);
    jsStreamInfo_Destroy(info);
    return count;
  }

  void Write(const QueueWork& work) {
    ++round_;
    for (const auto& commit : work.commits) {
      for (const QueueWork::Row& row : commit) Publish(work, row);
      Check(js_PublishAsyncComplete(js_, nullptr));
      Check(kvStore_Put(nullptr, bucket_, "floor", work.token.data(),
                        static_cast<int>(work.token.size())));
    }
  }

 private:
  void Publish(const QueueWork& work, const QueueWork::Row& row) {
    natsMsg* message = nullptr;
    Check(natsMsg_Create(&message, kSubject, nullptr, row.value.data(),
                         static_cast<int>(row.value.size())));
    Check(natsMsgHeader_Set(message, "key", row.key.c_str()));
    Check(natsMsgHeader_Set(message, "table", "users"));
    Check(natsMsgHeader_Set(message, "schema_version", work.schema_version.c_str()));
    Check(natsMsgHeader_Set(message, "run", "1"));
    Check(natsMsgHeader_Set(message, "generation", "1"));
    Check(natsMsgHeader_Set(message, "extracted_at", "2026-01-01T00:00:00.000Z"));
    const std::string id = absl::StrCat(round_, ":", row.key);
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MsgId = id.c_str();
    options.ExpectStream = kStream;
    Check(js_PublishMsgAsync(js_, &message, &options));
  }

  natsConnection* connection_ = nullptr;
  jsCtx* js_ = nullptr;
  kvStore* bucket_ = nullptr;
  int round_ = 0;
};

int Main(int argc, char** argv) {
  const char* const url = std::getenv("SINK_BENCHMARK_URL");
  const char* const password = std::getenv("INTERCOM_SINK_PASSWORD");
  if (url == nullptr || password == nullptr) FailBenchmark("SINK_BENCHMARK_URL names no server");
  auto target = ParseNatsUrl(absl::StrCat(url, "?stream=benchmark&prefix=benchmark."));
  CheckBenchmark(target.status());
  target->password = password;
  auto sink = NatsSink::Make(*target, "benchmark", {UsersTable()}, {UsersTable()});
  CheckBenchmark(sink.status());
  CheckBenchmark((*sink)->Open().status());
  Floor floor(*target);
  const QueueWork work;
  QueueRounds rounds;
  rounds.name = "sinks/nats/users";
  rounds.empty = [&] { floor.Empty(); };
  rounds.ours = [&] { WriteThrough(work, sink->get()); };
  rounds.floor = [&] { floor.Write(work); };
  rounds.written = [&] { return floor.Count(); };
  return RunQueueRounds(rounds, work.rows, argc, argv);
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) { return intercom_extractor::Main(argc, argv); }
