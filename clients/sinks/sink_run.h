#ifndef CLIENTS_SINKS_SINK_RUN_H_
#define CLIENTS_SINKS_SINK_RUN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/client.h"
#include "clients/cpp/extraction.h"
#include "clients/cpp/rows.h"
#include "clients/sinks/sink.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

struct SinkRunOptions {
  // Time and chance, all three set. `wait` says true when the run is to end.
  ExtractionTiming timing;
  // Ends the run; may be null, and must outlive it.
  Cancellation* cancellation = nullptr;
  // For how long a sink that lost its connection is called again.
  absl::Duration patience = absl::Minutes(10);

  // What happens, in this order; may be left out. An event, once the sink has it, and how
  // many rows it has:
  std::function<void(const v1::ExtractResponse&, size_t)> on_event;
  // The run goes on from here, and rows after it come again:
  std::function<void(const sinks::SinkPosition&)> on_position;
  // A sentence for people, such as that the sink is waited for:
  std::function<void(const std::string&)> on_note;
};

// How a run ended.
struct SinkRunResult {
  // OK: the summary has come, and the sink has everything that it sums up.
  absl::Status status;
  // Whether `status` is the sink's, else it is the server's.
  bool of_sink = false;
  std::optional<v1::Summary> summary;
  // What the sink has.
  sinks::SinkPosition position;
};

// Reads an extraction into a sink until its end. A commit is always at a checkpoint, and
// rows reach the sink once their checkpoint is known: a lost server is met again without
// the sink taking notice. A lost sink is opened again, and the extraction goes on from
// what it has. For one thread.
class SinkRun {
 public:
  // `sink` must outlive the object.
  SinkRun(Client client, Sink* sink, SinkRunOptions options);

  // Opens the sink: what it has. Once, before Run().
  absl::StatusOr<sinks::SinkPosition> Open();

  // Runs to the end. Goes on where the sink has an unfinished run with the same request;
  // else, or where the server no longer takes the sink's token, begins anew, which
  // overwrites by key. `request` has no resume token. Once.
  SinkRunResult Run(const v1::ExtractRequest& request);

 private:
  enum class Step { kEnd, kAgain };

  ExtractionOptions OptionsOfExtraction() const;
  Step ReadOnce();
  absl::Status Pump(Extraction* extraction);
  absl::Status Handle(const v1::ExtractResponse& event, const SerializedRows& rows);
  absl::Status OnCheckpoint(const v1::Checkpoint& checkpoint);
  absl::Status CommitWhenDue();
  absl::Status CommitPending();
  absl::Status BeginAnew();
  Step OnServerEnd(const absl::Status& status);
  Step OnSinkError(const absl::Status& status);
  absl::Status OpenAgain(absl::Status cause);
  void GoOnFrom(sinks::SinkPosition position);
  void Note(const std::string& text) const;

  const Client client_;
  Sink* const sink_;
  const SinkRunOptions options_;
  v1::ExtractRequest request_;
  sinks::SinkPosition committed_;
  sinks::SinkPosition next_;  // What the last checkpoint comes to.
  bool pending_ = false;      // Whether `next_` is to be committed.
  bool covered_ = true;       // Whether `next_` covers all that the sink was given.
  int64_t rows_ = 0;          // Since the last commit.
  absl::Time last_commit_ = absl::InfinitePast();
  bool began_anew_ = false;  // As the server refused the token.
  SinkRunResult result_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_SINK_RUN_H_
