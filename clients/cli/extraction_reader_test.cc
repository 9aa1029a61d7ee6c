#include "clients/cli/extraction_reader.h"

#include <map>
#include <string>
#include <vector>

#include "clients/cli/fake_extractor.h"
#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExtractionReaderTest : public ::testing::Test {
 protected:
  // Reads to the end; names of tags and the other events come out.
  grpc::Status ReadAll(const StreamPosition& position = {}) {
    grpc::ClientContext context;
    ExtractionReader reader(fake_.api->channel(), &context, v1::ExtractRequest(), position);
    while (const v1::ExtractResponse* response = reader.Read()) {
      for (const v1::Tag& tag : response->row_batch().tags()) seen_.push_back(tag.name());
      if (response->has_table_restarted()) seen_.push_back("restarted");
      if (response->has_checkpoint()) seen_.push_back(response->checkpoint().resume_token());
      if (response->has_summary()) seen_.push_back("summary");
    }
    return reader.Finish();
  }

  FakeExtractor fake_;
  std::vector<std::string> seen_;
};

TEST_F(ExtractionReaderTest, GivesEventsInOrder) {
  fake_.AddTags({"a", "b"});
  fake_.AddTags({"c"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 3);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(seen_, ElementsAre("a", "b", "c", "summary"));
}

TEST_F(ExtractionReaderTest, DropsRowsOfAnOlderGeneration) {
  fake_.AddTags({"old"}, 1);
  fake_.AddRestart("tags", 2);
  fake_.AddTags({"late"}, 1);
  fake_.AddTags({"new"}, 2);
  fake_.AddRestart("tags", 2);  // Told twice.
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(seen_, ElementsAre("old", "restarted", "new", "summary"));
}

TEST_F(ExtractionReaderTest, RowsOfAnUnannouncedGenerationAreDataLoss) {
  fake_.AddTags({"a"}, 2);
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  const grpc::Status status = ReadAll();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(status.error_message(), HasSubstr("generation 2"));
  EXPECT_THAT(seen_, ElementsAre());
}

TEST_F(ExtractionReaderTest, CheckpointThatCoversWhatCameComesThrough) {
  fake_.AddTags({"a", "b"});
  fake_.AddTags({"c"});
  fake_.AddCheckpoint(1, {{"tags", 3}});
  fake_.AddCheckpoint(2, {});
  fake_.AddTags({"d"});
  fake_.AddCheckpoint(3, {{"tags", 1}, {"segments", 0}});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 4);
  const grpc::Status status = ReadAll();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(seen_, ElementsAre("a", "b", "c", "token 1", "token 2", "d", "token 3", "summary"));
}

TEST_F(ExtractionReaderTest, CheckpointOfATableThatBeganAnewCoversTheRowsSinceThen) {
  fake_.AddTags({"old"}, 1);
  fake_.AddRestart("tags", 2);
  fake_.AddTags({"late"}, 1);
  fake_.AddTags({"new", "newer"}, 2);
  fake_.AddCheckpoint(1, {{"tags", 2}}, 2);
  fake_.AddRestart("tags", 3);
  fake_.AddCheckpoint(2, {});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  const grpc::Status status = ReadAll();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(ExtractionReaderTest, CheckpointOfOtherRowsIsDataLoss) {
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
    fake_.AddTags({"a", "b"});
    fake_.AddCheckpoint(1, each.covered, each.generation);
    fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 2);
    fake_.NextCall();
  }
  for (const auto& each : cases) {
    seen_.clear();
    const grpc::Status status = ReadAll();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
    EXPECT_THAT(status.error_message(), HasSubstr(each.words));
    EXPECT_THAT(seen_, ElementsAre("a", "b"));
  }
}

TEST_F(ExtractionReaderTest, CheckpointsThatCannotBeContinuedFromAreDataLoss) {
  fake_.AddCheckpoint(2, {});
  fake_.AddCheckpoint(2, {});
  fake_.NextCall();
  fake_.AddCheckpoint(1, {});
  fake_.events.back().mutable_checkpoint()->clear_resume_token();
  fake_.NextCall();
  fake_.AddCheckpoint(1, {});
  fake_.events.back().mutable_checkpoint()->set_resume_token(std::string(65537, 'x'));
  EXPECT_THAT(ReadAll().error_message(), HasSubstr("checkpoint 2 came after checkpoint 2"));
  EXPECT_THAT(ReadAll().error_message(), HasSubstr("checkpoint 1 has a token of 0 bytes"));
  EXPECT_THAT(ReadAll().error_message(), HasSubstr("checkpoint 1 has a token of 65537 bytes"));
}

TEST_F(ExtractionReaderTest, ContinuedStreamKnowsGenerationsAndNumbers) {
  StreamPosition position;
  position.checkpoint = 7;
  position.generations["tags"] = 2;
  fake_.AddTags({"late"}, 1);
  fake_.AddTags({"a"}, 2);
  fake_.AddRestart("tags", 2);  // Told by the stream before.
  fake_.AddCheckpoint(8, {{"tags", 1}}, 2);
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  fake_.NextCall();
  fake_.AddCheckpoint(7, {});
  const grpc::Status status = ReadAll(position);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(seen_, ElementsAre("a", "token 8", "summary"));
  EXPECT_THAT(ReadAll(position).error_message(), HasSubstr("came after checkpoint 7"));
}

TEST_F(ExtractionReaderTest, EndWithoutASummaryIsDataLoss) {
  fake_.AddTags({"a"});
  EXPECT_EQ(ReadAll().error_code(), grpc::StatusCode::DATA_LOSS);
}

TEST_F(ExtractionReaderTest, EventAfterTheSummaryIsDataLoss) {
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  fake_.AddTags({"a"});
  EXPECT_EQ(ReadAll().error_code(), grpc::StatusCode::DATA_LOSS);
}

TEST_F(ExtractionReaderTest, EventsOfANewerServerArePassedOver) {
  fake_.Add();
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(seen_, ElementsAre("summary"));
}

TEST_F(ExtractionReaderTest, ErrorOfTheServerComesThrough) {
  fake_.AddTags({"a"});
  fake_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  EXPECT_EQ(ReadAll().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(seen_, ElementsAre("a"));
}

TEST_F(ExtractionReaderTest, AcceptsARowOfManyMegabytes) {
  fake_.AddTags({std::string(size_t{40} << 20, 'x')});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_TRUE(ReadAll().ok());
  ASSERT_EQ(seen_.size(), 2u);
  EXPECT_EQ(seen_[0].size(), size_t{40} << 20);
}

TEST_F(ExtractionReaderTest, DroppedReaderCancelsTheCall) {
  fake_.AddTags({"a"});
  bool cancelled = false;
  fake_.after_events = [&](grpc::ServerContext* context) {
    while (!context->IsCancelled()) {
    }
    cancelled = true;
  };
  {
    grpc::ClientContext context;
    ExtractionReader reader(fake_.api->channel(), &context, v1::ExtractRequest());
    ASSERT_NE(reader.Read(), nullptr);
  }
  fake_.Stop();
  EXPECT_TRUE(cancelled);
}

}  // namespace
}  // namespace intercom_extractor
