#ifndef TESTS_END_TO_END_ORACLE_COMPARISON_H_
#define TESTS_END_TO_END_ORACLE_COMPARISON_H_

#include <cstddef>

#include "tests/end_to_end/extraction_harness.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {

// Expects that so many tables were read, that each is complete, and that its rows
// are those that the oracle derives from the workspace.
void ExpectComplete(const Extracted& got, const fake::Workspace& workspace, size_t tables);

}  // namespace intercom_extractor

#endif  // TESTS_END_TO_END_ORACLE_COMPARISON_H_
