// The `callers` of a configuration file, read as part of it.
#include "server/caller_section.h"

#include <stdlib.h>

#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/caller_config.h"
#include "server/server_config.h"
#include "server/test_certificates.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kConnections[] =
    "connections:\n"
    "  - {name: default, access_token_env: GOOD_TOKEN}\n"
    "  - {name: europe, access_token_env: GOOD_TOKEN}\n";
constexpr char kTls[] = "tls: {cert_file: a.crt, key_file: a.key, client_ca_file: ca.crt}\n";
// Of "abc".
constexpr char kHash[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class CallerSectionTest : public ::testing::Test {
 protected:
  CallerSectionTest() { setenv("GOOD_TOKEN", "dG9rOjEyMzQ1Njc4OTA=", 1); }

  // Three lines before the text.
  static absl::StatusOr<ServerConfig> Load(const std::string& text) {
    return LoadServerConfig(WriteTestFile("server.yaml", absl::StrCat(kConnections, text)));
  }

  static std::string ErrorOf(const std::string& text) {
    const auto config = Load(text);
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << text;
    const std::string message(config.status().message());
    return message.substr(std::min(message.find("server.yaml"), message.size()));
  }
};

TEST_F(CallerSectionTest, EveryKeyIsRead) {
  const auto config = Load(absl::StrCat(kTls,
                                        "callers:\n"
                                        "  - name: nightly\n"
                                        "    token_sha256:\n"
                                        "      - ",
                                        kHash,
                                        "\n"
                                        "      - ",
                                        std::string(64, 'A'),
                                        "\n"
                                        "    client_certificate: etl.example\n"
                                        "    connections: [default, europe]\n"
                                        "    tables: [users, tags]\n"
                                        "    max_streams: 4\n"
                                        "    max_requests_per_minute: 60\n"
                                        "    max_bytes_per_second: 1000000\n"
                                        "  - name: search\n"
                                        "    client_certificate: [a.example, 'spiffe://b/c']\n"
                                        "    connections: europe\n"));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->callers.size(), 2u);
  const CallerConfig& nightly = config->callers[0];
  EXPECT_EQ(nightly.name, "nightly");
  EXPECT_THAT(nightly.token_hashes,
              ElementsAre(absl::HexStringToBytes(kHash), std::string(32, '\xAA')));
  EXPECT_THAT(nightly.certificate_names, ElementsAre("etl.example"));
  EXPECT_THAT(nightly.connections, ElementsAre("default", "europe"));
  EXPECT_THAT(nightly.tables, ElementsAre("users", "tags"));
  EXPECT_EQ(nightly.limits.max_streams, 4);
  EXPECT_EQ(nightly.limits.max_requests_per_minute, 60);
  EXPECT_EQ(nightly.limits.max_bytes_per_second, 1000000);
  const CallerConfig& search = config->callers[1];
  EXPECT_THAT(search.token_hashes, IsEmpty());
  EXPECT_THAT(search.certificate_names, ElementsAre("a.example", "spiffe://b/c"));
  EXPECT_THAT(search.connections, ElementsAre("europe"));
  EXPECT_THAT(search.tables, IsEmpty());
  EXPECT_EQ(search.limits.max_streams, 0);
  EXPECT_EQ(search.limits.max_requests_per_minute, 0);
  EXPECT_EQ(search.limits.max_bytes_per_second, 0);
}

TEST_F(CallerSectionTest, AnEmptyListDoesNotOpenTheServer) {
  for (const char* text : {"callers:\n", "callers: []\n", "callers: ~\n", "callers:\n  # - x\n"}) {
    EXPECT_EQ(ErrorOf(text),
              "server.yaml:4: callers: must list at least one caller; remove the key to let "
              "everybody call who can connect");
  }
}

TEST_F(CallerSectionTest, ErrorsSayLineKeyAndWhatToWrite) {
  const std::string hash = absl::StrCat("    token_sha256: ", kHash, "\n");
  const std::string begin = "callers:\n  - name: a\n";
  const std::string connections = "    connections: default\n";
  const struct {
    std::string yaml;
    std::string message;
  } kCases[] = {
      {"callers: a\n",
       "server.yaml:4: callers: must list at least one caller; remove the key to let everybody "
       "call who can connect"},
      {"callers:\n  - name: a b\n",
       "server.yaml:5: callers[0].name: must be 1 to 64 letters, digits, '-', '_' or '.'"},
      {"callers:\n  - connections: default\n",
       "server.yaml:5: callers[0].name: must be 1 to 64 letters, digits, '-', '_' or '.'"},
      {begin + "    conections: default\n",
       "server.yaml:6: callers[0].conections: unknown key; did you mean connections?"},
      {begin + connections,
       "server.yaml:5: callers[0]: nothing recognises this caller; give it token_sha256, "
       "client_certificate or both"},
      {begin + "    token_sha256: []\n" + connections,
       "server.yaml:5: callers[0]: nothing recognises this caller; give it token_sha256, "
       "client_certificate or both"},
      {begin + "    client_certificate: x\n" + connections,
       "server.yaml:6: callers[0].client_certificate: needs tls.client_ca_file, or nobody shows a "
       "certificate"},
      {begin + hash,
       "server.yaml:5: callers[0].connections: is missing; list the names of the connections that "
       "it may use"},
      {begin + hash + "    connections: [default, eurpe]\n",
       "server.yaml:7: callers[0].connections: there is no connection \"eurpe\"; did you mean "
       "europe?"},
      {begin + hash + connections + "    tables: []\n",
       "server.yaml:8: callers[0].tables: is empty; list tables, or remove the key to allow all"},
      {begin + hash + connections + "    tables: [users, {}]\n",
       "server.yaml:8: callers[0].tables: must be a list of values, none of them empty"},
      {begin + hash + connections + "    max_streams: 0\n",
       "server.yaml:8: callers[0].max_streams: \"0\" is not a whole number from 1 to 100000"},
      {begin + hash + connections + "    max_bytes_per_second: 1000\n",
       "server.yaml:8: callers[0].max_bytes_per_second: \"1000\" is not a whole number from 65536 "
       "to 2147483647"},
      {begin + hash + connections + "  - name: a\n",
       "server.yaml:8: callers[1]: nothing recognises this caller; give it token_sha256, "
       "client_certificate or both"},
      {begin + hash + connections + "  - name: b\n" + hash + connections,
       "server.yaml:9: callers[1].token_sha256: has a token that caller a has already; each needs "
       "its own"},
  };
  for (const auto& test_case : kCases) EXPECT_EQ(ErrorOf(test_case.yaml), test_case.message);
  EXPECT_THAT(ErrorOf(begin + hash + connections + "    tables: [user]\n"),
              AllOf(HasSubstr("server.yaml:8: callers[0].tables: "), HasSubstr("users")));
}

TEST_F(CallerSectionTest, CallersThatCouldNotBeToldApartAreRefused) {
  const std::string a = "callers:\n  - {name: a, client_certificate: x, connections: default}\n";
  EXPECT_EQ(ErrorOf(absl::StrCat(
                kTls, a, "  - {name: b, client_certificate: [y, x], connections: default}\n")),
            "server.yaml:7: callers[1].client_certificate: has a name that caller a has already; "
            "each needs its own");
  EXPECT_EQ(ErrorOf(absl::StrCat(kTls, a,
                                 "  - {name: a, client_certificate: z, connections: default}\n")),
            "server.yaml:7: callers[1].name: is a name that caller a has already; each needs its "
            "own");
  // Here the token tells them apart.
  EXPECT_TRUE(Load(absl::StrCat(kTls, a, "  - {name: b, client_certificate: x, token_sha256: ",
                                kHash, ", connections: default}\n"))
                  .ok());
}

TEST_F(CallerSectionTest, ATokenInPlaceOfItsHashIsNotRepeated) {
  const std::string token = "a-token-that-somebody-pasted-in-plain-text";
  for (const char* key : {"token_sha256", "token"}) {
    const std::string error =
        ErrorOf(absl::StrCat("callers:\n  - name: a\n    ", key, ": ", token, "\n"));
    EXPECT_THAT(error, HasSubstr("server.yaml:6: callers[0]."));
    EXPECT_THAT(error, Not(HasSubstr(token)));
  }
}

}  // namespace
}  // namespace intercom_extractor
