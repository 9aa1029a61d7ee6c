#include "extractor/pipeline/batcher.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/event.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"
#include "extractor/tables/wire.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/time_util.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const absl::Time kNoon = absl::FromUnixSeconds(1700000000);

class BatcherTest : public testing::Test {
 protected:
  static const TableInfo& Table(const char* name) { return *TableCatalog::Get().Find(name); }

  // A row of `users` or `notes` as it stands in a batch, of about `size` bytes.
  static void AddRow(const TableInfo& table, const std::string& id, size_t size, UnitRows* unit) {
    std::string row;
    const auto* column = table.row->FindFieldByName("id");
    AppendBytesField(column->number(), id, &row);
    const auto* filler = table.row->FindFieldByName(table.name() == "notes" ? "body" : "name");
    if (size > 0) AppendBytesField(filler->number(), std::string(size, 'x'), &row);
    UnitRows::TableRows& rows = unit->tables()[table.index];
    std::string field;
    AppendBytesField(table.batch_field->number(), row, &field);
    rows.bytes.Append(field);
    rows.ends.push_back(rows.bytes.size());
  }

  void Add(UnitRows* unit) { batcher_.Add(unit, kNoon); }

  // What was emitted since the last call, as a client reads it.
  std::vector<v1::RowBatch> Emitted() {
    std::vector<v1::RowBatch> batches;
    for (const std::string& event : events_) {
      v1::ExtractResponse response;
      EXPECT_TRUE(response.ParseFromString(event));
      EXPECT_TRUE(response.has_row_batch());
      batches.push_back(response.row_batch());
    }
    events_.clear();
    return batches;
  }

  static std::string Ids(const v1::RowBatch& batch) {
    std::string ids;
    for (const v1::User& row : batch.users()) absl::StrAppend(&ids, row.id(), ";");
    for (const v1::Note& row : batch.notes()) absl::StrAppend(&ids, row.id(), ";");
    return ids;
  }

  std::vector<std::string> EmittedIds() {
    std::vector<std::string> result;
    for (const v1::RowBatch& batch : Emitted()) result.push_back(Ids(batch));
    return result;
  }

  const TableInfo& users_ = Table("users");
  const TableInfo& notes_ = Table("notes");
  RunReport report_{{&users_, &notes_}, kNoon};
  std::vector<std::string> events_;
  std::vector<std::pair<int, size_t>> too_large_;
  Batcher batcher_{&report_, [this](const Event& event) { events_.push_back(event.Flat()); },
                   [this](int table, size_t bytes) { too_large_.emplace_back(table, bytes); }};
  UnitRows unit_{TableCatalog::Get().tables().size()};
};

TEST_F(BatcherTest, GathersRowsOfManyUnits) {
  for (const char* id : {"a", "b", "c"}) {
    AddRow(users_, id, 0, &unit_);
    Add(&unit_);
    EXPECT_TRUE(unit_.tables()[users_.index].ends.empty()) << "the unit is taken over";
    EXPECT_TRUE(unit_.tables()[users_.index].bytes.empty());
  }
  EXPECT_THAT(events_, IsEmpty());
  batcher_.FlushAll();
  const std::vector<v1::RowBatch> batches = Emitted();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].table(), "users");
  EXPECT_EQ(batches[0].generation(), 1u);
  EXPECT_EQ(Ids(batches[0]), "a;b;c;");
  EXPECT_EQ(report_.Rows(users_.index), 3);
}

TEST_F(BatcherTest, TablesTravelApart) {
  AddRow(notes_, "1", 0, &unit_);
  AddRow(users_, "a", 0, &unit_);
  AddRow(notes_, "2", 0, &unit_);
  Add(&unit_);
  batcher_.FlushAll();
  const std::vector<v1::RowBatch> batches = Emitted();
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].table(), "users");
  EXPECT_EQ(Ids(batches[0]), "a;");
  EXPECT_EQ(batches[1].table(), "notes");
  EXPECT_EQ(Ids(batches[1]), "1;2;");
}

TEST_F(BatcherTest, CutsAtTheTarget) {
  // Each row is about 1,000 bytes, so some 260 fit.
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    AddRow(users_, absl::StrCat(i), 1000, &unit_);
    absl::StrAppend(&expected, i, ";");
  }
  Add(&unit_);
  batcher_.FlushAll();
  ASSERT_EQ(events_.size(), 4u);
  for (size_t i = 0; i < events_.size(); ++i) {
    EXPECT_LE(events_[i].size(), Batcher::kTargetBytes + 100);
    if (i + 1 == events_.size()) break;
    EXPECT_GT(events_[i].size(), Batcher::kTargetBytes - 1100);
  }
  std::string all;
  for (const std::string& ids : EmittedIds()) all += ids;
  EXPECT_EQ(all, expected) << "no row lost, doubled or out of order";
}

TEST_F(BatcherTest, BatchesKnowTheMemoryThatTheirRowsHold) {
  size_t held = 0;
  Batcher batcher(&report_, [&held](Event event) { held += event.held(); }, [](int, size_t) {});
  for (int i = 0; i < 3; ++i) AddRow(users_, "1", Batcher::kTargetBytes / 2, &unit_);
  const size_t capacity = unit_.tables()[users_.index].bytes.capacity();
  ASSERT_GT(capacity, 2 * Batcher::kTargetBytes) << "the rows must not fill it";
  batcher.Add(&unit_, kNoon);
  batcher.FlushAll();
  EXPECT_NEAR(static_cast<double>(held), static_cast<double>(capacity), 200);
}

// Each of many stalled extractions kept memory for rows that it was not making.
TEST_F(BatcherTest, UnitsHoldMemoryOnlyWhileRowsAreMade) {
  TableSet both;
  both.set(users_.index).set(notes_.index);
  batcher_.LendMemory(both, &unit_);
  EXPECT_EQ(unit_.tables()[users_.index].bytes.capacity(), 0u) << "no rows so far";
  AddRow(users_, "1", 20'000, &unit_);
  Add(&unit_);
  EXPECT_EQ(unit_.tables()[users_.index].bytes.capacity(), 0u);
  batcher_.FlushAll();
  events_.clear();
  batcher_.LendMemory(both, &unit_);
  EXPECT_GE(unit_.tables()[users_.index].bytes.capacity(), 20'000u);
  EXPECT_EQ(unit_.tables()[notes_.index].bytes.capacity(), 0u);

  // An answer without users.
  AddRow(notes_, "2", 0, &unit_);
  Add(&unit_);
  EXPECT_EQ(unit_.tables()[users_.index].bytes.capacity(), 0u);
  batcher_.LendMemory(TableSet().set(notes_.index), &unit_);
  EXPECT_EQ(unit_.tables()[users_.index].bytes.capacity(), 0u) << "not asked for";
  EXPECT_GT(unit_.tables()[notes_.index].bytes.capacity(), 0u);
}

TEST_F(BatcherTest, FullBatchLeavesWithoutAFlush) {
  for (int i = 0; i < 300; ++i) AddRow(users_, absl::StrCat(i), 1000, &unit_);
  Add(&unit_);
  EXPECT_EQ(events_.size(), 1u);
}

TEST_F(BatcherTest, HugeRowTravelsAlone) {
  AddRow(users_, "small", 0, &unit_);
  AddRow(users_, "huge", size_t{2} << 20, &unit_);
  AddRow(users_, "next", 0, &unit_);
  AddRow(users_, "last", 0, &unit_);
  Add(&unit_);
  batcher_.FlushAll();
  EXPECT_THAT(EmittedIds(), ElementsAre("small;", "huge;", "next;last;"));
  EXPECT_THAT(too_large_, IsEmpty());
  EXPECT_EQ(report_.Rows(users_.index), 4);
}

TEST_F(BatcherTest, RowAboveWhatClientsAcceptIsReportedAndLeftOut) {
  AddRow(users_, "before", 0, &unit_);
  AddRow(users_, "too large", Batcher::kMaxRowBytes, &unit_);
  const size_t size = unit_.tables()[users_.index].ends[1] - unit_.tables()[users_.index].ends[0];
  AddRow(users_, "after", 0, &unit_);
  Add(&unit_);
  batcher_.FlushAll();
  EXPECT_THAT(EmittedIds(), ElementsAre("before;", "after;"));
  EXPECT_THAT(too_large_, ElementsAre(Pair(users_.index, size)));
  EXPECT_EQ(report_.Rows(users_.index), 2);
}

TEST_F(BatcherTest, LargestRowThatIsTakenFitsIntoAMessage) {
  AddRow(users_, "", 0, &unit_);
  AddRow(users_, "", Batcher::kMaxRowBytes - 100, &unit_);
  Add(&unit_);
  batcher_.FlushAll();
  ASSERT_EQ(events_.size(), 2u);
  EXPECT_THAT(too_large_, IsEmpty());
  EXPECT_GT(events_[1].size(), Batcher::kMaxRowBytes - 100);
  EXPECT_LT(events_[1].size(), size_t{64} << 20);
}

TEST_F(BatcherTest, FlushesWhatHasWaited) {
  AddRow(users_, "old", 0, &unit_);
  batcher_.Add(&unit_, kNoon);
  AddRow(users_, "joins the old", 0, &unit_);
  AddRow(notes_, "new", 0, &unit_);
  batcher_.Add(&unit_, kNoon + absl::Seconds(2));

  const absl::Duration age = absl::Seconds(3);
  batcher_.FlushOlderThan(age, kNoon + absl::Seconds(3) - absl::Nanoseconds(1));
  EXPECT_THAT(events_, IsEmpty());
  batcher_.FlushOlderThan(age, kNoon + absl::Seconds(3));
  EXPECT_THAT(EmittedIds(), ElementsAre("old;joins the old;"));
  batcher_.FlushOlderThan(age, kNoon + absl::Seconds(5));
  EXPECT_THAT(EmittedIds(), ElementsAre("new;"));
  batcher_.FlushAll();
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(BatcherTest, SaysWhenTheOldestAnswerArrived) {
  using google::protobuf::util::TimeUtil;
  AddRow(users_, "a", 0, &unit_);
  batcher_.Add(&unit_, kNoon + absl::Milliseconds(250));
  AddRow(users_, "b", 0, &unit_);
  batcher_.Add(&unit_, kNoon + absl::Seconds(1));
  batcher_.FlushAll();
  EXPECT_EQ(TimeUtil::TimestampToMilliseconds(Emitted().at(0).extracted_at()), 1700000000250);
  AddRow(users_, "c", 0, &unit_);
  batcher_.Add(&unit_, kNoon + absl::Seconds(2));
  batcher_.FlushAll();
  EXPECT_EQ(TimeUtil::TimestampToMilliseconds(Emitted().at(0).extracted_at()), 1700000002000);
}

TEST_F(BatcherTest, DropForgetsTheRowsOfOneTable) {
  AddRow(users_, "void", 0, &unit_);
  AddRow(notes_, "kept", 0, &unit_);
  Add(&unit_);
  batcher_.Drop(users_.index);
  EXPECT_EQ(report_.Restart(users_.index), 2u);
  AddRow(users_, "anew", 0, &unit_);
  Add(&unit_);
  batcher_.FlushAll();
  const std::vector<v1::RowBatch> batches = Emitted();
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(Ids(batches[0]), "anew;");
  EXPECT_EQ(batches[0].generation(), 2u);
  EXPECT_EQ(Ids(batches[1]), "kept;");
  EXPECT_EQ(batches[1].generation(), 1u);
  EXPECT_EQ(report_.Rows(users_.index), 1);
}

class LivingRecordsTest : public BatcherTest {
 protected:
  void AddLiving(const std::string& id) {
    AppendBytesField(v1::LivingRecords::kIdsFieldNumber, id, &unit_.tables()[users_.index].living);
  }

  // The ids of each event since the last call.
  std::vector<std::vector<std::string>> EmittedLiving() {
    std::vector<std::vector<std::string>> result;
    for (const std::string& event : events_) {
      v1::ExtractResponse response;
      EXPECT_TRUE(response.ParseFromString(event));
      const v1::LivingRecords& living = response.living_records();
      EXPECT_EQ(living.table(), "users");
      EXPECT_EQ(living.generation(), report_.Generation(users_.index));
      result.emplace_back(living.ids().begin(), living.ids().end());
    }
    events_.clear();
    return result;
  }
};

TEST_F(LivingRecordsTest, AreGatheredOverUnitsAndAreNoRows) {
  AddLiving("a");
  AddLiving("b");
  Add(&unit_);
  AddLiving("c");
  Add(&unit_);
  EXPECT_THAT(events_, IsEmpty());
  batcher_.FlushAll();
  EXPECT_THAT(EmittedLiving(), ElementsAre(ElementsAre("a", "b", "c")));
  EXPECT_EQ(report_.Rows(users_.index), 0);
  batcher_.FlushAll();
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(LivingRecordsTest, AreCutAtTheSizeOfABatch) {
  const std::string id(1000, 'x');
  for (size_t bytes = 0; bytes <= Batcher::kTargetBytes; bytes += id.size()) AddLiving(id);
  Add(&unit_);
  EXPECT_EQ(EmittedLiving().size(), 1);
}

TEST_F(LivingRecordsTest, AreVoidWhenTheirTableBeginsAnew) {
  AddLiving("a");
  Add(&unit_);
  batcher_.Drop(users_.index);
  batcher_.FlushAll();
  EXPECT_THAT(events_, IsEmpty());
}

}  // namespace
}  // namespace intercom_extractor
