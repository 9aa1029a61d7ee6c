#include "clients/sinks/nats/nats_sink.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "clients/cli/json_text.h"
#include "clients/sinks/one_writer.h"
#include "openssl/sha.h"

namespace intercom_extractor {
namespace {

// Of SHA-256: enough that no two messages share an id.
constexpr size_t kIdBytes = 16;

constexpr absl::Duration kLookAgain = absl::Seconds(1);

// Each loses against a commit of the older instance, which come some times a second.
constexpr int kTakeTries = 20;

// So many keys are remembered before all are waited for.
constexpr size_t kMostKeys = 100'000;

// A key of a bucket has no other characters; '=' begins an escape.
std::string BucketKey(absl::string_view id) {
  std::string key;
  for (const char c : id) {
    if (absl::ascii_isalnum(c) || c == '_' || c == '-') {
      key.push_back(c);
    } else {
      absl::StrAppend(&key, "=", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return key;
}

// A header is one line: a key that is none is written as a JSON array of it.
std::string HeaderOf(absl::string_view key) {
  if (std::none_of(key.begin(), key.end(), [](char c) { return absl::ascii_iscntrl(c); })) {
    return std::string(key);
  }
  std::string text = "[";
  AppendJsonString(key, &text);
  return absl::StrCat(text, "]");
}

}  // namespace

std::string NatsMessageId(absl::string_view sink_id, absl::string_view subject, uint64_t run,
                          const Record& record) {
  std::string text;
  // With their lengths: no two lists of parts give the same text.
  for (const absl::string_view part :
       {sink_id, subject,
        record.labels == nullptr ? absl::string_view()
                                 : absl::string_view(record.labels->generation),
        record.key}) {
    absl::StrAppend(&text, part.size(), ":", part);
  }
  absl::StrAppend(&text, run, record.value.has_value() ? "=" : "-", record.value.value_or(""));
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest), kIdBytes));
}

absl::StatusOr<std::unique_ptr<NatsSink>> NatsSink::Make(
    NatsTarget target, std::string id, const std::vector<v1::TableDescription>& tables,
    const std::vector<v1::TableDescription>& all) {
  auto made = MakeTables(tables, all, target.format);
  if (!made.ok()) return made.status();
  return std::unique_ptr<NatsSink>(
      new NatsSink(std::move(target), std::move(id), RandomInstance(), *std::move(made)));
}

absl::StatusOr<sinks::SinkPosition> NatsSink::Open() {
  connection_ = nullptr;
  unacknowledged_.clear();
  auto connected = NatsConnection::Connect(target_);
  if (!connected.ok()) return connected.status();
  connection_ = *std::move(connected);
  // An older instance that commits at the same moment is none that took over.
  absl::Status taken = TakeId();
  for (int tries = 1; absl::IsAborted(taken) && tries < kTakeTries; ++tries) taken = TakeId();
  if (!taken.ok()) return taken;
  has_id_ = true;
  GoOnFrom(stored_.position(), stored_.run());
  return stored_.position();
}

// kAborted: somebody else has written the position meanwhile.
absl::Status NatsSink::TakeId() {
  const auto value = connection_->Get(BucketKey(id_));
  if (!value.ok()) return value.status();
  sinks::QueuePosition stored;
  if (!stored.ParseFromString(value->bytes)) {
    return absl::DataLossError(absl::StrCat("the position of sink id ", id_, " at ", name(),
                                            " is none of ours; delete its key in bucket ",
                                            target_.bucket()));
  }
  if (has_id_ && stored.instance() != instance_) return Fenced();
  if (absl::Status taken = RefuseTaken(); !taken.ok()) return taken;
  stored.set_instance(instance_);
  for (const RecordTable& table : tables()) {
    if (std::count(stored.tables().begin(), stored.tables().end(), table.name()) == 0) {
      stored.add_tables(table.name());
    }
  }
  stored_ = std::move(stored);
  revision_ = value->revision;
  // A new revision in any case: what is still on its way from before fails.
  return Store();
}

absl::Status NatsSink::RefuseTaken() {
  const auto keys = connection_->Keys();
  if (!keys.ok()) return keys.status();
  for (const std::string& key : *keys) {
    if (key == BucketKey(id_)) continue;
    const auto value = connection_->Get(key);
    if (!value.ok()) return value.status();
    sinks::QueuePosition other;
    if (!other.ParseFromString(value->bytes)) continue;
    for (const RecordTable& table : tables()) {
      if (std::count(other.tables().begin(), other.tables().end(), table.name()) == 0) continue;
      return FilledByError(absl::StrCat("subject ", target_.prefix, table.name()), name(), key,
                           "stream");
    }
  }
  return absl::OkStatus();
}

absl::Status NatsSink::Fenced() const { return TakenOverError(id_, name(), "stream"); }

absl::Status NatsSink::RefuseFenced() {
  const absl::Time now = absl::Now();
  if (now - looked_ < kLookAgain) return absl::OkStatus();
  const auto value = connection_->Get(BucketKey(id_));
  if (!value.ok()) return value.status();
  if (value->revision != revision_) return Fenced();
  looked_ = now;
  return absl::OkStatus();
}

absl::Status NatsSink::Store() {
  const auto revision = connection_->Put(BucketKey(id_), stored_.SerializeAsString(), revision_);
  if (absl::IsAborted(revision.status())) return Fenced();
  if (!revision.ok()) return revision.status();
  revision_ = *revision;
  looked_ = absl::Now();
  return absl::OkStatus();
}

absl::Status NatsSink::Send(const Record& record) {
  if (absl::Status fenced = RefuseFenced(); !fenced.ok()) return fenced;
  const std::string key = HeaderOf(record.key);
  message_.subject.assign(target_.prefix).append(record.stream.data(), record.stream.size());
  message_.id = NatsMessageId(id_, message_.subject, run(), record);
  message_.data = record.value.value_or("");
  message_.headers.assign({{"key", key.c_str()}});
  if (!record.value.has_value()) message_.headers.emplace_back("deleted", "true");
  if (record.labels != nullptr) {
    const RecordLabels& labels = *record.labels;
    message_.headers.emplace_back("table", labels.table.c_str());
    message_.headers.emplace_back("schema_version", labels.schema_version.c_str());
    message_.headers.emplace_back("run", labels.run.c_str());
    message_.headers.emplace_back("generation", labels.generation.c_str());
    if (!labels.extracted_at.empty()) {
      message_.headers.emplace_back("extracted_at", labels.extracted_at.c_str());
    }
  }
  // Where the first of two messages of a key is lost and comes again, it must not come after
  // the second.
  const size_t hash = absl::HashOf(record.stream, record.key);
  if (!unacknowledged_.insert(hash).second || unacknowledged_.size() > kMostKeys) {
    if (absl::Status flushed = connection_->Flush(); !flushed.ok()) return flushed;
    unacknowledged_.clear();
    unacknowledged_.insert(hash);
  }
  return connection_->Publish(message_);
}

// What was sent stays; it has an id.
absl::Status NatsSink::Drop() { return absl::OkStatus(); }

absl::Status NatsSink::CommitSent(const sinks::SinkPosition& position, uint64_t run) {
  if (absl::Status flushed = connection_->Flush(); !flushed.ok()) return flushed;
  unacknowledged_.clear();
  *stored_.mutable_position() = position;
  stored_.set_run(run);
  return Store();
}

}  // namespace intercom_extractor
