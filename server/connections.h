#ifndef SERVER_CONNECTIONS_H_
#define SERVER_CONNECTIONS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"
#include "server/reaper.h"

namespace intercom_extractor {

// The Intercom workspaces that callers may name at a time, by name: one client each, as
// all calls share the token's quota. Who uses a client keeps its pointer.
using ConnectionSet = std::map<std::string, std::shared_ptr<IntercomClient>>;

// The client of a connection. kNotFound (CONNECTION_UNKNOWN) names those that exist.
absl::StatusOr<std::shared_ptr<IntercomClient>> FindConnection(const ConnectionSet& set,
                                                               const std::string& name);

// Makes the clients of connections, with one HTTP client for all. A client that nobody
// keeps any more ends on a thread of its own, so that its pointer may be let go on any
// thread.
//
// Thread-safe. The destructor ends with kCancelled what clients have pending, whoever
// still keeps them; none may be used after it.
class ConnectionPool {
 public:
  // `clock` must outlive the pool.
  ConnectionPool(const HttpClient::Options& http, const Clock* clock);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // Clients for `connections`: that of `current` for each that has not changed, so that
  // what it has learned of the quota stays. kInvalidArgument for an unusable connection,
  // two of one name, or none at all.
  absl::StatusOr<ConnectionSet> Open(const std::vector<Connection>& connections,
                                     const ConnectionSet& current) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Retire(IntercomClient* client) ABSL_LOCKS_EXCLUDED(mu_);

  const Clock* const clock_;
  HttpClient http_;
  // After `http_`, which must outlive the clients.
  Reaper reaper_;
  Mutex mu_;
  std::map<IntercomClient*, std::unique_ptr<IntercomClient>> clients_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // SERVER_CONNECTIONS_H_
