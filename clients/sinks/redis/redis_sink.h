#ifndef CLIENTS_SINKS_REDIS_REDIS_SINK_H_
#define CLIENTS_SINKS_REDIS_REDIS_SINK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/records/record_sink.h"
#include "clients/sinks/redis/redis_connection.h"
#include "clients/sinks/redis/redis_url.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// Rows in streams of Redis 5 or later, one for each table, exactly once: a transaction per
// commit (MULTI, EXEC) has entries and the position. docs/sinks.md has the form of an entry.
//
// Keys of ours besides: "_positions:<id>", a hash that says how far an id is and which
// instance has it, and "_tables", a hash that says which id fills a stream. Every
// transaction watches the former, which a newer instance changes.
//
// Memory: commands go to Redis in pieces of 256 KiB as rows come, and wait there for EXEC,
// up to one checkpoint: 5,000 rows or 16 MiB.
class RedisSink : public RecordSink {
 public:
  // `tables` are those of the run, `all` those of the server. kUnimplemented: a table is newer
  // than this program.
  static absl::StatusOr<std::unique_ptr<RedisSink>> Make(
      RedisTarget target, std::string id, const std::vector<v1::TableDescription>& tables,
      const std::vector<v1::TableDescription>& all);

  absl::StatusOr<sinks::SinkPosition> Open() override;
  std::string name() const override { return target_.name(); }

 protected:
  absl::Status Send(const Record& record) override;
  absl::Status Drop() override;
  absl::Status CommitSent(const sinks::SinkPosition& position, uint64_t run) override;

 private:
  // What the hash of the id says.
  struct Stored {
    std::string instance;  // Empty: there is none.
    uint64_t run = 0;
    std::string position;
  };

  RedisSink(RedisTarget target, std::string id, std::string instance,
            std::vector<RecordTable> tables)
      : RecordSink(std::move(tables)),
        target_(std::move(target)),
        id_(std::move(id)),
        instance_(std::move(instance)) {}

  std::string Key(absl::string_view rest) const;
  // The steps of Open().
  absl::Status RefuseEviction();
  absl::Status RefuseOtherTypes();
  absl::Status RefuseTaken();
  absl::StatusOr<Stored> ReadStored();
  // Takes the id, unless it changes meanwhile: false.
  absl::StatusOr<bool> TakeId();

  absl::Status Fenced() const;
  // Why a transaction failed, or cannot begin.
  absl::Status NotOurs(const Stored& stored) const;
  // Watches the id, which must be ours, and begins; nothing where that is done.
  absl::Status BeginTransaction();
  absl::Status SendPosition(const std::string& position, uint64_t run);
  // Commits; kAborted where the id was taken.
  absl::StatusOr<RedisReply> Execute();
  // A command of a committed transaction has failed, which Redis does not undo: the rows of
  // this commit must come again.
  absl::Status PutBack(absl::Status cause);

  const RedisTarget target_;
  const std::string id_;
  const std::string instance_;  // Random: tells this object from all others.
  std::unique_ptr<RedisConnection> connection_;
  bool has_id_ = false;  // Whether an Open() has succeeded.
  bool in_transaction_ = false;
  std::string stored_position_;  // As it is committed.
  uint64_t stored_run_ = 0;
  RedisConnection::Arguments command_;  // Keeps its memory.
  std::string scratch_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_REDIS_REDIS_SINK_H_
