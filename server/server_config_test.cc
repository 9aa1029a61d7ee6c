#include "server/server_config.h"

#include <stdlib.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/tables/privacy_rules.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kToken[] = "dG9rOjEyMzQ1Njc4OTA=";

// Writes files into the test's directory; what it made is gone with that.
class ServerConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("GOOD_TOKEN", kToken, 1);
    setenv("EMPTY_TOKEN", "  ", 1);
    unsetenv("UNSET_TOKEN");
  }

  static std::string Write(const std::string& name, const std::string& content) {
    const std::string file = ::testing::TempDir() + "/" + name;
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

  static absl::StatusOr<ServerConfig> Load(const std::string& yaml) {
    return LoadServerConfig(Write("server.yaml", yaml));
  }

  // The error of a file, without the directory; and checks what all errors keep to.
  static std::string ErrorOf(const std::string& yaml) {
    const absl::StatusOr<ServerConfig> config = Load(yaml);
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << yaml;
    std::string message(config.status().message());
    EXPECT_THAT(message, Not(HasSubstr("\n")));
    EXPECT_THAT(message, Not(HasSubstr("dG9rO"))) << "repeats a token";
    const size_t name = message.find("server.yaml");
    return name == std::string::npos ? message : message.substr(name);
  }
};

constexpr char kConnection[] =
    "connections:\n"
    "  - name: default\n"
    "    access_token_env: GOOD_TOKEN\n";

TEST_F(ServerConfigTest, AResumeKeyComesFromAFileOrTheEnvironment) {
  absl::StatusOr<ServerConfig> config =
      Load(absl::StrCat(kConnection, "    resume_key_env: GOOD_TOKEN\n"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->connections[0].resume_key, kToken);
  config = Load(kConnection);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->connections[0].resume_key, "");
  EXPECT_THAT(ErrorOf(absl::StrCat(kConnection, "    resume_key_env: UNSET_TOKEN\n")),
              HasSubstr("resume_key_env: the environment variable UNSET_TOKEN is not set"));
}

TEST_F(ServerConfigTest, SmallestFileGivesDefaults) {
  const absl::StatusOr<ServerConfig> config = Load(kConnection);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "127.0.0.1:50051");
  EXPECT_FALSE(config->allow_plaintext);
  EXPECT_TRUE(config->callers.empty());
  EXPECT_TRUE(config->reflection);
  EXPECT_EQ(config->max_connection_age, absl::InfiniteDuration());
  EXPECT_EQ(config->http.transfer_timeout, HttpClient::Options().transfer_timeout);
  ASSERT_EQ(config->connections.size(), 1u);
  EXPECT_EQ(config->connections[0].base_url, "https://api.intercom.io");
  EXPECT_EQ(config->connections[0].access_token, kToken);
}

TEST_F(ServerConfigTest, ThePortForThoseWhoWatchIsOffUnlessNamed) {
  absl::StatusOr<ServerConfig> config = Load(kConnection);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->metrics_listen, "");
  EXPECT_FALSE(config->metrics_allow_plaintext);
  EXPECT_FALSE(config->channelz);
  config = Load(absl::StrCat(
      "metrics: {listen: '0.0.0.0:9464', allow_plaintext: true}\nchannelz: true\n", kConnection));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->metrics_listen, "0.0.0.0:9464");
  EXPECT_TRUE(config->metrics_allow_plaintext);
  EXPECT_TRUE(config->channelz);
  EXPECT_EQ(ErrorOf(absl::StrCat("metrics: {allow_plaintext: true}\n", kConnection)),
            "server.yaml:1: metrics.listen: is missing; write HOST:PORT, such as 127.0.0.1:9464");
  EXPECT_THAT(ErrorOf(absl::StrCat("metrics: {listen: '9464'}\n", kConnection)),
              StartsWith("server.yaml:1: metrics.listen: "));
}

TEST_F(ServerConfigTest, EveryKeyIsRead) {
  const std::string token_file = Write("eu.token", std::string(kToken) + "\r\n");
  const std::string ca_file = Write("ca.pem", "x");
  const absl::StatusOr<ServerConfig> config = Load(
      "listen: '[::1]:0'\n"
      "tls: {cert_file: a.crt, key_file: a.key, client_ca_file: ca.crt}\n"
      "allow_plaintext: true\n"
      "reflection: false\n"
      "handshake_timeout: 5s\n"
      "max_streams: 40\n"
      "max_connection_age: 30m\n"
      "max_connection_age_grace: 2m\n"
      "http:\n"
      "  connect_timeout: 5s\n"
      "  transfer_timeout: 2m30s\n"
      "  low_speed_timeout: 1h\n"
      "  max_connections: 7\n"
      "  ca_file: " +
      ca_file +
      "\n"
      "connections:\n"
      "  - name: europe\n"
      "    region: EU\n"
      "    access_token_file: " +
      token_file +
      "\n"
      "    api_version: 2.17\n"
      "    quota_reserve: 0.25\n"
      "  - name: local\n"
      "    base_url: http://127.0.0.1:8080/\n"
      "    access_token_env: GOOD_TOKEN\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "[::1]:0");
  EXPECT_EQ(config->tls_cert_file, "a.crt");
  EXPECT_EQ(config->tls_key_file, "a.key");
  EXPECT_EQ(config->tls_client_ca_file, "ca.crt");
  EXPECT_TRUE(config->allow_plaintext);
  EXPECT_FALSE(config->reflection);
  EXPECT_EQ(config->handshake_timeout, absl::Seconds(5));
  EXPECT_EQ(config->max_streams, 40);
  EXPECT_EQ(config->max_connection_age, absl::Minutes(30));
  EXPECT_EQ(config->max_connection_age_grace, absl::Minutes(2));
  EXPECT_EQ(config->http.connect_timeout, absl::Seconds(5));
  EXPECT_EQ(config->http.transfer_timeout, absl::Seconds(150));
  EXPECT_EQ(config->http.low_speed_timeout, absl::Hours(1));
  EXPECT_EQ(config->http.max_connections, 7);
  EXPECT_EQ(config->http.ca_file, ca_file);
  ASSERT_EQ(config->connections.size(), 2u);
  EXPECT_EQ(config->connections[0].name, "europe");
  EXPECT_EQ(config->connections[0].base_url, "https://api.eu.intercom.io");
  EXPECT_EQ(config->connections[0].access_token, kToken);
  EXPECT_EQ(config->connections[0].api_version, "2.17");
  EXPECT_EQ(config->connections[0].quota_reserve, 0.25);
  EXPECT_EQ(config->connections[1].base_url, "http://127.0.0.1:8080");
}

TEST_F(ServerConfigTest, SectionWithOnlyCommentsCountsAsAbsent) {
  EXPECT_TRUE(Load(std::string("tls:\nhttp:\n") + kConnection).ok());
}

TEST_F(ServerConfigTest, TheDocumentedSampleLoads) {
  setenv("INTERCOM_ACCESS_TOKEN", kToken, 1);
  const absl::StatusOr<ServerConfig> config = LoadServerConfig("docs/server.example.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  // What the sample shows as defaults are the defaults.
  const ServerConfig defaults;
  EXPECT_EQ(config->listen, defaults.listen);
  EXPECT_EQ(config->allow_plaintext, defaults.allow_plaintext);
  EXPECT_EQ(config->reflection, defaults.reflection);
  EXPECT_EQ(config->handshake_timeout, defaults.handshake_timeout);
  EXPECT_EQ(config->max_streams, defaults.max_streams);
  EXPECT_EQ(config->max_connection_age, defaults.max_connection_age);
  EXPECT_EQ(config->max_connection_age_grace, defaults.max_connection_age_grace);
  EXPECT_EQ(config->http.connect_timeout, defaults.http.connect_timeout);
  EXPECT_EQ(config->http.transfer_timeout, defaults.http.transfer_timeout);
  EXPECT_EQ(config->http.low_speed_timeout, defaults.http.low_speed_timeout);
  EXPECT_EQ(config->http.max_connections, defaults.http.max_connections);
  ASSERT_EQ(config->connections.size(), 1u);
  EXPECT_EQ(config->connections[0].name, Connection().name);
  EXPECT_EQ(config->connections[0].base_url, Connection().base_url);
  EXPECT_EQ(config->connections[0].api_version, Connection().api_version);
  EXPECT_EQ(config->connections[0].quota_reserve, Connection().quota_reserve);
}

TEST_F(ServerConfigTest, WhatTheDocumentedSampleHasAsCommentsLoadsToo) {
  setenv("INTERCOM_ACCESS_TOKEN", kToken, 1);
  setenv("INTERCOM_EXTRACTOR_HASH_KEY", kToken, 1);
  std::ifstream sample("docs/server.example.yaml");
  std::string text;
  bool in_block = false;
  for (std::string line; std::getline(sample, line);) {
    if (line == "# tls:" || line == "# callers:" || line == "#     privacy:") in_block = true;
    if (line.empty()) in_block = false;
    // Comments within stand further right.
    absl::StrAppend(&text, in_block && line[0] == '#' ? line.substr(2) : line, "\n");
  }
  const absl::StatusOr<ServerConfig> config = Load(text);
  ASSERT_TRUE(config.ok()) << config.status() << text;
  EXPECT_NE(config->tls_client_ca_file, "");
  ASSERT_NE(config->connections[0].privacy, nullptr);
  EXPECT_EQ(config->connections[0].privacy->Summary(),
            "leaves out conversation_parts.body, attribute salary; masks *.phone, attribute "
            "passport; hashes users.email, attribute customer_number");
  ASSERT_EQ(config->callers.size(), 1u);
  EXPECT_EQ(config->callers[0].name, "nightly");
  EXPECT_EQ(config->callers[0].token_hashes.size(), 1u);
  EXPECT_EQ(config->callers[0].certificate_names.size(), 1u);
  EXPECT_EQ(config->callers[0].tables.size(), 3u);
  EXPECT_GT(config->callers[0].limits.max_requests_per_minute, 0);
  EXPECT_GT(config->callers[0].limits.max_streams, 0);
  EXPECT_GT(config->callers[0].limits.max_bytes_per_second, 0);
}

// Looking for the names of variables in it took all of the stack.
TEST_F(ServerConfigTest, AListThatHoldsItselfIsRefused) {
  EXPECT_THAT(ErrorOf("connections: &a [*a]\n"), HasSubstr("server.yaml:1: connections[0]"));
}

TEST_F(ServerConfigTest, FileErrorsNameTheFile) {
  const absl::StatusOr<ServerConfig> missing = LoadServerConfig("/nonexistent/server.yaml");
  EXPECT_EQ(std::string(missing.status().message()),
            "/nonexistent/server.yaml: cannot read it: No such file or directory");
  const absl::StatusOr<ServerConfig> directory = LoadServerConfig(::testing::TempDir());
  EXPECT_THAT(std::string(directory.status().message()), EndsWith("Is a directory"));
  EXPECT_THAT(ErrorOf(""), StartsWith("server.yaml:1: connections: must list"));
  EXPECT_THAT(ErrorOf("listen: [1\n"), StartsWith("server.yaml:2: not YAML: "));
  EXPECT_THAT(ErrorOf("just text\n"), StartsWith("server.yaml:1: must be a mapping"));
}

TEST_F(ServerConfigTest, ErrorsSayLineKeyAndWhatToWrite) {
  const std::string kGood = "    access_token_env: GOOD_TOKEN\n";
  const struct {
    std::string yaml;
    std::string message;
  } kCases[] = {
      // Keys.
      {"listn: 127.0.0.1:1\n", "server.yaml:1: listn: unknown key; did you mean listen?"},
      {"port: 1\n",
       "server.yaml:1: port: unknown key; known here: listen, allow_plaintext, tls, reflection, "
       "handshake_timeout, max_streams, channelz, metrics, log, max_connection_age, "
       "max_connection_age_grace, http, connections, callers"},
      {"http:\n  conect_timeout: 1s\n",
       "server.yaml:2: http.conect_timeout: unknown key; did you mean connect_timeout?"},
      {"connections:\n  - regoin: us\n",
       "server.yaml:2: connections[0].regoin: unknown key; did you mean region?"},
      {"reflection: true\nreflection: true\n",
       "server.yaml:2: reflection: stands here twice; remove one"},
      // Types.
      {"listen: [a]\n", "server.yaml:1: listen: must be a single value, not a list"},
      {"listen:\n", "server.yaml:1: listen: has no value; write one or remove the key"},
      {"listen: ''\n", "server.yaml:1: listen: is empty; write a value or remove the key"},
      {"tls: on\n", "server.yaml:1: tls: must be a mapping (KEY: VALUE), not a single value"},
      {"\nreflection: maybe\n", "server.yaml:2: reflection: \"maybe\" is neither true nor false"},
      {"http:\n  connect_timeout: soon\n",
       "server.yaml:2: http.connect_timeout: \"soon\" is not a duration; write 90s or 1m30s"},
      {"http:\n  connect_timeout: 90\n",
       "server.yaml:2: http.connect_timeout: \"90\" has no unit; write 90s for seconds"},
      {"http:\n  connect_timeout: 0s\n",
       "server.yaml:2: http.connect_timeout: \"0s\" is not between 1s and 1h"},
      {"http:\n  connect_timeout: inf\n",
       "server.yaml:2: http.connect_timeout: \"inf\" is not between 1s and 1h"},
      {"http:\n  max_connections: many\n",
       "server.yaml:2: http.max_connections: \"many\" is not a whole number from 1 to 1024"},
      {"http:\n  max_connections: 0\n",
       "server.yaml:2: http.max_connections: \"0\" is not a whole number from 1 to 1024"},
      {"http:\n  ca_file: /nonexistent.pem\n",
       "server.yaml:2: http.ca_file: cannot read /nonexistent.pem: No such file or directory"},
      {"max_connection_age: 59s\n",
       "server.yaml:1: max_connection_age: is below 1m; what an answer of Intercom's takes may be "
       "more than that, and a stream that ends before it has one begins where the last began"},
      // Listening and TLS.
      {"listen: localhost\n",
       "server.yaml:1: listen: \"localhost\" has no port; write HOST:PORT, such as "
       "127.0.0.1:50051"},
      {"tls:\n  cert_file: a.crt\n",
       "server.yaml:2: tls.key_file: is missing; TLS needs cert_file and key_file"},
      {"tls:\n  key_file: a.key\n",
       "server.yaml:2: tls.cert_file: is missing; TLS needs cert_file and key_file"},
      // Connections.
      {"reflection: true\n",
       "server.yaml:1: connections: must list at least one connection; write \"- name: default\" "
       "and its access_token_env below it"},
      {"connections: []\n",
       "server.yaml:1: connections: must list at least one connection; write \"- name: default\" "
       "and its access_token_env below it"},
      {"connections:\n  - default\n",
       "server.yaml:2: connections[0]: must be a mapping (KEY: VALUE), not a single value"},
      {"connections:\n  - name: 'a b'\n" + kGood,
       "server.yaml:2: connections[0].name: must be 1 to 64 letters, digits, '-', '_' or '.'"},
      {"connections:\n  - name: a\n" + kGood + "  - name: a\n" + kGood,
       "server.yaml:4: connections[1].name: \"a\" is the name of the connection in line 2 "
       "already; choose another"},
      {"connections:\n  - name: a\n    region: mars\n" + kGood,
       "server.yaml:3: connections[0].region: \"mars\" is not a region of Intercom; use us, eu or "
       "au"},
      {"connections:\n  - name: a\n    region: us\n    base_url: https://x.example\n" + kGood,
       "server.yaml:3: connections[0].region: stands beside base_url; keep one of the two"},
      {"connections:\n  - name: a\n    base_url: http://intercom.example\n" + kGood,
       "server.yaml:3: connections[0].base_url: plain http is only for the loopback; use "
       "https://"},
      {"connections:\n  - name: a\n    quota_reserve: 1\n" + kGood,
       "server.yaml:3: connections[0].quota_reserve: \"1\" is not a number of at least 0 and "
       "below 1, such as 0.1"},
      // Tokens.
      {"connections:\n  - name: a\n",
       "server.yaml:2: connections[0]: there is no access token; name its source with "
       "access_token_file, access_token_env or access_token_command"},
      {"connections:\n  - name: a\n    access_token_file: x\n" + kGood,
       "server.yaml:4: connections[0].access_token_env: stands beside access_token_file; keep one "
       "of them"},
      {"connections:\n  - name: a\n    access_token_env: UNSET_TOKEN\n",
       "server.yaml:3: connections[0].access_token_env: the environment variable UNSET_TOKEN is "
       "not set"},
      {"connections:\n  - name: a\n    access_token_env: EMPTY_TOKEN\n",
       "server.yaml:3: connections[0].access_token_env: the environment variable EMPTY_TOKEN is "
       "empty"},
      {"connections:\n  - name: a\n    access_token_file: /nonexistent.token\n",
       "server.yaml:3: connections[0].access_token_file: cannot read the file "
       "/nonexistent.token: No such file or directory"},
  };
  for (const auto& test_case : kCases) EXPECT_EQ(ErrorOf(test_case.yaml), test_case.message);
}

TEST_F(ServerConfigTest, TokenInTheFileIsRefusedWithoutRepeatingIt) {
  EXPECT_THAT(ErrorOf(std::string("connections:\n  - name: a\n    access_token: ") + kToken + "\n"),
              StartsWith("server.yaml:3: connections[0].access_token: a token does not belong into "
                         "this file"));
}

TEST_F(ServerConfigTest, TokenInPlaceOfItsSourceIsNotRepeated) {
  const std::string connection = "connections:\n  - name: a\n    ";
  EXPECT_THAT(ErrorOf(connection + "access_token_env: " + kToken + "\n"),
              HasSubstr("names no environment variable that is set"));
  EXPECT_THAT(ErrorOf(connection + "access_token_file: " + kToken + "\n"),
              HasSubstr("looks like an access token"));
  EXPECT_THAT(ErrorOf(connection + "token: " + kToken + "\n"), HasSubstr("unknown key"));
}

TEST_F(ServerConfigTest, ATokenCanComeFromACommand) {
  const std::string connection = "connections:\n  - name: a\n    ";
  const auto config = LoadServerConfig(
      Write("server.yaml", connection + "access_token_command: [echo, " + kToken + "]\n"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->connections[0].access_token, kToken);
  EXPECT_THAT(ErrorOf(connection + "access_token_command: [sh, -c, exit 3]\n"),
              HasSubstr("server.yaml:3: connections[0].access_token_command: the command sh ended "
                        "with 3"));
  EXPECT_THAT(ErrorOf(connection + "access_token_command: [echo, a]\n    access_token_file: f\n"),
              HasSubstr("stands beside access_token_command; keep one of them"));
}

}  // namespace
}  // namespace intercom_extractor
