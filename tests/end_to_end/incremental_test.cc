// Incremental runs: what changed since a second, no more and no less, and what a
// consumer has after a chain of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/end_to_end/oracle_comparison.h"
#include "tests/end_to_end/search_misbehaviour.h"
#include "tests/fake_intercom/call_count.h"
#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/json_value.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {
namespace {

using ::testing::IsEmpty;

constexpr size_t kTables = 22;

// Enough of each for windows, or few.
std::shared_ptr<const fake::Workspace> Workspace(bool large) {
  static std::map<bool, std::shared_ptr<const fake::Workspace>>& made =
      *new std::map<bool, std::shared_ptr<const fake::Workspace>>();
  auto& workspace = made[large];
  if (workspace == nullptr) {
    fake::GeneratorOptions options;
    options.users = large ? 2600 : 260;
    options.leads = large ? 1400 : 140;
    options.companies = 120;
    options.conversations = large ? 3300 : 200;
    options.parts_per_conversation = 2;
    options.deleted_conversations = 150;
    workspace = std::make_shared<fake::GeneratedWorkspace>(options);
  }
  return workspace;
}

// The extractor searches for contacts from the beginning of a day, whatever the version
// of the API: only for those that do not say their time that makes a difference.
fake::ChangedSince SinceFor(const std::string& zone, int64_t since, bool find_deleted) {
  fake::ChangedSince changed = fake::ChangedSince::ByDays(since, zone);
  changed.find_deleted = find_deleted;
  return changed;
}

fake::OracleOptions OracleFor(const fake::ChangedSince& since) {
  fake::OracleOptions options;
  options.since = since;
  return options;
}

// Times of all records of one kind that can be read, in order.
std::vector<int64_t> ContactTimes(const fake::Workspace& workspace) {
  std::vector<int64_t> times;
  for (size_t i = 0; i < workspace.contact_count(); ++i) {
    times.push_back(workspace.contact_key(i).updated_at);
  }
  std::sort(times.begin(), times.end());
  return times;
}

struct Setting {
  const char* name;
  bool large;
  const char* version;
  const char* zone;
  bool find_deleted;
};

class IncrementalTest : public ::testing::TestWithParam<Setting> {
 protected:
  IncrementalTest() : workspace_(Workspace(GetParam().large)) {}

  // The rows are those of the oracle.
  Extracted Expect(int64_t since) {
    SCOPED_TRACE(absl::StrCat("since ", since));
    fake::FakeIntercomOptions options;
    options.api.timezone = GetParam().zone;
    ExtractionHarness harness(workspace_, options);
    harness.api_version = GetParam().version;
    harness.updated_since = since;
    harness.find_deleted = GetParam().find_deleted;
    const Extracted got = harness.Run();
    changed_ = SinceFor(GetParam().zone, since, GetParam().find_deleted);
    ExpectComplete(got, *workspace_, kTables, OracleFor(changed_));
    stats_ = harness.intercom().stats();
    EXPECT_THAT(stats_.duplicate_list, IsEmpty());
    return got;
  }

  const std::shared_ptr<const fake::Workspace> workspace_;
  // Of the last run.
  fake::ChangedSince changed_;
  fake::Stats::Snapshot stats_;
};

TEST_P(IncrementalTest, RowsAreThoseOfWhatChangedAtAnyTime) {
  const std::vector<int64_t> times = ContactTimes(*workspace_);
  for (const int64_t since :
       {int64_t{1}, times[times.size() / 2], times[times.size() * 49 / 50], times.back(),
        // Nothing any more.
        fake::kGeneratedNow + 1}) {
    Expect(since);
  }
}

TEST_P(IncrementalTest, ARecordOfExactlyThatSecondIsReadAndASecondLaterItIsNot) {
  // One that says its time.
  for (const size_t contact : {workspace_->contact_count() - 1, workspace_->contact_count() / 2}) {
    const std::string id = workspace_->ContactId(contact);
    const int64_t second = workspace_->contact_key(contact).updated_at;
    const auto reads = [&](int64_t since) {
      const Rows rows = RowsOf(Expect(since).rows);
      for (const char* table : {"users", "leads"}) {
        const auto found = rows.find(table);
        if (found == rows.end()) continue;
        for (const fake::OracleRow& row : found->second) {
          if (CellOf(table, "id", row) == id) return true;
        }
      }
      return false;
    };
    EXPECT_TRUE(reads(second));
    EXPECT_FALSE(reads(second + 1));
  }
  const size_t conversation = workspace_->conversation_count() - 1;
  const int64_t second = workspace_->conversation_key(conversation).updated_at;
  const auto reads = [&](int64_t since) {
    const Extracted got = Expect(since);
    const auto& rows = got.rows.conversations();
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
      return row.id() == workspace_->ConversationId(conversation);
    });
  };
  EXPECT_TRUE(reads(second));
  EXPECT_FALSE(reads(second + 1));
}

TEST_P(IncrementalTest, FewChangesTakeFewRequests) {
  const std::vector<int64_t> times = ContactTimes(*workspace_);
  for (const int64_t since : {times[times.size() * 49 / 50], fake::kGeneratedNow + 1}) {
    Expect(since);
    fake::CallCounter::Options options;
    options.since = changed_;
    const fake::CallCounter counter(*workspace_, options);
    const int64_t cheapest = counter.Cheapest(fake::CallCounter::Segments::kPerContact).Total();
    EXPECT_GE(stats_.total, counter.Cheapest().Total());
    // A search may say first how much there is; a list in windows has a page more for
    // each of them.
    EXPECT_LE(stats_.total, cheapest + (GetParam().large && GetParam().find_deleted ? 8 : 4));
  }
}

TEST_P(IncrementalTest, DeletedAndLivingRecordsAreThoseOfTheWorkspace) {
  const int64_t since = fake::kGeneratedNow - int64_t{2} * 365 * 86'400;
  const Extracted got = Expect(since);
  if (!GetParam().find_deleted) {
    EXPECT_THAT(got.deleted, IsEmpty());
    EXPECT_THAT(got.living, IsEmpty());
    EXPECT_EQ(stats_.by_route["GET /conversations/deleted"], 0);
    return;
  }
  std::map<std::string, int64_t> deleted;
  for (const std::string& record : workspace_->deleted_conversations()) {
    const fake::JsonValue json = *fake::JsonValue::Parse(record);
    const int64_t deleted_at = json["deleted_at"].AsInt().value();
    if (deleted_at >= since) deleted[json["id"].text()] = deleted_at;
  }
  EXPECT_GT(deleted.size(), 40u);
  EXPECT_EQ(got.deleted.at("conversations"), deleted);
  EXPECT_EQ(got.deleted.size(), 1u);

  std::map<std::string, std::set<std::string>> known;
  for (const auto& row : got.rows.users()) known["users"].insert(row.id());
  for (const auto& row : got.rows.leads()) known["leads"].insert(row.id());
  for (const auto& [table, ids] : got.living) {
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size()) << "one came twice";
    known[table].insert(ids.begin(), ids.end());
  }
  std::map<std::string, std::set<std::string>> existing;
  for (size_t i = 0; i < workspace_->contact_count(); ++i) {
    const std::string_view role = workspace_->contact_key(i).role;
    if (role == "visitor") continue;
    existing[absl::StrCat(std::string(role), "s")].insert(workspace_->ContactId(i));
  }
  EXPECT_EQ(known, existing);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, IncrementalTest,
    ::testing::Values(Setting{"small_days", false, "2.16", "America/New_York", false},
                      Setting{"small_seconds", false, "2.17", "America/New_York", false},
                      Setting{"small_days_deleted", false, "2.16", "Pacific/Apia", true},
                      Setting{"large_days", true, "2.16", "America/Sao_Paulo", false},
                      Setting{"large_days_far_east", true, "2.16", "Pacific/Apia", false},
                      Setting{"large_seconds", true, "2.17", "America/New_York", false},
                      Setting{"large_seconds_deleted", true, "2.17", "America/New_York", true}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(IncrementalRunTest, TablesOfOneKindAreReadAlone) {
  const auto workspace = Workspace(false);
  const int64_t since = ContactTimes(*workspace)[workspace->contact_count() / 2];
  for (const std::vector<std::string>& tables :
       {std::vector<std::string>{"users_tags"}, {"conversation_parts"}, {"leads", "notes"}}) {
    ExtractionHarness harness(workspace, fake::FakeIntercomOptions());
    harness.updated_since = since;
    const Extracted got = harness.Run(tables);
    ExpectComplete(got, *workspace, tables.size(),
                   OracleFor(SinceFor("America/New_York", since, false)));
  }
}

TEST(IncrementalRunTest, UnknownTimeZoneLosesNothing) {
  const auto workspace = Workspace(true);
  const int64_t since = ContactTimes(*workspace)[workspace->contact_count() * 9 / 10];
  ExtractionHarness harness(workspace, fake::FakeIntercomOptions());
  harness.intercom().AlterAnswers("GET", "/me", [](const auto&, fake::Response* response) {
    const size_t zone = response->body.find("America/New_York");
    response->body.replace(zone, 16, "Mars/OlympusMons");
  });
  harness.updated_since = since;
  const Extracted got = harness.Run({"users", "users_tags"});
  ASSERT_TRUE(got.status.ok()) << got.status;
  // Some that do not say their time may come as well: the search begins days earlier.
  const Rows expected =
      OracleRowsOf(*workspace, OracleFor(SinceFor("America/New_York", since, false)));
  std::set<std::string> ids;
  for (const auto& row : got.rows.users()) {
    EXPECT_TRUE(ids.insert(row.id()).second) << row.id() << " came twice";
    if (row.has_updated_at()) {
      EXPECT_GE(row.updated_at(), since);
    }
  }
  for (const fake::OracleRow& row : expected.at("users")) {
    EXPECT_EQ(ids.count(CellOf("users", "id", row).value_or("")), 1u);
  }
}

TEST(IncrementalRunTest, TheFutureIsRefused) {
  ExtractionHarness harness(Workspace(false), fake::FakeIntercomOptions());
  harness.updated_since = absl::ToUnixSeconds(absl::Now() + absl::Hours(48));
  const Extracted got = harness.Run({"users"});
  EXPECT_EQ(got.status.code(), absl::StatusCode::kInvalidArgument) << got.status;
  EXPECT_EQ(ReasonOf(got.status), "BAD_REQUEST");
}

TEST(IncrementalRunTest, FullRunSaysWhenItBeganAndFindsNothingDeleted) {
  const absl::Time now = absl::FromUnixSeconds(fake::kGeneratedNow + 5000);
  fake::FakeIntercomOptions options;
  options.clock = [now] { return now; };
  ExtractionHarness harness(Workspace(false), options);
  harness.find_deleted = true;
  const Extracted got = harness.Run();
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.summary.started_at().seconds(), fake::kGeneratedNow + 5000);
  EXPECT_THAT(got.deleted, IsEmpty());
  EXPECT_THAT(got.living, IsEmpty());
  ExpectComplete(got, *Workspace(false), kTables);
}

// Contacts and conversations of which each says its time.
fake::FixedRecords Dated(int count) {
  fake::FixedRecords records;
  for (int i = 0; i < count; ++i) {
    const std::string times =
        absl::StrCat(R"(,"created_at":)", 1'500'000'000 + i, R"(,"updated_at":)",
                     1'600'000'000 + i * 7919 % count * 1000);
    fake::FixedRecords::Contact contact;
    contact.json = ContactJson(absl::StrCat(10'000 + i), i % 4 == 0 ? "lead" : "user", times);
    records.contacts.push_back(contact);
    fake::FixedRecords::Conversation conversation;
    conversation.detail = ConversationJson(absl::StrCat(i), "", times);
    records.conversations.push_back(conversation);
  }
  return records;
}

const std::vector<std::string>& RecordTables() {
  static const auto& tables = *new std::vector<std::string>{"users", "leads", "conversations"};
  return tables;
}

// Every search answers with all records, in their order or the other way round.
void AnswerWith(fake::FakeIntercom* intercom, const fake::FixedRecords& records, bool reversed) {
  std::vector<std::string> contacts;
  std::vector<std::string> conversations;
  for (const auto& contact : records.contacts) contacts.push_back(contact.json);
  for (const auto& conversation : records.conversations) {
    conversations.push_back(conversation.detail);
  }
  if (reversed) {
    std::reverse(contacts.begin(), contacts.end());
    std::reverse(conversations.begin(), conversations.end());
  }
  AnswerAnyway(intercom, "/contacts/search", "data", contacts, false);
  AnswerAnyway(intercom, "/conversations/search", "conversations", conversations, false);
}

TEST(IncrementalRunTest, SearchThatIgnoresItsFilterGivesNoRowThatDidNotChange) {
  for (const int count : {200, 6000}) {
    const fake::FixedRecords records = Dated(count);
    const fake::FixedWorkspace workspace(records);
    for (const bool reversed : {false, true}) {
      for (const int64_t since : {1'600'000'000 + count * 900, 1'700'000'000}) {
        SCOPED_TRACE(absl::StrCat(count, " records, since ", since, reversed ? ", reversed" : ""));
        ExtractionHarness harness(records);
        AnswerWith(&harness.intercom(), records, reversed);
        harness.updated_since = since;
        const Extracted got = harness.Run(RecordTables());
        ExpectComplete(got, workspace, RecordTables().size(),
                       OracleFor(fake::ChangedSince::Exactly(since)));
      }
    }
  }
}

TEST(IncrementalRunTest, SearchThatMisbehavesLosesNothing) {
  constexpr int kCount = 6000;
  const fake::FixedRecords records = Dated(kCount);
  const fake::FixedWorkspace workspace(records);
  for (const Misbehaviour& misbehaviour : Misbehaviours()) {
    for (const int64_t since : {1'600'000'000, 1'600'000'000 + kCount * 500}) {
      SCOPED_TRACE(absl::StrCat(misbehaviour.name, ", since ", since));
      ExtractionHarness harness(records);
      Misbehave(&harness.intercom(), "/contacts/search", misbehaviour);
      Misbehave(&harness.intercom(), "/conversations/search", misbehaviour);
      harness.updated_since = since;
      const Extracted got = harness.Run(RecordTables());
      ExpectComplete(got, workspace, RecordTables().size(),
                     OracleFor(fake::ChangedSince::Exactly(since)));
    }
  }
}

TEST(IncrementalRunTest, AccidentsOfOneMomentAreInvisible) {
  const fake::FixedRecords records = Dated(6000);
  const fake::FixedWorkspace workspace(records);
  const int64_t since = 1'600'000'000 + 6000 * 900;
  for (const char* faults : {"malformed_json:3", "truncate:4", "html_200:5", "status:503:3",
                             "reset:4", "empty_body:3"}) {
    SCOPED_TRACE(faults);
    ExtractionHarness harness(records, faults);
    harness.updated_since = since;
    const Extracted got = harness.Run(RecordTables());
    ExpectComplete(got, workspace, RecordTables().size(),
                   OracleFor(fake::ChangedSince::Exactly(since)));
  }
}

}  // namespace
}  // namespace intercom_extractor
