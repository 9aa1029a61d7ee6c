#ifndef CLIENTS_FLEET_LEASE_H_
#define CLIENTS_FLEET_LEASE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"

namespace intercom_extractor {

// How long this process may think that its partitions are its own: for a term after the
// last sign of life of the thread that is a member of the group. A process that was frozen
// finds it ended when it wakes, before anything else can tell it.
//
// Thread-safe.
class Lease {
 public:
  // `now` tells a time that runs on while the process and the machine do not, and that
  // nobody sets.
  Lease(std::function<absl::Time()> now, absl::Duration term) : now_(std::move(now)), term_(term) {}

  // Begins a term.
  void Begin() { Extend(now_()); }
  // Extends a term that has not ended. False: it has, and only Begin() helps, once what was
  // held is held again.
  bool Renew() {
    const absl::Time now = now_();
    if (absl::ToUnixMicros(now) >= until_) return false;
    Extend(now);
    return true;
  }
  void End() { until_ = 0; }
  bool alive() const { return absl::ToUnixMicros(now_()) < until_; }

 private:
  void Extend(absl::Time now) { until_ = absl::ToUnixMicros(now + term_); }

  const std::function<absl::Time()> now_;
  const absl::Duration term_;
  std::atomic<int64_t> until_{0};
};

// The right to one workspace: given by who has its partition, and worth as much as the
// lease. Thread-safe.
class WorkspaceRight {
 public:
  explicit WorkspaceRight(std::shared_ptr<const Lease> lease) : lease_(std::move(lease)) {}

  void Give() { given_ = true; }
  void Take() { given_ = false; }
  bool holds() const { return given_ && lease_->alive(); }

 private:
  const std::shared_ptr<const Lease> lease_;
  std::atomic<bool> given_{false};
};

}  // namespace intercom_extractor

#endif  // CLIENTS_FLEET_LEASE_H_
