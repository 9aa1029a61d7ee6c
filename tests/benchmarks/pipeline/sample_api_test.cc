#include "tests/benchmarks/pipeline/sample_api.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/fake_intercom/http_server.h"
#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor {
namespace {

using fake::JsonValue;
using fake::Request;
using fake::Response;

constexpr int64_t kContacts = 1000;
constexpr int64_t kFirstMidnight = 1577836800;
constexpr int64_t kDay = 86400;
// Of a thousand.
constexpr int64_t kPerDay = 150;

class SampleApiTest : public testing::Test {
 protected:
  Response Ask(const std::string& method, const std::string& target, const std::string& body = "") {
    Request request;
    request.method = method;
    request.target = target;
    request.path = target;
    request.body = body;
    Response response;
    api_.Answer(request, &response);
    EXPECT_EQ(response.status, 200) << target;
    return response;
  }

  JsonValue Search(const std::string& conditions, const std::string& starting_after = "") {
    const std::string cursor =
        starting_after.empty() ? "" : R"(,"starting_after":")" + starting_after + "\"";
    const Response response =
        Ask("POST", "/contacts/search",
            absl::StrCat(R"({"query":{"operator":"AND","value":[)", conditions,
                         R"(]},"pagination":{"per_page":150)", cursor, "}}"));
    const std::optional<JsonValue> json = JsonValue::Parse(response.body);
    EXPECT_TRUE(json.has_value());
    return json.value_or(JsonValue());
  }

  // Ids of all pages; none may come twice.
  std::set<std::string> Walk(const std::string& conditions) {
    std::set<std::string> ids;
    std::string cursor;
    do {
      const JsonValue page = Search(conditions, cursor);
      for (const JsonValue& contact : page["data"].elements()) {
        EXPECT_TRUE(ids.insert(contact["id"].text()).second);
      }
      cursor = page["pages"]["next"]["starting_after"].text();
    } while (!cursor.empty());
    return ids;
  }

  SampleApi api_ = SampleApi({kContacts});
};

std::string Compare(const std::string& operation, int64_t second) {
  return absl::StrCat(R"({"field":"created_at","operator":")", operation, R"(","value":)", second,
                      "}");
}

std::string Role(const std::string& operation) {
  return R"({"field":"role","operator":")" + operation + R"(","value":"user"})";
}

TEST_F(SampleApiTest, ASearchWithoutConditionsGivesEveryContact) {
  EXPECT_EQ(Search("")["total_count"].AsInt(), kContacts);
  EXPECT_EQ(Walk("").size(), kContacts);
}

TEST_F(SampleApiTest, DaysAreDisjointAndTogetherAll) {
  std::set<std::string> ids;
  for (int64_t day = 0; day < 7; ++day) {
    const int64_t start = kFirstMidnight + day * kDay;
    const std::string conditions = Compare(">", start - 1) + "," + Compare("<", start + kDay);
    EXPECT_EQ(Search(conditions)["total_count"].AsInt(), day < 6 ? kPerDay : kContacts % kPerDay);
    ids.merge(Walk(conditions));
  }
  EXPECT_EQ(ids.size(), kContacts);
}

TEST_F(SampleApiTest, RolesAreDisjointAndTogetherAll) {
  const std::string day = Compare("<", kFirstMidnight + 3 * kDay) + ",";
  std::set<std::string> users = Walk(day + Role("="));
  const std::set<std::string> others = Walk(day + Role("!="));
  EXPECT_EQ(Search(day + Role("="))["total_count"].AsInt(), static_cast<int64_t>(users.size()));
  EXPECT_GT(users.size(), others.size());
  users.insert(others.begin(), others.end());
  EXPECT_EQ(users.size(), 3U * kPerDay);
}

TEST_F(SampleApiTest, ThePlainListIsTheSameContacts) {
  const std::optional<JsonValue> page = JsonValue::Parse(Ask("GET", "/contacts").body);
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ((*page)["total_count"].AsInt(), kContacts);
  EXPECT_EQ((*page)["data"].elements().size(), 50U);
  EXPECT_EQ((*page)["pages"]["next"]["starting_after"].text(), "50");
}

TEST_F(SampleApiTest, RecordsRequestsForContactsWhileToldTo) {
  Search("");
  Ask("POST", "/__record");
  Ask("GET", "/me");
  Ask("GET", "/contacts");
  Search(Compare("<", 9), "7");
  const std::string recorded = Ask("GET", "/__record").body;
  Search("");
  EXPECT_EQ(recorded.substr(0, recorded.find('\n')), "GET\t/contacts\t");
  const std::string search = recorded.substr(recorded.find('\n') + 1);
  EXPECT_EQ(search.rfind("POST\t/contacts/search\t{\"query\"", 0), 0U) << search;
  EXPECT_EQ(search.find('\n'), search.size() - 1);
  EXPECT_EQ(Ask("GET", "/__record").body, "");
}

TEST_F(SampleApiTest, AnythingElseIsNotFound) {
  Request request;
  request.method = "GET";
  request.path = "/companies/scroll";
  Response response;
  api_.Answer(request, &response);
  EXPECT_EQ(response.status, 404);
}

TEST(SampleApiGzipTest, CompressesContactsOnly) {
  SampleApi api({kContacts, std::chrono::milliseconds(0), /*gzip=*/true});
  Request request;
  request.method = "GET";
  request.path = "/contacts";
  Response response;
  api.Answer(request, &response);
  EXPECT_EQ(response.body.substr(0, 2), "\x1f\x8b");
  bool said = false;
  for (const auto& [name, value] : response.headers) {
    if (name == "Content-Encoding") said = value == "gzip";
  }
  EXPECT_TRUE(said);
  request.path = "/me";
  Response me;
  api.Answer(request, &me);
  EXPECT_EQ(me.body.front(), '{');
}

}  // namespace
}  // namespace intercom_extractor
