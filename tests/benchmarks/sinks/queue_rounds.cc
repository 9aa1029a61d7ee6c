#include "tests/benchmarks/sinks/queue_rounds.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "clients/cli/test_tables.h"
#include "clients/cpp/rows.h"
#include "clients/sinks/records/record_table.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "sink_position.pb.h"
#include "tests/benchmarks/streaming/finished_batches.h"

namespace intercom_extractor {
namespace {

// Odd, for a median. Brief runs show that the benchmark works, not how fast it is.
constexpr size_t kRounds = 9;
constexpr size_t kRoundsInBrief = 1;
// A checkpoint of 5,000 rows, and what a server sends of it at once.
constexpr size_t kCommitBytes = 2'600'000;
constexpr size_t kRowsOfBatch = 500;
constexpr size_t kTokenBytes = 1'000;

double Seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Seconds per round.
struct Measured {
  std::vector<double> ours;
  std::vector<double> floor;
};

Measured Measure(const QueueRounds& rounds, size_t rows) {
  const auto time = [&](const std::function<void()>& write) {
    rounds.empty();
    const double begin = Seconds();
    write();
    const double seconds = Seconds() - begin;
    const int64_t written = rounds.written();
    if (written != static_cast<int64_t>(rows)) {
      FailBenchmark(absl::StrCat(rounds.name, ": ", written, " of ", rows, " rows"));
    }
    return seconds;
  };
  Measured measured;
  const bool brief = std::getenv("BENCHMARK_BRIEF") != nullptr;
  // The first round warms up both.
  for (size_t round = 0; round <= (brief ? kRoundsInBrief : kRounds); ++round) {
    // Each goes first as often: the server is still at work after a round.
    double ours = 0;
    if (round % 2 == 0) ours = time(rounds.ours);
    const double floor = time(rounds.floor);
    if (round % 2 == 1) ours = time(rounds.ours);
    if (round == 0) continue;
    measured.ours.push_back(ours);
    measured.floor.push_back(floor);
  }
  return measured;
}

void Report(benchmark::State& state, const Measured& measured, bool ours, size_t rows) {
  const std::vector<double>& seconds = ours ? measured.ours : measured.floor;
  for (auto iteration : state) state.SetIterationTime(Median(seconds));
  state.SetItemsProcessed(static_cast<int64_t>(rows));
  if (!ours) return;
  std::vector<double> ratios;
  for (size_t i = 0; i < seconds.size(); ++i) ratios.push_back(measured.floor[i] / seconds[i]);
  state.counters["of_floor"] = Median(ratios);
}

}  // namespace

v1::TableDescription UsersTable() { return DescribeTable(*v1::User::descriptor()); }

void FailBenchmark(const std::string& what) {
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

void CheckBenchmark(const absl::Status& status) {
  if (!status.ok()) FailBenchmark(std::string(status.message()));
}

QueueWork::QueueWork() : token(kTokenBytes, 't') {
  const auto table = RecordTable::Make(UsersTable(), {UsersTable()}, RecordFormat::kProtobuf);
  CheckBenchmark(table.status());
  schema_version = table->schema_version();
  const FinishedBatches finished(kCommitBytes);
  for (const std::string& event : finished.events) {
    v1::ExtractResponse response;
    if (!response.ParseFromString(event)) FailBenchmark("a batch cannot be read");
    std::vector<Row>& commit = commits.emplace_back();
    for (const v1::User& user : response.row_batch().users()) {
      commit.push_back({user.id(), user.SerializeAsString()});
      ++rows;
    }
  }
}

void WriteThrough(const QueueWork& work, Sink* sink) {
  sinks::SinkPosition position;
  position.set_resume_token(work.token);
  CheckBenchmark(sink->Begin(v1::ExtractRequest()));
  v1::RowBatch users;
  users.set_table("users");
  users.set_generation(1);
  for (const std::vector<QueueWork::Row>& commit : work.commits) {
    SerializedRows rows;
    for (size_t i = 0; i < commit.size(); ++i) {
      rows.emplace_back(commit[i].value);
      if (rows.size() < kRowsOfBatch && i + 1 < commit.size()) continue;
      CheckBenchmark(sink->Write(users, rows));
      rows.clear();
    }
    position.set_checkpoint(position.checkpoint() + 1);
    CheckBenchmark(sink->Commit(position));
  }
}

int RunQueueRounds(const QueueRounds& rounds, size_t rows, int argc, char** argv) {
  const Measured measured = Measure(rounds, rows);
  for (const bool ours : {true, false}) {
    benchmark::RegisterBenchmark(
        absl::StrCat(rounds.name, ours ? "/ours" : "/floor").c_str(),
        [&measured, ours, rows](benchmark::State& state) { Report(state, measured, ours, rows); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace intercom_extractor
