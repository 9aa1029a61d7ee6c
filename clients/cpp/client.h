#ifndef CLIENTS_CPP_CLIENT_H_
#define CLIENTS_CPP_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/channel.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How long a call may take.
struct CallOptions {
  absl::Time deadline = absl::InfiniteFuture();
  // Ends the call from any thread; may be null, and must outlive the call.
  Cancellation* cancellation = nullptr;
};

// Calls one extractor server. Copies share its connection, which is made when it is first
// used. Thread-safe. Errors are what the server said, with the details that errors.h
// finds; kCancelled and kDeadlineExceeded as the options say. `Extraction` reads rows.
class Client {
 public:
  // kInvalidArgument: a file cannot be read, the target has no port, or the token cannot
  // be sent. Whether the server is there, the first call says.
  static absl::StatusOr<Client> Connect(const ConnectOptions& options);

  // Over a channel that is there, as to a server in this process; made with
  // ClientChannelArguments(). `caller_token` is one that CheckCallerToken() accepts, or
  // empty.
  Client(std::shared_ptr<grpc::ChannelInterface> channel, const std::string& caller_token);

  // The tables with their columns; those of all templates where the request names none.
  absl::StatusOr<v1::ListTablesResponse> ListTables(const v1::ListTablesRequest& request = {},
                                                    const CallOptions& options = {}) const;

  // Whether the connection's access token works, and which tables it may read.
  absl::StatusOr<v1::CheckConnectionResponse> CheckConnection(
      const v1::CheckConnectionRequest& request, const CallOptions& options = {}) const;

  // With how many requests these tables would be read, and how long that takes.
  absl::StatusOr<v1::PlanExtractionResponse> PlanExtraction(
      const v1::PlanExtractionRequest& request, const CallOptions& options = {}) const;

  // What extractions run in the server, and how the last ones ended.
  absl::StatusOr<v1::ListExtractionsResponse> ListExtractions(
      const v1::ListExtractionsRequest& request = {}, const CallOptions& options = {}) const;

  // For calls that are made otherwise: puts the caller token into `context`.
  void Prepare(grpc::ClientContext* context) const;
  const std::shared_ptr<grpc::ChannelInterface>& channel() const { return channel_; }

 private:
  std::shared_ptr<grpc::ChannelInterface> channel_;
  std::shared_ptr<v1::ExtractorService::StubInterface> stub_;
  std::string authorization_;  // Secret: goes into metadata and nowhere else.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_CLIENT_H_
