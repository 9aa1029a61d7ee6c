#ifndef SERVER_CALL_COUNTS_H_
#define SERVER_CALL_COUNTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "extractor/sync/mutex.h"
#include "grpcpp/support/server_interceptor.h"
#include "grpcpp/support/status.h"

namespace intercom_extractor {

// Counts a server's gRPC calls by method and code, those of health and reflection too.
//
// Thread-safe.
class CallCounts {
 public:
  struct Method {
    int64_t running = 0;
    // A call whose end the server had no word in, as its client went first, is CANCELLED.
    std::map<grpc::StatusCode, int64_t> ended;
  };

  // By "package.Service/Method", of those that the server has: a caller cannot make up
  // more. Calls of others are not seen.
  std::map<std::string, Method> Get() const ABSL_LOCKS_EXCLUDED(mu_);

  // For a server's builder. Must not outlive this.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeInterceptors();

 private:
  class Call;
  class Calls;

  void Begin(const std::string& method) ABSL_LOCKS_EXCLUDED(mu_);
  void End(const std::string& method, grpc::StatusCode code) ABSL_LOCKS_EXCLUDED(mu_);

  mutable Mutex mu_;
  std::map<std::string, Method> methods_ ABSL_GUARDED_BY(mu_);
};

// "NOT_FOUND".
std::string CodeName(grpc::StatusCode code);

}  // namespace intercom_extractor

#endif  // SERVER_CALL_COUNTS_H_
