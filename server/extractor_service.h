#ifndef SERVER_EXTRACTOR_SERVICE_H_
#define SERVER_EXTRACTOR_SERVICE_H_

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/clock.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "proto/v1.h"
#include "server/active_calls.h"
#include "server/connection_call.h"
#include "server/gate.h"
#include "server/reaper.h"
#include "server/running_extractions.h"

namespace intercom_extractor {

// `ExtractorService`, see its .proto for the contract. `Extract` is served raw:
// an extraction's events are serialized where they are made, and go out as they
// are. So unlike the other calls it parses its request itself.
//
// Thread-safe; gRPC calls the methods, which do not block.
class ExtractorServiceImpl : public v1::ExtractorService::WithCallbackMethod_ListTables<
                                 v1::ExtractorService::WithCallbackMethod_CheckConnection<
                                     v1::ExtractorService::WithCallbackMethod_PlanExtraction<
                                         v1::ExtractorService::WithCallbackMethod_ListExtractions<
                                             v1::ExtractorService::WithRawCallbackMethod_Extract<
                                                 v1::ExtractorService::Service>>>>> {
 public:
  // All must outlive the service's last call and what the reaper still holds. A stream
  // of `max_stream_age` ends with a checkpoint, soon or within `stream_grace` (see
  // Extraction::DrainAfter); infinite: none does.
  ExtractorServiceImpl(const Gate* gate, ActiveCalls* active, RunningExtractions* running,
                       Reaper* reaper, const Clock* clock, absl::Duration max_stream_age,
                       absl::Duration stream_grace)
      : gate_(gate),
        active_(active),
        running_(running),
        reaper_(reaper),
        clock_(clock),
        max_stream_age_(max_stream_age),
        stream_grace_(stream_grace) {}

  grpc::ServerUnaryReactor* ListTables(grpc::CallbackServerContext* context,
                                       const v1::ListTablesRequest* request,
                                       v1::ListTablesResponse* response) override;
  grpc::ServerUnaryReactor* CheckConnection(grpc::CallbackServerContext* context,
                                            const v1::CheckConnectionRequest* request,
                                            v1::CheckConnectionResponse* response) override;
  grpc::ServerUnaryReactor* PlanExtraction(grpc::CallbackServerContext* context,
                                           const v1::PlanExtractionRequest* request,
                                           v1::PlanExtractionResponse* response) override;
  grpc::ServerUnaryReactor* ListExtractions(grpc::CallbackServerContext* context,
                                            const v1::ListExtractionsRequest* request,
                                            v1::ListExtractionsResponse* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Extract(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request) override;

 private:
  // Answers a call that asks Intercom something about the request's connection. `ask`
  // gets the visitor, the client and what to call with the answer.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Ask(
      const char* name, const Request& request, grpc::CallbackServerContext* context,
      Response* response,
      const std::function<void(const Visit&, IntercomClient*,
                               typename ConnectionCall<Response>::Done)>& ask);

  const Gate* const gate_;
  ActiveCalls* const active_;
  RunningExtractions* const running_;
  Reaper* const reaper_;
  const Clock* const clock_;
  const absl::Duration max_stream_age_;
  const absl::Duration stream_grace_;
};

}  // namespace intercom_extractor

#endif  // SERVER_EXTRACTOR_SERVICE_H_
