#include "clients/sinks/redis/redis_sink.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/sinks/one_writer.h"

namespace intercom_extractor {
namespace {

// An id that changes so often while it is taken is fought over.
constexpr int kTriesToTake = 20;

// The value of "name:value" among the lines of INFO.
absl::string_view InfoOf(absl::string_view info, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(info, "\r\n")) {
    if (absl::StartsWith(line, name) && line.substr(name.size(), 1) == ":") {
      return line.substr(name.size() + 1);
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisSink>> RedisSink::Make(
    RedisTarget target, std::string id, const std::vector<v1::TableDescription>& tables,
    const std::vector<v1::TableDescription>& all) {
  auto made = MakeTables(tables, all, target.format);
  if (!made.ok()) return made.status();
  return std::unique_ptr<RedisSink>(
      new RedisSink(std::move(target), std::move(id), RandomInstance(), *std::move(made)));
}

std::string RedisSink::Key(absl::string_view rest) const {
  return absl::StrCat(target_.prefix, rest);
}

absl::StatusOr<sinks::SinkPosition> RedisSink::Open() {
  // Ends a transaction that was open, and with it what it had.
  connection_ = nullptr;
  in_transaction_ = false;
  auto connected = RedisConnection::Connect(target_);
  if (!connected.ok()) return connected.status();
  connection_ = *std::move(connected);
  if (absl::Status status = RefuseEviction(); !status.ok()) return status;
  if (absl::Status status = RefuseOtherTypes(); !status.ok()) return status;
  for (int i = 0; i < kTriesToTake; ++i) {
    const auto taken = TakeId();
    if (!taken.ok()) return taken.status();
    if (!*taken) continue;
    has_id_ = true;
    sinks::SinkPosition position;
    if (!position.ParseFromString(stored_position_)) {
      return absl::DataLossError(absl::StrCat("the position of sink id ", id_, " at ", name(),
                                              " is none of ours; delete its key ",
                                              Key("_positions:"), id_));
    }
    GoOnFrom(position, stored_run_);
    return position;
  }
  return absl::UnavailableError(
      absl::StrCat("sink id ", id_, " at ", name(), " changes all the time"));
}

// What it would throw away to make room are rows that nobody has read.
absl::Status RedisSink::RefuseEviction() {
  const auto info = connection_->Ask({"INFO", "memory"});
  // One who may not ask has been told by docs/sinks.md.
  if (absl::IsPermissionDenied(info.status())) return absl::OkStatus();
  if (!info.ok()) return info.status();
  const absl::string_view text = RedisText(**info);
  const absl::string_view policy = InfoOf(text, "maxmemory_policy");
  if (InfoOf(text, "maxmemory") == "0" || !absl::StartsWith(policy, "allkeys-")) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(name(), " has maxmemory-policy ", policy,
                   ", which throws rows away when memory runs out; set it to noeviction"));
}

absl::Status RedisSink::RefuseOtherTypes() {
  std::vector<std::string> keys = {Key(kEventsStream)};
  for (const RecordTable& table : tables()) keys.push_back(Key(table.name()));
  for (const std::string& key : keys) {
    const auto type = connection_->Ask({"TYPE", key});
    if (!type.ok()) return type.status();
    const absl::string_view text = RedisText(**type);
    if (text == "none" || text == "stream") continue;
    return absl::FailedPreconditionError(absl::StrCat("key ", key, " at ", name(), " is a ", text,
                                                      "; delete it, or give another prefix"));
  }
  return absl::OkStatus();
}

absl::StatusOr<RedisSink::Stored> RedisSink::ReadStored() {
  const auto read = connection_->Ask(
      {"HMGET", Key(absl::StrCat("_positions:", id_)), "instance", "run", "position"});
  if (!read.ok()) return read.status();
  Stored stored;
  if ((*read)->elements != 3) return stored;
  stored.instance = std::string(RedisText(*(*read)->element[0]));
  if (!absl::SimpleAtoi(RedisText(*(*read)->element[1]), &stored.run)) stored.run = 0;
  stored.position = std::string(RedisText(*(*read)->element[2]));
  return stored;
}

absl::Status RedisSink::RefuseTaken() {
  const auto all = connection_->Ask({"HGETALL", Key("_tables")});
  if (!all.ok()) return all.status();
  for (size_t i = 0; i + 1 < (*all)->elements; i += 2) {
    const absl::string_view table = RedisText(*(*all)->element[i]);
    const absl::string_view id = RedisText(*(*all)->element[i + 1]);
    const bool ours = std::any_of(tables().begin(), tables().end(), [table](const auto& candidate) {
      return candidate.name() == table;
    });
    if (!ours || id == id_) continue;
    return FilledByError(absl::StrCat("stream ", Key(table)), name(), id, "prefix");
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> RedisSink::TakeId() {
  const std::string key = Key(absl::StrCat("_positions:", id_));
  if (auto watch = connection_->Ask({"WATCH", key, Key("_tables")}); !watch.ok()) {
    return watch.status();
  }
  auto stored = ReadStored();
  if (!stored.ok()) return stored.status();
  // One that is gone was lost with what Redis had not written to its disk, or deleted.
  if (has_id_ && !stored->instance.empty() && stored->instance != instance_) return Fenced();
  if (absl::Status taken = RefuseTaken(); !taken.ok()) return taken;
  // A change in any case: what is still on its way from before fails.
  absl::Status sent = connection_->Send({"MULTI"});
  if (sent.ok()) sent = connection_->Send({"HSET", key, "instance", instance_});
  if (sent.ok()) sent = connection_->Send({"HINCRBY", key, "opened", "1"});
  for (const RecordTable& table : tables()) {
    if (sent.ok()) sent = connection_->Send({"HSET", Key("_tables"), table.name(), id_});
  }
  if (!sent.ok()) return sent;
  const auto executed = connection_->Ask({"EXEC"});
  if (!executed.ok()) return executed.status();
  if ((*executed)->type == REDIS_REPLY_NIL) return false;
  stored_position_ = std::move(stored->position);
  stored_run_ = stored->run;
  return true;
}

absl::Status RedisSink::Fenced() const { return TakenOverError(id_, name(), "prefix"); }

absl::Status RedisSink::NotOurs(const Stored& stored) const {
  if (!stored.instance.empty() && stored.instance != instance_) return Fenced();
  return absl::UnavailableError(
      absl::StrCat("the position of sink id ", id_, " at ", name(), " is gone, or was changed"));
}

absl::Status RedisSink::BeginTransaction() {
  if (in_transaction_) return absl::OkStatus();
  if (auto watch = connection_->Ask({"WATCH", Key(absl::StrCat("_positions:", id_))});
      !watch.ok()) {
    return watch.status();
  }
  const auto stored = ReadStored();
  if (!stored.ok()) return stored.status();
  if (stored->instance != instance_) return NotOurs(*stored);
  in_transaction_ = true;
  return connection_->Send({"MULTI"});
}

absl::Status RedisSink::Send(const Record& record) {
  if (absl::Status status = BeginTransaction(); !status.ok()) return status;
  scratch_.assign(target_.prefix).append(record.stream.data(), record.stream.size());
  command_.assign({"XADD", scratch_});
  const std::string maxlen = absl::StrCat(target_.maxlen);
  if (target_.maxlen > 0) command_.insert(command_.end(), {"MAXLEN", "~", maxlen});
  command_.insert(command_.end(), {"*", "key", record.key});
  if (record.value.has_value()) {
    command_.insert(command_.end(), {"value", *record.value});
  } else {
    command_.insert(command_.end(), {"deleted", "true"});
  }
  if (record.labels != nullptr) {
    const RecordLabels& labels = *record.labels;
    command_.insert(command_.end(), {"table", labels.table, "schema_version", labels.schema_version,
                                     "run", labels.run, "generation", labels.generation});
    if (!labels.extracted_at.empty()) {
      command_.insert(command_.end(), {"extracted_at", labels.extracted_at});
    }
  }
  return connection_->Send(command_);
}

absl::Status RedisSink::Drop() {
  if (!in_transaction_) return absl::OkStatus();
  in_transaction_ = false;
  return connection_->Ask({"DISCARD"}).status();
}

absl::Status RedisSink::SendPosition(const std::string& position, uint64_t run) {
  return connection_->Send({"HSET", Key(absl::StrCat("_positions:", id_)), "position", position,
                            "run", absl::StrCat(run), "updated_at",
                            absl::FormatTime(absl::Now(), absl::UTCTimeZone())});
}

absl::StatusOr<RedisReply> RedisSink::Execute() {
  in_transaction_ = false;
  auto executed = connection_->Ask({"EXEC"});
  if (!executed.ok() || (*executed)->type != REDIS_REPLY_NIL) return executed;
  const auto stored = ReadStored();
  if (!stored.ok()) return stored.status();
  return NotOurs(*stored);
}

absl::Status RedisSink::CommitSent(const sinks::SinkPosition& position, uint64_t run) {
  if (absl::Status status = BeginTransaction(); !status.ok()) return status;
  std::string bytes = position.SerializeAsString();
  if (absl::Status status = SendPosition(bytes, run); !status.ok()) return status;
  const auto executed = Execute();
  if (!executed.ok()) return executed.status();
  for (size_t i = 0; i < (*executed)->elements; ++i) {
    const redisReply& reply = *(*executed)->element[i];
    if (reply.type == REDIS_REPLY_ERROR) {
      return PutBack(RedisError(RedisText(reply), "cannot write", name()));
    }
  }
  stored_position_ = std::move(bytes);
  stored_run_ = run;
  return absl::OkStatus();
}

absl::Status RedisSink::PutBack(absl::Status cause) {
  absl::Status put = BeginTransaction();
  if (put.ok()) put = SendPosition(stored_position_, stored_run_);
  if (put.ok()) put = Execute().status();
  if (put.ok()) return cause;
  return absl::DataLossError(
      absl::StrCat(cause.message(),
                   "; rows of this commit are missing there, as the position could not be put "
                   "back (",
                   put.message(), "): run once with another prefix or --sink-id"));
}

}  // namespace intercom_extractor
