#ifndef EXTRACTOR_TABLES_NEAREST_NAME_H_
#define EXTRACTOR_TABLES_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// How many letters must be put in, taken out or exchanged to make `b` of `a`
// (Levenshtein's distance). For names: the time is the product of the lengths.
size_t EditDistance(absl::string_view a, absl::string_view b);

// The one of `known` that is most like `name`, null when there is none. Of a long name
// only the beginning counts.
const std::string* NearestName(absl::string_view name, const std::vector<std::string>& known);

// Whether `name` may be a mistyped `known`.
bool IsNear(absl::string_view name, absl::string_view known);

// "did you mean X?", or "known here: ..." with all of `known` when none is near.
std::string Suggestion(absl::string_view name, const std::vector<std::string>& known);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_NEAREST_NAME_H_
