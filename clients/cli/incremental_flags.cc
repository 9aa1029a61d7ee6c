#include "clients/cli/incremental_flags.h"

#include <cstdint>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {
namespace {

constexpr char kLast[] = "last";
constexpr char kForms[] =
    "2024-05-01T06:00:00Z, 2024-05-01 (midnight UTC), Unix seconds such as 1714543200, or last";

bool IsNumber(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return !text.empty();
}

// To the second and not later than what `text` says.
std::optional<absl::Time> ReadTime(absl::string_view text) {
  if (IsNumber(text)) {
    // 20240501 is meant as a date, and would read everything as seconds.
    constexpr int64_t kLeast = 1000000000;
    int64_t seconds;
    if (!absl::SimpleAtoi(text, &seconds) || seconds < kLeast) return std::nullopt;
    return absl::FromUnixSeconds(seconds);
  }
  absl::Time time;
  std::string error;
  // A date reads in the time zone that it is given, here UTC.
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error) &&
      !absl::ParseTime("%Y-%m-%d", text, &time, &error)) {
    return std::nullopt;
  }
  // absl also reads "infinite-past".
  if (time < absl::UnixEpoch() || time == absl::InfiniteFuture()) return std::nullopt;
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time));
}

}  // namespace

void AddIncrementalFlags(CLI::App* command, IncrementalFlags* flags) {
  const std::string group = "Incremental";
  command
      ->add_option_function<std::string>(
          "--updated-since", [flags](const std::string& text) { flags->updated_since = text; },
          "Read only what changed at this time or later, as 2024-05-01T06:00:00Z, "
          "2024-05-01 (midnight UTC) or Unix seconds; last: since the last run")
      ->type_name("TIME|last")
      ->group(group);
  command
      ->add_option_function<std::string>(
          "--overlap", [flags](const std::string& text) { flags->overlap = text; },
          "With last: begin that much earlier, as Intercom finds a change some minutes "
          "late [1h]")
      ->type_name("DURATION")
      ->group(group);
  command
      ->add_flag("--find-deleted", flags->find_deleted,
                 "Also find what was deleted; lists all contacts. In a full run there is nothing "
                 "to find: what it holds is what exists")
      ->group(group);
}

std::string ReadIncrementalFlags(const IncrementalFlags& flags, absl::Time now,
                                 IncrementalOptions* options) {
  options->find_deleted = flags.find_deleted;
  options->last = flags.updated_since == kLast;
  // Given but empty, as by a script whose variable is not set, it must not read
  // everything.
  if (!options->last && flags.updated_since.has_value()) {
    const std::string& given = *flags.updated_since;
    options->since = ReadTime(given);
    if (!options->since.has_value()) {
      return absl::StrCat("--updated-since \"", given, "\" is no time: give ", kForms);
    }
    if (*options->since > now) {
      return absl::StrCat("--updated-since ", given, " lies in the future (",
                          FormatSince(*options->since), "): give the time of the last run, as ",
                          kForms);
    }
  }
  if (!flags.overlap.has_value()) return "";
  if (!options->last) return "--overlap is for --updated-since last: a time means exactly that";
  if (!absl::ParseDuration(*flags.overlap, &options->overlap) ||
      options->overlap < absl::ZeroDuration() || options->overlap == absl::InfiniteDuration()) {
    return absl::StrCat("--overlap \"", *flags.overlap,
                        "\" is no duration: give one such as 1h or 90m");
  }
  return "";
}

std::string FormatSince(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace intercom_extractor
