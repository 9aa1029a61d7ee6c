// A full run and incremental ones after it, while people go on working: what a consumer
// has at the end is what the workspace holds.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

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
#include "tests/fake_intercom/oracle.h"

namespace intercom_extractor {
namespace {

struct Case {
  const char* name;
  size_t users;
  size_t leads;
  size_t conversations;
  const char* version;
  bool find_deleted;
};

class IncrementalChainTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    fake::GeneratorOptions sizes;
    sizes.users = GetParam().users;
    sizes.leads = GetParam().leads;
    sizes.companies = 50;
    sizes.conversations = GetParam().conversations;
    sizes.parts_per_conversation = 2;
    fake::ChangingWorkspace::Options changes;
    changes.changes = 100'000;
    changes.requests_between = 4;
    workspace_ = std::make_shared<fake::ChangingWorkspace>(
        std::make_shared<fake::GeneratedWorkspace>(sizes), changes, absl::Now);
    fake::FakeIntercomOptions options;
    options.on_request = [this] {
      if (people_work_) workspace_->OnRequest();
    };
    harness_ = std::make_unique<ExtractionHarness>(workspace_, options);
    harness_->api_version = GetParam().version;
    harness_->find_deleted = GetParam().find_deleted;
  }

  void FullRun() {
    const Extracted got = harness_->Run();
    ASSERT_TRUE(got.status.ok()) << got.status;
    store_ = RecordStore(RowsOf(got.rows));
    began_ = got.summary.started_at().seconds();
  }

  // Since the run before.
  void IncrementalRun() {
    harness_->updated_since = began_;
    const Extracted got = harness_->Run();
    ASSERT_TRUE(got.status.ok()) << got.status;
    for (const v1::TableSummary& table : got.summary.tables()) {
      EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.ShortDebugString();
    }
    store_.Apply(got, GetParam().find_deleted);
    EXPECT_GE(got.summary.started_at().seconds(), began_);
    began_ = got.summary.started_at().seconds();
  }

  // Nothing happens any more, and a last run brings the rest: who finds deleted records
  // has exactly what there is, others have more.
  void ExpectEndState() {
    people_work_ = false;
    IncrementalRun();
    std::set<std::string> touched;
    std::set<std::string> gone;
    for (const fake::Change& change : workspace_->changes()) {
      touched.insert(change.id);
      if (!change.into.empty()) touched.insert(change.into);
      if (change.kind != fake::Change::Kind::kUpdate &&
          change.kind != fake::Change::Kind::kCreate) {
        gone.insert(change.id);
      }
    }
    ASSERT_GT(touched.size(), 20u) << "nothing is shown";
    const Rows expected = WithoutRolesOf(touched, OracleRowsOf(*workspace_));
    const Rows got = WithoutRolesOf(touched, store_.All());
    if (GetParam().find_deleted) {
      for (const fake::OracleTable& table : fake::OracleTables()) {
        EXPECT_EQ(Difference(expected, got, table.name), "");
      }
      return;
    }
    const RecordStore expected_store(expected);
    const RecordStore got_store(got);
    int different = 0;
    for (const RecordKey& record : expected_store.Records()) {
      if (expected_store.Of(record) == got_store.Of(record) || ++different > 3) continue;
      for (const fake::OracleTable& table : fake::OracleTables()) {
        EXPECT_EQ(Difference(expected_store.Of(record), got_store.Of(record), table.name), "");
      }
    }
    EXPECT_EQ(different, 0);
    for (const RecordKey& record : got_store.Records()) {
      if (expected_store.Of(record).empty()) {
        EXPECT_EQ(gone.count(record.second), 1u) << record.first << " " << record.second;
      }
    }
    for (const auto& [table, rows] : expected_store.others()) {
      EXPECT_EQ(Difference(expected_store.others(), got_store.others(), table), "");
    }
  }

  std::shared_ptr<fake::ChangingWorkspace> workspace_;
  std::unique_ptr<ExtractionHarness> harness_;
  std::atomic<bool> people_work_{false};
  RecordStore store_;
  // When the last run began, on Intercom's clock.
  int64_t began_ = 0;
};

TEST_P(IncrementalChainTest, ChangesBetweenTwoRunsAreBroughtByTheSecond) {
  ASSERT_NO_FATAL_FAILURE(FullRun());
  workspace_->ChangeNow(150);
  ExpectEndState();
}

TEST_P(IncrementalChainTest, ChangesDuringTheFullRunAreBroughtByTheNext) {
  people_work_ = true;
  ASSERT_NO_FATAL_FAILURE(FullRun());
  ExpectEndState();
}

TEST_P(IncrementalChainTest, RunsOneAfterTheOtherLoseNothingWhileChangesGoOn) {
  people_work_ = true;
  ASSERT_NO_FATAL_FAILURE(FullRun());
  for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(IncrementalRun());
  ExpectEndState();
}

TEST_P(IncrementalChainTest, ALeadThatBecameAUserOrIsMergedLeavesTheLeads) {
  ASSERT_NO_FATAL_FAILURE(FullRun());
  size_t lead = 0;
  const auto next = [&](std::string_view role) {
    while (workspace_->contact_key(++lead).role != role || !workspace_->ContactExists(lead)) {
    }
    return lead;
  };
  for (int i = 0; i < 12; ++i) {
    workspace_->ConvertToUser(next("lead"));
    const size_t merged = next("lead");
    workspace_->MergeContact(merged, next("user"));
  }
  ExpectEndState();
}

INSTANTIATE_TEST_SUITE_P(Workspaces, IncrementalChainTest,
                         ::testing::Values(Case{"small", 250, 150, 150, "2.16", false},
                                           Case{"small_finds_deleted", 250, 150, 150, "2.16", true},
                                           Case{"large", 2400, 1000, 3200, "2.16", false},
                                           Case{"large_finds_deleted", 2400, 1000, 3200, "2.17",
                                                true}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace intercom_extractor
