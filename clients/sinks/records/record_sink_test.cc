#include "clients/sinks/records/record_sink.h"

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/test_tables.h"
#include "clients/sinks/records/record_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Keeps what it is sent as text: "users 5f0 run=1 generation=1 at=...".
class TextSink : public RecordSink {
 public:
  TextSink() : RecordSink(Tables()) {}

  absl::StatusOr<sinks::SinkPosition> Open() override {
    GoOnFrom(stored, stored_run);
    return stored;
  }
  std::string name() const override { return "text"; }

  sinks::SinkPosition stored;
  uint64_t stored_run = 0;
  std::vector<std::string> sent;
  std::vector<std::string> committed;

 protected:
  absl::Status Send(const Record& record) override {
    std::string text = absl::StrCat(record.stream, " ", record.key);
    if (record.labels != nullptr) {
      absl::StrAppend(&text, " run=", record.labels->run, " generation=", record.labels->generation,
                      " at=", record.labels->extracted_at);
    }
    if (!record.value.has_value()) text += " deleted";
    if (record.stream == kEventsStream) text = std::string(*record.value);
    sent.push_back(text);
    return absl::OkStatus();
  }
  absl::Status Drop() override {
    sent.clear();
    return absl::OkStatus();
  }
  absl::Status CommitSent(const sinks::SinkPosition& position, uint64_t run) override {
    stored = position;
    stored_run = run;
    committed = sent;
    sent.clear();
    return absl::OkStatus();
  }

 private:
  static std::vector<RecordTable> Tables() {
    const auto all = DescribeAllTables();
    const std::vector<v1::TableDescription> tables(all.tables().begin(), all.tables().end());
    return *MakeTables(tables, tables, RecordFormat::kProtobuf);
  }
};

v1::RowBatch BatchOf(const std::string& table, uint32_t generation = 1) {
  v1::RowBatch batch;
  batch.set_table(table);
  batch.set_generation(generation);
  batch.mutable_extracted_at()->set_seconds(1'700'000'000);
  return batch;
}

std::string UserOf(const std::string& id) {
  v1::User user;
  user.set_id(id);
  return user.SerializeAsString();
}

v1::ExtractRequest Incremental() {
  v1::ExtractRequest request;
  request.mutable_updated_since()->set_seconds(5);
  request.set_find_deleted(true);
  return request;
}

v1::Summary Complete(const std::vector<std::string>& tables) {
  v1::Summary summary;
  for (const std::string& table : tables) {
    v1::TableSummary& one = *summary.add_tables();
    one.set_table(table);
    one.set_status(v1::TABLE_STATUS_COMPLETE);
  }
  return summary;
}

TEST(RecordSinkTest, ARowHasItsKeyAndItsLabels) {
  TextSink sink;
  ASSERT_TRUE(sink.Open().ok());
  ASSERT_TRUE(sink.Begin(v1::ExtractRequest()).ok());
  const std::string user = UserOf("5f0");
  ASSERT_TRUE(sink.Write(BatchOf("users", 2), {user}).ok());
  EXPECT_THAT(sink.sent, ElementsAre("users 5f0 run=1 generation=2 at=2023-11-14T22:13:20.000Z"));
}

TEST(RecordSinkTest, RunsAreNumberedByTheirFirstCommit) {
  TextSink sink;
  ASSERT_TRUE(sink.Open().ok());
  ASSERT_TRUE(sink.Begin(v1::ExtractRequest()).ok());
  // Never committed: the next one has its number.
  ASSERT_TRUE(sink.Begin(v1::ExtractRequest()).ok());
  ASSERT_TRUE(sink.Commit(sinks::SinkPosition()).ok());
  ASSERT_TRUE(sink.Commit(sinks::SinkPosition()).ok());
  EXPECT_EQ(sink.stored_run, 1U);
  ASSERT_TRUE(sink.Begin(v1::ExtractRequest()).ok());
  ASSERT_TRUE(sink.Commit(sinks::SinkPosition()).ok());
  EXPECT_EQ(sink.stored_run, 2U);
}

TEST(RecordSinkTest, ARunThatGoesOnHasItsNumberAndGenerations) {
  TextSink sink;
  sink.stored_run = 3;
  (*sink.stored.mutable_generations())["conversations"] = 4;
  sink.stored.set_request(Incremental().SerializeAsString());
  ASSERT_TRUE(sink.Open().ok());
  v1::DeletedRecords deleted;
  deleted.set_table("conversations");
  deleted.add_records()->set_id("7");
  ASSERT_TRUE(sink.Delete(deleted).ok());
  EXPECT_THAT(sink.sent,
              ElementsAre("conversations 7 run=3 generation=4 at= deleted",
                          R"({"event":"deleted","table":"conversations","run":3,"id":"7"})"));
}

TEST(RecordSinkTest, WhatIsGoneAtTheEndDependsOnWhatTheRunReads) {
  TextSink sink;
  ASSERT_TRUE(sink.Open().ok());
  ASSERT_TRUE(sink.Begin(v1::ExtractRequest()).ok());
  ASSERT_TRUE(sink.Finish(Complete({"users"}), sinks::SinkPosition()).ok());
  EXPECT_THAT(sink.committed,
              ElementsAre(R"({"event":"whole","table":"users","run":1,"generation":1})"));
  // Tags are read whole even then; of conversations nothing is said.
  ASSERT_TRUE(sink.Begin(Incremental()).ok());
  v1::LivingRecords living;
  living.set_table("users");
  living.set_generation(1);
  living.add_ids("5f0");
  ASSERT_TRUE(sink.Keep(living).ok());
  ASSERT_TRUE(sink.Finish(Complete({"users", "tags", "conversations"}), {}).ok());
  EXPECT_THAT(sink.committed,
              ElementsAre(R"({"event":"living","table":"users","run":2,"generation":1,"id":"5f0"})",
                          R"({"event":"listed","table":"users","run":2,"generation":1})",
                          R"({"event":"whole","table":"tags","run":2,"generation":1})"));
}

TEST(RecordSinkTest, ATableThatDidNotEndCompleteSaysNothing) {
  TextSink sink;
  ASSERT_TRUE(sink.Open().ok());
  ASSERT_TRUE(sink.Begin(v1::ExtractRequest()).ok());
  v1::Summary summary = Complete({"users"});
  summary.mutable_tables(0)->set_status(v1::TABLE_STATUS_PARTIAL);
  ASSERT_TRUE(sink.Finish(summary, sinks::SinkPosition()).ok());
  EXPECT_THAT(sink.committed, IsEmpty());
}

TEST(RecordSinkTest, ATableThatBeginsAnewSaysSo) {
  TextSink sink;
  ASSERT_TRUE(sink.Open().ok());
  ASSERT_TRUE(sink.Begin(v1::ExtractRequest()).ok());
  ASSERT_TRUE(sink.Restart("companies", 2).ok());
  EXPECT_THAT(
      sink.sent,
      ElementsAre(
          R"({"event":"restarted","table":"companies","run":1,"generation":2,"whole":true})"));
}

TEST(RecordSinkTest, RowsOfNoMessageOrNoTableAreErrors) {
  TextSink sink;
  ASSERT_TRUE(sink.Open().ok());
  ASSERT_TRUE(sink.Begin(v1::ExtractRequest()).ok());
  const absl::Status broken = sink.Write(BatchOf("users"), {"\x0a\xff"});
  EXPECT_EQ(broken.code(), absl::StatusCode::kDataLoss);
  const absl::Status unknown = sink.Write(BatchOf("novelties"), {});
  EXPECT_EQ(unknown.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("novelties"));
}

}  // namespace
}  // namespace intercom_extractor
