#include "clients/sinks/one_writer.h"

#include <cstdint>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

namespace intercom_extractor {

std::string RandomInstance() {
  absl::BitGen random;
  return absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
}

absl::Status TakenOverError(absl::string_view id, absl::string_view where,
                            absl::string_view place) {
  return absl::AbortedError(
      absl::StrCat("a newer run took over sink id ", id, " at ", where,
                   "; this one ends and commits nothing more. Run one at a time, or give each a "
                   "--sink-id and a ",
                   place, " of its own"));
}

absl::Status FilledByError(absl::string_view what, absl::string_view where,
                           absl::string_view other_id, absl::string_view place) {
  return absl::FailedPreconditionError(absl::StrCat(what, " at ", where, " is filled by sink id ",
                                                    other_id, "; give that --sink-id, or another ",
                                                    place));
}

}  // namespace intercom_extractor
