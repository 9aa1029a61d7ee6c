#include "server/privacy_section.h"

#include <stdlib.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "extractor/tables/privacy_rules.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/config_summary.h"
#include "server/server_config.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kKey[] = "0123456789abcdef";

absl::StatusOr<ServerConfig> Load(const std::string& privacy) {
  setenv("PRIVACY_TEST_TOKEN", "token", 1);
  setenv("PRIVACY_TEST_KEY", kKey, 1);
  setenv("PRIVACY_TEST_SHORT_KEY", "0123456789abcde", 1);
  const std::string file = ::testing::TempDir() + "/privacy.yaml";
  std::ofstream(file, std::ios::binary) << "connections:\n"
                                           "  - name: default\n"
                                           "    access_token_env: PRIVACY_TEST_TOKEN\n"
                                        << privacy;
  return LoadServerConfig(file);
}

std::string ErrorOf(const std::string& privacy) {
  const absl::Status status = Load(privacy).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << privacy;
  std::string message(status.message());
  EXPECT_THAT(message, Not(HasSubstr("0123456789")));
  return message.substr(message.find("privacy.yaml") + 8);
}

constexpr char kAll[] =
    "    privacy:\n"
    "      hash_key_env: PRIVACY_TEST_KEY\n"
    "      columns:\n"
    "        users.email: hash\n"
    "        \"*.phone\": mask\n"
    "        conversation_parts.body: leave_out\n"
    "      custom_attributes:\n"
    "        salary: leave_out\n"
    "        Passport no: mask\n"
    "        customer_number: hash\n";

TEST(PrivacySectionTest, RulesAndKeyAreTheConnections) {
  const auto config = Load(kAll);
  ASSERT_TRUE(config.ok()) << config.status();
  const auto& rules = config->connections[0].privacy;
  ASSERT_NE(rules, nullptr);
  EXPECT_EQ(rules->hash_key(), kKey);
  EXPECT_EQ(rules->attributes().at("Passport no"), v1::PRIVACY_ACTION_MASK);
  EXPECT_EQ(rules->Summary(),
            "leaves out conversation_parts.body, attribute salary; masks *.phone, attribute "
            "Passport no; hashes users.email, attribute customer_number");
}

TEST(PrivacySectionTest, TheCheckShowsThemWithoutTheKey) {
  const std::string text = DescribeConfig(*Load(kAll));
  EXPECT_THAT(text, HasSubstr("\n    privacy: leaves out conversation_parts.body, attribute"));
  EXPECT_THAT(text, Not(HasSubstr(kKey)));
  EXPECT_THAT(DescribeConfig(*Load("")), Not(HasSubstr("privacy")));
}

TEST(PrivacySectionTest, WithoutRulesThereIsNothingToDo) {
  EXPECT_EQ(Load("")->connections[0].privacy, nullptr);
  EXPECT_EQ(Load("    privacy: {}\n")->connections[0].privacy, nullptr);
  EXPECT_EQ(
      Load("    privacy: {columns: {}, hash_key_env: PRIVACY_TEST_KEY}\n")->connections[0].privacy,
      nullptr);
}

TEST(PrivacySectionTest, MistakesHaveTheirLineAndAWayOut) {
  const std::pair<std::string, std::string> cases[] = {
      {"    privacy:\n      colums:\n        users.email: mask\n",
       "yaml:5: connections[0].privacy.colums: unknown key; did you mean columns?"},
      {"    privacy:\n      columns:\n        users.phone: mask\n        users.emial: mask\n",
       "yaml:7: connections[0].privacy.columns.users.emial: there is no such column; did you mean "
       "email?"},
      {"    privacy:\n      columns:\n        user.email: mask\n",
       "yaml:6: connections[0].privacy.columns.user.email: there is no such table; did you mean "
       "users?"},
      {"    privacy:\n      columns:\n        users.email: masked\n",
       "yaml:6: connections[0].privacy.columns.users.email: \"masked\" cannot be done to a value; "
       "did you mean mask?"},
      {"    privacy:\n      columns:\n        users.id: leave_out\n",
       "yaml:6: connections[0].privacy.columns.users.id: users.id identifies the rows of users and "
       "stays as it is"},
      {"    privacy:\n      columns:\n        users.created_at: mask\n",
       "yaml:6: connections[0].privacy.columns.users.created_at: users.created_at is no text, mask "
       "is for texts; leave_out works for all"},
      {"    privacy:\n      columns:\n        users.email: mask\n        users.phone: hash\n",
       "yaml:7: connections[0].privacy.columns.users.phone: hash needs a key; name its source with "
       "connections[0].privacy.hash_key_file, hash_key_env or hash_key_command"},
      {"    privacy:\n      custom_attributes:\n        number: hash\n",
       "yaml:6: connections[0].privacy.custom_attributes.number: hash needs a key; name its source "
       "with connections[0].privacy.hash_key_file, hash_key_env or hash_key_command"},
      {"    privacy:\n      hash_key_env: PRIVACY_TEST_SHORT_KEY\n",
       "yaml:5: connections[0].privacy: the hash key has 15 bytes and must have at least 16; with "
       "a "
       "short one hashes can be turned back; make one with openssl rand -hex 32"},
      {"    privacy:\n      columns: [users.email]\n",
       "yaml:5: connections[0].privacy.columns: must be a mapping (KEY: VALUE), not a list"},
      {"    privacy:\n      columns:\n        users.email: mask\n        users.email: mask\n",
       "yaml:7: connections[0].privacy.columns.users.email: stands here twice; remove one"},
      {"    privacy:\n      columns:\n        users.email:\n",
       "yaml:6: connections[0].privacy.columns.users.email: has no value; write one or remove the "
       "key"},
  };
  for (const auto& [privacy, error] : cases) EXPECT_EQ(ErrorOf(privacy), error) << privacy;
}

TEST(PrivacySectionTest, AStarWithoutQuotesIsExplained) {
  EXPECT_THAT(ErrorOf("    privacy:\n      columns:\n        *.phone: mask\n"),
              HasSubstr("; line 6 begins with a star: write \"*.COLUMN\" in quotes"));
}

}  // namespace
}  // namespace intercom_extractor
