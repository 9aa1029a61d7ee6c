#ifndef SERVER_WATCH_H_
#define SERVER_WATCH_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"
#include "server/call_counts.h"
#include "server/gate.h"
#include "server/running_extractions.h"
#include "server/server_config.h"
#include "server/status_history.h"
#include "server/watch_http.h"

namespace intercom_extractor {

// What a server knows of itself, and its port for those who watch, where it has one.
//
// Thread-safe, but for Serve().
class Watch {
 public:
  // Both must outlive this.
  Watch(const Gate* gate, const Clock* clock);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Where calls report to.
  RunningExtractions* extractions() { return &extractions_; }
  CallCounts* calls() { return &calls_; }

  // Whether /readyz says that the server takes calls; at first it does not.
  void SetReady(bool ready) { ready_ = ready; }

  // Binds `config.metrics_listen`; does nothing where that is empty. Once. Errors as of
  // WatchHttp::Start, and kInvalidArgument for an address that other machines can reach
  // and the configuration does not allow.
  absl::Status Serve(const ServerConfig& config);

  // The port that was bound; 0 without one.
  int port() const { return http_ == nullptr ? 0 : http_->port(); }

 private:
  void KeepHistory() ABSL_LOCKS_EXCLUDED(mu_);
  void LookAtQuotas();
  void TakeSample();

  const Gate* const gate_;
  const Clock* const clock_;
  const absl::Time started_at_;
  // Read by the HTTP threads without anything else.
  std::atomic<bool> ready_{false};
  RunningExtractions extractions_;
  CallCounts calls_;
  StatusHistory history_;
  // By connection. Only the historian's.
  std::map<std::string, QuotaUse> quota_uses_;

  Mutex mu_;
  CondVar changed_;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  std::thread historian_;
  // Last: its threads use all above.
  std::unique_ptr<WatchHttp> http_;
};

}  // namespace intercom_extractor

#endif  // SERVER_WATCH_H_
