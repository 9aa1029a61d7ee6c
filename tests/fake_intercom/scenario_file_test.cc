#include "tests/fake_intercom/scenario_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include "absl/status/statusor.h"
#include "tests/fake_intercom/fault_rule.h"
#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {
namespace {

absl::StatusOr<Scenario> Load(const std::string& text, const std::string& name = "") {
  const std::string file = testing::TempDir() + "/scenario.yaml";
  std::ofstream(file) << text;
  return LoadScenario(file, name);
}

std::string Mistake(const std::string& text, const std::string& name = "") {
  const auto scenario = Load(text, name);
  const std::string message(scenario.status().message());
  // Without the folder, which is another on each machine.
  return message.substr(std::min(message.size(), message.find("scenario.yaml")));
}

TEST(ScenarioFileTest, RulesSayWhenAndWhat) {
  const auto scenario = Load(
      "name: all of it\n"
      "about: for people\n"
      "faults: vanish:3\n"
      "rules:\n"
      "  - on: {method: GET, path: /contacts/*/notes, contains: per_page, after: 5, tries: all,\n"
      "         nth: [2, 4], every: 2, from: 2, to: 9}\n"
      "    do: {status: 503, code: busy, headers: {Retry-After: 1, Date: ~}, delay: 20ms}\n"
      "  - do: {cut: 50%, drip: {bytes: 10, every: 1ms}, length: -3, framing: chunked, end: "
      "reset,\n"
      "         gzip: damaged, clock: -1h, replace: {a: b}, body: '', carried_out: true}\n"
      "connections:\n"
      "  - {to: 2, do: tls_alert}\n"
      "run: {anything: that others read}\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->faults, "vanish:3");
  ASSERT_EQ(scenario->rules.size(), 2u);
  const FaultMatch& match = scenario->rules[0].match;
  EXPECT_EQ(match.method + match.path + match.contains, "GET/contacts/*/notesper_page");
  EXPECT_EQ(match.after, 5);
  EXPECT_TRUE(match.retries_too);
  EXPECT_TRUE(match.turns.Has(4));
  EXPECT_FALSE(match.turns.Has(6)) << "not among `nth`";
  const FaultAction& first = scenario->rules[0].action;
  EXPECT_EQ(first.status, 503);
  EXPECT_EQ(first.delay, std::chrono::milliseconds(20));
  ASSERT_EQ(first.headers.size(), 2u);
  EXPECT_EQ(first.headers[0].second, "1");
  EXPECT_FALSE(first.headers[1].second.has_value()) << "a header without a value is removed";
  const FaultAction& second = scenario->rules[1].action;
  EXPECT_EQ(second.cut->share, 0.5);
  EXPECT_EQ(second.drip->bytes, 10u);
  EXPECT_EQ(second.length_error, -3);
  EXPECT_EQ(second.framing, Delivery::Framing::kChunked);
  EXPECT_EQ(second.end, Delivery::End::kReset);
  EXPECT_EQ(second.gzip, FaultAction::Gzip::kDamaged);
  EXPECT_EQ(second.clock, std::chrono::hours(-1));
  EXPECT_EQ(second.body, "");
  EXPECT_TRUE(second.carried_out);
  ASSERT_EQ(scenario->connections.size(), 1u);
  EXPECT_EQ(scenario->connections[0].fault, ConnectionFault::kTlsAlert);
  EXPECT_FALSE(scenario->connections[0].turns.Has(3));
}

TEST(ScenarioFileTest, OneOfAListIsNamed) {
  const std::string list = "- {name: first, about: x}\n- {name: second, about: y}\n";
  EXPECT_EQ(Load(list, "second")->name, "second");
  EXPECT_EQ(Mistake(list), "scenario.yaml: holds a list; name one of it with --scenario-name");
  EXPECT_EQ(Mistake(list, "secnd"), "scenario.yaml: no scenario \"secnd\"; did you mean second?");
}

TEST(ScenarioFileTest, MistakesNameLineKeyAndWhatToWrite) {
  const std::string begin = "name: x\nrules:\n  - on: {every: 2}\n    do: ";
  EXPECT_EQ(Mistake(begin + "{statsu: 500}\n"),
            "scenario.yaml:4: rules[0].do.statsu: unknown key; did you mean status?");
  EXPECT_EQ(Mistake(begin + "{framing: chunky}\n"),
            "scenario.yaml:4: rules[0].do.framing: \"chunky\": did you mean chunked?");
  EXPECT_EQ(Mistake(begin + "{delay: soon}\n"),
            "scenario.yaml:4: rules[0].do.delay: \"soon\" is not a duration; write 200ms or 1m30s");
  EXPECT_EQ(Mistake(begin + "{cut: half}\n"),
            "scenario.yaml:4: rules[0].do.cut: \"half\" is no number of bytes and no share; write "
            "100 or 50%");
  EXPECT_EQ(Mistake("name: x\nrules:\n  - on: {evrey: 2}\n    do: {status: 500}\n"),
            "scenario.yaml:3: rules[0].on.evrey: unknown key; did you mean every?");
  EXPECT_EQ(Mistake("name: x\nrules:\n  - on: {every: 2}\n"),
            "scenario.yaml:3: rules[0].do: is missing: what happens to the request");
  EXPECT_EQ(Mistake("about: x\n"), "scenario.yaml:1: name: is missing: what it is called");
  EXPECT_EQ(Mistake("name: x\nfaults: nonsense\n"),
            "scenario.yaml:2: faults: unknown fault or wrong parameters: nonsense");
  EXPECT_EQ(Mistake("name: [\n").substr(0, 15), "scenario.yaml:2");
}

}  // namespace
}  // namespace intercom_extractor::fake
