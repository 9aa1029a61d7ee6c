#include "clients/cpp/stream_promises.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "clients/cpp/event_script.h"
#include "clients/cpp/rows.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StreamPromisesTest : public ::testing::Test {
 protected:
  // Gives all events of the script, then the end of the call; names of tags and the other
  // events come out.
  absl::Status ReadAll(StreamPosition position = {}, bool allows_uncovered = false) {
    seen_.clear();
    StreamPromises promises(std::move(position), allows_uncovered);
    for (const v1::ExtractResponse& event : std::exchange(script_.events, {})) {
      const bool accepted = promises.Accept(event, RowCount(event.row_batch()));
      if (!promises.status().ok()) return promises.status();
      if (!accepted) continue;
      for (const v1::Tag& tag : event.row_batch().tags()) seen_.push_back(tag.name());
      if (event.has_table_restarted()) seen_.push_back("restarted");
      if (event.has_checkpoint()) seen_.push_back(event.checkpoint().resume_token());
      if (event.has_summary()) seen_.push_back("summary");
    }
    return promises.OnEnd();
  }

  EventScript script_;
  std::vector<std::string> seen_;
};

TEST_F(StreamPromisesTest, GivesEventsInOrder) {
  script_.AddTags({"a", "b"});
  script_.AddTags({"c"});
  script_.AddCheckpoint(1, {{"tags", 3}});
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 3);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(seen_, ElementsAre("a", "b", "c", "token 1", "summary"));
}

TEST_F(StreamPromisesTest, DropsRowsOfAnOlderGeneration) {
  script_.AddTags({"old"}, 1);
  script_.AddRestart("tags", 2);
  script_.AddTags({"late"}, 1);
  script_.AddTags({"new"}, 2);
  script_.AddRestart("tags", 2);  // Told twice.
  script_.AddCheckpoint(1, {{"tags", 1}}, 2);
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(seen_, ElementsAre("old", "restarted", "new", "token 1", "summary"));
}

TEST_F(StreamPromisesTest, RowsOfAnUnannouncedGenerationAreDataLoss) {
  script_.AddTags({"a"}, 2);
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  const absl::Status status = ReadAll();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("generation 2"));
  EXPECT_THAT(seen_, ElementsAre());
}

TEST_F(StreamPromisesTest, CheckpointThatCoversWhatCameComesThrough) {
  script_.AddTags({"a", "b"});
  script_.AddTags({"c"});
  script_.AddCheckpoint(1, {{"tags", 3}});
  script_.AddCheckpoint(2, {});
  script_.AddTags({"d"});
  script_.AddCheckpoint(3, {{"tags", 1}, {"segments", 0}});
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 4);
  const absl::Status status = ReadAll();
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_THAT(seen_, ElementsAre("a", "b", "c", "token 1", "token 2", "d", "token 3", "summary"));
}

TEST_F(StreamPromisesTest, CheckpointOfATableThatBeganAnewCoversTheRowsSinceThen) {
  script_.AddTags({"old"}, 1);
  script_.AddRestart("tags", 2);
  script_.AddTags({"late"}, 1);
  script_.AddTags({"new", "newer"}, 2);
  script_.AddCheckpoint(1, {{"tags", 2}}, 2);
  script_.AddRestart("tags", 3);
  script_.AddCheckpoint(2, {});
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  const absl::Status status = ReadAll();
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(StreamPromisesTest, CheckpointOfOtherRowsIsDataLoss) {
  const struct {
    std::map<std::string, int64_t> covered;
    uint32_t generation;
    const char* words;
  } cases[] = {
      {{{"tags", 3}}, 1, "checkpoint 1 covers 3 rows of tags, but 2 came"},
      {{{"tags", 1}}, 1, "checkpoint 1 covers 1 rows of tags, but 2 came"},
      {{}, 1, "checkpoint 1 covers no rows of tags, but 2 came"},
      {{{"tags", 2}, {"users", 1}}, 1, "covers 1 rows of users, but 0 came"},
      {{{"tags", 2}}, 2, "covers generation 2 of tags, which has come to 1"},
  };
  for (const auto& each : cases) {
    script_.AddTags({"a", "b"});
    script_.AddCheckpoint(1, each.covered, each.generation);
    script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 2);
    const absl::Status status = ReadAll();
    EXPECT_TRUE(absl::IsDataLoss(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr(each.words));
    EXPECT_THAT(seen_, ElementsAre("a", "b"));
  }
}

TEST_F(StreamPromisesTest, CheckpointsThatCannotBeContinuedFromAreDataLoss) {
  script_.AddCheckpoint(2, {});
  script_.AddCheckpoint(2, {});
  EXPECT_THAT(std::string(ReadAll().message()), HasSubstr("checkpoint 2 came after checkpoint 2"));
  script_.AddCheckpoint(1, {});
  script_.events.back().mutable_checkpoint()->clear_resume_token();
  EXPECT_THAT(std::string(ReadAll().message()), HasSubstr("checkpoint 1 has a token of 0 bytes"));
  script_.AddCheckpoint(1, {});
  script_.events.back().mutable_checkpoint()->set_resume_token(std::string(65537, 'x'));
  EXPECT_THAT(std::string(ReadAll().message()),
              HasSubstr("checkpoint 1 has a token of 65537 bytes"));
}

TEST_F(StreamPromisesTest, ContinuedStreamKnowsGenerationsAndNumbers) {
  StreamPosition position;
  position.checkpoint = 7;
  position.generations["tags"] = 2;
  script_.AddTags({"late"}, 1);
  script_.AddTags({"a"}, 2);
  script_.AddRestart("tags", 2);  // Told by the stream before.
  script_.AddCheckpoint(8, {{"tags", 1}}, 2);
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  const absl::Status status = ReadAll(position);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen_, ElementsAre("a", "token 8", "summary"));
  script_.AddCheckpoint(7, {});
  EXPECT_THAT(std::string(ReadAll(position).message()), HasSubstr("came after checkpoint 7"));
}

TEST_F(StreamPromisesTest, WhereGenerationsAreNotKnownTheFirstRowsSayThem) {
  StreamPosition position;
  position.others_unknown = true;
  script_.AddTags({"a"}, 3);
  script_.AddTags({"late"}, 2);
  script_.AddCheckpoint(8, {{"tags", 1}}, 3);
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_TRUE(ReadAll(position).ok());
  EXPECT_THAT(seen_, ElementsAre("a", "token 8", "summary"));
  script_.AddTags({"a"}, 3);
  script_.AddTags({"b"}, 4);
  EXPECT_TRUE(absl::IsDataLoss(ReadAll(position)));
}

TEST_F(StreamPromisesTest, WhereGenerationsAreNotKnownARestartIsNews) {
  StreamPosition position;
  position.others_unknown = true;
  script_.AddRestart("tags", 2);
  script_.AddTags({"a"}, 2);
  script_.AddCheckpoint(8, {{"tags", 1}}, 2);
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_TRUE(ReadAll(position).ok());
  EXPECT_THAT(seen_, ElementsAre("restarted", "a", "token 8", "summary"));
}

TEST_F(StreamPromisesTest, RowsThatNoCheckpointCoversAreDataLossUnlessTheyAreAllowed) {
  for (const bool allowed : {false, true}) {
    script_.AddTags({"a"});
    script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
    EXPECT_EQ(ReadAll({}, allowed).ok(), allowed);
  }
}

TEST_F(StreamPromisesTest, EndWithoutASummaryIsDataLoss) {
  script_.AddTags({"a"});
  EXPECT_TRUE(absl::IsDataLoss(ReadAll()));
}

TEST_F(StreamPromisesTest, EventAfterTheSummaryIsDataLoss) {
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  script_.AddTags({"a"});
  EXPECT_TRUE(absl::IsDataLoss(ReadAll()));
}

TEST_F(StreamPromisesTest, EventsOfANewerServerArePassedOver) {
  script_.Add();
  script_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(seen_, ElementsAre("summary"));
}

}  // namespace
}  // namespace intercom_extractor
