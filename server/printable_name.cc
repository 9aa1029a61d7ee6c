#include "server/printable_name.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace intercom_extractor {

std::string PrintableName(absl::string_view name) {
  constexpr size_t kMaxBytes = 64;
  return absl::StrCat(absl::CHexEscape(name.substr(0, kMaxBytes)),
                      name.size() > kMaxBytes ? "..." : "");
}

}  // namespace intercom_extractor
