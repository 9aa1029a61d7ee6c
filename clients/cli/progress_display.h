#ifndef CLIENTS_CLI_PROGRESS_DISPLAY_H_
#define CLIENTS_CLI_PROGRESS_DISPLAY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/console.h"
#include "clients/cli/progress_tracker.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Tells people, or programs, on standard error how an extraction goes: a bar that
// is redrawn in place, or one JSON line every 10 seconds and one at the end; and
// notices, one line each.
//
// Thread-safe: events come from the thread that reads the stream, Tick() from a
// timer, so that time goes on while nothing arrives.
class ProgressDisplay {
 public:
  enum class Mode {
    kBar,        // For a person at a terminal.
    kLines,      // Progress as JSON lines, notices as text: for log files.
    kJsonLines,  // All as JSON lines: for programs.
    kQuiet,
  };

  // What --quiet and --json, and where standard error goes, make of it.
  static Mode ModeFor(bool quiet, bool json, const Console& console);

  // How often to call Tick(): smooth to the eye, nothing to the processor.
  static constexpr std::chrono::milliseconds kTickInterval{125};

  // `console` must outlive the display. `now` tells the time; thread-safe.
  ProgressDisplay(Mode mode, const Console* console, const std::vector<std::string>& tables,
                  std::function<absl::Time()> now);

  void OnRows(const std::string& table, int64_t rows);
  void OnProgress(const v1::Progress& progress);
  void OnRestart(const v1::TableRestarted& restarted);
  void OnNotice(const v1::Notice& notice);

  // The table has so many rows, as an earlier stream gave them.
  void SetRows(const std::string& table, int64_t rows);

  // Redraws the bar, or writes a line where one is due.
  void Tick();

  // Writes one line for people, above the bar. Not in kJsonLines and kQuiet.
  void Say(absl::string_view line);

  // The same, but in kJsonLines an object with the event "note".
  void Note(absl::string_view text);

  // Removes the bar, or writes the last progress line, and says how many notices
  // were not shown. Nothing comes out afterwards; idempotent.
  void End();

  // Whether any notice was a warning or an error.
  bool saw_warning() const;

 private:
  // The functions below want `mutex_` held.
  void SayLocked(absl::string_view line);
  void Draw();
  void EraseBar();
  void WriteProgressLine();

  const Mode mode_;
  const Console* const console_;
  const std::function<absl::Time()> now_;

  mutable std::mutex mutex_;  // Guards all below.
  ProgressTracker tracker_;
  absl::Time next_line_;
  bool bar_drawn_ = false;
  bool ended_ = false;
  bool saw_warning_ = false;
  std::map<v1::NoticeCode, int64_t> notices_;  // Shown or not.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_PROGRESS_DISPLAY_H_
