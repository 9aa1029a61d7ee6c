#include "clients/cli/fleet_flags.h"

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "clients/cli/command_line.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSink[] = " --sink kafka://k1:9092/?prefix=crm.";

// `arguments` separated by single spaces.
CommandLine Parse(const std::string& arguments) {
  const std::vector<std::string> words =
      absl::StrSplit(absl::StrCat("intercom-extract fleet ", arguments), ' ');
  std::vector<const char*> argv;
  argv.reserve(words.size());
  for (const std::string& word : words) argv.push_back(word.c_str());
  return ParseCommandLine(static_cast<int>(argv.size()), argv.data(), absl::UnixEpoch());
}

std::string Error(const std::string& arguments) {
  const CommandLine line = Parse(arguments + kSink);
  const auto* error = std::get_if<UsageError>(&line);
  return error == nullptr ? "(no error)" : error->message;
}

FleetOptions Fleet(const std::string& arguments) {
  const CommandLine line = Parse(arguments + kSink);
  const auto* options = std::get_if<FleetOptions>(&line);
  EXPECT_NE(options, nullptr) << Error(arguments);
  return options == nullptr ? FleetOptions() : *options;
}

TEST(FleetFlagsTest, SubmitSaysWhatIsReadWhereAndHowOften) {
  const FleetOptions options = Fleet(
      "submit --workspaces acme,beta --template basic --tables tags --job nightly --every 24h "
      "--incremental --overlap 30m");
  EXPECT_EQ(options.action, FleetOptions::Action::kSubmit);
  EXPECT_EQ(options.sink, "kafka://k1:9092/?prefix=crm.");
  EXPECT_THAT(options.workspaces, ElementsAre("acme", "beta"));
  EXPECT_EQ(options.table_template, v1::TEMPLATE_BASIC);
  EXPECT_THAT(options.tables, ElementsAre("tags"));
  EXPECT_EQ(options.job, "nightly");
  EXPECT_EQ(options.every, absl::Hours(24));
  EXPECT_TRUE(options.incremental);
  EXPECT_EQ(options.overlap, absl::Minutes(30));
  EXPECT_EQ(options.partitions, 64);
}

TEST(FleetFlagsTest, WithoutMoreAJobRunsOnce) {
  const FleetOptions options = Fleet("submit --workspaces acme --template all");
  EXPECT_EQ(options.job, "extract");
  EXPECT_EQ(options.every, absl::ZeroDuration());
  EXPECT_FALSE(options.incremental);
}

TEST(FleetFlagsTest, WorkHasTheDocumentedDefaults) {
  const FleetOptions options = Fleet("work --config c.yaml");
  EXPECT_EQ(options.action, FleetOptions::Action::kWork);
  EXPECT_EQ(options.connection.config, "c.yaml");
  EXPECT_EQ(options.worker, "");
  EXPECT_EQ(options.jobs, 8);
  EXPECT_EQ(options.session_timeout, absl::Seconds(45));
  EXPECT_EQ(options.alive_file, "");
  EXPECT_EQ(Fleet("work --config c.yaml --alive-file /run/alive").alive_file, "/run/alive");
}

TEST(FleetFlagsTest, MistakesSayWhatToWriteInstead) {
  EXPECT_THAT(Error("submit --template all"), HasSubstr("--workspaces a,b,c or"));
  EXPECT_THAT(Error("submit --workspaces a --workspaces-file f --template all"),
              HasSubstr("--workspaces a,b,c or"));
  EXPECT_THAT(Error("submit --workspaces a"), HasSubstr("--template basic|conversations|all"));
  EXPECT_THAT(Error("submit --workspaces a/b --template all"), HasSubstr("letters, digits"));
  EXPECT_THAT(Error("submit --workspaces a --template all --job x/y"), HasSubstr("--job: letters"));
  EXPECT_THAT(Error("submit --workspaces a --template all --every 5s"), HasSubstr("from 1m"));
  EXPECT_THAT(Error("submit --workspaces a --template all --overlap 1h"),
              HasSubstr("is for --incremental"));
  EXPECT_THAT(Error("submit --workspaces a --template all --incremental --overlap x"),
              HasSubstr("such as 1h"));
  EXPECT_THAT(Error("work"), HasSubstr("--config is required"));
  EXPECT_THAT(Error("work --config c --session-timeout 1s"), HasSubstr("from 6s to 5m"));
  EXPECT_THAT(Error("work --config c --worker a/b"), HasSubstr("--worker: letters"));
  EXPECT_THAT(Error("remove"), HasSubstr("--workspaces a,b,c or"));
}

TEST(FleetFlagsTest, FleetIsInKafkaAndNeedsTransactions) {
  for (const char* url : {"postgresql://u@h/db", "kafka://k/?transactional=false"}) {
    const CommandLine line = Parse(absl::StrCat("status --sink ", url));
    const auto* error = std::get_if<UsageError>(&line);
    ASSERT_NE(error, nullptr) << url;
    EXPECT_THAT(error->message, HasSubstr("--sink"));
  }
}

}  // namespace
}  // namespace intercom_extractor
