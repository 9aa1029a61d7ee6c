// How fast finished batches of rows of users reach a reader over TCP, by the product's
// way (EventQueue, EventPump, ExtractCall, fed by a thread that pushes them) beside the
// least that gRPC can do, a callback stream that writes one after the other. Both send
// each batch once, from memory that was written before the clock starts. Each server is a
// process of its own; the reader is this one.
//
//   streaming/256KB/bytes/ours    a reader that takes the bytes as they come
//   streaming/256KB/typed/ours    one that parses each event, into the same message
//   streaming/256KB/bytes/raw     the same readers at the bare stream
//   streaming/256KB/bytes/server_cpu/ours, .../raw
//                                 the server's CPU in these rounds: on a busy machine it
//                                 tells more than wall time
//
// The two servers of a pair take turns, round by round, so that what else happens on the
// machine hits both. Figures are medians of the rounds:
//   bytes_per_second, items_per_second   of events, of rows
//   server_cpu_per_GB, client_cpu_per_GB CPU seconds for 10^9 bytes
//   client_cores                         CPU of the reader by wall time: where that is
//                                        one core, the reader is what limits
//   of_raw                               ours: its rate by raw's, in the same round
//
// The program ends with 1 when anything but what was ordered arrives.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "tests/benchmarks/streaming/batch_server.h"
#include "tests/benchmarks/streaming/child.h"
#include "tests/benchmarks/streaming/event_reader.h"
#include "tests/benchmarks/streaming/finished_batches.h"

namespace intercom_extractor {
namespace {

constexpr char kRole[] = "--serve";
constexpr char kBytes[] = "bytes";
constexpr char kTyped[] = "typed";

// Odd, for a median. Brief runs show that the benchmark works, not how fast it is.
constexpr size_t kRounds = 15;
constexpr size_t kRoundsInBrief = 1;
constexpr size_t kBytesPerRound = size_t{256} << 20;
constexpr size_t kBytesPerRoundInBrief = size_t{4} << 20;

bool Brief() { return std::getenv("BENCHMARK_BRIEF") != nullptr; }

bool any_failed = false;

// One stream, from its first event to its end.
struct Round {
  double seconds = 0;
  double server_cpu = 0;
  double client_cpu = 0;
};

// What a stream must bring, and what it has brought.
class Delivery {
 public:
  Delivery(const FinishedBatches& batches, size_t count, const Child& server)
      : batches_(batches), count_(static_cast<int64_t>(count)), server_(server) {}

  void OnBytes(grpc::ByteBuffer* event) {
    const size_t bytes = event->Length();
    // Counting takes longer than taking: the first event, the last and some between
    // answer for all of their length.
    if (bytes != batches_.events[0].size() || arrived_ % 64 == 0 || arrived_ + 1 == count_) {
      good_ = good_ && CountRows(event) == static_cast<int64_t>(batches_.rows);
    }
    OnEvent(bytes, batches_.rows);
  }
  void OnMessage(const v1::ExtractResponse& event) {
    OnEvent(batches_.events[0].size(), static_cast<size_t>(event.row_batch().users_size()));
  }

  // The round, once the stream has ended; nothing less than all counts.
  Round End(const grpc::Status& status, const std::string& name) {
    if (!good_ || !status.ok() || arrived_ != count_ ||
        rows_ != count_ * static_cast<int64_t>(batches_.rows)) {
      std::printf("FAILED: %s: %s: %lld of %lld events, %lld rows\n", name.c_str(),
                  status.error_message().c_str(), static_cast<long long>(arrived_),
                  static_cast<long long>(count_), static_cast<long long>(rows_));
      any_failed = true;
    }
    const Round now = Now();
    return {now.seconds - begin_.seconds, now.server_cpu - begin_.server_cpu,
            now.client_cpu - begin_.client_cpu};
  }

 private:
  void OnEvent(size_t bytes, size_t rows) {
    if (arrived_++ == 0) begin_ = Now();
    rows_ += static_cast<int64_t>(rows);
    good_ = good_ && bytes == batches_.events[0].size();
  }
  Round Now() const {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration<double>(now).count(), server_.CpuSeconds(), OwnCpuSeconds()};
  }

  const FinishedBatches& batches_;
  const int64_t count_;
  const Child& server_;
  Round begin_;
  int64_t arrived_ = 0;
  int64_t rows_ = 0;
  bool good_ = true;
};

struct Server {
  explicit Server(const std::string& way)
      : process({kRole, way}), channel(Connect(process.line())) {}
  Child process;
  std::shared_ptr<grpc::Channel> channel;
};

// The rounds of one pair, measured when they are first asked for.
class Pair {
 public:
  Pair(size_t bytes_each, std::string reader)
      : batches_(bytes_each),
        count_((Brief() ? kBytesPerRoundInBrief : kBytesPerRound) / bytes_each),
        reader_(std::move(reader)) {}

  const std::vector<Round>& Rounds(const std::string& way) {
    if (rounds_.empty()) Measure();
    return rounds_[way];
  }
  // Of those that a round counts: all but the first.
  double Bytes() const { return static_cast<double>(batches_.events[0].size()) * Events(); }
  double Rows() const { return static_cast<double>(batches_.rows) * Events(); }

 private:
  double Events() const { return static_cast<double>(count_ - 1); }

  void Measure() {
    // Never destroyed: they end with this process.
    static Server& ours = *new Server(kOurs);
    static Server& raw = *new Server(kRaw);
    // The first round warms up both.
    for (size_t round = 0; round <= (Brief() ? kRoundsInBrief : kRounds); ++round) {
      for (Server* server : {&ours, &raw}) {
        const std::string way = server == &ours ? kOurs : kRaw;
        const Round result = Read(server, way);
        if (round > 0) rounds_[way].push_back(result);
      }
    }
  }

  Round Read(Server* server, const std::string& way) const {
    const v1::ExtractRequest request = BatchOrder{batches_.bytes_each, count_}.ToRequest();
    Delivery delivery(batches_, count_, server->process);
    grpc::Status status;
    if (reader_ == kBytes) {
      status = ReadBytes(server->channel, request, [&](grpc::ByteBuffer* event) {
        delivery.OnBytes(event);
        return true;
      });
    } else {
      status = ReadMessages(server->channel, request, [&](const v1::ExtractResponse& event) {
        delivery.OnMessage(event);
        return true;
      });
    }
    return delivery.End(status, absl::StrCat(reader_, "/", way));
  }

  const FinishedBatches batches_;
  const size_t count_;
  const std::string reader_;
  std::map<std::string, std::vector<Round>> rounds_;
};

double Median(const std::vector<Round>& rounds, const std::function<double(const Round&)>& value) {
  std::vector<double> values;
  values.reserve(rounds.size());
  for (const Round& round : rounds) values.push_back(value(round));
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Report(benchmark::State& state, Pair* pair, const std::string& way) {
  const std::vector<Round>& rounds = pair->Rounds(way);
  for (auto iteration : state) {
    state.SetIterationTime(Median(rounds, [](const Round& round) { return round.seconds; }));
  }
  const double gigabytes = pair->Bytes() / 1e9;
  state.SetBytesProcessed(static_cast<int64_t>(pair->Bytes()));
  state.SetItemsProcessed(static_cast<int64_t>(pair->Rows()));
  state.counters["server_cpu_per_GB"] =
      Median(rounds, [=](const Round& round) { return round.server_cpu / gigabytes; });
  state.counters["client_cpu_per_GB"] =
      Median(rounds, [=](const Round& round) { return round.client_cpu / gigabytes; });
  state.counters["client_cores"] =
      Median(rounds, [](const Round& round) { return round.client_cpu / round.seconds; });
  if (way != kOurs) return;
  const std::vector<Round>& raw = pair->Rounds(kRaw);
  size_t round = 0;
  state.counters["of_raw"] =
      Median(rounds, [&](const Round& ours) { return raw[round++].seconds / ours.seconds; });
}

void Register(const std::string& name, const std::function<void(benchmark::State&)>& report) {
  benchmark::RegisterBenchmark(name.c_str(), report)
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void RegisterAll() {
  constexpr struct {
    const char* name;
    size_t bytes;
  } kSizes[] = {{"64KB", 64 << 10}, {"256KB", 256 << 10}, {"1MB", 1 << 20}};
  for (const auto& size : kSizes) {
    for (const char* reader : {kBytes, kTyped}) {
      const auto pair = std::make_shared<Pair>(size.bytes, reader);
      const std::string name = absl::StrCat("streaming/", size.name, "/", reader, "/");
      for (const std::string way : {kOurs, kRaw}) {
        Register(name + way,
                 [pair, way](benchmark::State& state) { Report(state, pair.get(), way); });
      }
      for (const std::string way : {kOurs, kRaw}) {
        Register(name + "server_cpu/" + way, [pair, way](benchmark::State& state) {
          for (auto iteration : state) {
            state.SetIterationTime(
                Median(pair->Rounds(way), [](const Round& round) { return round.server_cpu; }));
          }
        });
      }
    }
  }
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  using namespace intercom_extractor;  // NOLINT(google-build-using-namespace)
  if (argc == 3 && std::string(argv[1]) == kRole) return ServeBatches(argv[2]);
  RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return any_failed ? 1 : 0;
}
