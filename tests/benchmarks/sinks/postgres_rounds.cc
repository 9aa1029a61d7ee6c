// How fast the sink for PostgreSQL takes batches of rows of users, beside a bare loop that
// sends the same bytes, in transactions of the same size, over libpq.
//
//   sinks/postgres/users/ours    PostgresSink: Write() of the batches and Commit(), each commit
//                                5,000 rows, as a checkpoint
//   sinks/postgres/users/floor   COPY of bytes that are ready into a temporary table, INSERT
//                                ... ON CONFLICT DO UPDATE from there, UPDATE of a token, in
//                                one transaction
//
// The two take turns, round by round, each round into an empty table with the same columns,
// keys and indexes. Figures are medians of the rounds: items_per_second, of rows; of_floor, the
// rate by the floor's in the same round. The program ends with 1 when a row is missing.
//
// sinks_benchmark.py starts the database, and names it in the environment.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "benchmark/benchmark.h"
#include "clients/cli/test_tables.h"
#include "clients/sinks/postgres/copy_rows.h"
#include "clients/sinks/postgres/postgres_connection.h"
#include "clients/sinks/postgres/postgres_sink.h"
#include "clients/sinks/postgres/postgres_table.h"
#include "clients/sinks/postgres/postgres_url.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "postgresql/libpq-fe.h"
#include "proto/v1.h"
#include "sink_position.pb.h"
#include "tests/benchmarks/streaming/finished_batches.h"

namespace intercom_extractor {
namespace {

// Odd, for a median. Brief runs show that the benchmark works, not how fast it is.
constexpr size_t kRounds = 9;
constexpr size_t kRoundsInBrief = 1;
// A checkpoint of 5,000 rows, and what a server sends of it at once.
constexpr size_t kTransactionBytes = 2'600'000;
constexpr int kRowsOfBatch = 500;
constexpr size_t kTokenBytes = 1'000;
constexpr char kOursSchema[] = "ours";
constexpr char kFloorSchema[] = "floor";

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

double Seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// The same rows for both: transactions of batches, and of bytes that COPY takes.
struct Work {
  explicit Work(const PostgresTable& table) {
    const FinishedBatches finished(kTransactionBytes);
    for (const std::string& event : finished.events) {
      v1::ExtractResponse response;
      if (!response.ParseFromString(event)) Fail("a batch cannot be read");
      std::vector<std::vector<std::string>>& transaction = batches.emplace_back();
      std::string& bytes = copies.emplace_back();
      AppendCopyHeader(&bytes);
      for (const v1::User& user : response.row_batch().users()) {
        if (transaction.empty() || transaction.back().size() == kRowsOfBatch) {
          transaction.emplace_back();
        }
        const std::string& row = transaction.back().emplace_back(user.SerializeAsString());
        if (!AppendCopyRow(table, row, &bytes).has_value()) Fail("a row cannot be read");
        ++rows;
      }
      AppendCopyTrailer(&bytes);
    }
  }
  std::vector<std::vector<std::vector<std::string>>> batches;  // Rows of batches.
  std::vector<std::string> copies;
  size_t rows = 0;
};

// The bare loop.
class Floor {
 public:
  Floor(const PostgresTarget& target, const PostgresTable& table) {
    std::vector<const char*> keys;
    std::vector<const char*> values;
    for (const auto& [key, value] : target.parameters) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    connection_.reset(PQconnectdbParams(keys.data(), values.data(), 0));
    if (PQstatus(connection_.get()) != CONNECTION_OK) Fail(PQerrorMessage(connection_.get()));
    std::vector<std::string> updates;
    for (const RowColumns::Column& column : table.columns().columns()) {
      updates.push_back(absl::StrCat(column.name, " = EXCLUDED.", column.name));
    }
    Run(absl::StrCat("CREATE SCHEMA ", kFloorSchema));
    Run(table.CreateSql());
    Run("CREATE TEMPORARY TABLE staged (LIKE floor.users) ON COMMIT DELETE ROWS");
    Run("CREATE TABLE floor.state (id int PRIMARY KEY, token bytea)");
    Run("INSERT INTO floor.state VALUES (1, '')");
    upsert_ =
        absl::StrCat("INSERT INTO floor.users SELECT * FROM staged ON CONFLICT (id) DO UPDATE SET ",
                     absl::StrJoin(updates, ", "));
  }

  void Transaction(const std::string& bytes, const std::string& token) {
    Run("BEGIN");
    PQclear(PQexec(connection_.get(), "COPY staged FROM STDIN (FORMAT binary)"));
    if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) != 1 ||
        PQputCopyEnd(connection_.get(), nullptr) != 1) {
      Fail(PQerrorMessage(connection_.get()));
    }
    while (PGresult* result = PQgetResult(connection_.get())) {
      if (PQresultStatus(result) != PGRES_COMMAND_OK) Fail(PQerrorMessage(connection_.get()));
      PQclear(result);
    }
    Run(upsert_);
    const char* const values[] = {token.data()};
    const int lengths[] = {static_cast<int>(token.size())};
    const int binary[] = {1};
    PQclear(PQexecParams(connection_.get(), "UPDATE floor.state SET token = $1 WHERE id = 1", 1,
                         nullptr, values, lengths, binary, 0));
    Run("COMMIT");
  }

 private:
  void Run(const std::string& sql) {
    PGresult* const result = PQexec(connection_.get(), sql.c_str());
    if (PQresultStatus(result) != PGRES_COMMAND_OK) Fail(PQerrorMessage(connection_.get()));
    PQclear(result);
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, &PQfinish};
  std::string upsert_;
};

class Rounds {
 public:
  explicit Rounds(const std::string& url)
      : target_(TargetOf(url, kOursSchema)),
        admin_(ConnectionTo(target_)),
        floor_(target_, TableIn(kFloorSchema)),
        work_(TableIn(kOursSchema)) {
    auto sink = PostgresSink::Make(target_, "benchmark", {Users()}, {Users()});
    if (!sink.ok()) Fail(std::string(sink.status().message()));
    sink_ = *std::move(sink);
    if (auto opened = sink_->Open(); !opened.ok()) Fail(std::string(opened.status().message()));
  }

  // Seconds per round.
  const std::vector<double>& ours() { return Measured().ours_; }
  const std::vector<double>& floor() { return Measured().floors_; }
  size_t rows() const { return work_.rows; }

 private:
  static v1::TableDescription Users() { return DescribeTable(*v1::User::descriptor()); }
  static PostgresTable TableIn(const std::string& schema) {
    auto table = PostgresTable::Make(schema, Users(), {Users()});
    if (!table.ok()) Fail(std::string(table.status().message()));
    return *std::move(table);
  }
  static PostgresTarget TargetOf(const std::string& url, const std::string& schema) {
    auto target = ParsePostgresUrl(url);
    if (!target.ok()) Fail(std::string(target.status().message()));
    target->schema = schema;
    return *std::move(target);
  }
  static std::unique_ptr<PostgresConnection> ConnectionTo(const PostgresTarget& target) {
    auto connection = PostgresConnection::Connect(target);
    if (!connection.ok()) Fail(std::string(connection.status().message()));
    return *std::move(connection);
  }

  Rounds& Measured() {
    if (!ours_.empty()) return *this;
    const bool brief = std::getenv("BENCHMARK_BRIEF") != nullptr;
    // The first round warms up both.
    for (size_t round = 0; round <= (brief ? kRoundsInBrief : kRounds); ++round) {
      const double ours = Round(kOursSchema, [this] { WriteOurs(); });
      const double floor = Round(kFloorSchema, [this] { WriteFloor(); });
      if (round == 0) continue;
      ours_.push_back(ours);
      floors_.push_back(floor);
    }
    return *this;
  }

  double Round(const std::string& schema, const std::function<void()>& write) {
    Check(admin_->Do(absl::StrCat("TRUNCATE ", schema, ".users; CHECKPOINT")));
    const double begin = Seconds();
    write();
    const double seconds = Seconds() - begin;
    const auto count = admin_->Run(absl::StrCat("SELECT count(*) FROM ", schema, ".users"));
    Check(count.status());
    if (count->rows[0][0] != absl::StrCat(work_.rows)) {
      Fail(absl::StrCat(schema, ": ", *count->rows[0][0], " of ", work_.rows, " rows"));
    }
    return seconds;
  }

  void WriteOurs() {
    sinks::SinkPosition position;
    position.set_resume_token(std::string(kTokenBytes, 't'));
    Check(sink_->Begin(v1::ExtractRequest()));
    v1::RowBatch users;
    users.set_table("users");
    for (const auto& transaction : work_.batches) {
      for (const std::vector<std::string>& batch : transaction) {
        Check(sink_->Write(users, SerializedRows(batch.begin(), batch.end())));
      }
      position.set_checkpoint(position.checkpoint() + 1);
      Check(sink_->Commit(position));
    }
  }

  void WriteFloor() {
    const std::string token(kTokenBytes, 't');
    for (const std::string& bytes : work_.copies) floor_.Transaction(bytes, token);
  }

  static void Check(const absl::Status& status) {
    if (!status.ok()) Fail(std::string(status.message()));
  }

  const PostgresTarget target_;
  const std::unique_ptr<PostgresConnection> admin_;
  Floor floor_;
  const Work work_;
  std::unique_ptr<PostgresSink> sink_;
  std::vector<double> ours_;
  std::vector<double> floors_;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Report(benchmark::State& state, Rounds* rounds, bool ours) {
  const std::vector<double>& measured = ours ? rounds->ours() : rounds->floor();
  for (auto iteration : state) state.SetIterationTime(Median(measured));
  state.SetItemsProcessed(static_cast<int64_t>(rounds->rows()));
  if (!ours) return;
  std::vector<double> ratios;
  for (size_t i = 0; i < measured.size(); ++i) ratios.push_back(rounds->floor()[i] / measured[i]);
  state.counters["of_floor"] = Median(ratios);
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  using namespace intercom_extractor;  // NOLINT(google-build-using-namespace)
  const char* const url = std::getenv("SINK_BENCHMARK_URL");
  if (url == nullptr) Fail("SINK_BENCHMARK_URL names no database");
  Rounds rounds(url);
  for (const bool ours : {true, false}) {
    benchmark::RegisterBenchmark(
        ours ? "sinks/postgres/users/ours" : "sinks/postgres/users/floor",
        [&rounds, ours](benchmark::State& state) { Report(state, &rounds, ours); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
