#include "extractor/quota/pacer.h"

#include <algorithm>

namespace intercom_extractor {
namespace {

// Of a window, sent at once when it begins.
constexpr double kBurst = 0.05;
// Of a window's length, kept free at its end for what came late.
constexpr double kTail = 0.05;
// What others do is not judged by less than this part of a window.
constexpr double kShortestView = 0.1;
// How much unused time may be made up for at once.
constexpr absl::Duration kCatchUp = absl::Milliseconds(50);
// What others leave is looked at anew after this part of a window.
constexpr double kNextLook = 0.01;

}  // namespace

absl::Duration Pacer::Wait(const QuotaGovernor::Window& window, absl::Time now) {
  const absl::Duration length = window.end - window.begin;
  const absl::Duration rest = window.end - now;
  if (length <= absl::ZeroDuration() || rest <= absl::ZeroDuration()) return absl::ZeroDuration();

  // Others go on as they have begun.
  const absl::Duration seen = std::max(now - window.begin, kShortestView * length);
  const double others = static_cast<double>(window.used_by_others) * absl::FDivDuration(rest, seen);
  const double to_spend = static_cast<double>(window.left) - others;
  // The clocks' agreement gets better with each answer: the same window moves a bit.
  if (window.end - window_end_ > length / 2 || window_end_ - window.end > length / 2) {
    credit_ = std::max(1.0, kBurst * to_spend * absl::FDivDuration(rest, length));
    updated_at_ = now;
  }
  window_end_ = window.end;

  const double spread_over =
      absl::ToDoubleSeconds(std::max(rest - kTail * length, absl::Milliseconds(1)));
  const double rate = std::max(0.0, to_spend) / spread_over;
  // What there was at once may be used until it is gone, what time has added may not pile up.
  const double added = rate * absl::ToDoubleSeconds(now - updated_at_);
  const double ceiling = std::max(1.0, rate * absl::ToDoubleSeconds(kCatchUp));
  credit_ = std::max(std::min(credit_ + added, ceiling), credit_);
  updated_at_ = now;

  if (credit_ >= 1 && to_spend >= 1) return absl::ZeroDuration();
  const absl::Duration next_look = kNextLook * length;
  if (to_spend < 1) return std::min(rest, next_look);
  return std::min({rest, next_look, absl::Seconds((1 - credit_) / rate)});
}

}  // namespace intercom_extractor
