#ifndef EXTRACTOR_INTERCOM_SCROLL_TURN_H_
#define EXTRACTOR_INTERCOM_SCROLL_TURN_H_

#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Whose turn it is to scroll a workspace's companies: Intercom opens one scroll
// at a time, and a second would only be refused. First come, first served.
// Thread-safe.
class ScrollTurn {
 public:
  // Stands in line as `who`, which must not stand there yet. True: it is their
  // turn at once. Else `granted` is called once it is, unless they leave before;
  // on the thread of whoever leaves, where it must not block.
  bool Enter(uint64_t who, absl::AnyInvocable<void() &&> granted) ABSL_LOCKS_EXCLUDED(mu_);

  // Gives up the turn, or the place in line; nothing when there is neither.
  void Leave(uint64_t who) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Place {
    uint64_t who;
    absl::AnyInvocable<void() &&> granted;
  };

  Mutex mu_;
  // The first has the turn.
  std::deque<Place> line_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_SCROLL_TURN_H_
