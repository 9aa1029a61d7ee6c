// How fast the sink for Redis takes batches of rows of users, beside a bare loop that sends
// the same entries, in transactions of the same size, over hiredis.
//
//   sinks/redis/users/ours    RedisSink: Write() of the batches and Commit(), each commit
//                             5,000 rows, as a checkpoint
//   sinks/redis/users/floor   MULTI, XADD of keys, values and fields that are ready, HSET of a
//                             token, EXEC: appended to hiredis' pipeline, then the replies
//
// redis_sink_benchmark.py starts the server, and names it in the environment.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/redis/redis_sink.h"
#include "clients/sinks/redis/redis_url.h"
#include "hiredis/hiredis.h"
#include "tests/benchmarks/sinks/queue_rounds.h"

namespace intercom_extractor {
namespace {

constexpr char kStream[] = "benchmark:users";

// The bare loop.
class Floor {
 public:
  explicit Floor(const RedisTarget& target)
      : context_(redisConnect(target.host.c_str(), target.port), &redisFree) {
    if (context_ == nullptr || context_->err != 0) FailBenchmark("cannot connect");
    Ask({"AUTH", target.user, target.password});
  }

  int64_t Ask(const std::vector<absl::string_view>& words) {
    Append(words);
    return Read();
  }

  void Write(const QueueWork& work) {
    for (const std::vector<QueueWork::Row>& commit : work.commits) {
      Append({"MULTI"});
      for (const QueueWork::Row& row : commit) {
        Append({"XADD", kStream, "*", "key", row.key, "value", row.value, "table", "users",
                "schema_version", work.schema_version, "run", "1", "generation", "1",
                "extracted_at", "2026-01-01T00:00:00.000Z"});
      }
      Append({"HSET", "benchmark:_positions:floor", "position", work.token});
      Append({"EXEC"});
      for (size_t i = 0; i < commit.size() + 3; ++i) Read();
    }
  }

 private:
  void Append(const std::vector<absl::string_view>& words) {
    texts_.clear();
    lengths_.clear();
    for (const absl::string_view word : words) {
      texts_.push_back(word.data());
      lengths_.push_back(word.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts_.data(),
                           lengths_.data());
  }

  int64_t Read() {
    void* read = nullptr;
    if (redisGetReply(context_.get(), &read) != REDIS_OK) FailBenchmark(context_->errstr);
    auto* const reply = static_cast<redisReply*>(read);
    if (reply->type == REDIS_REPLY_ERROR) FailBenchmark(reply->str);
    const int64_t number = reply->integer;
    freeReplyObject(reply);
    return number;
  }

  const std::unique_ptr<redisContext, decltype(&redisFree)> context_;
  std::vector<const char*> texts_;
  std::vector<size_t> lengths_;
};

int Main(int argc, char** argv) {
  const char* const url = std::getenv("SINK_BENCHMARK_URL");
  const char* const password = std::getenv("INTERCOM_SINK_PASSWORD");
  if (url == nullptr || password == nullptr) FailBenchmark("SINK_BENCHMARK_URL names no server");
  auto target = ParseRedisUrl(absl::StrCat(url, "?prefix=benchmark:"));
  CheckBenchmark(target.status());
  target->password = password;
  auto sink = RedisSink::Make(*target, "benchmark", {UsersTable()}, {UsersTable()});
  CheckBenchmark(sink.status());
  CheckBenchmark((*sink)->Open().status());
  Floor floor(*target);
  const QueueWork work;
  QueueRounds rounds;
  rounds.name = "sinks/redis/users";
  rounds.empty = [&] { floor.Ask({"XTRIM", kStream, "MAXLEN", "0"}); };
  rounds.ours = [&] { WriteThrough(work, sink->get()); };
  rounds.floor = [&] { floor.Write(work); };
  rounds.written = [&] { return floor.Ask({"XLEN", kStream}); };
  return RunQueueRounds(rounds, work.rows, argc, argv);
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) { return intercom_extractor::Main(argc, argv); }
