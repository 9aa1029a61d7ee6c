#include "clients/sinks/nats/nats_connection.h"

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace intercom_extractor {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);
// Of requests, and of all acknowledgements that are still to come.
constexpr absl::Duration kAnswerTimeout = absl::Seconds(30);
// Within it, a lost session is noticed.
constexpr absl::Duration kStep = absl::Milliseconds(100);

constexpr int64_t kPendingMessages = 4'000;
constexpr size_t kPendingBytes = 8 << 20;

// What a message takes besides its data: headers, and the library's own.
constexpr size_t kMessageOverhead = 512;

// JetStream's codes that the library has no name for, or not in one place.
constexpr int kInsufficientResources = 10023;
constexpr int kNotEnabled = 10039;
constexpr int kNotEnabledForAccount = 10076;

int64_t Millis(absl::Duration duration) { return absl::ToInt64Milliseconds(duration); }

struct Meaning {
  absl::StatusCode code;
  const char* advice;
};

Meaning MeaningOf(natsStatus status, int js_code) {
  switch (js_code) {
    case JSStreamWrongLastSequenceErr:
      return {absl::StatusCode::kAborted, ""};
    case kInsufficientResources:
    case JSStorageResourcesExceededErr:
    case JSStreamStoreFailedErr:
    case JSStreamMaxStreamBytesExceededErr:
    case JSStreamLimitsErr:
      return {absl::StatusCode::kResourceExhausted,
              "look at its disk, and at the limits of account and stream, then run again"};
    case kNotEnabled:
    case kNotEnabledForAccount:
      return {absl::StatusCode::kFailedPrecondition, "enable JetStream there"};
    case JSStreamSubjectOverlapErr:
      return {absl::StatusCode::kFailedPrecondition,
              "another stream has these subjects: name it by stream= in --sink, or give another "
              "prefix"};
    case JSStreamNotMatchErr:
      return {absl::StatusCode::kFailedPrecondition,
              "the stream in --sink has other subjects; name its prefix"};
    case JSStreamReplicasNotSupportedErr:
      return {absl::StatusCode::kFailedPrecondition, "set replicas=1 in --sink"};
    case JSStreamMessageExceedsMaximumErr:
      return {absl::StatusCode::kFailedPrecondition, "raise the stream's limit of a message"};
    case 0:
      break;
    default:
      return {absl::StatusCode::kFailedPrecondition, ""};
  }
  switch (status) {
    case NATS_CONNECTION_AUTH_FAILED:
      return {absl::StatusCode::kPermissionDenied,
              "check the user in --sink, and the password or token in INTERCOM_SINK_PASSWORD"};
    case NATS_NOT_PERMITTED:
      return {absl::StatusCode::kPermissionDenied,
              "allow the user the prefix, $JS.API.> and $KV.>"};
    case NATS_NO_RESPONDERS:
      return {absl::StatusCode::kUnavailable, "check that JetStream is enabled there"};
    case NATS_NO_SERVER:
      return {absl::StatusCode::kUnavailable, "check that NATS runs there and can be reached"};
    case NATS_MAX_PAYLOAD:
      return {absl::StatusCode::kFailedPrecondition, "raise max_payload of the server"};
    case NATS_SSL_ERROR:
    case NATS_SECURE_CONNECTION_WANTED:
    case NATS_SECURE_CONNECTION_REQUIRED:
      return {absl::StatusCode::kFailedPrecondition, "check tls= and ca= in --sink"};
    case NATS_INVALID_ARG:
    case NATS_INVALID_SUBJECT:
      return {absl::StatusCode::kFailedPrecondition, ""};
    case NATS_NO_MEMORY:
      return {absl::StatusCode::kResourceExhausted, ""};
    default:
      return {absl::StatusCode::kUnavailable, ""};
  }
}

// The library's last words, without the line of its source that they begin with.
absl::string_view LastWords(natsStatus* status) {
  const char* const said = nats_GetLastError(status);
  absl::string_view words = said == nullptr ? absl::string_view() : said;
  const size_t source = words.find("): ");
  if (absl::StartsWith(words, "(") && source != absl::string_view::npos) {
    words.remove_prefix(source + 3);
  }
  return words;
}

using Options = std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)>;

natsStatus SetOptions(const NatsTarget& target, natsOptions* options) {
  std::vector<std::string> urls;
  urls.reserve(target.hosts.size());
  for (const std::string& host : target.hosts) urls.push_back(absl::StrCat("nats://", host));
  std::vector<const char*> servers;
  servers.reserve(urls.size());
  for (const std::string& url : urls) servers.push_back(url.c_str());
  natsStatus s = natsOptions_SetServers(options, servers.data(), static_cast<int>(servers.size()));
  if (s == NATS_OK) s = natsOptions_SetName(options, "intercom-extract");
  if (s == NATS_OK) s = natsOptions_SetTimeout(options, Millis(kConnectTimeout));
  // A new session is a new Open(), which sees who has the id.
  if (s == NATS_OK) s = natsOptions_SetAllowReconnect(options, false);
  if (s == NATS_OK) s = natsOptions_SetPingInterval(options, Millis(kAnswerTimeout) / 3);
  if (s == NATS_OK && target.tls) s = natsOptions_SetSecure(options, true);
  if (s == NATS_OK && !target.ca.empty()) {
    s = natsOptions_LoadCATrustedCertificates(options, target.ca.c_str());
  }
  if (s == NATS_OK && !target.credentials.empty()) {
    s = natsOptions_SetUserCredentialsFromFiles(options, target.credentials.c_str(), nullptr);
  }
  if (s != NATS_OK) return s;
  if (!target.user.empty()) {
    return natsOptions_SetUserInfo(options, target.user.c_str(), target.password.c_str());
  }
  return target.password.empty() ? NATS_OK : natsOptions_SetToken(options, target.password.c_str());
}

}  // namespace

absl::Status NatsError(natsStatus status, int js_code, absl::string_view said,
                       absl::string_view what, absl::string_view where) {
  const Meaning meaning = MeaningOf(status, js_code);
  return absl::Status(
      meaning.code,
      absl::StrCat(what, " at ", where, ": ", said.empty() ? natsStatus_GetText(status) : said,
                   *meaning.advice == '\0' ? "" : "; ", meaning.advice));
}

NatsConnection::NatsConnection(const NatsTarget& target)
    : target_(target), failure_([] {
        // The library's threads may still be about to tell of a message when a session ends:
        // what they write to stays for good. Sessions are few.
        static auto* const kept = new std::vector<std::unique_ptr<Failure>>;
        static auto* const mutex = new absl::Mutex;
        const absl::MutexLock lock(mutex);
        return kept->emplace_back(std::make_unique<Failure>()).get();
      }()) {}

NatsConnection::~NatsConnection() {
  kvStore_Destroy(bucket_);
  jsCtx_Destroy(js_);
  natsConnection_Destroy(connection_);
}

absl::StatusOr<std::unique_ptr<NatsConnection>> NatsConnection::Connect(const NatsTarget& target) {
  std::unique_ptr<NatsConnection> made(new NatsConnection(target));
  if (absl::Status status = made->Dial(); !status.ok()) return status;
  if (absl::Status status = made->MakeStream(); !status.ok()) return status;
  if (absl::Status status = made->OpenBucket(); !status.ok()) return status;
  return made;
}

absl::Status NatsConnection::Dial() {
  natsOptions* made = nullptr;
  natsStatus s = natsOptions_Create(&made);
  const Options options(made, &natsOptions_Destroy);
  if (s == NATS_OK) s = SetOptions(target_, options.get());
  if (s != NATS_OK) {
    return absl::FailedPreconditionError(absl::StrCat("cannot use the files in --sink for ",
                                                      target_.name(), ": ", natsStatus_GetText(s)));
  }
  s = natsConnection_Connect(&connection_, options.get());
  if (s != NATS_OK) return Error(s, 0, "cannot connect");
  jsOptions js;
  jsOptions_Init(&js);
  js.Wait = Millis(kAnswerTimeout);
  js.PublishAsync.MaxPending = kPendingMessages;
  js.PublishAsync.StallWait = Millis(kAnswerTimeout);
  js.PublishAsync.ErrHandler = &NatsConnection::OnFailure;
  js.PublishAsync.ErrHandlerClosure = failure_;
  s = natsConnection_JetStream(&js_, connection_, &js);
  return s == NATS_OK ? absl::OkStatus() : Error(s, 0, "cannot use JetStream");
}

absl::Status NatsConnection::MakeStream() {
  jsStreamInfo* info = nullptr;
  jsErrCode code = static_cast<jsErrCode>(0);
  natsStatus s = js_GetStreamInfo(&info, js_, target_.stream.c_str(), nullptr, &code);
  const bool silent = s == NATS_OK && info->Config->NoAck;
  jsStreamInfo_Destroy(info);
  if (silent) {
    return absl::FailedPreconditionError(
        absl::StrCat(target_.name(), " acknowledges nothing; set the stream's no_ack to false"));
  }
  if (s == NATS_OK) return absl::OkStatus();
  if (code != JSStreamNotFoundErr) return Error(s, code, "cannot use the stream");
  const std::string subjects = absl::StrCat(target_.prefix, "*");
  const char* list[] = {subjects.c_str()};
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = target_.stream.c_str();
  config.Subjects = list;
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  config.Replicas = target_.replicas;
  config.Duplicates = absl::ToInt64Nanoseconds(target_.duplicate_window);
  s = js_AddStream(nullptr, js_, &config, nullptr, &code);
  return s == NATS_OK ? absl::OkStatus() : Error(s, code, "cannot make the stream");
}

absl::Status NatsConnection::OpenBucket() {
  const std::string name = target_.bucket();
  natsStatus s = js_KeyValue(&bucket_, js_, name.c_str());
  if (s == NATS_NOT_FOUND) {
    kvConfig config;
    kvConfig_Init(&config);
    config.Bucket = name.c_str();
    config.History = 1;
    config.StorageType = js_FileStorage;
    config.Replicas = target_.replicas;
    s = js_CreateKeyValue(&bucket_, js_, &config);
  }
  return s == NATS_OK ? absl::OkStatus() : Error(s, 0, "cannot make the bucket of positions");
}

absl::Status NatsConnection::Error(natsStatus status, int js_code, absl::string_view what) const {
  natsStatus last = NATS_OK;
  const absl::string_view said = LastWords(&last);
  return NatsError(status, js_code, last == status ? said : "", what, target_.name());
}

void NatsConnection::OnFailure(jsCtx*, jsPubAckErr* error, void* closure) {
  auto* const failure = static_cast<Failure*>(closure);
  const absl::MutexLock lock(&failure->mutex);
  if (failure->status != NATS_OK) return;
  failure->status = error->Err == NATS_OK ? NATS_ERR : error->Err;
  failure->js_code = error->ErrCode;
  failure->said = error->ErrText == nullptr ? "" : error->ErrText;
}

absl::Status NatsConnection::Failed() const {
  const absl::MutexLock lock(&failure_->mutex);
  if (failure_->status == NATS_OK) return absl::OkStatus();
  return NatsError(failure_->status, failure_->js_code, failure_->said, "cannot store a message",
                   target_.name());
}

absl::Status NatsConnection::Publish(const NatsMessage& message) {
  if (absl::Status failed = Failed(); !failed.ok()) return failed;
  pending_bytes_ += message.data.size() + kMessageOverhead;
  if (pending_bytes_ > kPendingBytes) {
    if (absl::Status flushed = Flush(); !flushed.ok()) return flushed;
    pending_bytes_ = message.data.size() + kMessageOverhead;
  }
  natsMsg* made = nullptr;
  natsStatus s = natsMsg_Create(&made, message.subject.c_str(), nullptr, message.data.data(),
                                static_cast<int>(message.data.size()));
  for (const auto& [name, value] : message.headers) {
    if (s == NATS_OK) s = natsMsgHeader_Set(made, name, value);
  }
  jsPubOptions options;
  jsPubOptions_Init(&options);
  options.MsgId = message.id.c_str();
  options.ExpectStream = target_.stream.c_str();
  if (s == NATS_OK) s = js_PublishMsgAsync(js_, &made, &options);
  natsMsg_Destroy(made);
  if (s == NATS_OK) return absl::OkStatus();
  // What went wrong before explains it better.
  if (absl::Status failed = Failed(); !failed.ok()) return failed;
  return Error(s, 0, absl::StrCat("cannot publish to ", message.subject));
}

absl::Status NatsConnection::Flush() {
  pending_bytes_ = 0;
  const absl::Time until = absl::Now() + kAnswerTimeout;
  jsPubOptions options;
  jsPubOptions_Init(&options);
  options.MaxWait = Millis(kStep);
  for (;;) {
    const natsStatus s = js_PublishAsyncComplete(js_, &options);
    if (absl::Status failed = Failed(); !failed.ok()) return failed;
    if (s == NATS_OK) return absl::OkStatus();
    if (s != NATS_TIMEOUT) return Error(s, 0, "cannot store messages");
    if (natsConnection_IsClosed(connection_)) {
      return NatsError(NATS_CONNECTION_CLOSED, 0, "the connection is lost", "cannot store messages",
                       target_.name());
    }
    if (absl::Now() > until) {
      return NatsError(NATS_TIMEOUT, 0, "no acknowledgement for 30 s", "cannot store messages",
                       target_.name());
    }
  }
}

absl::StatusOr<NatsValue> NatsConnection::Get(const std::string& key) {
  kvEntry* entry = nullptr;
  const natsStatus s = kvStore_Get(&entry, bucket_, key.c_str());
  if (s == NATS_NOT_FOUND) return NatsValue();
  if (s != NATS_OK) return Error(s, 0, "cannot read the position");
  NatsValue value;
  value.revision = kvEntry_Revision(entry);
  value.bytes.assign(static_cast<const char*>(kvEntry_Value(entry)),
                     static_cast<size_t>(kvEntry_ValueLen(entry)));
  kvEntry_Destroy(entry);
  return value;
}

absl::StatusOr<std::vector<std::string>> NatsConnection::Keys() {
  kvKeysList list = {};
  kvWatchOptions options;
  kvWatchOptions_Init(&options);
  options.Timeout = Millis(kAnswerTimeout);
  const natsStatus s = kvStore_Keys(&list, bucket_, &options);
  std::vector<std::string> keys(list.Keys, list.Keys + list.Count);
  kvKeysList_Destroy(&list);
  if (s != NATS_OK && s != NATS_NOT_FOUND) return Error(s, 0, "cannot read the positions");
  return keys;
}

absl::StatusOr<uint64_t> NatsConnection::Put(const std::string& key, const std::string& bytes,
                                             uint64_t revision) {
  uint64_t stored = 0;
  const int size = static_cast<int>(bytes.size());
  const natsStatus s =
      revision == 0 ? kvStore_Create(&stored, bucket_, key.c_str(), bytes.data(), size)
                    : kvStore_Update(&stored, bucket_, key.c_str(), bytes.data(), size, revision);
  if (s == NATS_OK) return stored;
  // The library tells this code only in its text.
  natsStatus last = NATS_OK;
  const absl::string_view said = LastWords(&last);
  const bool changed = absl::StrContains(said, "wrong last sequence");
  return NatsError(s, changed ? JSStreamWrongLastSequenceErr : 0, said, "cannot store the position",
                   target_.name());
}

}  // namespace intercom_extractor
