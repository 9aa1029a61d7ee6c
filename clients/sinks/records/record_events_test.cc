#include "clients/sinks/records/record_events.h"

#include <vector>

#include "clients/cli/test_tables.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

TEST(RecordEventsTest, AnEventNamesTableRunAndGeneration) {
  const RecordEvent whole = WholeEvent("tags", {7, 2});
  EXPECT_EQ(whole.key, R"(["whole","tags"])");
  EXPECT_EQ(whole.value, R"({"event":"whole","table":"tags","run":7,"generation":2})");
  EXPECT_EQ(RestartedEvent("companies", {7, 2}, true).value,
            R"({"event":"restarted","table":"companies","run":7,"generation":2,"whole":true})");
  EXPECT_EQ(ListedEvent("users", {7, 1}).key, R"(["listed","users"])");
}

TEST(RecordEventsTest, AnEventOfARecordHasItsIdInTheKey) {
  const RecordEvent living = LivingEvent("users", "5f\"0", {7, 1});
  EXPECT_EQ(living.key, R"(["living","users","5f\"0"])");
  EXPECT_EQ(living.value,
            R"({"event":"living","table":"users","run":7,"generation":1,"id":"5f\"0"})");
  v1::DeletedRecords::Record record;
  record.set_id("12");
  record.set_deleted_at(1'700'000'000);
  const RecordEvent deleted = DeletedEvent("conversations", record, 7);
  EXPECT_EQ(deleted.key, R"(["deleted","conversations","12"])");
  EXPECT_EQ(
      deleted.value,
      R"({"event":"deleted","table":"conversations","run":7,"id":"12","deleted_at":1700000000})");
}

TEST(RecordEventsTest, AParentSaysHowRowsNameIt) {
  const auto response = DescribeAllTables();
  const std::vector<v1::TableDescription> all(response.tables().begin(), response.tables().end());
  const auto event = [&all](const auto& row, int64_t rows) {
    const auto table =
        RecordTable::Make(DescribeTable(*row.GetDescriptor()), all, RecordFormat::kJson);
    v1::ParentRows parent;
    parent.set_id("9");
    parent.set_rows(rows);
    return ParentEvent(*table, parent, {3, 1});
  };
  EXPECT_EQ(event(v1::UserTag(), 0).key, R"(["parent","users_tags","9"])");
  EXPECT_EQ(event(v1::UserTag(), 0).value,
            R"({"event":"parent","table":"users_tags","run":3,"generation":1,"id":"9","rows":0,)"
            R"("column":"users_pk"})");
  EXPECT_EQ(event(v1::ConversationPartAttachment(), 2).value,
            R"({"event":"parent","table":"conversation_parts_attachments","run":3,)"
            R"("generation":1,"id":"9","rows":2,"column":"conversation_parts_pk",)"
            R"("through":"conversation_parts","through_column":"conversations_pk"})");
}

}  // namespace
}  // namespace intercom_extractor
