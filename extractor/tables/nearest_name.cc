#include "extractor/tables/nearest_name.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace intercom_extractor {
namespace {

// Names are short; what is longer is no typing error, nor worth the time.
constexpr size_t kMaxName = 64;

}  // namespace

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

const std::string* NearestName(absl::string_view name, const std::vector<std::string>& known) {
  const absl::string_view begin = name.substr(0, kMaxName);
  const auto nearest = std::min_element(known.begin(), known.end(),
                                        [begin](const std::string& a, const std::string& b) {
                                          return EditDistance(begin, a) < EditDistance(begin, b);
                                        });
  return nearest == known.end() ? nullptr : &*nearest;
}

bool IsNear(absl::string_view name, absl::string_view known) {
  return name.size() <= kMaxName &&
         EditDistance(name, known) <= std::max<size_t>(2, known.size() / 3);
}

std::string Suggestion(absl::string_view name, const std::vector<std::string>& known) {
  const std::string* const nearest = NearestName(name, known);
  if (nearest != nullptr && IsNear(name, *nearest)) {
    return absl::StrCat("did you mean ", *nearest, "?");
  }
  return absl::StrCat("known here: ", absl::StrJoin(known, ", "));
}

}  // namespace intercom_extractor
