#include "extractor/intercom/scroll_turn.h"

#include <algorithm>
#include <utility>

namespace intercom_extractor {

bool ScrollTurn::Enter(uint64_t who, absl::AnyInvocable<void() &&> granted) {
  MutexLock lock(&mu_);
  line_.push_back({who, std::move(granted)});
  return line_.size() == 1;
}

void ScrollTurn::Leave(uint64_t who) {
  absl::AnyInvocable<void() &&> granted;
  {
    MutexLock lock(&mu_);
    const auto place = std::find_if(line_.begin(), line_.end(),
                                    [who](const Place& place) { return place.who == who; });
    if (place == line_.end()) return;
    const bool had_turn = place == line_.begin();
    line_.erase(place);
    if (had_turn && !line_.empty()) granted = std::move(line_.front().granted);
  }
  // Without the lock: it may come back to us.
  if (granted) std::move(granted)();
}

}  // namespace intercom_extractor
