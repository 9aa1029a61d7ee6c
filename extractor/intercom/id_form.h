#ifndef EXTRACTOR_INTERCOM_ID_FORM_H_
#define EXTRACTOR_INTERCOM_ID_FORM_H_

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// The forms that ids of Intercom's records have, for whoever keeps many of them in
// little space. An id of neither form is kept as the text that it is.

// 24 hexadecimal digits, as contacts have. Nothing where there are capital letters:
// they would be another id.
using ObjectId = std::array<uint8_t, 12>;
std::optional<ObjectId> ObjectIdOf(absl::string_view id);

// A whole number of up to 19 digits, as conversations have, that prints as it was
// written: "007" would be another id than "7".
std::optional<uint64_t> NumberIdOf(absl::string_view id);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_ID_FORM_H_
