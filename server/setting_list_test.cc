#include "server/setting_list.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/config_changes.h"
#include "server/setting_overrides.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string ReadAll(const std::string& file) {
  std::ifstream stream(file);
  EXPECT_TRUE(stream.is_open()) << file;
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// A value that is not the default, and another one.
struct Values {
  std::string one;
  std::string other;
};

Values ValuesOf(const Setting& setting) {
  const std::string value = setting.value;
  if (setting.is_switch()) {
    const bool fallback = setting.text(ServerConfig()) == "true";
    return fallback ? Values{"false", "true"} : Values{"true", "false"};
  }
  if (value == "DURATION") return {"2m", "3m"};
  if (value == "N") return {"7", "8"};
  if (value == "ADDR") return {"127.0.0.1:7", "127.0.0.1:8"};
  if (value == "FILE") {
    // http.ca_file must be there.
    return {"/dev/null", "/dev/zero"};
  }
  if (value == "text|json") return {"json", "text"};
  if (value == "debug|info|warn|error") return {"debug", "warn"};
  ADD_FAILURE() << setting.key << " takes " << value << ", of which this test knows nothing";
  return {};
}

// The values of settings in a file, in its sections.
std::string Yaml(const std::map<std::string, std::string>& values) {
  std::map<std::string, std::string> sections;
  std::string text;
  for (const auto& [key, value] : values) {
    const size_t dot = key.find('.');
    if (dot == std::string::npos) {
      absl::StrAppend(&text, key, ": '", value, "'\n");
    } else {
      absl::StrAppend(&sections[key.substr(0, dot)], "  ", key.substr(dot + 1), ": '", value,
                      "'\n");
    }
  }
  for (const auto& [name, lines] : sections) absl::StrAppend(&text, name, ":\n", lines);
  return absl::StrCat(text, "connections: [{name: default, access_token_env: SETTING_TEST}]\n");
}

class SettingListTest : public ::testing::Test {
 protected:
  SettingListTest() { setenv("SETTING_TEST", "token", 1); }

  static absl::StatusOr<ServerConfig> Load(const std::string& yaml,
                                           const SettingOverrides& overrides = {}) {
    const std::string file = ::testing::TempDir() + "/settings.yaml";
    std::ofstream(file, std::ios::binary) << yaml;
    return LoadServerConfig(file, overrides);
  }

  // What goes with the setting, so that it can be alone otherwise.
  static std::map<std::string, std::string> Company(const Setting& setting) {
    if (setting.section() == "tls") return {{"tls.cert_file", "c"}, {"tls.key_file", "k"}};
    if (setting.section() == "metrics") return {{"metrics.listen", "127.0.0.1:1"}};
    return {};
  }
};

TEST_F(SettingListTest, EachIsReadFromFileVariableAndFlagInThisOrder) {
  for (const Setting& setting : SettingList()) {
    SCOPED_TRACE(setting.key);
    const Values values = ValuesOf(setting);
    std::map<std::string, std::string> in_file = Company(setting);
    const std::string company = Yaml(in_file);
    in_file[setting.key] = values.one;
    const absl::StatusOr<ServerConfig> by_file = Load(Yaml(in_file));
    ASSERT_TRUE(by_file.ok()) << by_file.status();
    EXPECT_EQ(setting.text(*by_file), values.one);

    const SettingOverrides variable =
        OverridesOf({absl::StrCat(setting.variable(), "=", values.one)});
    ASSERT_EQ(variable.size(), 1u);
    const absl::StatusOr<ServerConfig> by_variable = Load(company, variable);
    ASSERT_TRUE(by_variable.ok()) << by_variable.status();
    EXPECT_EQ(setting.text(*by_variable), values.one);

    const SettingOverrides flag = {{setting.key, {values.other, setting.flag()}}};
    const absl::StatusOr<ServerConfig> by_flag = Load(Yaml(in_file), flag);
    ASSERT_TRUE(by_flag.ok()) << by_flag.status();
    EXPECT_EQ(setting.text(*by_flag), values.other);

    SettingOverrides both = flag;
    both.insert(variable.begin(), variable.end());
    EXPECT_EQ(setting.text(*Load(Yaml(in_file), both)), values.other);
  }
}

TEST_F(SettingListTest, SectionsThatAreNotInTheFileAreMade) {
  const auto config = Load(Yaml({}), {{"tls.cert_file", {"c", "--tls-cert-file"}},
                                      {"tls.key_file", {"k", "INTERCOM_EXTRACTOR_TLS_KEY_FILE"}}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->tls_cert_file, "c");
  EXPECT_EQ(config->tls_key_file, "k");
  const auto empty = Load("http:\n" + Yaml({}), {{"http.max_connections", {"9", "flag"}}});
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_EQ(empty->http.max_connections, 9);
}

TEST_F(SettingListTest, ErrorsNameTheSource) {
  const auto error = [](const std::string& yaml, const SettingOverrides& overrides) {
    const absl::StatusOr<ServerConfig> config = Load(yaml, overrides);
    std::string message(config.status().message());
    const size_t file = message.find("settings.yaml");
    return file == std::string::npos ? message : message.substr(file);
  };
  const std::string file = Yaml({{"max_streams", "0"}});
  EXPECT_EQ(error(file, {}),
            "settings.yaml:1: max_streams: \"0\" is not a whole number from 1 to 100000");
  EXPECT_EQ(error(file, OverridesOf({"INTERCOM_EXTRACTOR_MAX_STREAMS=many"})),
            "INTERCOM_EXTRACTOR_MAX_STREAMS: \"many\" is not a whole number from 1 to 100000");
  EXPECT_EQ(error(file, {{"max_streams", {"-1", "--max-streams"}}}),
            "--max-streams: \"-1\" is not a whole number from 1 to 100000");
  EXPECT_THAT(error(Yaml({}), {{"listen", {"50051", "--listen"}}}), HasSubstr("--listen: "));
  EXPECT_THAT(error(Yaml({}), {{"http.ca_file", {"/no/file", "--http-ca-file"}}}),
              HasSubstr("--http-ca-file: cannot read /no/file"));
  EXPECT_EQ(error(Yaml({}), {{"max_connection_age", {"5s", "--max-connection-age"}}}).substr(0, 32),
            "--max-connection-age: is below 1");
  EXPECT_EQ(error(Yaml({}), {{"log.level", {"loud", "--log-level"}}}),
            "--log-level: \"loud\" is none of debug, info, warn, error");
  EXPECT_EQ(error(Yaml({}), {{"reflection", {"maybe", "--reflection"}}}),
            "--reflection: \"maybe\" is neither true nor false");
  EXPECT_EQ(error(Yaml({}), {{"listen", {"", "--listen"}}}),
            "--listen: is empty; write a value or remove the key");
  EXPECT_THAT(error("tls: 5\n" + Yaml({}), {{"tls.cert_file", {"c", "--tls-cert-file"}}}),
              HasSubstr("settings.yaml:1: tls: must be a mapping"));
  EXPECT_THAT(error(Yaml({}), {{"tls.cert_file", {"c", "--tls-cert-file"}}}),
              HasSubstr("tls.key_file: is missing"));
}

TEST_F(SettingListTest, AnEmptyVariableIsNotSet) {
  EXPECT_THAT(OverridesOf({"INTERCOM_EXTRACTOR_LISTEN=", "INTERCOM_EXTRACTOR_LISTEN", "=", ""}),
              IsEmpty());
  EXPECT_EQ(OverridesOf({"INTERCOM_EXTRACTOR_LISTEN=unix:/a=b"}).at("listen").value, "unix:/a=b");
}

TEST_F(SettingListTest, VariablesThatNameNothingAreWarnedOf) {
  EXPECT_THAT(
      UnknownVariables(
          {"INTERCOM_EXTRACTOR_LISTN=secret", "INTERCOM_EXTRACTOR_LISTEN=x",
           "INTERCOM_EXTRACTOR_CONFIG=x", "INTERCOM_EXTRACTOR_RESUME_KEY=secret",
           "INTERCOM_ACCESS_TOKEN=secret", "PATH=x", "INTERCOM_EXTRACTOR_FLUX_COMPENSATION=1"},
          {"INTERCOM_EXTRACTOR_RESUME_KEY"}),
      ElementsAre("the environment variable INTERCOM_EXTRACTOR_LISTN is no setting; did you mean "
                  "INTERCOM_EXTRACTOR_LISTEN?",
                  "the environment variable INTERCOM_EXTRACTOR_FLUX_COMPENSATION is no setting; "
                  "docs/configuration.md has all of them"));
}

TEST_F(SettingListTest, VariablesThatKubernetesMakesForAServiceAreNoSettings) {
  EXPECT_THAT(UnknownVariables({"INTERCOM_EXTRACTOR_SERVICE_HOST=10.0.0.1",
                                "INTERCOM_EXTRACTOR_SERVICE_PORT=50051",
                                "INTERCOM_EXTRACTOR_SERVICE_PORT_GRPC=50051",
                                "INTERCOM_EXTRACTOR_PORT=tcp://10.0.0.1:50051",
                                "INTERCOM_EXTRACTOR_PORT_50051_TCP=tcp://10.0.0.1:50051",
                                "INTERCOM_EXTRACTOR_PORT_50051_TCP_ADDR=10.0.0.1",
                                "INTERCOM_EXTRACTOR_METRICS_PORT_9464_TCP_PROTO=tcp"},
                               {}),
              IsEmpty());
  // None of these is a setting's name.
  for (const Setting& setting : SettingList()) {
    EXPECT_FALSE(absl::EndsWith(setting.variable(), "_PORT")) << setting.key;
    EXPECT_FALSE(absl::EndsWith(setting.variable(), "_HOST")) << setting.key;
  }
}

TEST_F(SettingListTest, TheFileSaysWhichVariablesHoldSecrets) {
  const auto config = Load(
      "connections:\n"
      "  - name: a\n"
      "    access_token_env: SETTING_TEST\n"
      "    resume_key_env: SETTING_TEST\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->secret_variables, ElementsAre("SETTING_TEST", "SETTING_TEST"));
}

TEST_F(SettingListTest, NamesAreOneAndTheSame) {
  std::set<std::string> names;
  for (const Setting& setting : SettingList()) {
    EXPECT_TRUE(names.insert(setting.flag()).second) << setting.key;
    EXPECT_TRUE(names.insert(setting.variable()).second) << setting.key;
    EXPECT_THAT(setting.help, Not(HasSubstr("|")));
  }
  const Setting& setting = SettingList()[2];
  EXPECT_STREQ(setting.key, "tls.cert_file");
  EXPECT_EQ(setting.flag(), "--tls-cert-file");
  EXPECT_EQ(setting.variable(), "INTERCOM_EXTRACTOR_TLS_CERT_FILE");
}

TEST_F(SettingListTest, WhatNeedsARestartIsNamedWhenItChanges) {
  for (const Setting& setting : SettingList()) {
    SCOPED_TRACE(setting.key);
    std::map<std::string, std::string> values = Company(setting);
    values[setting.key] = ValuesOf(setting).one;
    const ServerConfig before = *Load(Yaml(values));
    values[setting.key] = ValuesOf(setting).other;
    const std::vector<std::string> changes = ChangesForRestart(before, *Load(Yaml(values)));
    if (setting.needs_restart) {
      EXPECT_THAT(changes, ElementsAre(setting.key));
    } else {
      EXPECT_THAT(changes, IsEmpty());
    }
  }
}

TEST_F(SettingListTest, TheSampleHasEachWithItsDefault) {
  const std::string sample = ReadAll("docs/server.example.yaml");
  for (const Setting& setting : SettingList()) {
    const std::string indent = setting.section().empty() ? "" : "  ";
    const std::string fallback = setting.text(ServerConfig());
    const bool shown = !fallback.empty() &&
                       absl::StrContains(sample, absl::StrCat("\n", indent, setting.name(), ": "));
    const bool commented =
        absl::StrContains(sample, absl::StrCat("\n# ", indent, setting.name(), ": ")) ||
        absl::StrContains(sample, absl::StrCat("\n", indent, "# ", setting.name(), ": "));
    EXPECT_TRUE(shown || commented) << setting.key;
    if (!setting.section().empty()) {
      EXPECT_THAT(sample, HasSubstr(absl::StrCat(setting.section(), ":\n")));
    }
  }
}

TEST_F(SettingListTest, DocumentIsUpToDate) {
  EXPECT_EQ(ReadAll("docs/configuration.md"), SettingsDocument())
      << "bazel run //server:settings_document > docs/configuration.md makes it anew";
}

}  // namespace
}  // namespace intercom_extractor
