// How fast the sink for Kafka takes batches of rows of users, beside a bare loop that sends
// the same records, in transactions of the same size, over librdkafka.
//
//   sinks/kafka/users/ours    KafkaSink: Write() of the batches and Commit(), each commit
//                             5,000 rows, as a checkpoint
//   sinks/kafka/users/floor   rd_kafka_producev() of keys, values and headers that are ready,
//                             then of a token, and the commit
//
// Both write into the same topic, with the same properties of the producer.
//
// kafka_sink_benchmark.py starts the broker, and names it in the environment.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/sinks/kafka/kafka_sink.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "librdkafka/rdkafka.h"
#include "tests/benchmarks/sinks/queue_rounds.h"

namespace intercom_extractor {
namespace {

constexpr char kUsers[] = "benchmark.users";
// So long a round lasts that commits are not all of it.
constexpr int kTimes = 2;

void Check(rd_kafka_error_t* error) {
  if (error != nullptr) FailBenchmark(rd_kafka_error_string(error));
}

// The bare loop.
class Floor {
 public:
  Floor(const KafkaTarget& target, const std::string& schema_version)
      : headers_(rd_kafka_headers_new(5), &rd_kafka_headers_destroy) {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"bootstrap.servers", target.brokers},
             {"transactional.id", "floor"},
             {"acks", "all"},
             {"partitioner", "murmur2_random"},
             {"compression.type", "lz4"},
             {"linger.ms", "20"},
             {"queue.buffering.max.messages", "1000000"},
             {"queue.buffering.max.kbytes", target.properties.at("queue.buffering.max.kbytes")},
             {"message.timeout.ms", "30000"},
             {"message.max.bytes", absl::StrCat(target.max_message_bytes)}}) {
      char said[512];
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), said, sizeof(said)) !=
          RD_KAFKA_CONF_OK) {
        FailBenchmark(said);
      }
    }
    // A loop has to know what came of its records.
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* sent, void*) {
      if (sent->err != RD_KAFKA_RESP_ERR_NO_ERROR) FailBenchmark(rd_kafka_err2str(sent->err));
    });
    char said[512];
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, said, sizeof(said));
    if (producer_ == nullptr) FailBenchmark(said);
    Check(rd_kafka_init_transactions(producer_, 60'000));
    users_ = rd_kafka_topic_new(producer_, kUsers, nullptr);
    positions_ = rd_kafka_topic_new(producer_, "benchmark._positions", nullptr);
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"table", "users"},
             {"schema_version", schema_version},
             {"run", "1"},
             {"generation", "1"},
             {"extracted_at", "2026-01-01T00:00:00.000Z"}}) {
      rd_kafka_header_add(headers_.get(), name.data(), -1, value.data(), -1);
    }
  }

  ~Floor() {
    rd_kafka_topic_destroy(users_);
    rd_kafka_topic_destroy(positions_);
    rd_kafka_destroy(producer_);
  }

  void Write(const QueueWork& work) {
    for (const std::vector<QueueWork::Row>& commit : work.commits) {
      Check(rd_kafka_begin_transaction(producer_));
      for (const QueueWork::Row& row : commit) Send(users_, row.key, row.value);
      Send(positions_, "floor", work.token);
      Check(rd_kafka_commit_transaction(producer_, -1));
    }
  }

  // Committed offsets of the topic of users: each record has one, and each commit in each
  // partition.
  int64_t CountOffsets(int partitions) {
    int64_t count = 0;
    for (int32_t partition = 0; partition < partitions; ++partition) {
      int64_t begin = 0;
      int64_t end = 0;
      const rd_kafka_resp_err_t code =
          rd_kafka_query_watermark_offsets(producer_, kUsers, partition, &begin, &end, 10'000);
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) FailBenchmark(rd_kafka_err2str(code));
      count += end;
    }
    return count;
  }

 private:
  void Send(rd_kafka_topic_t* topic, absl::string_view key, absl::string_view value) {
    rd_kafka_headers_t* const headers = rd_kafka_headers_copy(headers_.get());
    for (;;) {
      const rd_kafka_resp_err_t code = rd_kafka_producev(
          producer_, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_KEY(key.data(), key.size()),
          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
      if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) FailBenchmark(rd_kafka_err2str(code));
      rd_kafka_poll(producer_, 10);
    }
  }

  rd_kafka_t* producer_ = nullptr;
  rd_kafka_topic_t* users_ = nullptr;
  rd_kafka_topic_t* positions_ = nullptr;
  const std::unique_ptr<rd_kafka_headers_t, decltype(&rd_kafka_headers_destroy)> headers_;
};

int Main(int argc, char** argv) {
  const char* const url = std::getenv("SINK_BENCHMARK_URL");
  if (url == nullptr) FailBenchmark("SINK_BENCHMARK_URL names no broker");
  const auto target = ParseKafkaUrl(absl::StrCat(url, "/?prefix=benchmark."));
  CheckBenchmark(target.status());
  auto sink = KafkaSink::Make(*target, "benchmark", {UsersTable()}, {UsersTable()});
  CheckBenchmark(sink.status());
  CheckBenchmark((*sink)->Open().status());
  const QueueWork work;
  Floor floor(*target, work.schema_version);
  const auto twice = [](const auto& write) {
    for (int time = 0; time < kTimes; ++time) write();
  };
  const size_t rows = work.rows * kTimes;
  // What commits add to the topic.
  const auto marks = static_cast<int64_t>(work.commits.size()) * kTimes * target->partitions;
  int64_t before = 0;
  QueueRounds rounds;
  rounds.name = "sinks/kafka/users";
  rounds.empty = [&] { before = floor.CountOffsets(target->partitions); };
  rounds.ours = [&] { twice([&] { WriteThrough(work, sink->get()); }); };
  rounds.floor = [&] { twice([&] { floor.Write(work); }); };
  rounds.written = [&] {
    // Brokers mark the last commit after they have promised it.
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    for (;;) {
      const int64_t written = floor.CountOffsets(target->partitions) - before - marks;
      if (written >= static_cast<int64_t>(rows) || absl::Now() > deadline) return written;
      absl::SleepFor(absl::Milliseconds(5));
    }
  };
  return RunQueueRounds(rounds, rows, argc, argv);
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) { return intercom_extractor::Main(argc, argv); }
