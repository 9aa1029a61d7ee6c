#ifndef TESTS_FAKE_INTERCOM_SCROLL_H_
#define TESTS_FAKE_INTERCOM_SCROLL_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "tests/fake_intercom/clock.h"

namespace intercom_extractor::fake {

// The company scroll's state: one open scroll per workspace, which expires when it
// is not used, and is over once it gave an empty page. Thread-safe.
class Scroll {
 public:
  static constexpr size_t kPageSize = 100;

  struct Options {
    absl::Duration time_to_live = absl::Seconds(60);
    // Whether each page names a new scroll_param and the one before is spent.
    bool param_changes = false;
  };

  // What to answer.
  struct Step {
    enum class Kind { kPage, kExists, kNotFound } kind = Kind::kPage;
    size_t offset = 0;
    std::string param;
  };

  Scroll(const Options& options, Clock clock) : options_(options), clock_(std::move(clock)) {}

  // The next page of the scroll `param` (empty: of a new one) over `total` records.
  Step Next(std::string_view param, size_t total);
  // Closes the scroll as an internal error of Intercom's does.
  void Break();
  // Somebody else's scroll is open for that long.
  void SetBusy(absl::Duration duration);

  struct State {
    bool open = false;
    bool busy = false;
    size_t offset = 0;
    std::string param;
    int opened = 0;
    int expired = 0;
    int refused = 0;
  };
  State state() const;
  // Tells apart the requests of one scroll, which all have the same URL.
  std::string Position() const;
  // Where the next page of the open scroll, or the first of a new one, begins.
  std::string Offset(bool new_scroll) const;

 private:
  // Forgets a scroll that was not used in time. Needs mu_.
  void Expire();
  std::string NewParam();

  const Options options_;
  const Clock clock_;

  mutable std::mutex mu_;
  // Guarded by mu_.
  std::optional<std::string> param_;
  size_t offset_ = 0;
  absl::Time last_used_ = absl::InfinitePast();
  absl::Time busy_until_ = absl::InfinitePast();
  int opened_ = 0;
  int expired_ = 0;
  int refused_ = 0;
  uint64_t params_made_ = 0;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_SCROLL_H_
