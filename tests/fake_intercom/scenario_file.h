#ifndef TESTS_FAKE_INTERCOM_SCENARIO_FILE_H_
#define TESTS_FAKE_INTERCOM_SCENARIO_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/fake_intercom/fault_rule.h"

namespace intercom_extractor::fake {

// What a scenario asks of the fake. docs/faults.md describes the file.
struct Scenario {
  std::string name;
  // As ParseFaultList reads it.
  std::string faults;
  std::vector<FaultRule> rules;
  std::vector<ConnectionRule> connections;
};

// Reads one scenario of a YAML file: the one of that name, or the only one where `name` is
// empty. The keys that are for others (run, expect, network, http2 and so on) are theirs to
// check. kInvalidArgument says file, line, key and what to write instead.
absl::StatusOr<Scenario> LoadScenario(const std::string& file, const std::string& name);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_SCENARIO_FILE_H_
