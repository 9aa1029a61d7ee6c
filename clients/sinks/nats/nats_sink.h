#ifndef CLIENTS_SINKS_NATS_NATS_SINK_H_
#define CLIENTS_SINKS_NATS_NATS_SINK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/sinks/nats/nats_connection.h"
#include "clients/sinks/nats/nats_url.h"
#include "clients/sinks/records/record_sink.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// What a message is known by, for JetStream to drop a second one: a hash of sink id, subject,
// run, generation, key and value. The same row that comes again in a run, after a crash, has
// the same id; a row that has changed, and any row of another run, has not.
std::string NatsMessageId(absl::string_view sink_id, absl::string_view subject, uint64_t run,
                          const Record& record);

// Rows in a stream of NATS JetStream, a subject for each table. The position is a value of a
// bucket, stored once all messages before it are: readers see a row once where it comes again
// within the stream's window of duplicates, else again, with the same id.
//
// A newer instance changes the value's revision, so that the older one stores no position any
// more. It looks at that revision once a second while it writes; until then, and from what
// the library has in memory, up to 8 MiB of its messages may come after the newer's.
class NatsSink : public RecordSink {
 public:
  // `tables` are those of the run, `all` those of the server. kUnimplemented: a table is newer
  // than this program.
  static absl::StatusOr<std::unique_ptr<NatsSink>> Make(
      NatsTarget target, std::string id, const std::vector<v1::TableDescription>& tables,
      const std::vector<v1::TableDescription>& all);

  absl::StatusOr<sinks::SinkPosition> Open() override;
  // Most of a commit is waiting for acknowledgements.
  absl::Duration commit_interval() const override { return absl::Milliseconds(500); }
  std::string name() const override { return target_.name(); }

 protected:
  absl::Status Send(const Record& record) override;
  absl::Status Drop() override;
  absl::Status CommitSent(const sinks::SinkPosition& position, uint64_t run) override;

 private:
  NatsSink(NatsTarget target, std::string id, std::string instance, std::vector<RecordTable> tables)
      : RecordSink(std::move(tables)),
        target_(std::move(target)),
        id_(std::move(id)),
        instance_(std::move(instance)) {}

  absl::Status TakeId();
  absl::Status RefuseTaken();
  absl::Status RefuseFenced();
  absl::Status Fenced() const;
  // Stores what `stored_` says.
  absl::Status Store();

  const NatsTarget target_;
  const std::string id_;
  const std::string instance_;  // Random: tells this object from all others.
  std::unique_ptr<NatsConnection> connection_;
  bool has_id_ = false;  // Whether an Open() has succeeded.
  sinks::QueuePosition stored_;
  uint64_t revision_ = 0;                       // Of it.
  absl::Time looked_ = absl::InfinitePast();    // When it was that revision.
  absl::flat_hash_set<size_t> unacknowledged_;  // Hashes of subjects and keys.
  NatsMessage message_;                         // Keeps its memory.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_NATS_NATS_SINK_H_
