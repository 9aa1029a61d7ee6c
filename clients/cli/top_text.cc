#include "clients/cli/top_text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "clients/cli/console.h"
#include "clients/cli/json_text.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/text_table.h"

namespace intercom_extractor {
namespace {

constexpr int kLargestBar = 40;
constexpr int kShownEnded = 5;

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string UtcTime(const google::protobuf::Timestamp& time, const char* format) {
  return absl::FormatTime(format, FromProto(time), absl::UTCTimeZone());
}

// In tenths, for a JSON that people can read.
double Seconds(absl::Duration duration) {
  return std::round(absl::ToDoubleSeconds(duration) * 10) / 10;
}

int64_t RowsOf(const v1::ExtractionStatus& status) {
  int64_t rows = 0;
  for (const v1::TableProgress& table : status.progress().tables()) rows += table.rows();
  return rows;
}

std::map<std::string, double> RatesOf(const v1::ExtractionStatus& status) {
  std::map<std::string, double> rates;
  for (const v1::TableRate& rate : status.rates()) rates[rate.table()] = rate.rows_per_second();
  return rates;
}

double TotalRate(const v1::ExtractionStatus& status) {
  double total = 0;
  for (const v1::TableRate& rate : status.rates()) total += rate.rows_per_second();
  return total;
}

// "12", "0.4".
std::string FormatRate(double rate) {
  return rate == 0 || rate >= 10 ? GroupDigits(std::llround(rate)) : absl::StrFormat("%.1f", rate);
}

std::string DoingText(v1::WaitReason reason) {
  const std::string wait = WaitPhrase(reason, "its reader");
  return wait.empty() ? "working" : wait;
}

// "label [====    ] words": the bar as wide as the line leaves room for.
std::string BarLine(absl::string_view label, int64_t part, int64_t whole, absl::string_view words,
                    int columns, bool color) {
  const int used = static_cast<int>(label.size() + words.size()) + 2;
  const int cells = std::clamp(columns - used, 4, kLargestBar);
  const double share = whole <= 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  const int full = std::clamp(static_cast<int>(share * cells), 0, cells);
  return absl::StrCat(label, "[", color ? "\x1b[32m" : "", std::string(full, '='),
                      color ? "\x1b[0m" : "", std::string(cells - full, ' '), "]", words, "\n");
}

std::string Name(const std::string& name, const char* prefix, int number) {
  if (name.empty()) return absl::StrCat(number);
  return std::string(absl::StripPrefix(name, prefix));
}

std::string TimeLine(const v1::TimeSpent& spent) {
  const std::pair<const char*, absl::Duration> parts[] = {
      {"quota", FromProto(spent.quota())},
      {"Intercom", FromProto(spent.intercom())},
      {"reader", FromProto(spent.consumer())},
      {"working", FromProto(spent.cpu())},
  };
  absl::Duration total;
  for (const auto& part : parts) total += part.second;
  std::vector<std::string> words;
  for (const auto& [name, spent_on_it] : parts) {
    const double share = total > absl::ZeroDuration() ? absl::FDivDuration(spent_on_it, total) : 0;
    words.push_back(absl::StrFormat("%s %d %%", name, std::lround(share * 100)));
  }
  return absl::StrJoin(words, "  ");
}

std::string Tables(const v1::ExtractionStatus& status) {
  const std::map<std::string, double> rates = RatesOf(status);
  std::vector<std::vector<std::string>> rows = {
      {"table", "rows", "of about", "rows/s", "requests", ""}};
  for (const v1::TableProgress& table : status.progress().tables()) {
    const auto rate = rates.find(table.table());
    rows.push_back({ForTerminal(table.table()), GroupDigits(table.rows()),
                    table.has_rows_expected() ? GroupDigits(table.rows_expected()) : "",
                    FormatRate(rate == rates.end() ? 0 : rate->second),
                    GroupDigits(table.requests()), table.done() ? "done" : ""});
  }
  return FormatTextTable({Alignment::kLeft, Alignment::kRight, Alignment::kRight, Alignment::kRight,
                          Alignment::kRight, Alignment::kLeft},
                         rows);
}

std::string Running(const v1::ExtractionStatus& status, absl::Time now, int columns, bool color) {
  const v1::Progress& progress = status.progress();
  std::string text = absl::StrCat(
      ForTerminal(status.connection()), "  ", DoingText(progress.waiting_for()), "  ",
      FormatElapsed(now - FromProto(status.started_at())), "  ", GroupDigits(RowsOf(status)),
      " rows  ", FormatRate(TotalRate(status)), " rows/s");
  if (!status.caller().empty()) absl::StrAppend(&text, "  for ", ForTerminal(status.caller()));
  absl::StrAppend(&text, "  id ", ForTerminal(status.id()), "\n");

  const int64_t made = progress.requests().sent() - progress.requests().retries();
  if (progress.has_requests_planned()) {
    const int64_t planned = progress.requests_planned().likely();
    std::string words = absl::StrCat(" ", GroupDigits(made), " of about ", GroupDigits(planned));
    if (progress.has_remaining()) {
      absl::StrAppend(&words, ", about ", FormatElapsed(FromProto(progress.remaining())), " left");
    }
    absl::StrAppend(&text, BarLine("requests  ", made, planned, words, columns, color));
  } else {
    absl::StrAppend(&text, "requests  ", GroupDigits(made), "\n");
  }
  if (progress.has_quota()) {
    const int64_t used = progress.quota().limit() - progress.quota().remaining();
    absl::StrAppend(
        &text, BarLine("quota     ", used, progress.quota().limit(),
                       absl::StrCat(" ", GroupDigits(used), " of ",
                                    GroupDigits(progress.quota().limit()), " used in this window"),
                       columns, color));
  }
  absl::StrAppend(&text, "time      ", TimeLine(progress.time_spent()), "\n");
  std::vector<std::string> rest;
  if (status.has_checkpoint_age()) {
    rest.push_back(absl::StrCat("last checkpoint ",
                                FormatElapsed(FromProto(status.checkpoint_age())), " ago"));
  }
  if (status.buffered_bytes() > 0) {
    rest.push_back(absl::StrCat(FormatBytes(status.buffered_bytes()), " wait for the reader"));
  }
  int64_t notices = 0;
  for (const v1::NoticeCount& notice : status.notices()) notices += notice.count();
  if (notices > 0) rest.push_back(absl::StrCat(GroupDigits(notices), " notices"));
  if (!rest.empty()) absl::StrAppend(&text, "          ", absl::StrJoin(rest, ", "), "\n");
  return absl::StrCat(text, Tables(status));
}

std::string ResultOf(const v1::ExtractionStatus& status) {
  if (!status.reason().empty()) return ForTerminal(status.reason());
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.code()));
}

std::string Ended(const v1::ListExtractionsResponse& response) {
  if (response.ended_size() == 0) return "";
  std::vector<std::vector<std::string>> rows = {{"ended", "connection", "rows", "took", "result"}};
  for (const v1::ExtractionStatus& status : response.ended()) {
    if (rows.size() > kShownEnded) break;
    rows.push_back({UtcTime(status.ended_at(), "%H:%M:%S"), ForTerminal(status.connection()),
                    GroupDigits(RowsOf(status)),
                    FormatElapsed(FromProto(status.ended_at()) - FromProto(status.started_at())),
                    ResultOf(status)});
  }
  return absl::StrCat("\n", FormatTextTable({Alignment::kLeft, Alignment::kLeft, Alignment::kRight,
                                             Alignment::kRight, Alignment::kLeft},
                                            rows));
}

// `line` with at most so many visible characters; colours do not count.
std::string Cut(absl::string_view line, int columns) {
  std::string cut;
  int visible = 0;
  bool in_escape = false;
  for (const char c : line) {
    if (c == '\x1b') in_escape = true;
    const bool begins_character = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (!in_escape && begins_character && ++visible > columns) break;
    cut.push_back(c);
    if (in_escape && c == 'm') in_escape = false;
  }
  return cut;
}

void AppendExtraction(const v1::ExtractionStatus& status, JsonText* json) {
  const v1::Progress& progress = status.progress();
  json->BeginObject();
  json->Key("id").String(status.id());
  json->Key("connection").String(status.connection());
  json->Key("caller").String(status.caller());
  json->Key("started_at").String(UtcTime(status.started_at(), "%Y-%m-%dT%H:%M:%SZ"));
  if (status.has_ended_at()) {
    json->Key("ended_at").String(UtcTime(status.ended_at(), "%Y-%m-%dT%H:%M:%SZ"));
    json->Key("code").String(
        absl::StatusCodeToString(static_cast<absl::StatusCode>(status.code())));
    json->Key("reason").String(status.reason());
  }
  json->Key("elapsed_seconds").Double(Seconds(FromProto(progress.elapsed())));
  json->Key("waiting_for");
  const std::string wait = WaitReasonName(progress.waiting_for());
  if (wait.empty()) {
    json->Null();
  } else {
    json->String(wait);
  }
  json->Key("time_spent_seconds").BeginObject();
  json->Key("quota").Double(Seconds(FromProto(progress.time_spent().quota())));
  json->Key("intercom").Double(Seconds(FromProto(progress.time_spent().intercom())));
  json->Key("consumer").Double(Seconds(FromProto(progress.time_spent().consumer())));
  json->Key("cpu").Double(Seconds(FromProto(progress.time_spent().cpu())));
  json->EndObject();
  json->Key("quota");
  if (progress.has_quota()) {
    json->BeginObject();
    json->Key("limit").Int(progress.quota().limit());
    json->Key("remaining").Int(progress.quota().remaining());
    json->EndObject();
  } else {
    json->Null();
  }
  json->Key("requests").BeginObject();
  json->Key("sent").Int(progress.requests().sent());
  json->Key("retries").Int(progress.requests().retries());
  json->Key("rate_limited").Int(progress.requests().rate_limited());
  json->Key("pending").Int(progress.requests().pending());
  json->Key("planned");
  if (progress.has_requests_planned()) {
    json->Int(progress.requests_planned().likely());
  } else {
    json->Null();
  }
  json->EndObject();
  json->Key("remaining_seconds");
  if (progress.has_remaining()) {
    json->Double(Seconds(FromProto(progress.remaining())));
  } else {
    json->Null();
  }
  json->Key("checkpoint_age_seconds");
  if (status.has_checkpoint_age()) {
    json->Double(Seconds(FromProto(status.checkpoint_age())));
  } else {
    json->Null();
  }
  json->Key("buffered_bytes").Int(status.buffered_bytes());
  json->Key("rows").Int(RowsOf(status));
  json->Key("rows_per_second").Double(std::round(TotalRate(status) * 10) / 10);
  const std::map<std::string, double> rates = RatesOf(status);
  json->Key("tables").BeginArray();
  for (const v1::TableProgress& table : progress.tables()) {
    const auto rate = rates.find(table.table());
    json->BeginObject();
    json->Key("table").String(table.table());
    json->Key("rows").Int(table.rows());
    json->Key("rows_expected");
    if (table.has_rows_expected()) {
      json->Int(table.rows_expected());
    } else {
      json->Null();
    }
    json->Key("rows_per_second")
        .Double(rate == rates.end() ? 0 : std::round(rate->second * 10) / 10);
    json->Key("requests").Int(table.requests());
    json->Key("done").Bool(table.done());
    json->EndObject();
  }
  json->EndArray();
  json->Key("notices").BeginArray();
  for (const v1::NoticeCount& notice : status.notices()) {
    json->BeginObject();
    json->Key("table").String(notice.table());
    json->Key("reason").String(
        Name(v1::NoticeCode_Name(notice.code()), "NOTICE_CODE_", notice.code()));
    json->Key("count").Int(notice.count());
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

}  // namespace

std::string FormatTop(const v1::ListExtractionsResponse& response, const std::string& server,
                      int columns, bool color) {
  std::string text =
      absl::StrCat("server ", server, "  ", UtcTime(response.time(), "%H:%M:%S UTC"), "  ",
                   response.running_size() == 0 ? "nothing runs"
                                                : absl::StrCat(response.running_size(), " running"),
                   "\n");
  for (const v1::ExtractionStatus& status : response.running()) {
    absl::StrAppend(&text, "\n", Running(status, FromProto(response.time()), columns, color));
  }
  absl::StrAppend(&text, Ended(response));
  std::string cut;
  for (const absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    absl::StrAppend(&cut, Cut(line, columns), "\n");
  }
  return cut;
}

std::string TopJson(const v1::ListExtractionsResponse& response) {
  JsonText json;
  json.BeginObject();
  json.Key("time").String(UtcTime(response.time(), "%Y-%m-%dT%H:%M:%SZ"));
  json.Key("running").BeginArray();
  for (const v1::ExtractionStatus& status : response.running()) AppendExtraction(status, &json);
  json.EndArray();
  json.Key("ended").BeginArray();
  for (const v1::ExtractionStatus& status : response.ended()) AppendExtraction(status, &json);
  json.EndArray();
  json.EndObject();
  return json.text();
}

}  // namespace intercom_extractor
