#ifndef EXTRACTOR_CHECKPOINT_PACKED_IDS_H_
#define EXTRACTOR_CHECKPOINT_PACKED_IDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// Packs a set of Intercom's ids into few bytes, as resume tokens are bounded: ids of
// contacts (24 hexadecimal digits) take 11 on average, of conversations (decimal) 1
// to 5, any other its length and one more. Sorts `ids` and drops repetitions.
std::string PackIds(std::vector<std::string> ids);

// The ids in `packed`, in no promised order. kDataLoss: no result of PackIds().
absl::StatusOr<std::vector<std::string>> UnpackIds(absl::string_view packed);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_CHECKPOINT_PACKED_IDS_H_
