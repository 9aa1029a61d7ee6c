#ifndef TESTS_FUZZ_JSON_FACTS_H_
#define TESTS_FUZZ_JSON_FACTS_H_

#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "extractor/tables/reference_json.h"

namespace intercom_extractor::fuzz {

// RFC 3629: no surrogates, nothing above U+10FFFF, no longer form than needed.
bool IsUtf8(absl::string_view text);

// A bound of how deep brackets are nested, quotes or not: the plain reader calls itself.
bool IsDeep(absl::string_view text);

// Whether an object somewhere in `json` has one of `keys` twice.
bool RepeatsKey(const ReferenceJson& json, const std::set<std::string>& keys);

}  // namespace intercom_extractor::fuzz

#endif  // TESTS_FUZZ_JSON_FACTS_H_
