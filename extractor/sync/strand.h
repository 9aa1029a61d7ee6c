#ifndef EXTRACTOR_SYNC_STRAND_H_
#define EXTRACTOR_SYNC_STRAND_H_

#include <deque>
#include <map>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Runs work one piece after the other on a thread of its own: what lives on a
// strand needs no locks. Thread-safe.
class Strand {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  // `clock` must outlive the strand.
  explicit Strand(const Clock* clock) : clock_(clock) {}
  // Stops and joins.
  ~Strand();
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  void Start();

  // Runs `work` soon, or no earlier than after `delay`. Dropped once stopped.
  void Post(Work work) ABSL_LOCKS_EXCLUDED(mu_);
  void PostAfter(absl::Duration delay, Work work) ABSL_LOCKS_EXCLUDED(mu_);

  // Drops what waits; nothing more begins. Returns at once.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // How long it has been at work, up to now.
  absl::Duration BusyFor() const ABSL_LOCKS_EXCLUDED(mu_);

  // Waits for the thread, after Stop(); not to be called on the strand itself.
  void Join();

 private:
  void Run();
  // The next piece of work; nothing once stopped.
  Work Next() ABSL_LOCKS_EXCLUDED(mu_);

  const Clock* const clock_;
  std::thread thread_;

  mutable Mutex mu_;
  CondVar wake_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  absl::Duration busy_ ABSL_GUARDED_BY(mu_);
  // When the present work began; in the future while there is none.
  absl::Time working_since_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  std::deque<Work> ready_ ABSL_GUARDED_BY(mu_);
  std::multimap<absl::Time, Work> later_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_SYNC_STRAND_H_
