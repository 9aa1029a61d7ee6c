#ifndef TESTS_FAKE_INTERCOM_FAULT_LIST_H_
#define TESTS_FAKE_INTERCOM_FAULT_LIST_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tests/fake_intercom/fault_rule.h"

namespace intercom_extractor::fake {

// What is wrong with the workspace rather than with single requests.
struct WorkspaceFaults {
  // Contacts, and conversations, that are listed but gone.
  size_t vanish = 0;
  bool no_rate_headers = false;
  // The company scroll breaks once in its middle.
  bool scroll_500 = false;
  // A foreign scroll is in the way for so long.
  double scroll_busy_seconds = 0;
};

struct FaultList {
  std::vector<FaultRule> rules;
  WorkspaceFaults workspace;
};

// Reads NAME[:PARAM...],... as the README lists them: a short way to write common rules.
// Throws std::invalid_argument on a fault that does not exist.
FaultList ParseFaultList(const std::string& list);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_FAULT_LIST_H_
