#include "tests/fake_intercom/fake_intercom.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/test_client.h"

namespace intercom_extractor::fake {
namespace {

std::shared_ptr<const Workspace> SmallWorkspace() {
  static const auto& workspace =
      *new std::shared_ptr<const Workspace>(std::make_shared<GeneratedWorkspace>([] {
        GeneratorOptions options;
        options.users = 120;
        options.leads = 60;
        options.companies = 250;
        options.conversations = 30;
        return options;
      }()));
  return workspace;
}

// A clock that stands still until told otherwise.
class TestClock {
 public:
  Clock AsClock() {
    return [now = now_] { return absl::FromUnixMillis(now->load()); };
  }
  void Advance(absl::Duration duration) { *now_ += absl::ToInt64Milliseconds(duration); }

 private:
  // Milliseconds since 1970; the beginning of a ten-second window.
  std::shared_ptr<std::atomic<int64_t>> now_ =
      std::make_shared<std::atomic<int64_t>>(1'760'000'000'000);
};

std::set<std::string> WalkIds(TestClient* client, const std::string& list, const std::string& key,
                              int per_page) {
  std::set<std::string> ids;
  std::string after;
  do {
    const auto page = client->Get(list + "?per_page=" + std::to_string(per_page) +
                                  (after.empty() ? "" : "&starting_after=" + UrlEncode(after)));
    EXPECT_EQ(page.status, 200);
    EXPECT_LE(page.json[key].elements().size(), static_cast<size_t>(per_page));
    for (const JsonValue& record : page.json[key].elements()) {
      EXPECT_TRUE(ids.insert(record["id"].text()).second) << "listed twice";
    }
    after = page.json["pages"]["next"]["starting_after"].text();
  } while (!after.empty());
  return ids;
}

TEST(FakeIntercomTest, CursorWalkOfContactsMeetsEachOnce) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  EXPECT_EQ(WalkIds(&client, "/contacts", "data", 50).size(), 181);  // The visitor included.
  EXPECT_EQ(WalkIds(&client, "/conversations", "conversations", 7).size(), 30);
}

TEST(FakeIntercomTest, DeletedConversationsComeInPagesTheNewestFirst) {
  GeneratorOptions options;
  options.conversations = 130;
  options.deleted_conversations = 130;
  const auto workspace = std::make_shared<GeneratedWorkspace>(options);
  const FakeIntercom intercom(FakeIntercomOptions(), workspace);
  TestClient client(intercom.base_url());
  for (const std::string order : {"", "asc", "desc"}) {
    std::set<std::string> ids;
    std::vector<int64_t> times;
    std::string target =
        "/conversations/deleted?per_page=60" + (order.empty() ? "" : "&order=" + order);
    int pages = 0;
    while (!target.empty()) {
      const auto page = client.Get(target);
      ASSERT_EQ(page.json["type"].text(), "conversations.list");
      EXPECT_EQ(page.json["total_count"].AsInt(), 130);
      for (const JsonValue& record : page.json["conversations"].elements()) {
        EXPECT_FALSE(workspace->FindConversation(record["id"].text()).has_value());
        ids.insert(record["id"].text());
        times.push_back(record["deleted_at"].AsInt().value());
      }
      ++pages;
      const std::string next = page.json["pages"]["next"].text();
      target = next.empty() ? "" : next.substr(intercom.base_url().size());
    }
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(ids.size(), 130u);
    if (order != "asc") std::reverse(times.begin(), times.end());
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end())) << order;
    EXPECT_LE(times.back(), kGeneratedNow);
  }
  EXPECT_EQ(client.Get("/conversations/deleted").json["conversations"].elements().size(), 20u);
  EXPECT_EQ(client.Get("/conversations/deleted?per_page=61").status, 400);
  EXPECT_EQ(client.Get("/conversations/deleted?order=newest").status, 400);
  EXPECT_EQ(client.Get("/conversations/deleted?page=4&per_page=60")
                .json["conversations"]
                .elements()
                .size(),
            0u);
}

TEST(FakeIntercomTest, LastPageHasNoNextOrANullNext) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  EXPECT_EQ(client.Get("/conversations?per_page=150").json["pages"]["next"].kind(),
            JsonValue::Kind::kNull);
  const auto page = client.Get("/contacts?per_page=150");
  const auto last = client.Get("/contacts?per_page=150&starting_after=" +
                               UrlEncode(page.json["pages"]["next"]["starting_after"].text()));
  EXPECT_EQ(last.json["pages"]["next"].kind(), JsonValue::Kind::kAbsent);
}

TEST(FakeIntercomTest, CursorMustBeEncodedAndOfTheSameList) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  const std::string cursor = client.Get("/contacts").json["pages"]["next"]["starting_after"].text();
  EXPECT_NE(cursor.find('+'), std::string::npos);
  EXPECT_NE(cursor.find('\n'), std::string::npos);
  EXPECT_EQ(client.Get("/contacts?starting_after=" + UrlEncode(cursor)).status, 200);
  EXPECT_EQ(client.Get("/contacts?starting_after=c+/MTA6MQ==").ErrorCode(), "client_error");
  EXPECT_EQ(client.Get("/conversations?starting_after=" + UrlEncode(cursor)).status, 400);
}

TEST(FakeIntercomTest, PageSizeAboveTheMaximumIsRefused) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  EXPECT_EQ(client.Get("/contacts?per_page=151").ErrorCode(), "parameter_invalid");
  EXPECT_EQ(client.Post("/companies/list?per_page=61", "").ErrorCode(), "parameter_invalid");
  EXPECT_EQ(client.Post("/companies/list?per_page=60&page=167", "").ErrorCode(), "bad_request");
  EXPECT_EQ(client.Get("/contacts").json["data"].elements().size(), 10);
}

TEST(FakeIntercomTest, NotesArePagedByNumberUntilNextIsNull) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  size_t contact = 0;
  while (SmallWorkspace()->ContactNotes(contact).size() != 151) ++contact;
  std::string target = "/contacts/" + SmallWorkspace()->ContactId(contact) + "/notes?per_page=60";
  std::vector<size_t> sizes;
  while (!target.empty()) {
    const auto page = client.Get(target);
    sizes.push_back(page.json["data"].elements().size());
    const std::string& next = page.json["pages"]["next"].text();
    target = next.empty() ? "" : next.substr(intercom.base_url().size());
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{60, 60, 31}));
}

TEST(FakeIntercomTest, EmbeddedListsStopAtTenWithHasMore) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  std::set<size_t> totals;
  for (size_t i = 0; i < SmallWorkspace()->contact_count(); ++i) {
    const std::string path = "/contacts/" + SmallWorkspace()->ContactId(i);
    const JsonValue contact = client.Get(path).json;
    const JsonValue& tags = contact["tags"];
    if (!tags.IsObject()) continue;
    const size_t total = tags["total_count"].AsInt().value_or(-1);
    EXPECT_EQ(tags["data"].elements().size(), std::min<size_t>(total, 10));
    EXPECT_EQ(tags["has_more"].text(), total > 10 ? "true" : "false");
    EXPECT_EQ(client.Get(path + "/tags").json["data"].elements().size(), total);
    EXPECT_EQ(contact["segments"].kind(), JsonValue::Kind::kAbsent);
    totals.insert(total);
  }
  for (const size_t total : {0, 1, 10, 11, 151}) EXPECT_EQ(totals.count(total), 1) << total;
}

TEST(FakeIntercomTest, DetailGivesTheNewestFiveHundredParts) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  const std::vector<size_t> totals = {0, 1, 499, 500, 501, 900};
  for (size_t i = 0; i < totals.size(); ++i) {
    const JsonValue parts = client.Get("/conversations/" + SmallWorkspace()->ConversationId(i))
                                .json["conversation_parts"];
    EXPECT_EQ(parts["total_count"].AsInt(), static_cast<int64_t>(totals[i]));
    const auto& elements = parts["conversation_parts"].elements();
    ASSERT_EQ(elements.size(), std::min<size_t>(totals[i], 500));
    if (totals[i] == 900) {
      // Part ids end in the part's number.
      EXPECT_EQ(elements.front()["id"].AsInt().value_or(-1) % 1000, 400);
      EXPECT_EQ(elements.back()["id"].AsInt().value_or(-1) % 1000, 899);
    }
  }
}

TEST(FakeIntercomTest, PlaintextIsAskedForAndListsHaveNoParts) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  const auto list = client.Get("/conversations?per_page=150");
  bool saw_html = false;
  for (const JsonValue& item : list.json["conversations"].elements()) {
    EXPECT_EQ(item["conversation_parts"].kind(), JsonValue::Kind::kAbsent);
    const std::string& body = item["source"]["body"].text();
    const auto detail = client.Get("/conversations/" + item["id"].text() + "?display_as=plaintext");
    EXPECT_EQ(detail.json["source"]["body"].text().find("<p>"), std::string::npos);
    saw_html = saw_html || body.find("<p>") != std::string::npos;
  }
  EXPECT_TRUE(saw_html);
}

TEST(FakeIntercomTest, RefusesWhatIntercomRefuses) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  const httplib::Headers good = client.headers;
  client.headers = {{"Accept", "application/json"}, {"Authorization", "Bearer wrong"}};
  EXPECT_EQ(client.Get("/me").ErrorCode(), "unauthorized");
  client.headers = {{"Authorization", "Bearer fake-access-token"}, {"Accept", "*/*"}};
  EXPECT_EQ(client.Get("/me").status, 406);
  client.headers = good;
  client.headers.emplace("Intercom-Version", "2.99");
  EXPECT_EQ(client.Get("/me").ErrorCode(), "intercom_version_invalid");
  client.headers = good;
  EXPECT_EQ(client.Get("/contacts/0123456789abcdef01234567").ErrorCode(), "not_found");
  EXPECT_EQ(client.Get("/no/such/thing").status, 404);
}

TEST(FakeIntercomTest, MergedContactIsGoneWithALinkAndNotListed) {
  FixedRecords records;
  records.contacts.push_back({R"({"type":"contact","id":"b","role":"user"})", {}, {}, {}, {}, ""});
  records.merged = {{"a", "b"}};
  const FakeIntercom intercom(FakeIntercomOptions(), std::make_shared<FixedWorkspace>(records));
  TestClient client(intercom.base_url());
  const auto answer = client.Get("/contacts/a");
  EXPECT_EQ(answer.status, 410);
  EXPECT_EQ(answer.ErrorCode(), "contact_merged");
  EXPECT_EQ(answer.Header("Link"), "</contacts/b>; rel=\"canonical\"");
  EXPECT_EQ(WalkIds(&client, "/contacts", "data", 10), std::set<std::string>{"b"});
}

TEST(FakeIntercomTest, QuotaWindowsAreAlignedAndRefill) {
  TestClock clock;
  FakeIntercomOptions options;
  options.clock = clock.AsClock();
  options.quota = Quota::Parse("3/10s");
  const FakeIntercom intercom(options, SmallWorkspace());
  TestClient client(intercom.base_url());
  clock.Advance(absl::Seconds(4));
  for (const char* remaining : {"2", "1", "0"}) {
    const auto answer = client.Get("/me");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.Header("X-RateLimit-Limit"), "3");
    EXPECT_EQ(answer.Header("X-RateLimit-Remaining"), remaining);
    EXPECT_EQ(answer.Header("X-RateLimit-Reset"), "1760000010");
  }
  const auto refused = client.Get("/me");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.ErrorCode(), "rate_limit_exceeded");
  EXPECT_EQ(refused.Header("X-RateLimit-Reset"), "1760000010");
  clock.Advance(absl::Seconds(6));
  EXPECT_EQ(client.Get("/me").Header("X-RateLimit-Reset"), "1760000020");
  EXPECT_EQ(intercom.stats().rate_limited, 1);
}

TEST(FakeIntercomTest, OtherAppsShareTheQuotaWhichMayChange) {
  TestClock clock;
  FakeIntercomOptions options;
  options.clock = clock.AsClock();
  options.quota = Quota::Parse("3/10s");
  FakeIntercom intercom(options, SmallWorkspace());
  TestClient client(intercom.base_url());
  EXPECT_TRUE(intercom.quota().Take(Quota::Who::kOtherApp).allowed);
  EXPECT_EQ(client.Get("/me").Header("X-RateLimit-Remaining"), "1");
  intercom.quota().SetLimit(2);
  EXPECT_EQ(client.Get("/me").status, 429);
  EXPECT_FALSE(intercom.quota().Take(Quota::Who::kOtherApp).allowed);
  clock.Advance(absl::Seconds(10));
  EXPECT_EQ(client.Get("/me").Header("X-RateLimit-Limit"), "2");
  const auto windows = intercom.quota().History();
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0].used, 1);
  EXPECT_EQ(windows[0].used_by_other_apps, 1);
  EXPECT_EQ(windows[0].rejected, 1);
  EXPECT_EQ(windows[0].rejected_of_other_apps, 1);
  EXPECT_EQ(windows[1].number, windows[0].number + 1);
}

TEST(FakeIntercomTest, RefusedTokensCostNoQuotaAndSeeNoHeaders) {
  FakeIntercomOptions options;
  options.quota = Quota::Parse("1/10s");
  options.clock = TestClock().AsClock();
  const FakeIntercom intercom(options, SmallWorkspace());
  TestClient client(intercom.base_url());
  const httplib::Headers good = client.headers;
  client.headers = {{"Accept", "application/json"}};
  const auto refused = client.Get("/me");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.Header("X-RateLimit-Limit"), "");
  client.headers = good;
  EXPECT_EQ(client.Get("/me").status, 200);
}

TEST(FakeIntercomTest, ScrollEndsOnAnEmptyPage) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  auto page = client.Get("/companies/scroll");
  const std::string param = page.json["scroll_param"].text();
  std::vector<size_t> sizes;
  while (!page.json["data"].elements().empty()) {
    sizes.push_back(page.json["data"].elements().size());
    EXPECT_EQ(page.json["scroll_param"].text(), param);
    page = client.Get("/companies/scroll?scroll_param=" + param);
  }
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(sizes, (std::vector<size_t>{100, 100, 50}));
  EXPECT_EQ(intercom.stats().duplicates, 0) << "pages of one scroll are no duplicates";
  EXPECT_EQ(client.Get("/companies/scroll").status, 200) << "the first scroll is over";
}

TEST(FakeIntercomTest, OnlyOneScrollAtATimeAndItExpiresUnused) {
  TestClock clock;
  FakeIntercomOptions options;
  options.clock = clock.AsClock();
  const FakeIntercom intercom(options, SmallWorkspace());
  TestClient client(intercom.base_url());
  const std::string param = client.Get("/companies/scroll").json["scroll_param"].text();
  EXPECT_EQ(client.Get("/companies/scroll").ErrorCode(), "scroll_exists");
  clock.Advance(absl::Seconds(60));
  EXPECT_EQ(client.Get("/companies/scroll?scroll_param=" + param).status, 200);
  clock.Advance(absl::Seconds(61));
  const auto expired = client.Get("/companies/scroll?scroll_param=" + param);
  EXPECT_EQ(expired.status, 404);
  EXPECT_EQ(expired.ErrorCode(), "not_found");
  EXPECT_EQ(client.Get("/companies/scroll").status, 200);
}

TEST(FakeIntercomTest, ListLeavesOutCompaniesWithoutUsers) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  const auto page = client.Post("/companies/list?per_page=60&page=4", "");
  EXPECT_EQ(page.json["total_count"].text(), "225");
  EXPECT_EQ(page.json["data"].elements().size(), 45);
  EXPECT_EQ(page.json["pages"]["next"].kind(), JsonValue::Kind::kNull);
}

TEST(FakeIntercomTest, SegmentsAreCountedOnlyOnRequest) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  const auto plain = client.Get("/segments");
  const auto counted = client.Get("/segments?include_count=true");
  EXPECT_EQ(plain.json["segments"].elements()[0]["count"].kind(), JsonValue::Kind::kAbsent);
  EXPECT_EQ(counted.json["segments"].elements()[0]["count"].text(), "120");
}

TEST(FakeIntercomTest, SegmentSearchAgreesWithSegmentsOfContacts) {
  const FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  const auto segments = client.Get("/segments?include_count=true");
  for (const JsonValue& segment : segments.json["segments"].elements()) {
    const auto found = client.Post("/contacts/search",
                                   R"({"query":{"field":"segment_id","operator":"=","value":")" +
                                       segment["id"].text() + "\"}}");
    EXPECT_EQ(found.json["total_count"].text(), segment["count"].text());
  }
}

TEST(FakeIntercomTest, StatsNameRoutesAndDuplicates) {
  FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  TestClient client(intercom.base_url());
  const std::string tags = "/contacts/" + SmallWorkspace()->ContactId(1) + "/tags";
  client.Get(tags);
  client.Get(tags);
  const auto stats = client.Get("/__stats").json;
  EXPECT_EQ(stats["total"].text(), "2");
  EXPECT_EQ(stats["by_route"]["GET /contacts/{id}/tags"].text(), "2");
  EXPECT_EQ(stats["duplicates"].text(), "1");
  EXPECT_EQ(stats["duplicate_list"].elements()[0].text(), "GET " + tags);
  client.Post("/__reset", "");
  EXPECT_EQ(intercom.stats().total, 0);
}

TEST(FakeIntercomTest, HandlerAnswersItsRouteOnly) {
  FakeIntercom intercom(FakeIntercomOptions(), SmallWorkspace());
  intercom.SetHandler("GET", "/contacts/", [](const Request& request, Response* response) {
    if (request.path == "/contacts/mine") response->body = R"({"id":"mine"})";
    return request.path == "/contacts/mine";
  });
  TestClient client(intercom.base_url());
  EXPECT_EQ(client.Get("/contacts/mine").json["id"].text(), "mine");
  EXPECT_EQ(client.Get("/contacts/other").status, 404);
  intercom.ClearHandlers();
  EXPECT_EQ(client.Get("/contacts/mine").status, 404);
}

TEST(GeneratedWorkspaceTest, ContactsMayAllComeFromOneDayOrFromFive) {
  for (const auto& [creation, days] : {std::pair(Creation::kOneDay, 1), {Creation::kFewDays, 5}}) {
    GeneratorOptions options;
    options.creation = creation;
    const GeneratedWorkspace workspace(options);
    // Of 23 hours: the day on which the clocks change is one of them.
    std::set<int64_t> days_seen;
    std::set<int64_t> seconds;
    for (size_t i = 0; i < workspace.contact_count(); ++i) {
      const ContactKey key = workspace.contact_key(i);
      const int64_t since_first = key.created_at - 1'606'366'800;
      EXPECT_LT(since_first % (int64_t{300} * 86'400), 23 * 3'600);
      days_seen.insert(since_first / (int64_t{300} * 86'400));
      seconds.insert(key.created_at);
      EXPECT_GE(key.updated_at, key.created_at);
    }
    EXPECT_EQ(days_seen.size(), days);
    EXPECT_GT(seconds.size(), 100);
  }
}

TEST(FakeIntercomTest, ServesManyConnectionsAtOnce) {
  FakeIntercomOptions options;
  options.latency = std::chrono::milliseconds(20);
  const FakeIntercom intercom(options, SmallWorkspace());
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  threads.reserve(64);
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] {
      TestClient client(intercom.base_url());
      for (int j = 0; j < 3; ++j) good += client.Get("/me").status == 200 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 64 * 3);
  // Waiting answers hold no thread: far more than the server's two are under way.
  EXPECT_GT(intercom.stats().max_in_flight, 2);
}

}  // namespace
}  // namespace intercom_extractor::fake
