#ifndef CLIENTS_SINKS_SINK_H_
#define CLIENTS_SINKS_SINK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cpp/rows.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// Where the rows of an extraction go: a database, a queue. Each sink has an id; what it
// stores under that id says how far it is.
//
// A sink with transactions shows its readers the rows and the position of a commit
// together, or nothing of either: they have every row exactly once, whatever dies when. One
// without them (a queue that only acknowledges) stores the position once all rows before it
// are safe: its readers may see rows twice, with the same keys, and miss none.
//
// Back-pressure: calls block for as long as the other side needs; the extraction then slows.
//
// Errors say what failed, where, and what to do, and never show a password or a row:
//  kUnavailable: the connection is lost, or the other side asks to try again. Open() may
//    help; what was not committed is gone.
//  kAborted: a newer instance with the same id has taken over. Nothing helps.
//  Any other: a person has to do something first.
// After an error only Open() and the destructor may be called.
//
// For one thread at a time. The destructor throws away what was not committed.
class Sink {
 public:
  virtual ~Sink() = default;

  // Connects and makes what is missing: schema, topics. The first call takes the id from any
  // older instance, which may be frozen: none of its commits succeeds afterwards, and what
  // it had not committed never shows. Later calls, after kUnavailable, keep the id or end
  // with kAborted. Gives the position that is stored, an empty one where there is none.
  virtual absl::StatusOr<sinks::SinkPosition> Open() = 0;

  // A run begins anew. What readers see stays until its first commit; rows of earlier runs
  // stay until the run overwrites them, or shows at its end that they are gone.
  virtual absl::Status Begin(const v1::ExtractRequest& request) = 0;

  // Rows, and parents of rows, of a table that the run asked for. The rows are bytes, each a
  // message of its table, and not in `batch`. Where a sink keeps rows by key, the last one
  // written counts. kDataLoss: a row is no message.
  virtual absl::Status Write(const v1::RowBatch& batch, const SerializedRows& rows) = 0;

  // Records that are gone, with what belongs to them: dropped, or told on as tombstones.
  virtual absl::Status Delete(const v1::DeletedRecords& deleted) = 0;

  // Records that exist, in a run that finds what was deleted: what Finish() goes by.
  virtual absl::Status Keep(const v1::LivingRecords& living) = 0;

  // The run's rows of a table so far are void, also those that were committed; the next ones
  // are of this generation. Takes effect with the next commit.
  virtual absl::Status Restart(const std::string& table, uint32_t generation) = 0;

  // Shows readers all that came since the last commit, and stores the position, which covers
  // it, with that.
  virtual absl::Status Commit(const sinks::SinkPosition& position) = 0;

  // The last commit of a run: as Commit(), and where the summary says that a table has been
  // read completely, what the run has shown to be gone is dropped.
  virtual absl::Status Finish(const v1::Summary& summary, const sinks::SinkPosition& position) = 0;

  // Commits dearer than their rows are put together: those that would come earlier than this
  // after the last one, unless there is much to commit.
  virtual absl::Duration commit_interval() const { return absl::ZeroDuration(); }

  // For people: "postgresql://db.example:5432/crm, schema intercom".
  virtual std::string name() const = 0;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_SINK_H_
