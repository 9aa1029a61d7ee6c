#include "server/stream_tally.h"

#include "extractor/pipeline/event.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

TEST(StreamTallyTest, TakesRowsFromProgressAndThenTheSummary) {
  StreamTally tally;
  v1::ExtractResponse batch;
  batch.mutable_row_batch()->set_table("tags");
  tally.Add(Event(batch.SerializeAsString()));
  EXPECT_EQ(tally.rows(), 0);
  EXPECT_EQ(tally.bytes(), static_cast<int64_t>(batch.ByteSizeLong()));

  v1::ExtractResponse progress;
  progress.mutable_progress()->add_tables()->set_rows(2);
  progress.mutable_progress()->add_tables()->set_rows(3);
  tally.Add(Event(progress.SerializeAsString()));
  EXPECT_EQ(tally.tables(), 2);
  EXPECT_EQ(tally.rows(), 5);

  v1::ExtractResponse summary;
  summary.mutable_summary()->add_tables()->set_rows(20);
  summary.mutable_summary()->add_tables()->set_rows(30);
  tally.Add(Event(summary.SerializeAsString()));
  EXPECT_EQ(tally.tables(), 2);
  EXPECT_EQ(tally.rows(), 50);
}

TEST(StreamTallyTest, IgnoresWhatItCannotRead) {
  StreamTally tally;
  tally.Add(Event(""));
  tally.Add(Event("\x2A\x7F"));
  EXPECT_EQ(tally.rows(), 0);
  EXPECT_EQ(tally.bytes(), 2);
}

}  // namespace
}  // namespace intercom_extractor
