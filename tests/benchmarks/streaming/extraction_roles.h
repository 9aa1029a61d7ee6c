#ifndef TESTS_BENCHMARKS_STREAMING_EXTRACTION_ROLES_H_
#define TESTS_BENCHMARKS_STREAMING_EXTRACTION_ROLES_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace intercom_extractor {

// The two ends that a benchmark of whole extractions needs beside its reader, each for a
// process of its own. Both say their address to their parent and serve until that wants
// their end; they return the exit code.

// A fake Intercom of so many contacts, three users for each lead, that keeps what it has
// answered: the second time, an answer costs it a copy.
int ServeIntercom(size_t contacts);
// Rows that so many contacts make: of users and of leads. One contact is neither.
int64_t RowsOf(size_t contacts);

// The product's server with so many connections to that fake, which are called as
// ConnectionName says. Each has its own quota and may ask as much at once as one can.
int ServeExtractions(const std::string& intercom, int connections);
std::string ConnectionName(int connection);

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_STREAMING_EXTRACTION_ROLES_H_
