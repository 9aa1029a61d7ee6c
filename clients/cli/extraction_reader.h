#ifndef CLIENTS_CLI_EXTRACTION_READER_H_
#define CLIENTS_CLI_EXTRACTION_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "clients/cpp/event_stream.h"
#include "clients/cpp/received_event.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What the streams before this one told, where it continues them.
struct StreamPosition {
  int64_t checkpoint = 0;                                  // The last one's number.
  absl::flat_hash_map<std::string, uint32_t> generations;  // 1 where absent.
};

// Reads the events of one `Extract` call and keeps the stream's promises: rows of
// an earlier generation never come out after their table began anew, a table's
// rows belong to the generation that was announced, and a call that ends well
// ends with a summary.
//
// For one thread; Cancel() may be called from any.
class ExtractionReader {
 public:
  // Begins the call. `context` carries the caller's metadata, is used for this
  // call alone and must outlive the reader.
  ExtractionReader(const std::shared_ptr<grpc::ChannelInterface>& channel,
                   grpc::ClientContext* context, const v1::ExtractRequest& request,
                   StreamPosition position = {});

  // Cancels the call where it has not ended.
  ~ExtractionReader() = default;
  ExtractionReader(const ExtractionReader&) = delete;
  ExtractionReader& operator=(const ExtractionReader&) = delete;

  // Waits for the next event. Null once there are no more: then Finish() says
  // why. The event lives until the next call of Read().
  const v1::ExtractResponse* Read();

  // How the call ended; call once Read() gave null, or to end it early after
  // Cancel(). OK only when the summary was read. DATA_LOSS: the server broke the
  // stream's promises.
  grpc::Status Finish();

  // Makes Read() return null soon. Idempotent; no-op after the end.
  void Cancel() { context_->TryCancel(); }

 private:
  // Whether the event is to come out; sets `broken_promise_` where it must not
  // come at all.
  bool Accept(const v1::ExtractResponse& response);
  // Whether what is of `sent` is of the table's present generation.
  bool AcceptGeneration(const std::string& table, uint32_t sent);
  bool AcceptRows(const v1::RowBatch& batch);
  bool AcceptRestart(const v1::TableRestarted& restarted);
  bool AcceptCheckpoint(const v1::Checkpoint& checkpoint);

  uint32_t GenerationOf(const std::string& table) const;

  grpc::ClientContext* const context_;
  EventStream stream_;
  ReceivedEvent event_;
  StreamPosition position_;
  absl::flat_hash_map<std::string, int64_t> rows_;  // Since the last checkpoint.
  bool has_summary_ = false;
  std::string broken_promise_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_EXTRACTION_READER_H_
