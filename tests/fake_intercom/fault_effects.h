#ifndef TESTS_FAKE_INTERCOM_FAULT_EFFECTS_H_
#define TESTS_FAKE_INTERCOM_FAULT_EFFECTS_H_

#include "tests/fake_intercom/fault_rule.h"
#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {

// What an action does to the body of an answer and to how that travels.
void ChangeBody(const FaultAction& action, Response* response);

// What it does to the headers. The last to touch them.
void ChangeHeaders(const FaultAction& action, Response* response);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_FAULT_EFFECTS_H_
