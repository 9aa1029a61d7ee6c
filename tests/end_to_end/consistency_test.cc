// What a full run promises while people go on working in the workspace: records that
// nobody touches come exactly once, those that are touched do no harm.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/end_to_end/oracle_comparison.h"
#include "tests/end_to_end/record_store.h"
#include "tests/fake_intercom/changing_workspace.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

struct Case {
  const char* name;
  size_t users;
  size_t leads;
  size_t conversations;
  size_t changes;
  size_t requests_between;
  fake::Creation creation = fake::Creation::kSpread;
  const char* version = "2.16";
};

class ConsistencyTest : public ::testing::TestWithParam<Case> {
 protected:
  // Reads everything while it changes.
  void Run(uint64_t seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const Case& given = GetParam();
    fake::GeneratorOptions sizes;
    sizes.seed = seed;
    sizes.users = given.users;
    sizes.leads = given.leads;
    sizes.companies = 120;
    sizes.conversations = given.conversations;
    sizes.parts_per_conversation = 2;
    sizes.creation = given.creation;
    base_ = std::make_shared<fake::GeneratedWorkspace>(sizes);
    fake::ChangingWorkspace::Options changes;
    changes.seed = seed;
    changes.changes = given.changes;
    changes.requests_between = given.requests_between;
    workspace_ = std::make_shared<fake::ChangingWorkspace>(base_, changes, absl::Now);
    fake::FakeIntercomOptions options;
    options.on_request = [this] { workspace_->OnRequest(); };
    ExtractionHarness harness(workspace_, options);
    harness.api_version = given.version;
    got_ = harness.Run();
    happened_ = workspace_->changes();
    EXPECT_GT(happened_.size(), given.changes / 2) << "nothing is shown";
  }

  // What changes of these kinds named.
  std::set<std::string> Ids(const std::set<fake::Change::Kind>& kinds) const {
    std::set<std::string> ids;
    for (const fake::Change& change : happened_) {
      if (kinds.count(change.kind) > 0) ids.insert(change.id);
    }
    return ids;
  }
  std::set<std::string> Touched() const {
    std::set<std::string> ids;
    for (const fake::Change& change : happened_) {
      ids.insert(change.id);
      if (!change.into.empty()) ids.insert(change.into);
    }
    return ids;
  }

  std::shared_ptr<const fake::Workspace> base_;
  std::shared_ptr<fake::ChangingWorkspace> workspace_;
  Extracted got_;
  std::vector<fake::Change> happened_;
};

TEST_P(ConsistencyTest, NoTableFailsAndNoticesSayWhatBecameOfARecord) {
  for (const uint64_t seed : {1, 2}) {
    Run(seed);
    ASSERT_TRUE(got_.status.ok()) << got_.status;
    for (const v1::TableSummary& table : got_.summary.tables()) {
      EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.ShortDebugString();
    }
    const std::set<std::string> touched = Touched();
    for (const v1::Notice& notice : got_.notices) {
      switch (notice.code()) {
        // What the records themselves are odd about.
        case v1::NOTICE_CODE_VALUE_INVALID:
        case v1::NOTICE_CODE_ROLE_UNKNOWN:
        case v1::NOTICE_CODE_PARTS_TRUNCATED:
        // Nobody knows what a deleted contact was, and the generator has unknown ones.
        case v1::NOTICE_CODE_ROLE_NOT_FOUND:
        // Searches do not give what was deleted after it was counted. Where that is much,
        // the list serves.
        case v1::NOTICE_CODE_COUNT_DIFFERS:
        case v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH:
          break;
        case v1::NOTICE_CODE_RECORD_GONE:
          EXPECT_EQ(touched.count(notice.record_id()), 1u) << notice.ShortDebugString();
          break;
        default:
          ADD_FAILURE() << notice.ShortDebugString();
      }
    }
  }
}

TEST_P(ConsistencyTest, WhatNobodyTouchesComesExactlyOnceWithAllItsChildren) {
  for (const uint64_t seed : {3, 4}) {
    Run(seed);
    const std::set<std::string> touched = Touched();
    const RecordStore expected(WithoutRolesOf(touched, OracleRowsOf(*base_)));
    const RecordStore got(WithoutRolesOf(touched, RowsOf(got_.rows)));
    int different = 0;
    int compared = 0;
    for (const RecordKey& record : expected.Records()) {
      if (touched.count(record.second) > 0) continue;
      ++compared;
      const Rows expected_rows = expected.Of(record);
      const Rows got_rows = got.Of(record);
      if (expected_rows == got_rows || ++different > 3) continue;
      for (const fake::OracleTable& table : fake::OracleTables()) {
        EXPECT_EQ(Difference(expected_rows, got_rows, table.name), "") << record.second;
      }
    }
    EXPECT_EQ(different, 0);
    EXPECT_GT(compared, static_cast<int>(GetParam().users / 2));
    for (const char* table : {"companies", "admins", "tags"}) {
      EXPECT_EQ(Difference(expected.others(), got.others(), table), "");
    }
  }
}

TEST_P(ConsistencyTest, WhatIsTouchedComesInSomeVersionAndNeverTwice) {
  for (const uint64_t seed : {5, 6}) {
    Run(seed);
    const Rows rows = RowsOf(got_.rows);
    std::map<std::string, std::map<std::string, int>> times;
    for (const char* table : {"users", "leads", "conversations"}) {
      for (const fake::OracleRow& row : rows.at(table)) {
        ++times[table][CellOf(table, "id", row).value_or("")];
      }
      for (const auto& [id, count] : times[table]) EXPECT_EQ(count, 1) << table << " " << id;
    }
    using Kind = fake::Change::Kind;
    const std::set<std::string> gone = Ids({Kind::kDelete, Kind::kMerge});
    const std::set<std::string> fresh = Ids({Kind::kCreate});
    const std::set<std::string> converted = Ids({Kind::kConvert});
    int contacts_missing = 0;
    int conversations_missing = 0;
    for (const std::string& id : Touched()) {
      if (gone.count(id) > 0 || fresh.count(id) > 0) continue;
      if (base_->FindContact(id)) {
        const int count = times["users"][id] + times["leads"][id];
        EXPECT_LE(count, converted.count(id) > 0 ? 2 : 1) << id;
        contacts_missing += count == 0 ? 1 : 0;
      } else {
        conversations_missing += times["conversations"][id] == 0 ? 1 : 0;
      }
    }
    EXPECT_EQ(contacts_missing, 0);
    // The fake's plain list has the latest change first: what is updated before its page
    // was read moves to pages that were read already.
    EXPECT_EQ(conversations_missing, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Workspaces, ConsistencyTest,
    ::testing::Values(
        // Plain lists.
        Case{"small", 300, 150, 200, 150, 4}, Case{"busy", 900, 500, 900, 900, 2},
        // Windows.
        Case{"large", 2600, 1400, 3300, 900, 6},
        Case{"exact_dates", 2600, 1400, 3300, 900, 6, fake::Creation::kSpread, "2.17"},
        Case{"one_day", 2600, 1400, 300, 900, 4, fake::Creation::kOneDay}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace intercom_extractor
