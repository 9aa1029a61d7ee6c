#ifndef CLIENTS_CLI_PROGRESS_TEXT_H_
#define CLIENTS_CLI_PROGRESS_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/progress_tracker.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// 1234567 as "1,234,567".
std::string GroupDigits(int64_t value);

// "0:07", "12:34", "1:02:03".
std::string FormatElapsed(absl::Duration elapsed);

// "512 B", "1.4 MB", "3.2 GB": powers of 1000.
std::string FormatBytes(int64_t bytes);

// "quota", "intercom", "consumer", "retry", "scroll"; empty for nothing.
std::string WaitReasonName(v1::WaitReason reason);

// The same for people: "waiting for the quota"; `consumer` is what takes the rows, "the disk".
std::string WaitPhrase(v1::WaitReason reason, absl::string_view consumer);

// The live bar: one line of at most `columns` visible characters without a line
// end. What matters least is left out first where the terminal is narrow.
std::string FormatProgressBar(const ProgressSnapshot& snapshot, int columns, bool color);

// One JSON object without a line end: {"event":"progress",...}. The tables one by
// one are for programs; in a log they would bury everything else.
std::string FormatProgressJson(const ProgressSnapshot& snapshot, bool with_tables);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_PROGRESS_TEXT_H_
