#ifndef SERVER_EXTRACTOR_SERVER_H_
#define SERVER_EXTRACTOR_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "server/server_config.h"

namespace intercom_extractor {

// The gRPC server: `ExtractorService`, health and reflection over the configured
// connections. Thread-safe.
class ExtractorServer {
 public:
  // Binds `config.listen` and serves. An empty `listen` serves in-process
  // channels only. Errors: kInvalidArgument for a configuration that cannot work
  // (what, where, what to do), kUnavailable when the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<ExtractorServer>> Start(const ServerConfig& config);

  // Whether Start() would take the configuration, as far as can be known without binding
  // the address; errors as Start().
  static absl::Status Check(const ServerConfig& config);

  virtual ~ExtractorServer() = default;

  // The port that was bound; 0 without `listen`.
  virtual int port() const = 0;

  // The port for those who watch; 0 without `metrics_listen`.
  virtual int metrics_port() const = 0;

  // A channel into this process without a socket, for the embedded mode.
  virtual std::shared_ptr<grpc::Channel> InProcessChannel() = 0;

  // Replaces connections, callers and `max_streams` for calls to come, and looks at the
  // certificates' files. Calls that run are not touched: they keep their connection as it
  // was; one that has not changed keeps what it knows of its quota. Gives the settings that
  // differ from those it was started with and need a restart. An error (kInvalidArgument)
  // leaves everything as it is.
  virtual absl::StatusOr<std::vector<std::string>> Reload(const ServerConfig& config) = 0;

  // Stops accepting calls (/readyz says so first, then health NOT_SERVING), lets running
  // ones go on for `grace`, then cancels them. Returns when all have ended. Idempotent.
  virtual void Shutdown(absl::Duration grace) = 0;
};

}  // namespace intercom_extractor

#endif  // SERVER_EXTRACTOR_SERVER_H_
