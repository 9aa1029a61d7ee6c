#include "server/retry_delay.h"

#include <cstdint>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {
namespace {

constexpr char kRetryDelayUrl[] = "intercom-extractor/retry-delay-ms";

}  // namespace

absl::Status WithRetryDelay(absl::Status status, absl::Duration delay) {
  // Rounded up: who comes back a little too early is refused again.
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(delay, absl::Milliseconds(1)));
  const std::string text = absl::StrCat(milliseconds);
  // From a view: what takes a string differs between compilers in the packaged library.
  status.SetPayload(kRetryDelayUrl, absl::Cord(absl::string_view(text)));
  return status;
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryDelayUrl);
  int64_t milliseconds = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &milliseconds)) {
    return std::nullopt;
  }
  return absl::Milliseconds(milliseconds);
}

}  // namespace intercom_extractor
