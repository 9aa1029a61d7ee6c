#ifndef TESTS_FUZZ_REQUIRE_H_
#define TESTS_FUZZ_REQUIRE_H_

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace intercom_extractor::fuzz {

// Ends the program, which a fuzzer takes for a find, unless `holds`. `what` must be true
// of every input; `details` are printed where it is not.
template <typename... Details>
void Require(bool holds, const char* what, const Details&... details) {
  if (holds) return;
  std::fprintf(stderr, "VIOLATED: %s\n%s\n", what, absl::StrCat("", details...).c_str());
  std::abort();
}

}  // namespace intercom_extractor::fuzz

#endif  // TESTS_FUZZ_REQUIRE_H_
