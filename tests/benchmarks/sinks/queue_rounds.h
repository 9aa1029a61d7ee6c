#ifndef TESTS_BENCHMARKS_SINKS_QUEUE_ROUNDS_H_
#define TESTS_BENCHMARKS_SINKS_QUEUE_ROUNDS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "clients/sinks/sink.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What a sink for a queue and a bare loop over the library of that queue both write: rows of
// users in commits of 5,000, as checkpoints come.
struct QueueWork {
  QueueWork();

  struct Row {
    std::string key;
    std::string value;  // The message, serialized.
  };
  // By commit.
  std::vector<std::vector<Row>> commits;
  std::string schema_version;
  std::string token;
  size_t rows = 0;
};

v1::TableDescription UsersTable();

[[noreturn]] void FailBenchmark(const std::string& what);
void CheckBenchmark(const absl::Status& status);

// Writes all of the work through the sink, as a run of its own.
void WriteThrough(const QueueWork& work, Sink* sink);

struct QueueRounds {
  std::string name;                  // "sinks/redis/users"
  std::function<void()> empty;       // Empties the queue of both, before each part of a round.
  std::function<void()> ours;        // Writes the work.
  std::function<void()> floor;       // The same.
  std::function<int64_t()> written;  // Rows of users that the last one has written.
};

// Has both write in turns, round by round, and runs Google Benchmark, which tells medians of
// the rounds: items_per_second, of rows; of_floor, the rate by the floor's in the same round.
// The program's exit code.
int RunQueueRounds(const QueueRounds& rounds, size_t rows, int argc, char** argv);

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_SINKS_QUEUE_ROUNDS_H_
