#include "tests/fake_intercom/faults.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/fault_rule.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/http_server.h"
#include "tests/fake_intercom/test_client.h"

namespace intercom_extractor::fake {
namespace {

class FaultsTest : public testing::Test {
 protected:
  FaultsTest()
      : workspace_(std::make_shared<GeneratedWorkspace>(GeneratorOptions())),
        intercom_(FakeIntercomOptions(), workspace_),
        client_(intercom_.base_url()) {}

  const std::shared_ptr<const GeneratedWorkspace> workspace_;
  FakeIntercom intercom_;
  TestClient client_;
};

TEST_F(FaultsTest, UnknownFaultsAreRefused) {
  Faults faults;
  for (const char* text : {"nonsense", "status:500:often", "vanish", "html_404:contacts",
                           "truncate:0", "no_rate_headers:1", "large_pages"}) {
    EXPECT_THROW(faults.Add(text), std::invalid_argument) << text;
  }
}

TEST_F(FaultsTest, ScopeAndPlanConcernOneRoute) {
  intercom_.AddFaults("scope_missing:/companies,plan_restricted:/events");
  EXPECT_EQ(client_.Get("/companies/scroll").ErrorCode(), "forbidden");
  EXPECT_EQ(client_.Get("/events?type=user").ErrorCode(), "api_plan_restricted");
  EXPECT_EQ(client_.Get("/contacts").status, 200);
  intercom_.ClearFaults();
  EXPECT_EQ(client_.Get("/companies/scroll").status, 200);
}

TEST_F(FaultsTest, EveryNthFirstTryFailsAndItsRetrySucceeds) {
  intercom_.AddFaults("status:502:2");
  EXPECT_EQ(client_.Get("/me").status, 200);
  EXPECT_EQ(client_.Get("/tags").status, 502);
  EXPECT_EQ(client_.Get("/tags").status, 200);
  EXPECT_EQ(client_.Get("/admins").status, 200);
  EXPECT_EQ(client_.Get("/teams").status, 502);
}

// One that failed is asked for a smaller page: if that could fail, too, three in a row did.
TEST_F(FaultsTest, AskingForASmallerPageIsARetry) {
  intercom_.AddFaults("status:502");
  EXPECT_EQ(client_.Get("/contacts?per_page=150").status, 502);
  EXPECT_EQ(client_.Get("/contacts?per_page=75").status, 200);
  EXPECT_EQ(client_.Get("/contacts?per_page=75&order=asc").status, 502);
  const auto search = [](const char* per_page) {
    return absl::StrCat(R"({"query":{"field":"role","operator":"=","value":"user"},)",
                        R"("pagination":{"per_page": )", per_page, "}}");
  };
  EXPECT_EQ(client_.Post("/contacts/search", search("150")).status, 502);
  EXPECT_EQ(client_.Post("/contacts/search", search("75")).status, 200);
}

TEST_F(FaultsTest, ScrollThatBeginsAnewIsNotHitOnThePagesOfTheOneBefore) {
  // Every second first try: the pages of a new scroll once counted as new first
  // tries, so that each of six scrolls could be hit.
  absl::Time now = absl::FromUnixSeconds(1'750'000'000);
  FakeIntercomOptions options;
  options.clock = [&now] { return now; };
  options.faults = "empty_body:2";
  FakeIntercom intercom(options, workspace_);
  TestClient client(intercom.base_url());
  int lost = 0;
  for (int scrolls = 0; scrolls < 6; ++scrolls) {
    auto page = client.Get("/companies/scroll");
    while (!page.body.empty() && page.body.find("\"data\":[]") == std::string::npos) {
      page = client.Get("/companies/scroll?scroll_param=" + page.json["scroll_param"].text());
    }
    if (!page.body.empty()) break;
    ++lost;
    // The scroll expires.
    now += absl::Minutes(2);
  }
  // 170 companies are two pages and an empty one.
  EXPECT_EQ(lost, 1);
}

TEST_F(FaultsTest, AlwaysMeansRetriesToo) {
  intercom_.AddFaults("status:500:1:always");
  EXPECT_EQ(client_.Get("/me").ErrorCode(), "server_error");
  EXPECT_EQ(client_.Get("/me").status, 500);
}

TEST_F(FaultsTest, BrokenBodiesOfAllKinds) {
  intercom_.AddFaults("empty_body");
  auto answer = client_.Get("/me");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  intercom_.ClearFaults();
  intercom_.AddFaults("malformed_json");
  answer = client_.Get("/me");
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(JsonValue::Parse(answer.body).has_value());
  intercom_.ClearFaults();
  intercom_.AddFaults("html_200");
  EXPECT_EQ(client_.Get("/me").Header("Content-Type"), "text/html");
  intercom_.ClearFaults();
  intercom_.AddFaults("html_404:/me");
  answer = client_.Get("/me");
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("nginx"), std::string::npos);
}

TEST_F(FaultsTest, CutAnswersNeverLookWhole) {
  intercom_.AddFaults("truncate:1:always");
  EXPECT_EQ(client_.Get("/contacts").status, 0);
  intercom_.ClearFaults();
  intercom_.AddFaults("reset:1:always");
  EXPECT_EQ(client_.Get("/contacts").status, 0);
  intercom_.ClearFaults();
  EXPECT_EQ(client_.Get("/contacts").status, 200);
}

TEST_F(FaultsTest, RulesAreForTheRequestsThatTheyName) {
  FakeIntercomOptions options;
  FaultRule rule;
  rule.match.path = "/contacts/*/notes";
  rule.match.contains = "per_page=7";
  rule.match.turns.from = 2;
  rule.match.turns.to = 2;
  rule.action.status = 418;
  options.fault_rules = {rule};
  FakeIntercom intercom(options, workspace_);
  TestClient client(intercom.base_url());
  const auto notes = [&](int contact, const std::string& query) {
    return client.Get("/contacts/" + workspace_->ContactId(contact) + "/notes?" + query).status;
  };
  EXPECT_EQ(notes(1, "per_page=7"), 200) << "the first that matches";
  EXPECT_EQ(notes(1, "per_page=8"), 200) << "does not match";
  EXPECT_EQ(client.Get("/contacts?per_page=7").status, 200) << "another path";
  EXPECT_EQ(notes(2, "per_page=7"), 418);
  EXPECT_EQ(notes(2, "per_page=7"), 200) << "a retry";
  EXPECT_EQ(notes(3, "per_page=7"), 200) << "the third";
}

TEST_F(FaultsTest, RulesCountFromWhenTheyBegin) {
  FakeIntercomOptions options;
  FaultRule rule;
  rule.match.after = 2;
  rule.match.turns.nth = {1};
  rule.action.status = 418;
  options.fault_rules = {rule};
  FakeIntercom intercom(options, workspace_);
  TestClient client(intercom.base_url());
  EXPECT_EQ(client.Get("/me").status, 200);
  EXPECT_EQ(client.Get("/tags").status, 200);
  EXPECT_EQ(client.Get("/admins").status, 418);
  EXPECT_EQ(client.Get("/teams").status, 200);
}

// What a client makes of one action on GET /tags.
class ActionTest : public FaultsTest {
 protected:
  TestClient::Answer Tags(const FaultAction& action) {
    FakeIntercomOptions options;
    FaultRule rule;
    rule.action = action;
    rule.match.path = "/tags";
    options.fault_rules = {rule};
    FakeIntercom intercom(options, workspace_);
    TestClient client(intercom.base_url());
    return client.Get("/tags");
  }
  const std::string good_ = client_.Get("/tags").body;
};

TEST_F(ActionTest, WholeAnswersComeInAnyFraming) {
  FaultAction action;
  action.framing = Delivery::Framing::kChunked;
  EXPECT_EQ(Tags(action).body, good_);
  action.drip = FaultAction::Drip{700, std::chrono::microseconds(10)};
  EXPECT_EQ(Tags(action).body, good_);
  action.framing = Delivery::Framing::kUntilClose;
  EXPECT_EQ(Tags(action).body, good_);
}

TEST_F(ActionTest, PartsOfAnswersDoNotLookWholeWhereTheirLengthIsKnown) {
  FaultAction action;
  action.cut = FaultAction::Cut{100, 0};
  EXPECT_EQ(Tags(action).status, 0);
  action.framing = Delivery::Framing::kChunked;
  EXPECT_EQ(Tags(action).status, 0);
  action = FaultAction();
  action.length_error = 10;
  action.end = Delivery::End::kAbrupt;
  EXPECT_EQ(Tags(action).status, 0);
  action.length_error = -10;
  EXPECT_EQ(Tags(action).body, good_.substr(0, good_.size() - 10));
  action = FaultAction();
  action.raw = "no HTTP at all";
  EXPECT_EQ(Tags(action).status, 0);
}

TEST_F(ActionTest, HeadersAreSetRemovedAndMovedInTime) {
  FaultAction action;
  action.headers = {{"content-type", "text/plain"}, {"Intercom-*", std::nullopt}, {"New", "1"}};
  auto answer = Tags(action);
  EXPECT_EQ(answer.Header("Content-Type"), "text/plain");
  EXPECT_EQ(answer.Header("Intercom-Version"), "");
  EXPECT_EQ(answer.Header("New"), "1");
  EXPECT_EQ(answer.body, good_);
  action = FaultAction();
  action.clock = std::chrono::hours(24 * 365 * 20);
  const std::string now = Tags(FaultAction()).Header("Date");
  EXPECT_NE(Tags(action).Header("Date").substr(12, 4), now.substr(12, 4));
}

TEST_F(ActionTest, TextsAreReplaced) {
  FaultAction action;
  action.replace = {{"\"data\"", "\"dates\""}};
  EXPECT_TRUE(Tags(action).json["data"].elements().empty());
}

// A fake to which nobody can connect for `time` once it was asked for tags.
FakeIntercomOptions RefusingAfterTags(std::chrono::milliseconds time) {
  FaultRule rule;
  rule.match.path = "/tags";
  rule.action.refuse = time;
  FakeIntercomOptions options;
  options.fault_rules = {rule};
  return options;
}

TEST_F(FaultsTest, NobodyListensForAWhile) {
  // However long a busy machine takes between two requests.
  FakeIntercom intercom(RefusingAfterTags(std::chrono::hours(1)), workspace_);
  EXPECT_EQ(TestClient(intercom.base_url()).Get("/tags").status, 0);
  EXPECT_EQ(TestClient(intercom.base_url()).Get("/me").status, 0);
}

TEST_F(FaultsTest, ItListensAgainAfterThat) {
  FakeIntercom intercom(RefusingAfterTags(std::chrono::milliseconds(50)), workspace_);
  EXPECT_EQ(TestClient(intercom.base_url()).Get("/tags").status, 0);
  while (TestClient(intercom.base_url()).Get("/me").status != 200) {
  }
}

TEST_F(FaultsTest, FirstConnectionsAreReset) {
  FakeIntercomOptions options;
  ConnectionRule rule;
  rule.turns.to = 2;
  rule.fault = ConnectionFault::kReset;
  options.connection_rules = {rule};
  FakeIntercom intercom(options, workspace_);
  EXPECT_EQ(TestClient(intercom.base_url()).Get("/me").status, 0);
  EXPECT_EQ(TestClient(intercom.base_url()).Get("/me").status, 0);
  EXPECT_EQ(TestClient(intercom.base_url()).Get("/me").status, 200);
}

TEST_F(FaultsTest, ScrollBreaksOnceInItsMiddle) {
  intercom_.AddFaults("scroll_500_once");
  const std::string param = client_.Get("/companies/scroll").json["scroll_param"].text();
  const std::string next = "/companies/scroll?scroll_param=" + param;
  EXPECT_EQ(client_.Get(next).status, 500);
  EXPECT_EQ(client_.Get(next).status, 404) << "a broken scroll cannot be continued";
  const auto again = client_.Get("/companies/scroll");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(
      client_.Get("/companies/scroll?scroll_param=" + again.json["scroll_param"].text()).status,
      200);
}

TEST_F(FaultsTest, ForeignScrollIsInTheWay) {
  intercom_.AddFaults("scroll_busy:3600");
  EXPECT_EQ(client_.Get("/companies/scroll").ErrorCode(), "scroll_exists");
  EXPECT_TRUE(intercom_.scroll_state().busy);
}

TEST_F(FaultsTest, VanishedRecordsAreListedButGone) {
  intercom_.AddFaults("vanish:2");
  const auto contacts = VanishedRecords(workspace_->contact_count(), 2);
  ASSERT_EQ(contacts.size(), 2);
  const std::string first = workspace_->ContactId(contacts[0]);
  const std::string second = workspace_->ContactId(contacts[1]);
  EXPECT_EQ(client_.Get("/contacts/" + first + "/segments").status, 404);
  EXPECT_EQ(client_.Get("/contacts/" + second + "/segments").status, 410);
  EXPECT_EQ(client_.Get("/events?type=user&summary=true&intercom_user_id=" + first).status, 404);
  // Still listed; yet in no segment, or a segment's members would be more than the
  // sub-resources tell.
  EXPECT_EQ(client_
                .Post("/contacts/search",
                      R"({"query":{"field":"id","operator":"IN","value":[")" + first + "\"]}}")
                .json["total_count"]
                .text(),
            "1");
  for (const size_t number : VanishedRecords(workspace_->conversation_count(), 2)) {
    EXPECT_EQ(client_.Get("/conversations/" + workspace_->ConversationId(number)).status, 404);
  }
}

TEST_F(FaultsTest, LargePagesOfCursorListsAreTooMuch) {
  intercom_.AddFaults("large_pages:40");
  const auto search = [](const std::string& field, int per_page) {
    return R"({"query":{"field":")" + field +
           R"(","operator":"=","value":"user"},"pagination":{"per_page":)" +
           std::to_string(per_page) + "}}";
  };
  for (const std::string list : {"/contacts", "/conversations"}) {
    EXPECT_EQ(client_.Get(list + "?per_page=40").status, 200) << list;
    EXPECT_EQ(client_.Get(list).status, 200) << list;
    for (int tries = 0; tries < 2; ++tries) {
      EXPECT_EQ(client_.Get(list + "?per_page=41").status, 504) << list;
    }
  }
  EXPECT_EQ(client_.Post("/contacts/search", search("role", 40)).status, 200);
  EXPECT_EQ(client_.Post("/contacts/search", search("role", 41)).status, 504);
  EXPECT_EQ(client_.Post("/conversations/search", search("id", 41)).status, 200);
  EXPECT_EQ(client_.Post("/contacts/search", search("id", 150)).status, 200);
  const std::string contact = workspace_->ContactId(0);
  EXPECT_EQ(client_.Get("/contacts/" + contact + "/notes?per_page=50").status, 200);
}

TEST_F(FaultsTest, RateHeadersCanBeMissing) {
  FakeIntercomOptions options;
  options.quota = Quota::Parse("100/10s");
  FakeIntercom intercom(options, workspace_);
  TestClient client(intercom.base_url());
  EXPECT_NE(client.Get("/me").Header("X-RateLimit-Limit"), "");
  intercom.AddFaults("no_rate_headers");
  EXPECT_EQ(client.Get("/me").Header("X-RateLimit-Limit"), "");
}

TEST_F(FaultsTest, FaultsCanBeSetOverHttp) {
  EXPECT_EQ(client_.Post("/__faults", "search_unavailable").status, 200);
  EXPECT_EQ(client_.Post("/contacts/search", "{}").status, 503);
  EXPECT_EQ(client_.Post("/__faults", "nonsense").status, 400);
  EXPECT_EQ(client_.Post("/contacts/search", "{}").status, 503) << "the old faults stay";
  EXPECT_EQ(client_.Post("/__faults", "").status, 200);
  EXPECT_EQ(client_.Post("/contacts/search", "{}").status, 400);
}

}  // namespace
}  // namespace intercom_extractor::fake
