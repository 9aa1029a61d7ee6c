#ifndef SERVER_GATE_H_
#define SERVER_GATE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/caller_limits.h"
#include "server/caller_registry.h"
#include "server/connections.h"

namespace intercom_extractor {

// What can be replaced while the server runs.
struct AccessConfig {
  // Empty: everybody who can connect may use all connections.
  std::vector<CallerConfig> callers;
  std::vector<Connection> connections;
  // Extractions that run at once, for all callers together; 0: any number.
  int max_streams = 0;
};

// One call that was let in: what it may do. It sees callers and connections as they
// were when it came, also when they are replaced meanwhile.
class Visit {
 public:
  // Empty where no callers are configured.
  const std::string& caller() const { return caller_->name(); }

  // The client of a connection, to be kept as long as it is used; an empty name means
  // "default". kPermissionDenied (CONNECTION_FORBIDDEN), kNotFound (CONNECTION_UNKNOWN).
  absl::StatusOr<std::shared_ptr<IntercomClient>> Connect(const std::string& connection) const;

  bool MayUse(absl::string_view connection) const { return caller_->MayUse(connection).ok(); }

  // kPermissionDenied (TABLE_FORBIDDEN) when a request names a table that the caller
  // may not read, itself or through its template. What the catalog does not know is for
  // others to refuse.
  absl::Status MayReadAll(v1::Template wanted, const std::vector<std::string>& tables) const;
  bool MayRead(absl::string_view table) const { return caller_->MayRead(table); }

  // To be kept while an extraction runs. kResourceExhausted (CALLER_LIMIT).
  absl::StatusOr<std::unique_ptr<StreamPass>> BeginStream() const;

 private:
  friend class Gate;
  struct Snapshot {
    CallerRegistry callers;
    ConnectionSet connections;
  };

  Visit(std::shared_ptr<const Caller> caller, std::shared_ptr<const Snapshot> snapshot,
        std::shared_ptr<CallerLimits> server)
      : caller_(std::move(caller)), snapshot_(std::move(snapshot)), server_(std::move(server)) {}

  std::shared_ptr<const Caller> caller_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<CallerLimits> server_;
};

// Lets calls in. Thread-safe. Clients that it gave must not be used after its end.
class Gate {
 public:
  // `clock` must outlive the gate. kInvalidArgument as ConnectionPool::Open().
  static absl::StatusOr<std::unique_ptr<Gate>> Create(const AccessConfig& config,
                                                      const HttpClient::Options& http,
                                                      const Clock* clock);

  // Replaces callers and connections for calls to come; those that run keep theirs. An
  // error (as Create()) leaves everything as it is.
  absl::Status Reload(const AccessConfig& config) ABSL_LOCKS_EXCLUDED(mu_);

  // Lets a call in, or not: kUnauthenticated (CALLER_UNKNOWN), kResourceExhausted
  // (CALLER_LIMIT).
  absl::StatusOr<Visit> Enter(const CallIdentity& identity) const ABSL_LOCKS_EXCLUDED(mu_);

  // Those that calls to come may use.
  ConnectionSet connections() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Snapshot = Visit::Snapshot;

  Gate(const HttpClient::Options& http, const Clock* clock);

  const Clock* const clock_;
  // Before those that give its clients back.
  ConnectionPool pool_;
  const std::shared_ptr<CallerLimits> server_;
  // One reload at a time.
  Mutex reload_mu_;
  mutable Mutex mu_;
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // SERVER_GATE_H_
