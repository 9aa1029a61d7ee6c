// Who reads a workspace while it changes must be able to rely on what Intercom keeps.

#include "tests/fake_intercom/changing_workspace.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/http_server.h"
#include "tests/fake_intercom/json_value.h"
#include "tests/fake_intercom/oracle.h"
#include "tests/fake_intercom/test_client.h"

namespace intercom_extractor::fake {
namespace {

constexpr int64_t kNow = kGeneratedNow + 10'000;

std::shared_ptr<const Workspace> Base() {
  static const auto& workspace =
      *new std::shared_ptr<const Workspace>(std::make_shared<GeneratedWorkspace>([] {
        GeneratorOptions options;
        options.users = 250;
        options.leads = 150;
        options.companies = 30;
        options.conversations = 200;
        return options;
      }()));
  return workspace;
}

std::shared_ptr<ChangingWorkspace> Changing(const ChangingWorkspace::Options& options = {}) {
  return std::make_shared<ChangingWorkspace>(Base(), options,
                                             [] { return absl::FromUnixSeconds(kNow); });
}

// The ids that changes name.
std::set<std::string> Touched(const ChangingWorkspace& workspace) {
  std::set<std::string> ids;
  for (const Change& change : workspace.changes()) {
    ids.insert(change.id);
    if (!change.into.empty()) ids.insert(change.into);
  }
  return ids;
}

using AllRows = std::map<std::string, std::multiset<OracleRow>>;

AllRows RowsOf(const Workspace& workspace, const OracleOptions& options = {}) {
  AllRows rows;
  ExpectedRows(workspace, options, [&](size_t table, const OracleRow& row) {
    rows[OracleTables()[table].name].insert(row);
  });
  return rows;
}

TEST(ChangingWorkspaceTest, WithoutChangesIsWhatItIsMadeOf) {
  EXPECT_TRUE(RowsOf(*Changing()) == RowsOf(*Base()));
}

TEST(ChangingWorkspaceTest, SameSeedGivesTheSameChanges) {
  const auto once = Changing();
  const auto again = Changing();
  ChangingWorkspace::Options options;
  options.seed = 2;
  const auto other = Changing(options);
  for (const auto& workspace : {once, again, other}) workspace->ChangeNow(300);
  EXPECT_TRUE(RowsOf(*once) == RowsOf(*again));
  EXPECT_FALSE(RowsOf(*once) == RowsOf(*other));
}

TEST(ChangingWorkspaceTest, WhatChangedSinceIsWhatWasTouchedAndStillExists) {
  const auto workspace = Changing();
  workspace->ChangeNow(400);
  std::set<Change::Kind> kinds;
  std::set<std::string> gone;
  for (const Change& change : workspace->changes()) {
    kinds.insert(change.kind);
    EXPECT_EQ(change.at, kNow);
    if (change.kind == Change::Kind::kDelete || change.kind == Change::Kind::kMerge) {
      gone.insert(change.id);
    }
  }
  EXPECT_EQ(kinds.size(), 5u);
  std::set<std::string> changed;
  const ChangedSince since = ChangedSince::Exactly(kNow);
  for (size_t i = 0; i < workspace->contact_count(); ++i) {
    if (since.Contact(*workspace, i)) changed.insert(workspace->ContactId(i));
  }
  for (size_t i = 0; i < workspace->conversation_count(); ++i) {
    if (since.Conversation(*workspace, i)) changed.insert(workspace->ConversationId(i));
  }
  for (const std::string& id : gone) EXPECT_TRUE(changed.insert(id).second) << id;
  EXPECT_EQ(changed, Touched(*workspace));
}

TEST(ChangingWorkspaceTest, RecordsStayConsistentWithTheirSubResources) {
  const auto workspace = Changing();
  workspace->ChangeNow(600);
  for (size_t i = 0; i < workspace->contact_count(); ++i) {
    if (!workspace->ContactExists(i)) continue;
    std::string text;
    workspace->AppendContact(i, &text);
    const JsonValue json = *JsonValue::Parse(text);
    EXPECT_EQ(json["role"].text(), workspace->contact_key(i).role);
    const std::map<std::string, std::vector<std::string>> lists = {
        {"tags", workspace->ContactTags(i)},
        {"companies", workspace->ContactCompanies(i)},
        {"notes", workspace->ContactNotes(i)}};
    for (const auto& [name, records] : lists) {
      if (json[name].IsAbsentOrNull()) {
        EXPECT_TRUE(records.empty());
        continue;
      }
      EXPECT_EQ(json[name]["total_count"].AsInt(), records.size()) << text;
      ASSERT_EQ(json[name]["data"].elements().size(), std::min<size_t>(10, records.size()));
      std::set<std::string> ids;
      for (const std::string& record : records) {
        EXPECT_TRUE(ids.insert(JsonValue::Parse(record).value()["id"].text()).second);
      }
      for (const JsonValue& item : json[name]["data"].elements()) {
        EXPECT_EQ(ids.count(item["id"].text()), 1u);
      }
    }
  }
  for (const std::string& segment : workspace->Segments(true)) {
    const JsonValue json = *JsonValue::Parse(segment);
    int64_t members = 0;
    for (size_t i = 0; i < workspace->contact_count(); ++i) {
      members += workspace->ContactExists(i) && workspace->InSegment(i, json["id"].text()) ? 1 : 0;
    }
    EXPECT_EQ(json["count"].AsInt(), members);
  }
  for (size_t i = 0; i < workspace->conversation_count(); ++i) {
    const JsonValue json = *JsonValue::Parse(workspace->ConversationDetail(i, true));
    const JsonValue& parts = json["conversation_parts"];
    EXPECT_LE(parts["conversation_parts"].elements().size(), 500u);
    EXPECT_EQ(parts["total_count"].AsInt().value() + 1,
              json["statistics"]["count_conversation_parts"].AsInt());
  }
}

TEST(ChangingWorkspaceTest, WhatIsGoneIsAnsweredAsIntercomDoes) {
  const auto workspace = Changing();
  const FakeIntercom intercom(FakeIntercomOptions(), workspace);
  TestClient client(intercom.base_url());
  workspace->DeleteContact(40);
  workspace->MergeContact(41, 42);
  workspace->DeleteConversation(100);
  for (const char* list : {"", "/tags", "/segments", "/companies", "/notes"}) {
    EXPECT_EQ(client.Get("/contacts/" + Base()->ContactId(40) + list).status, 404);
    const auto merged = client.Get("/contacts/" + Base()->ContactId(41) + list);
    EXPECT_EQ(merged.ErrorCode(), "contact_merged");
    EXPECT_EQ(merged.Header("Link"),
              "</contacts/" + Base()->ContactId(42) + ">; rel=\"canonical\"");
  }
  EXPECT_EQ(client.Get("/conversations/" + Base()->ConversationId(100)).status, 404);
  const auto deleted = client.Get("/conversations/deleted?per_page=1");
  EXPECT_EQ(deleted.json["conversations"].elements().at(0)["id"].text(),
            Base()->ConversationId(100));
  EXPECT_EQ(deleted.json["conversations"].elements().at(0)["deleted_at"].AsInt(), kNow);
  EXPECT_EQ(client.Get("/contacts").json["total_count"].AsInt(), Base()->contact_count() - 2);
  EXPECT_EQ(client.Get("/conversations").json["total_count"].AsInt(),
            Base()->conversation_count() - 1);
}

// Walks page after page while the workspace changes between any two.
struct Walk {
  const char* name;
  bool contacts;
  // Where to ask, or what to search for.
  const char* target;
  const char* query;
};

class ChangingWalkTest : public ::testing::TestWithParam<Walk> {};

TEST_P(ChangingWalkTest, MeetsWhatDoesNotChangeExactlyOnce) {
  const Walk& walk = GetParam();
  const auto workspace = Changing();
  const FakeIntercom intercom(FakeIntercomOptions(), workspace);
  TestClient client(intercom.base_url());
  std::multiset<std::string> met;
  std::string after;
  do {
    TestClient::Answer page;
    if (walk.query[0] == '\0') {
      page = client.Get(std::string(walk.target) + "?per_page=20" +
                        (after.empty() ? "" : "&starting_after=" + UrlEncode(after)));
    } else {
      std::string body =
          R"({"query":)" + std::string(walk.query) + R"(,"pagination":{"per_page":20)";
      if (!after.empty()) {
        body += R"(,"starting_after":")" + after.substr(0, after.size() - 1) + R"(\n")";
      }
      page = client.Post(walk.target, body + "}}");
    }
    ASSERT_EQ(page.status, 200) << page.body;
    for (const JsonValue& record : page.json[walk.contacts ? "data" : "conversations"].elements()) {
      met.insert(record["id"].text());
    }
    after = page.json["pages"]["next"]["starting_after"].text();
    workspace->ChangeNow(7);
  } while (!after.empty());
  const std::set<std::string> touched = Touched(*workspace);
  const size_t count = walk.contacts ? Base()->contact_count() : Base()->conversation_count();
  size_t unchanged = 0;
  for (size_t i = 0; i < count; ++i) {
    const std::string id = walk.contacts ? Base()->ContactId(i) : Base()->ConversationId(i);
    if (touched.count(id) > 0) continue;
    ++unchanged;
    EXPECT_EQ(met.count(id), 1u) << id;
  }
  EXPECT_GT(unchanged, count / 3);
  EXPECT_GT(touched.size(), 30u);
}

INSTANTIATE_TEST_SUITE_P(
    Lists, ChangingWalkTest,
    ::testing::Values(Walk{"contacts", true, "/contacts", ""},
                      Walk{"conversations", false, "/conversations", ""},
                      Walk{"contact_search", true, "/contacts/search",
                           R"({"field":"created_at","operator":">","value":1})"},
                      Walk{"conversation_search", false, "/conversations/search",
                           R"({"field":"updated_at","operator":">","value":1})"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ChangingWorkspaceTest, ChangesNeverBearATimeBeforeTheDateOfAnEarlierAnswer) {
  ChangingWorkspace::Options options;
  options.changes = 40;
  options.requests_between = 2;
  const Clock clock = [] { return absl::Now(); };
  const auto workspace = std::make_shared<ChangingWorkspace>(Base(), options, clock);
  FakeIntercomOptions server;
  server.clock = clock;
  server.on_request = [&workspace] { workspace->OnRequest(); };
  const FakeIntercom intercom(server, workspace);
  TestClient client(intercom.base_url());
  size_t seen = 0;
  int64_t date = 0;
  int requests = 0;
  for (; seen < options.changes && requests < 1000; ++requests) {
    const auto answer = client.Get("/me");
    const std::vector<Change> changes = workspace->changes();
    for (; seen < changes.size(); ++seen) EXPECT_GE(changes[seen].at, date);
    absl::Time time;
    std::string error;
    ASSERT_TRUE(absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", answer.Header("Date"), &time, &error));
    date = absl::ToUnixSeconds(time);
  }
  EXPECT_EQ(seen, options.changes);
  EXPECT_GE(requests, 40);
  EXPECT_LE(requests, 160);
  client.Get("/me");
  EXPECT_EQ(workspace->changes().size(), options.changes) << "changes go on";
}

}  // namespace
}  // namespace intercom_extractor::fake
