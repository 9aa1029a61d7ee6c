#include "clients/cli/progress_display.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "clients/cli/json_text.h"
#include "clients/cli/progress_text.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

constexpr absl::Duration kLineInterval = absl::Seconds(10);

// A broken value in each of a million rows must not hide everything else.
constexpr int64_t kShownPerCode = 5;

// "RECORD_GONE". Codes of a newer server come as numbers.
std::string CodeName(v1::NoticeCode code) {
  const std::string& name = v1::NoticeCode_Name(code);
  return name.empty() ? absl::StrCat("code ", code)
                      : std::string(absl::StripPrefix(name, "NOTICE_CODE_"));
}

absl::string_view SeverityName(v1::Severity severity) {
  switch (severity) {
    case v1::SEVERITY_WARNING:
      return "warning";
    case v1::SEVERITY_ERROR:
      return "error";
    default:
      return "note";
  }
}

std::string NoticeLine(const v1::Notice& notice) {
  std::string line = absl::StrCat(SeverityName(notice.severity()), ": ");
  // Some messages name the table already; a URL in one that is about a record may do so by chance.
  const bool named =
      notice.record_id().empty() && notice.message().find(notice.table()) != std::string::npos;
  if (!notice.table().empty() && !named) {
    absl::StrAppend(&line, notice.table());
    if (!notice.record_id().empty()) absl::StrAppend(&line, " ", notice.record_id());
    absl::StrAppend(&line, ": ");
  }
  absl::StrAppend(&line, notice.message().empty() ? CodeName(notice.code()) : notice.message());
  if (!notice.request_id().empty() &&
      notice.message().find(notice.request_id()) == std::string::npos) {
    absl::StrAppend(&line, " (request_id=", notice.request_id(), ")");
  }
  return line;
}

std::string NoticeJson(const v1::Notice& notice) {
  JsonText json;
  json.BeginObject();
  json.Key("event").String("notice");
  json.Key("code").String(CodeName(notice.code()));
  json.Key("severity").String(SeverityName(notice.severity()));
  json.Key("table").String(notice.table());
  json.Key("record_id").String(notice.record_id());
  json.Key("message").String(notice.message());
  json.Key("request_id").String(notice.request_id());
  json.EndObject();
  return json.text();
}

}  // namespace

ProgressDisplay::Mode ProgressDisplay::ModeFor(bool quiet, bool json, const Console& console) {
  if (quiet) return Mode::kQuiet;
  if (json) return Mode::kJsonLines;
  return console.err_is_terminal ? Mode::kBar : Mode::kLines;
}

ProgressDisplay::ProgressDisplay(Mode mode, const Console* console,
                                 const std::vector<std::string>& tables,
                                 std::function<absl::Time()> now)
    : mode_(mode),
      console_(console),
      now_(std::move(now)),
      tracker_(tables, now_()),
      next_line_(now_() + kLineInterval) {}

void ProgressDisplay::OnRows(const std::string& table, int64_t rows) {
  std::lock_guard<std::mutex> lock(mutex_);
  tracker_.OnRows(table, rows, now_());
}

void ProgressDisplay::OnProgress(const v1::Progress& progress) {
  std::lock_guard<std::mutex> lock(mutex_);
  tracker_.OnProgress(progress);
}

void ProgressDisplay::OnRestart(const v1::TableRestarted& restarted) {
  std::lock_guard<std::mutex> lock(mutex_);
  tracker_.OnRestart(restarted.table());
  if (mode_ == Mode::kJsonLines) {
    JsonText json;
    json.BeginObject();
    json.Key("event").String("table_restarted");
    json.Key("table").String(restarted.table());
    json.Key("reason").String(restarted.reason());
    json.EndObject();
    console_->err(absl::StrCat(json.text(), "\n"));
    return;
  }
  SayLocked(absl::StrCat("note: ", restarted.table(), " begins anew: ", restarted.reason()));
}

void ProgressDisplay::OnNotice(const v1::Notice& notice) {
  std::lock_guard<std::mutex> lock(mutex_);
  saw_warning_ = saw_warning_ || notice.severity() >= v1::SEVERITY_WARNING;
  const int64_t count = ++notices_[notice.code()];
  if (mode_ == Mode::kJsonLines) {
    // A program can count, and may want them all; the server sends 100 of a code.
    console_->err(absl::StrCat(NoticeJson(notice), "\n"));
    return;
  }
  if (count <= kShownPerCode) SayLocked(NoticeLine(notice));
}

void ProgressDisplay::SetRows(const std::string& table, int64_t rows) {
  std::lock_guard<std::mutex> lock(mutex_);
  tracker_.SetRows(table, rows);
}

void ProgressDisplay::Tick() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (ended_) return;
  switch (mode_) {
    case Mode::kBar:
      Draw();
      return;
    case Mode::kLines:
    case Mode::kJsonLines:
      if (now_() < next_line_) return;
      next_line_ = now_() + kLineInterval;
      WriteProgressLine();
      return;
    case Mode::kQuiet:
      return;
  }
}

void ProgressDisplay::Say(absl::string_view line) {
  std::lock_guard<std::mutex> lock(mutex_);
  SayLocked(line);
}

void ProgressDisplay::Note(absl::string_view text) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (mode_ != Mode::kJsonLines) {
    SayLocked(absl::StrCat("note: ", text));
    return;
  }
  JsonText json;
  json.BeginObject();
  json.Key("event").String("note");
  json.Key("message").String(text);
  json.EndObject();
  console_->err(absl::StrCat(json.text(), "\n"));
}

void ProgressDisplay::SayLocked(absl::string_view line) {
  if (mode_ == Mode::kQuiet || mode_ == Mode::kJsonLines || ended_) return;
  EraseBar();
  console_->err(absl::StrCat(ForTerminal(line), "\n"));
}

void ProgressDisplay::End() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (ended_) return;
  EraseBar();
  for (const auto& [code, count] : notices_) {
    if (count <= kShownPerCode) continue;
    SayLocked(
        absl::StrCat("... and ", GroupDigits(count - kShownPerCode), " more of ", CodeName(code)));
  }
  if (mode_ == Mode::kLines || mode_ == Mode::kJsonLines) WriteProgressLine();
  ended_ = true;
}

bool ProgressDisplay::saw_warning() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return saw_warning_;
}

void ProgressDisplay::Draw() {
  // A full last column makes some terminals wrap.
  const int columns = std::max(console_->columns() - 1, 1);
  const std::string bar = FormatProgressBar(tracker_.Snapshot(now_()), columns, console_->color);
  // In one write: begin of the line, the bar, and what an older one left behind.
  console_->err(absl::StrCat("\r", bar, "\x1b[K"));
  bar_drawn_ = true;
}

void ProgressDisplay::EraseBar() {
  if (!bar_drawn_) return;
  console_->err("\r\x1b[K");
  bar_drawn_ = false;
}

void ProgressDisplay::WriteProgressLine() {
  console_->err(
      absl::StrCat(FormatProgressJson(tracker_.Snapshot(now_()), mode_ == Mode::kJsonLines), "\n"));
}

}  // namespace intercom_extractor
