#include "extractor/quota/page_size.h"

#include <algorithm>

namespace intercom_extractor {

int PageSize::Next(absl::Time now) {
  if (present_ == options_.max || good_pages_ < options_.pages || now - settled_at_ < wait_) {
    return present_;
  }
  // The last growth has lasted.
  if (grown_) wait_ = options_.first_wait;
  grown_ = false;
  tried_ = std::min(options_.max, std::max(present_ + 1, present_ * 3 / 2));
  // What it asks for may be cancelled, and then nobody says how it went.
  Settle(now);
  return tried_;
}

void PageSize::OnSuccess(int asked, absl::Time now) {
  if (asked == tried_) {
    present_ = tried_;
    tried_ = 0;
    grown_ = true;
    Settle(now);
  } else if (asked >= present_) {
    ++good_pages_;
  }
}

void PageSize::OnTrouble(int asked, absl::Time now) {
  if (asked == tried_) {
    tried_ = 0;
    WaitLonger();
    Settle(now);
    return;
  }
  // Asked for before others of its size failed: known already.
  if (asked > present_) return;
  present_ = std::max(options_.min, asked / 2);
  tried_ = 0;
  if (grown_) WaitLonger();
  grown_ = false;
  Settle(now);
}

void PageSize::Settle(absl::Time now) {
  good_pages_ = 0;
  settled_at_ = now;
}

void PageSize::WaitLonger() { wait_ = std::min(2 * wait_, options_.longest_wait); }

}  // namespace intercom_extractor
