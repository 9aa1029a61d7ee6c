#ifndef EXTRACTOR_PIPELINE_WINDOW_AXIS_H_
#define EXTRACTOR_PIPELINE_WINDOW_AXIS_H_

#include <cstdint>
#include <optional>

#include "extractor/pipeline/contact_search.h"
#include "extractor/pipeline/day_calendar.h"

namespace intercom_extractor {

// Which records a window asks for. Times are Unix seconds, ranges half-open.
struct WindowFilter {
  // Absent: from the beginning.
  std::optional<int64_t> created_from;
  int64_t created_before = 0;
  ContactFilter::Role role = ContactFilter::Role::kAny;
  // Absent: open on that side.
  std::optional<int64_t> updated_from;
  std::optional<int64_t> updated_before;
};

// Where a search over `created_at` may be cut. Immutable.
class WindowAxis {
 public:
  virtual ~WindowAxis() = default;

  // The first second from `second` on at which windows may begin and end.
  virtual int64_t NextCut(int64_t second) const = 0;
  // The last one up to `second`.
  virtual int64_t LastCut(int64_t second) const = 0;
  // Whether a window's search gives no other window's records, so that its total
  // can be held against what it gave.
  virtual bool exact() const = 0;
  // Records may be this many seconds outside of what was asked for; beyond, the
  // search ignores its filter.
  virtual int64_t tolerance() const = 0;
  // Whether records between two cuts can be told apart further, by role and
  // `updated_at`.
  virtual bool has_roles() const = 0;
};

// Contacts: midnights of the workspace, where comparing whole days and comparing
// seconds select the same.
class DayAxis : public WindowAxis {
 public:
  explicit DayAxis(DayCalendar calendar) : calendar_(calendar) {}

  int64_t NextCut(int64_t second) const override;
  int64_t LastCut(int64_t second) const override;
  // Of an unknown calendar windows overlap by a day.
  bool exact() const override { return calendar_.known(); }
  int64_t tolerance() const override;
  bool has_roles() const override { return true; }

  // The same window in days.
  ContactFilter InDays(const WindowFilter& filter) const;
  const DayCalendar& calendar() const { return calendar_; }

 private:
  const DayCalendar calendar_;
};

// Conversations: every second.
class SecondAxis : public WindowAxis {
 public:
  int64_t NextCut(int64_t second) const override { return second; }
  int64_t LastCut(int64_t second) const override { return second; }
  bool exact() const override { return true; }
  // Intercom's documents call ">" "greater (or equal)".
  int64_t tolerance() const override { return 1; }
  bool has_roles() const override { return false; }
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_WINDOW_AXIS_H_
