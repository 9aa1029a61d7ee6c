#ifndef SERVER_CONNECTIONS_H_
#define SERVER_CONNECTIONS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/clock.h"

namespace intercom_extractor {

// The Intercom workspaces that callers may name: one client each for the life of
// the process, as all calls share the token's quota, and one HTTP client for all.
//
// Immutable, thus thread-safe.
class Connections {
 public:
  // `clock` must outlive the connections. kInvalidArgument for an unusable
  // connection, two of one name, or none at all.
  static absl::StatusOr<std::unique_ptr<Connections>> Create(
      const std::vector<Connection>& connections, const HttpClient::Options& http,
      const Clock* clock);

  // The client of a connection; an empty name means "default". Lives as long as
  // this. kNotFound (CONNECTION_UNKNOWN) names those that exist.
  absl::StatusOr<IntercomClient*> Find(const std::string& name) const;

 private:
  explicit Connections(const HttpClient::Options& http) : http_(http) {}

  HttpClient http_;
  // After `http_`, which must outlive them.
  std::map<std::string, std::unique_ptr<IntercomClient>> clients_;
};

}  // namespace intercom_extractor

#endif  // SERVER_CONNECTIONS_H_
