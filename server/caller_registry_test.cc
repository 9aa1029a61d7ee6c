#include "server/caller_registry.h"

#include <string>
#include <vector>

#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/fake_clock.h"
#include "extractor/tables/table_catalog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/caller_config.h"
#include "server/caller_token.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "a-token-of-forty-three-characters-or-more-.";
constexpr char kOldToken[] = "the-token-before-it-which-is-still-good-yet";

CallerConfig ByToken(const std::string& name, const std::vector<std::string>& tokens) {
  CallerConfig config;
  config.name = name;
  for (const std::string& token : tokens) config.token_hashes.push_back(HashCallerToken(token));
  config.connections = {"default"};
  return config;
}

CallerConfig ByCertificate(const std::string& name, const std::vector<std::string>& names) {
  CallerConfig config;
  config.name = name;
  config.certificate_names = names;
  config.connections = {"default"};
  return config;
}

class CallerRegistryTest : public ::testing::Test {
 protected:
  // The caller's name, or the reason why there is none.
  std::string Identify(const CallIdentity& identity) const {
    const auto caller = CallerRegistry(configs_, nullptr, &clock_).Identify(identity);
    if (caller.ok()) return (*caller)->name();
    EXPECT_EQ(caller.status().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_THAT(std::string(caller.status().message()), Not(HasSubstr(kToken)));
    return ReasonOf(caller.status());
  }

  FakeClock clock_;
  std::vector<CallerConfig> configs_;
};

TEST_F(CallerRegistryTest, WithoutCallersEverybodyIsTheSameAndMayDoAll) {
  const CallerRegistry registry({}, nullptr, &clock_);
  for (const CallIdentity& identity :
       {CallIdentity(), CallIdentity{{"Bearer whatever"}, {}}, CallIdentity{{}, {"host"}}}) {
    const auto caller = registry.Identify(identity);
    ASSERT_TRUE(caller.ok());
    EXPECT_EQ((*caller)->name(), "");
    EXPECT_TRUE((*caller)->MayUse("anything").ok());
    EXPECT_TRUE((*caller)->MayRead("users"));
  }
}

TEST_F(CallerRegistryTest, ATokenTellsWhoCalls) {
  configs_ = {ByToken("nightly", {kToken, kOldToken}), ByToken("other", {"another token"})};
  EXPECT_EQ(Identify({{std::string("Bearer ") + kToken}, {}}), "nightly");
  EXPECT_EQ(Identify({{std::string("bearer ") + kOldToken}, {}}), "nightly");
  EXPECT_EQ(Identify({{"Bearer another token"}, {}}), "other");
}

TEST_F(CallerRegistryTest, AnythingButAKnownTokenIsNobody) {
  configs_ = {ByToken("nightly", {kToken})};
  const std::string token = kToken;
  for (const CallIdentity& identity : std::vector<CallIdentity>{
           {},
           {{""}, {}},
           {{"Bearer "}, {}},
           {{"Bearer"}, {}},
           {{token}, {}},
           {{"Basic " + token}, {}},
           {{"Bearer  " + token}, {}},
           {{"Bearer " + token + " "}, {}},
           {{"Bearer " + token.substr(1)}, {}},
           {{"Bearer " + token + "x"}, {}},
           {{"Bearer A" + token.substr(1)}, {}},
           // The hash is no token.
           {{"Bearer " + HashCallerToken(token)}, {}},
           // Which of the two would count?
           {{"Bearer " + token, "Bearer " + token}, {}},
           {{"Bearer " + token, "Bearer x"}, {}},
           {{}, {"nightly"}},
       }) {
    EXPECT_EQ(Identify(identity), "CALLER_UNKNOWN");
  }
}

TEST_F(CallerRegistryTest, ACertificateTellsWhoCallsByAnyOfItsNames) {
  configs_ = {ByCertificate("warehouse", {"etl.example", "spiffe://example/etl"}),
              ByCertificate("search", {"search.example"})};
  EXPECT_EQ(Identify({{}, {"etl.example"}}), "warehouse");
  EXPECT_EQ(Identify({{}, {"something.else", "spiffe://example/etl"}}), "warehouse");
  EXPECT_EQ(Identify({{}, {"search.example"}}), "search");
  for (const char* name : {"etl.example.evil", "xetl.example", "ETL.example", "*", ""}) {
    EXPECT_EQ(Identify({{}, {name}}), "CALLER_UNKNOWN") << name;
  }
  // A wrong token is not made good by a certificate.
  EXPECT_EQ(Identify({{"Bearer nonsense"}, {"etl.example"}}), "CALLER_UNKNOWN");
}

TEST_F(CallerRegistryTest, WhoHasTokenAndCertificateMustShowBoth) {
  CallerConfig both = ByToken("both", {kToken});
  both.certificate_names = {"etl.example"};
  configs_ = {both};
  EXPECT_EQ(Identify({{std::string("Bearer ") + kToken}, {"etl.example"}}), "both");
  EXPECT_EQ(Identify({{std::string("Bearer ") + kToken}, {}}), "CALLER_UNKNOWN");
  EXPECT_EQ(Identify({{std::string("Bearer ") + kToken}, {"other.example"}}), "CALLER_UNKNOWN");
  EXPECT_EQ(Identify({{}, {"etl.example"}}), "CALLER_UNKNOWN");
}

TEST_F(CallerRegistryTest, AConnectionThatIsNotItsOwnIsForbiddenWhetherItExistsOrNot) {
  const Caller caller(ByToken("nightly", {kToken}), nullptr);
  EXPECT_TRUE(caller.MayUse("default").ok());
  for (const char* name : {"europe", "", "DEFAULT", "../default", "a\r\nb"}) {
    const absl::Status status = caller.MayUse(name);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(ReasonOf(status), "CONNECTION_FORBIDDEN");
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("it may use: default"), Not(HasSubstr("\r"))));
  }
}

TEST_F(CallerRegistryTest, TablesThatAreNotItsOwnAreForbiddenAndNamed) {
  CallerConfig config = ByToken("nightly", {kToken});
  config.tables = {"users", "tags"};
  const Caller caller(config, nullptr);
  const TableCatalog& catalog = TableCatalog::Get();
  EXPECT_TRUE(caller.MayRead({catalog.Find("tags"), catalog.Find("users")}).ok());
  const absl::Status status = caller.MayRead({catalog.Find("users"), catalog.Find("leads")});
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(status), "TABLE_FORBIDDEN");
  EXPECT_EQ(std::string(status.message()),
            "caller nightly may not read: leads; it may read: users, tags");
}

TEST_F(CallerRegistryTest, WhatACallerHasUsedOutlivesAReload) {
  CallerConfig config = ByToken("nightly", {kToken});
  config.limits.max_requests_per_minute = 1;
  const CallIdentity identity{{std::string("Bearer ") + kToken}, {}};
  const CallerRegistry before({config}, nullptr, &clock_);
  EXPECT_TRUE((*before.Identify(identity))->limits()->TakeRequest().ok());
  const CallerRegistry after({config}, &before, &clock_);
  EXPECT_FALSE((*after.Identify(identity))->limits()->TakeRequest().ok());
  config.limits.max_requests_per_minute = 2;
  const CallerRegistry raised({config}, &after, &clock_);
  EXPECT_TRUE((*raised.Identify(identity))->limits()->TakeRequest().ok());
}

}  // namespace
}  // namespace intercom_extractor
