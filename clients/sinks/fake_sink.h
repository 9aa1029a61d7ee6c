#ifndef CLIENTS_SINKS_FAKE_SINK_H_
#define CLIENTS_SINKS_FAKE_SINK_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/sinks/sink.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// What sinks with the same id share: what their readers see.
struct FakeStore {
  int newest = 0;  // The instance that has the id.
  std::vector<std::string> users;
  sinks::SinkPosition position;
  int commits = 0;
};

// A sink with transactions that keeps the ids of users in memory, and can lose its
// connection.
class FakeSink : public Sink {
 public:
  explicit FakeSink(FakeStore* store) : store_(store) {}

  absl::StatusOr<sinks::SinkPosition> Open() override {
    ++opened;
    if (lost_opens > 0 && opened > 1) {
      --lost_opens;
      return absl::UnavailableError("the fake database does not answer");
    }
    if (instance_ == 0) instance_ = ++store_->newest;
    if (taken_over && opened == 1) ++store_->newest;
    if (opened > 1 && instance_ != store_->newest) return Fenced();
    users_ = store_->users;
    return store_->position;
  }

  absl::Status Begin(const v1::ExtractRequest&) override {
    ++begun;
    users_.clear();
    return absl::OkStatus();
  }

  absl::Status Write(const v1::RowBatch& batch, const SerializedRows& rows) override {
    if (lose_writes > 0 && --lose_writes == 0) return Lost();
    for (const absl::string_view row : rows) {
      v1::User user;
      if (!user.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
        return absl::DataLossError("a row is no message");
      }
      if (batch.table() == "users") users_.push_back(user.id());
    }
    return absl::OkStatus();
  }

  absl::Status Delete(const v1::DeletedRecords& records) override {
    for (const auto& record : records.records()) deleted.push_back(record.id());
    return absl::OkStatus();
  }

  absl::Status Keep(const v1::LivingRecords&) override { return absl::OkStatus(); }

  absl::Status Restart(const std::string& table, uint32_t) override {
    if (table == "users") users_.clear();
    return absl::OkStatus();
  }

  absl::Status Commit(const sinks::SinkPosition& position) override {
    if (lose_commits > 0 && --lose_commits == 0) return Lost();
    if (instance_ != store_->newest) return Fenced();
    store_->users = users_;
    store_->position = position;
    ++store_->commits;
    return commits_get_lost ? Lost() : absl::OkStatus();
  }

  absl::Status Finish(const v1::Summary&, const sinks::SinkPosition& position) override {
    return Commit(position);
  }

  absl::Duration commit_interval() const override { return interval; }
  std::string name() const override { return "the fake database"; }

  // The script: which call, from 1, loses the connection.
  int lose_writes = 0;
  int lose_commits = 0;
  int lost_opens = 0;             // Calls of Open() after the first that fail.
  bool commits_get_lost = false;  // Commits are done, but nobody hears of it.
  bool taken_over = false;        // A newer instance opens right after this one.
  absl::Duration interval = absl::ZeroDuration();

  // What happened.
  int opened = 0;
  int begun = 0;
  std::vector<std::string> deleted;

 private:
  static absl::Status Lost() {
    return absl::UnavailableError("lost the connection to the fake database");
  }
  static absl::Status Fenced() { return absl::AbortedError("another instance has the id"); }

  FakeStore* const store_;
  int instance_ = 0;
  std::vector<std::string> users_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_FAKE_SINK_H_
