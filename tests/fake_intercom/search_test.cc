#include "tests/fake_intercom/search.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/test_client.h"

namespace intercom_extractor::fake {
namespace {

int64_t InNewYork(int year, int month, int day, int hour, int minute) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("America/New_York", &zone));
  return absl::ToUnixSeconds(
      absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, 0), zone));
}

// Contacts named a, b, c, ... created at the given times.
class SearchTest : public testing::Test {
 protected:
  void Serve(const std::vector<int64_t>& created_at, size_t missing_newest = 0,
             const std::vector<std::vector<std::string>>& segments = {}) {
    FixedRecords records;
    char id = 'a';
    for (const int64_t time : created_at) {
      const std::string seconds = std::to_string(time);
      FixedRecords::Contact contact;
      contact.json =
          absl::StrCat(R"({"type":"contact","id":")", std::string(1, id), R"(","role":")",
                       id == 'a' ? "lead" : "user", R"(","created_at":)", seconds,
                       R"(,"updated_at":)", seconds, R"(,"last_seen_at":null})");
      if (!segments.empty()) contact.segments = segments[records.contacts.size()];
      records.contacts.push_back(contact);
      FixedRecords::Conversation conversation;
      conversation.detail = absl::StrCat(
          R"({"type":"conversation","id":")", std::string(1, id), R"(","created_at":)", seconds,
          R"(,"updated_at":)", seconds, R"(,"conversation_parts":{"conversation_parts":[]}})");
      records.conversations.push_back(conversation);
      ++id;
    }
    FakeIntercomOptions options;
    options.api.search_missing_newest = missing_newest;
    intercom_ = std::make_unique<FakeIntercom>(options, std::make_shared<FixedWorkspace>(records));
    client_ = std::make_unique<TestClient>(intercom_->base_url());
  }

  TestClient::Answer Search(const std::string& query, const std::string& more = "",
                            const std::string& path = "/contacts/search") {
    return client_->Post(path, R"({"query":)" + query + more + "}");
  }

  // The ids found, oldest first, or the error's code.
  std::string Found(const std::string& query) {
    const auto answer = Search(query, R"(,"sort":{"field":"created_at","order":"ascending"})");
    if (answer.status != 200) return answer.ErrorCode();
    std::string ids;
    for (const JsonValue& contact : answer.json["data"].elements()) ids += contact["id"].text();
    return ids;
  }

  static std::string CreatedAt(const std::string& operation, int64_t value) {
    return R"({"field":"created_at","operator":")" + operation + R"(","value":)" +
           std::to_string(value) + "}";
  }

  std::unique_ptr<FakeIntercom> intercom_;
  std::unique_ptr<TestClient> client_;
};

// 2024-03-10 has 23 hours in New York, 2024-11-03 has 25.
TEST_F(SearchTest, DatesMeanWholeDaysOfTheWorkspaceAcrossDaylightSaving) {
  Serve({InNewYork(2024, 3, 9, 23, 59), InNewYork(2024, 3, 10, 0, 0),
         InNewYork(2024, 3, 10, 23, 59), InNewYork(2024, 3, 11, 0, 0), InNewYork(2024, 11, 3, 0, 0),
         InNewYork(2024, 11, 3, 23, 59), InNewYork(2024, 11, 4, 0, 0)});
  const int64_t spring_noon = InNewYork(2024, 3, 10, 12, 0);
  EXPECT_EQ(Found(CreatedAt("=", spring_noon)), "bc");
  EXPECT_EQ(Found(CreatedAt(">", spring_noon)), "defg");
  EXPECT_EQ(Found(CreatedAt("<", spring_noon)), "a");
  const int64_t autumn_noon = InNewYork(2024, 11, 3, 12, 0);
  EXPECT_EQ(Found(CreatedAt("=", autumn_noon)), "ef");
  EXPECT_EQ(Found(CreatedAt(">", autumn_noon)), "g");
  EXPECT_EQ(Found(CreatedAt("<", autumn_noon)), "abcd");
}

TEST_F(SearchTest, DatesMeanSecondsFromVersion217On) {
  Serve({1'700'000'000, 1'700'000'001, 1'700'000'002});
  EXPECT_EQ(Found(CreatedAt("=", 1'700'000'001)), "abc");
  client_->headers.emplace("Intercom-Version", "2.17");
  EXPECT_EQ(Found(CreatedAt("=", 1'700'000'001)), "b");
  EXPECT_EQ(Found(CreatedAt(">", 1'700'000'001)), "c");
  EXPECT_EQ(Found(CreatedAt("<", 1'700'000'001)), "a");
}

// The filter that the extractor's windows use must give the same under both rules.
TEST_F(SearchTest, WindowFilterGivesTheSameUnderBothDateRules) {
  const int64_t start = InNewYork(2024, 3, 10, 0, 0);
  const int64_t end = InNewYork(2024, 3, 11, 0, 0);
  Serve({start - 1, start, end - 1, end});
  const std::string window = R"({"operator":"AND","value":[)" + CreatedAt(">", start - 1) + "," +
                             CreatedAt("<", end) + "]}";
  EXPECT_EQ(Found(window), "bc");
  client_->headers.emplace("Intercom-Version", "2.17");
  EXPECT_EQ(Found(window), "bc");
}

TEST_F(SearchTest, ConversationsCompareSecondsInAllVersions) {
  Serve({1'700'000'000, 1'700'000'001});
  const auto found = Search(R"({"field":"updated_at","operator":">","value":1700000000})", "",
                            "/conversations/search");
  EXPECT_EQ(found.json["total_count"].text(), "1");
  EXPECT_EQ(found.json["conversations"].elements()[0]["id"].text(), "b");
}

TEST_F(SearchTest, RefusesWhatIntercomRefuses) {
  Serve({1, 2});
  for (const char* operation : {">=", "<=", "!=", "IN", "NIN"}) {
    EXPECT_EQ(Found(CreatedAt(operation, 1)), "parameter_invalid") << operation;
  }
  EXPECT_EQ(Found(R"({"field":"shoe_size","operator":"=","value":1})"), "parameter_invalid");
  EXPECT_EQ(
      Search(CreatedAt(">", 1), R"(,"sort":{"field":"created_at","order":"desc"})").ErrorCode(),
      "invalid_sort_order");
  const auto group = [](const std::string& inner) {
    return R"({"operator":"AND","value":[)" + inner + "]}";
  };
  const std::string leaf = R"({"field":"role","operator":"=","value":"user"})";
  EXPECT_EQ(Found(group(group(leaf))), "b");
  EXPECT_EQ(Found(group(group(group(leaf)))), "parameter_invalid");
  std::string sixteen = leaf;
  for (int i = 0; i < 15; ++i) sixteen += "," + leaf;
  EXPECT_EQ(Found(group(sixteen)), "parameter_invalid");
  EXPECT_EQ(Search("{", "").status, 400);
}

TEST_F(SearchTest, FindsRolesOfSeveralIdsAtOnce) {
  Serve({1, 2, 3});
  EXPECT_EQ(Found(R"({"field":"id","operator":"IN","value":["c","a","x"]})"), "ac");
  EXPECT_EQ(Found(R"({"field":"role","operator":"=","value":"lead"})"), "a");
}

TEST_F(SearchTest, FindsMembersOfASegmentAloneAndWithRoleAndDays) {
  const auto member = [](const char* segment) {
    return absl::StrCat(R"({"type":"segment","id":")", segment, R"("})");
  };
  // b and d are in x, all are in y.
  Serve({1'700'000'000, 1'700'000'000, 1'700'000'000, 1'700'200'000}, /*missing_newest=*/0,
        {{member("y")}, {member("x"), member("y")}, {member("y")}, {member("x"), member("y")}});
  const auto segment = [](const char* id) {
    return absl::StrCat(R"({"field":"segment_id","operator":"=","value":")", id, R"("})");
  };
  const auto group = [](const std::string& parts) {
    return R"({"operator":"AND","value":[)" + parts + "]}";
  };
  EXPECT_EQ(Found(segment("x")), "bd");
  EXPECT_EQ(Found(segment("z")), "");
  EXPECT_EQ(Found(group(segment("x"))), "bd");
  EXPECT_EQ(Found(group(segment("y") + R"(,{"field":"role","operator":"=","value":"lead"})")), "a");
  EXPECT_EQ(Found(group(segment("y") + R"(,{"field":"role","operator":"!=","value":"user"})")),
            "a");
  EXPECT_EQ(Found(group(CreatedAt("<", 1'700'100'000) + "," + segment("x"))), "b");
  EXPECT_EQ(Found(group(CreatedAt(">", 1'700'000'000) + "," + segment("y"))), "d");
  EXPECT_EQ(Found(group(group(segment("x")) + "," + CreatedAt(">", 1'700'000'000))), "d");
}

TEST_F(SearchTest, ContactsThatVanishedAreListedButInNoSegment) {
  const std::vector<std::string> segments = {R"({"type":"segment","id":"x"})"};
  Serve({1, 2, 3}, /*missing_newest=*/0, {segments, segments, segments});
  constexpr char kMembers[] = R"({"field":"segment_id","operator":"=","value":"x"})";
  EXPECT_EQ(Found(kMembers), "abc");
  intercom_->AddFaults("vanish:1");
  EXPECT_EQ(Found(kMembers).size(), 2u);
  EXPECT_EQ(Found(R"({"field":"role","operator":"IN","value":["user","lead"]})"), "abc");
}

TEST_F(SearchTest, CursorInTheBodyWalksAllMatches) {
  Serve({5, 4, 3, 2, 1});
  std::string ids;
  std::string pagination = R"({"per_page":2})";
  while (!pagination.empty()) {
    const auto page =
        Search(CreatedAt(">", -100'000),
               R"(,"sort":{"field":"created_at","order":"ascending"},"pagination":)" + pagination);
    ASSERT_EQ(page.status, 200);
    for (const JsonValue& contact : page.json["data"].elements()) ids += contact["id"].text();
    const JsonValue& next = page.json["pages"]["next"];
    std::string cursor = next["starting_after"].text();
    if (!cursor.empty()) cursor.replace(cursor.size() - 1, 1, "\\n");
    pagination =
        next.IsAbsentOrNull() ? "" : R"({"per_page":2,"starting_after":")" + cursor + "\"}";
  }
  EXPECT_EQ(ids, "edcba");
}

TEST_F(SearchTest, NewestContactsMayBeMissingFromTheIndex) {
  Serve({1, 2, 3}, /*missing_newest=*/1);
  EXPECT_EQ(Found(R"({"field":"role","operator":"IN","value":["user","lead"]})"), "ab");
  EXPECT_EQ(client_->Get("/contacts").json["total_count"].text(), "3");
}

}  // namespace
}  // namespace intercom_extractor::fake
