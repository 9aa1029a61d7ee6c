#ifndef CLIENTS_CLI_EXTRACTOR_API_H_
#define CLIENTS_CLI_EXTRACTOR_API_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/interrupt.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// The service over one channel, with what each call needs besides its request:
// the caller's token, a deadline, and the user's wish to stop. Thread-safe, but
// one call at a time can be interrupted.
class ExtractorApi {
 public:
  // `caller_token` may be empty. `interrupt` must outlive the object.
  ExtractorApi(const std::shared_ptr<grpc::ChannelInterface>& channel, std::string caller_token,
               Interrupt* interrupt);

  grpc::Status ListTables(const v1::ListTablesRequest& request, v1::ListTablesResponse* response);
  grpc::Status CheckConnection(const v1::CheckConnectionRequest& request,
                               v1::CheckConnectionResponse* response);
  grpc::Status PlanExtraction(const v1::PlanExtractionRequest& request,
                              v1::PlanExtractionResponse* response);

  // Puts into `context` what each call needs, except a deadline.
  void Prepare(grpc::ClientContext* context) const;

  const std::shared_ptr<grpc::ChannelInterface>& channel() const { return channel_; }
  Interrupt* interrupt() { return interrupt_; }

 private:
  const std::shared_ptr<grpc::ChannelInterface> channel_;
  const std::unique_ptr<v1::ExtractorService::StubInterface> stub_;
  const std::string caller_token_;  // Secret: goes into metadata and nowhere else.
  Interrupt* const interrupt_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_EXTRACTOR_API_H_
