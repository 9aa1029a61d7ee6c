#include "clients/cli/command_line.h"

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// `arguments` separated by single spaces.
CommandLine Parse(const std::string& arguments) {
  std::vector<std::string> words = absl::StrSplit("intercom-extract " + arguments, ' ');
  if (words.back().empty()) words.pop_back();
  std::vector<const char*> argv;
  argv.reserve(words.size());
  for (const std::string& word : words) argv.push_back(word.c_str());
  return ParseCommandLine(static_cast<int>(argv.size()), argv.data(),
                          absl::FromUnixSeconds(1714550400))  // 2024-05-01T08:00:00Z.
      ;
}

std::string Error(const std::string& arguments) {
  const CommandLine line = Parse(arguments);
  const auto* error = std::get_if<UsageError>(&line);
  return error == nullptr ? "(no error)" : error->message;
}

ExtractOptions Extract(const std::string& arguments) {
  const CommandLine line = Parse("extract " + arguments);
  const auto* options = std::get_if<ExtractOptions>(&line);
  EXPECT_NE(options, nullptr) << Error("extract " + arguments);
  return options == nullptr ? ExtractOptions() : *options;
}

std::string Info(const std::string& arguments) {
  const CommandLine line = Parse(arguments);
  const auto* info = std::get_if<InfoText>(&line);
  return info == nullptr ? "" : info->text;
}

TEST(CommandLineTest, ExtractHasTheDocumentedDefaults) {
  const ExtractOptions options = Extract("--template all --output out");
  EXPECT_EQ(options.table_template, v1::TEMPLATE_ALL);
  EXPECT_EQ(options.output, "out");
  EXPECT_EQ(options.format, RowFormat::kCsv);
  EXPECT_FALSE(options.gzip);
  EXPECT_EQ(options.columns, ColumnSelection::kAll);
  EXPECT_EQ(options.body_format, v1::BODY_FORMAT_PLAINTEXT);
  EXPECT_EQ(options.connection.connection, "default");
  EXPECT_TRUE(options.connection.embedded());
  EXPECT_FALSE(options.connection.quota_reserve.has_value());
}

TEST(CommandLineTest, ExtractReadsEachFlag) {
  const ExtractOptions options = Extract(
      "--template basic --tables users,tags --tables notes --output out --format jsonl --gzip "
      "--columns documented --body-format html --json --quiet --connection acme --embedded "
      "--region eu --access-token-file token --quota-reserve 0.25 --ca-file ca.pem");
  EXPECT_EQ(options.table_template, v1::TEMPLATE_BASIC);
  EXPECT_THAT(options.tables, ElementsAre("users", "tags", "notes"));
  EXPECT_EQ(options.format, RowFormat::kJsonl);
  EXPECT_TRUE(options.gzip);
  EXPECT_EQ(options.columns, ColumnSelection::kDocumented);
  EXPECT_EQ(options.body_format, v1::BODY_FORMAT_HTML);
  EXPECT_TRUE(options.json);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.connection.connection, "acme");
  EXPECT_EQ(options.connection.region, "eu");
  EXPECT_EQ(options.connection.access_token_file, "token");
  EXPECT_EQ(options.connection.quota_reserve, 0.25);
  EXPECT_EQ(options.connection.ca_file, "ca.pem");
}

TEST(CommandLineTest, ColumnsAreASetOrAList) {
  EXPECT_THAT(Extract("--template all --output out --columns all").column_names, IsEmpty());
  const ExtractOptions listed =
      Extract("--template all --output out --columns id,users.email, --columns tags.*");
  EXPECT_THAT(listed.column_names, ElementsAre("id", "users.email", "tags.*"));
  EXPECT_EQ(listed.columns, ColumnSelection::kAll);
  EXPECT_THAT(Error("extract --template all --output out --columns ,"), HasSubstr("--columns"));
}

TEST(CommandLineTest, TablesAreAConnectionsWhereOneIsNamed) {
  const auto of_connection = [](const std::string& arguments) {
    const CommandLine line = Parse("tables " + arguments);
    const auto* options = std::get_if<TablesOptions>(&line);
    EXPECT_NE(options, nullptr) << arguments;
    return options != nullptr && options->of_connection;
  };
  EXPECT_FALSE(of_connection(""));
  EXPECT_FALSE(of_connection("--server h:1"));
  EXPECT_TRUE(of_connection("--server h:1 --connection acme"));
  EXPECT_TRUE(of_connection("--config server.yaml"));
}

TEST(CommandLineTest, ReadsServerFlags) {
  const CommandLine line = Parse(
      "check --server h:1 --caller-token-file t --ca-file a --cert-file c --key-file k --json");
  const auto* options = std::get_if<CheckOptions>(&line);
  ASSERT_NE(options, nullptr);
  EXPECT_TRUE(options->json);
  EXPECT_FALSE(options->connection.embedded());
  EXPECT_EQ(options->connection.server, "h:1");
  EXPECT_EQ(options->connection.caller_token_file, "t");
  EXPECT_EQ(options->connection.cert_file, "c");
  EXPECT_EQ(options->connection.key_file, "k");
}

TEST(CommandLineTest, ServerExcludesWhatTheServerDecides) {
  for (const char* flag : {"--base-url http://x", "--region us", "--config f",
                           "--quota-reserve 0.2", "--access-token-file f"}) {
    EXPECT_THAT(Error(std::string("check --server h:1 ") + flag),
                AllOf(HasSubstr("cannot be used with --server"), HasSubstr("configuration says")));
  }
  EXPECT_THAT(Error("check --server h:1 --embedded"), HasSubstr("exclude each other"));
  EXPECT_THAT(Error("check --server h:1 --cert-file c"), HasSubstr("belong together"));
}

TEST(CommandLineTest, EmbeddedExcludesWhatIsForAServer) {
  for (const char* flag : {"--caller-token-file f", "--cert-file f", "--key-file f"}) {
    EXPECT_THAT(Error(std::string("check ") + flag), HasSubstr("add --server"));
  }
  EXPECT_THAT(Error("check --base-url http://x --region us"), HasSubstr("exclude each other"));
  EXPECT_THAT(Error("check --config f --region us"), HasSubstr("cannot be used with --config"));
  for (const char* share : {"1", "-0.1", "nan", "many"}) {
    EXPECT_NE(Error(std::string("check --quota-reserve=") + share), "(no error)") << share;
  }
}

TEST(CommandLineTest, SaysWhatIsMissing) {
  EXPECT_THAT(Error(""), HasSubstr("--help"));
  EXPECT_THAT(Error("extract --template all"), HasSubstr("--output DIR"));
  EXPECT_THAT(Error("extract --output out"), HasSubstr("--template basic|conversations|all"));
  EXPECT_THAT(Error("extract --template some --output out"), HasSubstr("--template"));
  EXPECT_THAT(Error("frobnicate"), Not(HasSubstr("\n")));
  EXPECT_THAT(Error("extract --template all --output out --nope"), HasSubstr("--nope"));
  EXPECT_THAT(Error("extract --template all --output out extra"), HasSubstr("extra"));
}

TEST(CommandLineTest, StdoutTakesExactlyOneTable) {
  EXPECT_EQ(Extract("--tables tags --output -").output, "-");
  EXPECT_THAT(Error("extract --tables tags,users --output -"), HasSubstr("exactly one table"));
  EXPECT_THAT(Error("extract --template basic --output -"), HasSubstr("exactly one table"));
}

IncrementalOptions Since(const std::string& flags) {
  return Extract("--template all --output out " + flags).incremental;
}

TEST(CommandLineTest, RunWithoutTheFlagIsAFullOne) {
  EXPECT_FALSE(Since("").incremental());
  EXPECT_FALSE(Since("--find-deleted").incremental());
}

TEST(CommandLineTest, TakesTimesInThreeForms) {
  EXPECT_EQ(Since("--updated-since 2024-05-01").since, absl::FromUnixSeconds(1714521600));
  EXPECT_EQ(Since("--updated-since 1714521600").since, absl::FromUnixSeconds(1714521600));
  EXPECT_EQ(Since("--updated-since 2024-05-01T00:00:00Z").since, absl::FromUnixSeconds(1714521600));
  EXPECT_EQ(Since("--updated-since 2024-05-01T02:00:00+02:00").since,
            absl::FromUnixSeconds(1714521600));
  // Earlier rather than later.
  EXPECT_EQ(Since("--updated-since 2024-05-01T00:00:00.9Z").since,
            absl::FromUnixSeconds(1714521600));
  EXPECT_TRUE(Since("--updated-since 2024-05-01").incremental());
  EXPECT_FALSE(Since("--updated-since 2024-05-01").find_deleted);
}

TEST(CommandLineTest, LastHasAnOverlapOfAnHourUnlessToldOtherwise) {
  EXPECT_TRUE(Since("--updated-since last").last);
  EXPECT_TRUE(Since("--updated-since last").incremental());
  EXPECT_EQ(Since("--updated-since last").overlap, absl::Hours(1));
  EXPECT_EQ(Since("--updated-since last --overlap 1h30m").overlap, absl::Minutes(90));
  EXPECT_EQ(Since("--updated-since last --overlap 0").overlap, absl::ZeroDuration());
  EXPECT_TRUE(Since("--updated-since last --find-deleted").find_deleted);
}

TEST(CommandLineTest, NoTimeIsRefusedWithAnExample) {
  const std::string extract = "extract --template all --output out --updated-since=";
  for (const char* nonsense : {"yesterday", "2024", "20240501", "2024-13-01", "-5", "1e9",
                               "2024-05-01T00:00:00", "infinite-past", "1900-01-01", "now"}) {
    EXPECT_THAT(Error(extract + nonsense),
                AllOf(HasSubstr("is no time"), HasSubstr("2024-05-01T06:00:00Z")))
        << nonsense;
  }
  // As from a script whose variable is not set.
  EXPECT_THAT(Error("extract --template all --output out --updated-since  "),
              HasSubstr("--updated-since \"\" is no time"));
  // Also what a program gives in milliseconds.
  for (const char* future : {"2024-05-01T08:00:01Z", "1714521600000", "infinite-future"}) {
    EXPECT_NE(Error(extract + future), "(no error)") << future;
  }
  EXPECT_THAT(Error(extract + "2024-05-02"), HasSubstr("lies in the future"));
  EXPECT_THAT(Error("plan --template all --updated-since 2024-05-02"),
              HasSubstr("lies in the future"));
}

TEST(CommandLineTest, OverlapIsADurationAndOnlyForLast) {
  const std::string last = "extract --template all --output out --updated-since last --overlap=";
  for (const char* nonsense : {"1", "-1h", "inf", "soon"}) {
    EXPECT_THAT(Error(last + nonsense), HasSubstr("is no duration: give one such as 1h"))
        << nonsense;
  }
  EXPECT_THAT(Error("extract --template all --output out --overlap 1h"),
              HasSubstr("--overlap is for --updated-since last"));
}

TEST(CommandLineTest, StdoutTakesATimeButHasNoLastRunAndNoDeletedRecords) {
  EXPECT_TRUE(Extract("--tables users --output - --updated-since 2024-05-01").incremental.since);
  EXPECT_THAT(Error("extract --tables users --output - --updated-since last"),
              HasSubstr("kept in the directory"));
  EXPECT_THAT(Error("extract --tables users --output - --updated-since 2024-05-01 --find-deleted"),
              HasSubstr("have a file of their own"));
}

TEST(CommandLineTest, PlanTakesATimeButNoLastRun) {
  const CommandLine line = Parse("plan --tables users --updated-since 2024-05-01 --find-deleted");
  const auto* options = std::get_if<PlanOptions>(&line);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->incremental.since, absl::FromUnixSeconds(1714521600));
  EXPECT_TRUE(options->incremental.find_deleted);
  EXPECT_THAT(Error("plan --tables users --updated-since last"), HasSubstr("state show"));
}

TEST(CommandLineTest, ExtractContinuesOnlyWhenAsked) {
  EXPECT_FALSE(Extract("--template all --output out").resume);
  const ExtractOptions options = Extract("--template all --output out --resume --state file");
  EXPECT_TRUE(options.resume);
  EXPECT_EQ(options.state, "file");
  EXPECT_THAT(Info("extract --help"), AllOf(HasSubstr("--resume"), HasSubstr("--state FILE")));
}

TEST(CommandLineTest, StdoutHasNoState) {
  EXPECT_THAT(Error("extract --tables tags --output - --resume"),
              HasSubstr("--resume cannot be used with --output -"));
  EXPECT_THAT(Error("extract --tables tags --output - --state file"),
              HasSubstr("--state cannot be used with --output -"));
}

TEST(CommandLineTest, StateHasThreeActions) {
  const auto parsed = [](const std::string& arguments) {
    const CommandLine line = Parse("state " + arguments);
    const auto* options = std::get_if<StateOptions>(&line);
    EXPECT_NE(options, nullptr) << Error("state " + arguments);
    return options == nullptr ? StateOptions() : *options;
  };
  EXPECT_EQ(parsed("show --output out --json").action, StateOptions::Action::kShow);
  EXPECT_TRUE(parsed("show --output out --json").json);
  EXPECT_EQ(parsed("export --state file").action, StateOptions::Action::kExport);
  EXPECT_EQ(parsed("export --state file").state, "file");
  EXPECT_EQ(parsed("reset --output out").action, StateOptions::Action::kReset);
  EXPECT_EQ(parsed("reset --output out").output, "out");
  EXPECT_THAT(Error("state show"), HasSubstr("--output DIR of the run, or --state FILE"));
  EXPECT_THAT(Error("state"), HasSubstr("(see intercom-extract state --help)"));
  EXPECT_THAT(Error("state reset --nope"), HasSubstr("(see intercom-extract state reset --help)"));
  EXPECT_THAT(parsed("reset --output out --tables a,b").tables, ElementsAre("a", "b"));
  EXPECT_THAT(parsed("reset --output out").tables, ElementsAre());
  EXPECT_THAT(Error("state show --output out --tables a"), HasSubstr("--tables"));
}

TEST(CommandLineTest, HelpHasAnExampleForEachCommand) {
  EXPECT_THAT(Info("--help"), HasSubstr("intercom-extract extract"));
  for (const char* command : {"extract", "check", "plan", "tables"}) {
    const std::string help = Info(std::string(command) + " --help");
    EXPECT_THAT(help, HasSubstr(std::string("  intercom-extract ") + command));
    EXPECT_THAT(help, HasSubstr("the default without --server"));
    for (const std::string& line : std::vector<std::string>(absl::StrSplit(help, '\n'))) {
      EXPECT_LE(line.size(), 100u) << line;
    }
  }
  EXPECT_THAT(Info("--version"), HasSubstr("intercom-extract "));
}

TEST(CommandLineTest, TablesTakesATemplate) {
  const CommandLine line = Parse("tables --template conversations --json");
  const auto* options = std::get_if<TablesOptions>(&line);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->table_template, v1::TEMPLATE_CONVERSATIONS);
  EXPECT_TRUE(options->json);
}

TEST(CommandLineTest, TopLooksAtAServerAndAtAllItsConnections) {
  const CommandLine line = Parse("top --server 127.0.0.1:50051 --json");
  const auto* top = std::get_if<TopOptions>(&line);
  ASSERT_NE(top, nullptr);
  EXPECT_EQ(top->connection.server, "127.0.0.1:50051");
  EXPECT_EQ(top->only_connection, "");
  EXPECT_TRUE(top->json);
  const CommandLine one = Parse("top --server 127.0.0.1:50051 --connection acme");
  EXPECT_EQ(std::get<TopOptions>(one).only_connection, "acme");
  EXPECT_EQ(Error("top"), "top looks at a server that runs: name it with --server HOST:PORT");
  EXPECT_EQ(Error("top --embedded"), Error("top"));
  EXPECT_THAT(Error("top --server x:1 --region us"), HasSubstr("cannot be used with --server"));
}

}  // namespace
}  // namespace intercom_extractor
