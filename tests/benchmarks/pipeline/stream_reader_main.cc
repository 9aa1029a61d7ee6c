// Reads one extraction from a server as a client would: as bytes, which it counts, or as
// typed messages, whose rows it counts.
//
// Prints one JSON object: wall_seconds (from the call to its end), cpu_seconds,
// bytes and batches, `rows` by table (counted where it is typed, else what
// the summary says), `complete` (whether each table is), first_contact_seconds (from the
// call to the first row of users or leads); with --delays also delay_p50_seconds,
// delay_p99_seconds and delay_max_seconds, of each batch from `extracted_at`, when
// the oldest answer in it had arrived, to here, and filled_p99_seconds: of each batch that
// was full, from the arrival of the answer that filled it. Ends with 1 where the call
// fails.

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/benchmarks/streaming/event_reader.h"

namespace intercom_extractor {
namespace {

// The first byte of an event that is a row batch: the number of its only field.
constexpr uint8_t kRowBatch = v1::ExtractResponse::kRowBatchFieldNumber << 3 | 2;

// What came so far.
// The server cuts batches at 256 KiB. What one row more would have filled is full.
constexpr size_t kFullBytes = size_t{250} << 10;

class Tally {
 public:
  Tally(bool typed, bool delays) : typed_(typed), delays_(delays) {}

  void OnBatch(const v1::RowBatch& batch, size_t rows) {
    ++batches_;
    if (typed_) rows_[batch.table()] += static_cast<int64_t>(rows);
    OnContacts(batch.table());
    if (!delays_) return;
    const absl::Time arrived = absl::FromUnixSeconds(batch.extracted_at().seconds()) +
                               absl::Nanoseconds(batch.extracted_at().nanos());
    const absl::Time now = absl::Now();
    seconds_.push_back(absl::ToDoubleSeconds(now - arrived));
    // What of an answer did not fit into a batch begins the next.
    std::optional<absl::Time>& full = full_at_[batch.table()];
    if (full.has_value() && *full > arrived) {
      filled_seconds_.push_back(absl::ToDoubleSeconds(*full - arrived));
    }
    full.reset();
    if (batch.ByteSizeLong() >= kFullBytes) full = now;
  }
  void OnUnreadBatch() { ++batches_; }
  void OnContacts(const std::string& table) {
    if (!first_contact_.has_value() && (table == "users" || table == "leads")) {
      first_contact_ = Elapsed();
    }
  }
  bool has_contacts() const { return first_contact_.has_value(); }
  void OnSummary(const v1::Summary& summary) {
    complete_ = true;
    for (const v1::TableSummary& table : summary.tables()) {
      if (table.status() != v1::TABLE_STATUS_COMPLETE) complete_ = false;
      if (!typed_) rows_[table.table()] = table.rows();
    }
  }
  void OnBytes(size_t bytes) { bytes_ += static_cast<int64_t>(bytes); }

  nlohmann::json ToJson() {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    nlohmann::json json{
        {"wall_seconds", Elapsed()},
        {"cpu_seconds", absl::ToDoubleSeconds(absl::DurationFromTimeval(usage.ru_utime) +
                                              absl::DurationFromTimeval(usage.ru_stime))},
        {"bytes", bytes_},
        {"batches", batches_},
        {"rows", rows_},
        {"complete", complete_},
        {"first_contact_seconds", first_contact_.value_or(0)}};
    if (!seconds_.empty()) {
      std::sort(seconds_.begin(), seconds_.end());
      std::sort(filled_seconds_.begin(), filled_seconds_.end());
      json["delay_p50_seconds"] = seconds_[seconds_.size() / 2];
      json["delay_p99_seconds"] = seconds_[seconds_.size() * 99 / 100];
      json["delay_max_seconds"] = seconds_.back();
      if (!filled_seconds_.empty()) {
        json["filled_p99_seconds"] = filled_seconds_[filled_seconds_.size() * 99 / 100];
      }
    }
    return json;
  }

 private:
  double Elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  const bool typed_;
  const bool delays_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  int64_t bytes_ = 0;
  int64_t batches_ = 0;
  std::map<std::string, int64_t> rows_;
  bool complete_ = false;
  std::optional<double> first_contact_;
  std::vector<double> seconds_;
  // By table: when its last batch came, if that was full.
  std::map<std::string, std::optional<absl::Time>> full_at_;
  std::vector<double> filled_seconds_;
};

size_t RowsOf(const v1::RowBatch& batch) {
  const google::protobuf::FieldDescriptor* const rows =
      v1::RowBatch::descriptor()->FindFieldByName(batch.table());
  return static_cast<size_t>(batch.GetReflection()->FieldSize(batch, rows));
}

grpc::Status TallyMessages(const std::shared_ptr<grpc::Channel>& channel,
                           const v1::ExtractRequest& request, Tally* tally) {
  return ReadMessages(channel, request, [tally](const v1::ExtractResponse& event) {
    if (event.has_row_batch()) tally->OnBatch(event.row_batch(), RowsOf(event.row_batch()));
    if (event.has_summary()) tally->OnSummary(event.summary());
    return true;
  });
}

grpc::Status TallyBytes(const std::shared_ptr<grpc::Channel>& channel,
                        const v1::ExtractRequest& request, Tally* tally) {
  std::vector<grpc::Slice> slices;
  return ReadBytes(channel, request, [tally, &slices](grpc::ByteBuffer* bytes) {
    tally->OnBytes(bytes->Length());
    slices.clear();
    if (bytes->Length() == 0 || !bytes->Dump(&slices).ok()) return true;
    const bool is_batch = *slices.front().begin() == kRowBatch;
    if (is_batch && tally->has_contacts()) {
      tally->OnUnreadBatch();
      return true;
    }
    v1::ExtractResponse event;
    grpc::ProtoBufferReader reader(bytes);
    event.ParseFromZeroCopyStream(&reader);
    if (event.has_row_batch()) tally->OnBatch(event.row_batch(), 0);
    if (event.has_summary()) tally->OnSummary(event.summary());
    return true;
  });
}

int Run(int argc, char** argv) {
  std::string server;
  v1::ExtractRequest request;
  std::vector<std::string> tables;
  bool typed = false;
  bool delays = false;
  CLI::App app("Reads one extraction and counts what comes");
  app.add_option("--server", server, "HOST:PORT")->required();
  app.add_option("--tables", tables, "Names with commas between")->delimiter(',')->required();
  app.add_flag("--typed", typed, "Makes messages of the bytes");
  app.add_flag("--delays", delays, "Says how old batches are")->needs("--typed");
  CLI11_PARSE(app, argc, argv);
  for (const std::string& table : tables) request.add_tables(table);

  const auto channel = Connect(server);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
    throw std::runtime_error("no server at " + server);
  }
  Tally tally(typed, delays);
  const grpc::Status status =
      typed ? TallyMessages(channel, request, &tally) : TallyBytes(channel, request, &tally);
  if (!status.ok()) throw std::runtime_error(status.error_message());
  std::cout << tally.ToJson() << "\n";
  return 0;
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  try {
    return intercom_extractor::Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "stream-reader: " << error.what() << "\n";
    return 1;
  }
}
