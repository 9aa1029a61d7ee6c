#ifndef CLIENTS_CPP_EXTRACTION_H_
#define CLIENTS_CPP_EXTRACTION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/client.h"
#include "clients/cpp/event_stream.h"
#include "clients/cpp/received_event.h"
#include "clients/cpp/reconnect_backoff.h"
#include "clients/cpp/rows.h"
#include "clients/cpp/stream_promises.h"
#include "grpcpp/client_context.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// When events are handed out, and so what a lost connection does to them. Progress and
// notices never wait.
enum class Delivery {
  // Once the checkpoint after them has come, at most some 5,000 rows later: a row comes
  // once.
  kOnce,
  // At once, but for what follows a `TableRestarted`, and that itself, which wait for the
  // checkpoint. A lost connection that is made again repeats the rows since the last
  // checkpoint.
  kAtLeastOnce,
  // At once, all of it: for who can undo what came after a checkpoint, and does so in
  // `on_reconnect`. Rows of a server that makes no checkpoints are taken, too.
  kRollBack,
};

// A connection was lost; the extraction goes back to its last checkpoint, and on from there.
struct Reconnect {
  int64_t checkpoint;   // The last one's number; 0: it begins anew.
  absl::Duration wait;  // Until the server is called again.
  int attempt;          // In a row, from 1 to ReconnectBackoff::kMaxTries.
  absl::Status cause;   // How the connection was lost.
};

// Time and chance, so that tests decide about them.
struct ExtractionTiming {
  std::function<absl::Time()> now;
  // Waits; true when the extraction is to end instead of going on.
  std::function<bool(absl::Duration)> wait;
  // A number in [0, 1).
  std::function<double()> random;
};

struct ExtractionOptions {
  Delivery delivery = Delivery::kOnce;
  // Counts over all calls.
  absl::Time deadline = absl::InfiniteFuture();
  // Ends the extraction as its Cancel() does; may be null, and must outlive it.
  Cancellation* cancellation = nullptr;
  // What the request's resume token stands for, where that was kept. Without it numbers of
  // checkpoints may be any, and the first rows of a table say which generation it is in.
  std::optional<StreamPosition> position;
  // Rows stay bytes: `row_batch()` has none, serialized_rows() has them. For who hands rows
  // on, or finds columns by their numbers: parsing is most of what reading costs.
  bool serialized_rows = false;
  // Called from Next() before the wait. False: it does not go on, and ends with the cause.
  std::function<bool(const Reconnect&)> on_reconnect;
  // Those of this process where they are not set.
  ExtractionTiming timing;
};

// Reads an extraction to its end, over as many calls as that takes:
//
//   Extraction extraction(client, request);
//   while (const v1::ExtractResponse* event = extraction.Next()) {
//     for (const v1::User& user : event->row_batch().users()) ...
//   }
//   if (!extraction.status().ok()) ...
//
// A connection that is lost once anything has come, or that a stopping server ends, is made
// again by itself (see ReconnectBackoff). Reading slowly slows the extraction; nothing is
// dropped. A `TableRestarted` means that the rows of its table so far are void.
//
// For one thread at a time; Cancel() may be called from any.
class Extraction {
 public:
  // Begins with the first Next(). `request` as the contract says: it names tables, and may
  // have the token of a checkpoint to go on from.
  Extraction(Client client, v1::ExtractRequest request, ExtractionOptions options = {});

  // Ends the call at the server where it has not ended.
  ~Extraction();
  Extraction(const Extraction&) = delete;
  Extraction& operator=(const Extraction&) = delete;

  // Waits for the next event. Null once there are no more: then status() says why. The event
  // lives until the next call. The last one of an extraction that ends well is its summary;
  // read on to hear that it did.
  const v1::ExtractResponse* Next();

  // The rows of the event that Next() gave, where `serialized_rows` asked for them so; they
  // live as long as it. Their texts are not looked at: the server promises UTF-8.
  const SerializedRows& serialized_rows() const { return current_->serialized_rows(); }

  // How it ended; OK before. What the server said, with the details that errors.h finds, or
  //  kCancelled: Cancel() was called, or `timing.wait` said so.
  //  kDeadlineExceeded: there was no time left, also to make a lost connection again.
  //  kDataLoss: the server broke the stream's promises.
  const absl::Status& status() const { return status_; }

  // Makes Next() return null soon, also between two calls, and stops the server's requests.
  // Idempotent; no-op after the end.
  void Cancel() { cancellation_.Cancel(); }

  // Stands for all that came before the last checkpoint that Next() gave, at first that of the
  // request: the `resume_token` of a request that goes on from there.
  const std::string& resume_token() const { return resume_token_; }

  // How often a lost connection was made again.
  int reconnects() const { return reconnects_; }

 private:
  using Events = std::deque<std::unique_ptr<ReceivedEvent>>;

  // One call of the service.
  struct Call {
    Call(const Client& client, const v1::ExtractRequest& request, absl::Time deadline,
         Cancellation* cancellation);
    grpc::ClientContext context;
    Cancellation::Scope scope;
    EventStream stream;
  };

  // Where a stream can begin: at the last checkpoint.
  struct Covered {
    std::string token;
    StreamPosition position;
  };

  void Begin();
  // Reads one event of the call; begins and ends calls as needed.
  void Read();
  void Deliver(std::unique_ptr<ReceivedEvent> event);
  void DropHeld(absl::string_view table);
  void OnCallEnded();
  // Waits until a lost server is to be called again; an error where that is not to be.
  absl::Status TryAgain(const absl::Status& cause);
  void End(absl::Status status);
  // Whether somebody, or the time, ended it meanwhile.
  bool EndedOutside();
  const v1::ExtractResponse* HandOut();
  std::unique_ptr<ReceivedEvent> TakeFree();
  void GiveBack(std::unique_ptr<ReceivedEvent> event);

  const Client client_;
  v1::ExtractRequest request_;
  const ExtractionOptions options_;
  Cancellation cancellation_;
  ExtractionTiming timing_;
  ReconnectBackoff backoff_;

  std::unique_ptr<Call> call_;  // Null between two.
  std::optional<StreamPromises> promises_;
  Covered covered_;
  bool heard_ = false;                                // Whether the server has said anything.
  bool holding_ = false;                              // Whether events wait for their checkpoint.
  Events held_;                                       // Those that do.
  Events ready_;                                      // To be handed out, in this order.
  std::unique_ptr<ReceivedEvent> current_;            // Handed out.
  std::vector<std::unique_ptr<ReceivedEvent>> free_;  // The last one used comes first.
  std::string resume_token_;
  int reconnects_ = 0;
  bool ended_ = false;
  absl::Status status_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_EXTRACTION_H_
