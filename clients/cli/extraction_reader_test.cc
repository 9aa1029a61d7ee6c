#include "clients/cli/extraction_reader.h"

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
  grpc::Status ReadAll() {
    grpc::ClientContext context;
    ExtractionReader reader(fake_.api->stub(), &context, v1::ExtractRequest());
    while (const v1::ExtractResponse* response = reader.Read()) {
      for (const v1::Tag& tag : response->row_batch().tags()) seen_.push_back(tag.name());
      if (response->has_table_restarted()) seen_.push_back("restarted");
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
    ExtractionReader reader(fake_.api->stub(), &context, v1::ExtractRequest());
    ASSERT_NE(reader.Read(), nullptr);
  }
  fake_.Stop();
  EXPECT_TRUE(cancelled);
}

}  // namespace
}  // namespace intercom_extractor
