#include "extractor/pipeline/checkpointer.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"
#include "extractor/tables/wire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNoon = absl::FromUnixSeconds(1700000000);

class CheckpointerTest : public testing::Test {
 protected:
  static const TableInfo& Table(const char* name) { return *TableCatalog::Get().Find(name); }

  void Enable(int64_t number = 0) {
    checkpointer_.Enable(number, [this](int64_t next) {
      return tokens_run_out_ ? std::string() : absl::StrCat("token ", next);
    });
  }

  void AddUnit(const TableInfo& table, int rows, size_t row_bytes = 0,
               absl::Duration since_noon = absl::ZeroDuration()) {
    UnitRows unit(TableCatalog::Get().tables().size());
    for (int i = 0; i < rows; ++i) {
      std::string row;
      AppendBytesField(table.row->FindFieldByName("id")->number(), std::string(row_bytes, 'x'),
                       &row);
      UnitRows::TableRows& to = unit.tables()[table.index];
      std::string field;
      AppendBytesField(table.batch_field->number(), row, &field);
      to.bytes.Append(field);
      to.ends.push_back(to.bytes.size());
    }
    batcher_.Add(&unit, kNoon);
    checkpointer_.OnUnit(kNoon + since_noon);
  }

  // What was emitted since the last call: "users*3" for a batch, "[users=3,g1]" for
  // a checkpoint.
  std::vector<std::string> Emitted() {
    std::vector<std::string> texts;
    for (const v1::ExtractResponse& event : std::exchange(events_, {})) {
      if (event.has_row_batch()) {
        texts.push_back(
            absl::StrCat(event.row_batch().table(), "*",
                         event.row_batch().users_size() + event.row_batch().notes_size()));
        continue;
      }
      std::string text;
      for (const v1::TableRows& rows : event.checkpoint().rows()) {
        absl::StrAppend(&text, text.empty() ? "" : " ", rows.table(), "=", rows.rows(), ",g",
                        rows.generation());
      }
      texts.push_back(absl::StrCat("[", text, "]"));
      last_ = event.checkpoint();
    }
    return texts;
  }

  const TableInfo& users_ = Table("users");
  const TableInfo& notes_ = Table("notes");
  bool tokens_run_out_ = false;
  v1::Checkpoint last_;
  std::vector<v1::ExtractResponse> events_;
  RunReport report_{{&users_, &notes_}, kNoon};
  Batcher batcher_{&report_,
                   [this](const Event& event) {
                     events_.emplace_back();
                     EXPECT_TRUE(events_.back().ParseFromString(event.Flat()));
                   },
                   [](int, size_t) {}};
  Checkpointer checkpointer_{&report_, &batcher_, kNoon, [this](const v1::ExtractResponse& event) {
                               events_.push_back(event);
                             }};
};

TEST_F(CheckpointerTest, ComesWithTheUnitThatReaches5000RowsAndAfterAllItsRows) {
  Enable();
  AddUnit(users_, 4999);
  EXPECT_THAT(Emitted(), IsEmpty());
  AddUnit(notes_, 150);
  EXPECT_THAT(Emitted(), ElementsAre("users*4999", "notes*150", "[users=4999,g1 notes=150,g1]"));
  EXPECT_EQ(last_.resume_token(), "token 1");
  EXPECT_EQ(last_.number(), 1);
  AddUnit(notes_, 4999);
  EXPECT_THAT(Emitted(), IsEmpty());
  AddUnit(notes_, 1);
  EXPECT_THAT(Emitted(), ElementsAre("notes*5000", "[notes=5000,g1]"));
  EXPECT_EQ(last_.number(), 2);
}

TEST_F(CheckpointerTest, ComesWithTheUnitThatReaches16MiB) {
  Enable();
  AddUnit(users_, 1, size_t{8} << 20);
  EXPECT_THAT(Emitted(), ElementsAre("users*1"));
  AddUnit(users_, 1, size_t{8} << 20);
  EXPECT_THAT(Emitted(), ElementsAre("users*1", "[users=2,g1]"));
}

TEST_F(CheckpointerTest, ComesFiveSecondsAfterTheLastOneWhileThereIsAnythingNew) {
  Enable();
  checkpointer_.OnTick(kNoon + absl::Seconds(60));
  EXPECT_THAT(Emitted(), IsEmpty());
  AddUnit(users_, 1, 0, absl::Seconds(4));
  checkpointer_.OnTick(kNoon + absl::Milliseconds(4999));
  EXPECT_THAT(Emitted(), IsEmpty());
  checkpointer_.OnTick(kNoon + absl::Seconds(5));
  EXPECT_THAT(Emitted(), ElementsAre("users*1", "[users=1,g1]"));
  // Units without rows move it on as well.
  AddUnit(users_, 0, 0, absl::Seconds(11));
  EXPECT_THAT(Emitted(), ElementsAre("[]"));
  checkpointer_.OnTick(kNoon + absl::Seconds(60));
  EXPECT_THAT(Emitted(), IsEmpty());
}

TEST_F(CheckpointerTest, CountsTheRowsSinceATableBeganAnew) {
  Enable();
  AddUnit(users_, 10);
  batcher_.FlushAll();
  Emitted();
  report_.Restart(users_.index);
  AddUnit(users_, 3);
  checkpointer_.Finish(kNoon);
  EXPECT_THAT(Emitted(), ElementsAre("users*3", "[users=3,g2]"));
}

TEST_F(CheckpointerTest, DoesNotCountWhatAnEarlierStreamGave) {
  resume::State earlier;
  earlier.add_tables()->set_batch_field(users_.batch_field->number());
  earlier.mutable_tables(0)->set_rows(700);
  earlier.mutable_tables(0)->set_generation(4);
  report_.Restore(earlier);
  Enable(/*number=*/9);
  AddUnit(users_, 2);
  checkpointer_.Finish(kNoon);
  EXPECT_THAT(Emitted(), ElementsAre("users*2", "[users=2,g4]"));
  EXPECT_EQ(last_.number(), 10);
}

TEST_F(CheckpointerTest, ThereIsNoneBeforeTheExtractionKnowsWhereItStands) {
  AddUnit(users_, 5000);
  EXPECT_THAT(Emitted(), IsEmpty());
  checkpointer_.Finish(kNoon);
  EXPECT_THAT(Emitted(), ElementsAre("users*5000"));
}

TEST_F(CheckpointerTest, WithoutATokenTheNextOneCountsItsRowsToo) {
  Enable();
  tokens_run_out_ = true;
  AddUnit(users_, 5000);
  EXPECT_THAT(Emitted(), ElementsAre("users*5000"));
  tokens_run_out_ = false;
  AddUnit(users_, 1);
  EXPECT_THAT(Emitted(), ElementsAre("users*1", "[users=5001,g1]"));
  EXPECT_EQ(last_.number(), 1);
}

}  // namespace
}  // namespace intercom_extractor
