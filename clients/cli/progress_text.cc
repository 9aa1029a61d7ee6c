#include "clients/cli/progress_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/cli/json_text.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

double RoundToTenth(double value) { return std::round(value * 10) / 10; }

// "[=====>    ]" of `cells` cells between the brackets.
std::string Bar(double fraction, int cells, bool color) {
  const int full = std::clamp(static_cast<int>(fraction * cells), 0, cells);
  std::string bar(full, '=');
  if (full < cells) bar.push_back('>');
  std::string rest(cells - static_cast<int>(bar.size()), ' ');
  return color ? absl::StrCat("[\x1b[32m", bar, "\x1b[0m", rest, "]")
               : absl::StrCat("[", bar, rest, "]");
}

}  // namespace

std::string WaitPhrase(v1::WaitReason reason, absl::string_view consumer) {
  switch (reason) {
    case v1::WAIT_REASON_QUOTA:
      return "waiting for the quota";
    case v1::WAIT_REASON_INTERCOM:
      return "waiting for Intercom";
    case v1::WAIT_REASON_CONSUMER:
      return absl::StrCat("waiting for ", consumer);
    case v1::WAIT_REASON_RETRY:
      return "waiting to retry";
    case v1::WAIT_REASON_SCROLL:
      return "waiting for another company scroll";
    default:
      return "";
  }
}

std::string GroupDigits(int64_t value) {
  std::string digits = absl::StrCat(value);
  const int first = value < 0 ? 1 : 0;
  for (int i = static_cast<int>(digits.size()) - 3; i > first; i -= 3) digits.insert(i, ",");
  return digits;
}

std::string FormatElapsed(absl::Duration elapsed) {
  const int64_t seconds = std::max<int64_t>(absl::ToInt64Seconds(elapsed), 0);
  if (seconds < 3600) return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string FormatBytes(int64_t bytes) {
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  const char* const units[] = {"kB", "MB", "GB", "TB"};
  const char* unit = "";
  for (const char* larger : units) {
    if (value < 999.95) break;
    value /= 1000;
    unit = larger;
  }
  return absl::StrFormat("%.1f %s", value, unit);
}

std::string WaitReasonName(v1::WaitReason reason) {
  switch (reason) {
    case v1::WAIT_REASON_QUOTA:
      return "quota";
    case v1::WAIT_REASON_INTERCOM:
      return "intercom";
    case v1::WAIT_REASON_CONSUMER:
      return "consumer";
    case v1::WAIT_REASON_RETRY:
      return "retry";
    case v1::WAIT_REASON_SCROLL:
      return "scroll";
    default:
      return "";
  }
}

std::string FormatProgressBar(const ProgressSnapshot& snapshot, int columns, bool color) {
  struct Part {
    std::string text;
    int rank;  // The lower, the longer it stays.
  };
  std::vector<Part> parts;
  if (snapshot.fraction >= 0) {
    // Rounded down: 100 % is said only when it is true.
    parts.push_back({absl::StrFormat("%3d%%", static_cast<int>(snapshot.fraction * 100)), 0});
  }
  parts.push_back({absl::StrCat(GroupDigits(snapshot.rows), " rows"), 1});
  parts.push_back(
      {absl::StrCat(GroupDigits(std::llround(snapshot.rows_per_second)), " rows/s"), 5});
  parts.push_back({absl::StrCat(snapshot.tables_done, "/", snapshot.tables.size(), " tables"), 7});
  parts.push_back({absl::StrCat(GroupDigits(snapshot.requests.sent()), " requests"), 6});
  if (snapshot.quota_limit >= 0) {
    parts.push_back(
        {absl::StrCat("quota ", snapshot.quota_remaining, "/", snapshot.quota_limit), 8});
  }
  const std::string wait = WaitPhrase(snapshot.waiting_for, "the disk");
  if (!wait.empty()) parts.push_back({wait, 4});
  parts.push_back({FormatElapsed(snapshot.elapsed), 2});
  if (snapshot.remaining != absl::InfiniteDuration()) {
    parts.push_back({absl::StrCat("about ", FormatElapsed(snapshot.remaining), " left"), 3});
  }

  constexpr char kBetween[] = "  ";
  constexpr size_t kBetweenColumns = sizeof(kBetween) - 1;
  size_t used = 0;
  for (const Part& part : parts) used += part.text.size() + kBetweenColumns;
  used -= kBetweenColumns;
  while (used > static_cast<size_t>(std::max(columns, 0)) && parts.size() > 1) {
    const auto least = std::max_element(
        parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.rank < b.rank; });
    used -= least->text.size() + kBetweenColumns;
    parts.erase(least);
  }

  // What is left of the line is the bar's, where it is worth one.
  constexpr int kSmallestBar = 8;
  constexpr int kLargestBar = 30;
  const int room = columns - static_cast<int>(used + kBetweenColumns) - 2;
  std::string line;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) line.append(kBetween);
    line.append(parts[i].text);
    if (i == 0 && snapshot.fraction >= 0 && room >= kSmallestBar) {
      line.append(kBetween);
      line.append(Bar(snapshot.fraction, std::min(room, kLargestBar), color));
    }
  }
  // Only the last part is left: it may still be too long for a tiny terminal.
  if (used > static_cast<size_t>(std::max(columns, 0))) line.resize(std::max(columns, 0));
  return line;
}

std::string FormatProgressJson(const ProgressSnapshot& snapshot, bool with_tables) {
  JsonText json;
  json.BeginObject();
  json.Key("event").String("progress");
  json.Key("elapsed_seconds").Double(RoundToTenth(absl::ToDoubleSeconds(snapshot.elapsed)));
  json.Key("rows").Int(snapshot.rows);
  json.Key("rows_per_second").Double(RoundToTenth(snapshot.rows_per_second));
  json.Key("percent");
  if (snapshot.fraction >= 0) {
    json.Double(std::floor(snapshot.fraction * 1000) / 10);
  } else {
    json.Null();
  }
  json.Key("remaining_seconds");
  if (snapshot.remaining != absl::InfiniteDuration()) {
    json.Double(RoundToTenth(absl::ToDoubleSeconds(snapshot.remaining)));
  } else {
    json.Null();
  }
  json.Key("tables_done").Int(snapshot.tables_done);
  json.Key("tables_total").Int(static_cast<int64_t>(snapshot.tables.size()));
  json.Key("requests").BeginObject();
  json.Key("sent").Int(snapshot.requests.sent());
  json.Key("retries").Int(snapshot.requests.retries());
  json.Key("rate_limited").Int(snapshot.requests.rate_limited());
  json.Key("pending").Int(snapshot.requests.pending());
  json.Key("planned");
  if (snapshot.requests_planned >= 0) {
    json.Int(snapshot.requests_planned);
  } else {
    json.Null();
  }
  json.EndObject();
  json.Key("quota");
  if (snapshot.quota_limit >= 0) {
    json.BeginObject();
    json.Key("limit").Int(snapshot.quota_limit);
    json.Key("remaining").Int(snapshot.quota_remaining);
    json.EndObject();
  } else {
    json.Null();
  }
  const std::string wait = WaitReasonName(snapshot.waiting_for);
  json.Key("waiting_for");
  if (wait.empty()) {
    json.Null();
  } else {
    json.String(wait);
  }
  if (!with_tables) return json.EndObject().text();
  json.Key("tables").BeginArray();
  for (const ProgressSnapshot::Table& table : snapshot.tables) {
    json.BeginObject();
    json.Key("table").String(table.name);
    json.Key("rows").Int(table.rows);
    json.Key("rows_expected");
    if (table.rows_expected >= 0) {
      json.Int(table.rows_expected);
    } else {
      json.Null();
    }
    json.Key("done").Bool(table.done);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return json.text();
}

}  // namespace intercom_extractor
