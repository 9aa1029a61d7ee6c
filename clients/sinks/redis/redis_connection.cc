#include "clients/sinks/redis/redis_connection.h"

#include <sys/time.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

constexpr timeval kConnectTimeout = {10, 0};
// Writing its files may stop it for seconds.
constexpr timeval kAnswerTimeout = {30, 0};

// Commands are sent when so many bytes have come together; their replies are read when as
// many are there again.
constexpr size_t kPipelineBytes = 256 << 10;

struct Meaning {
  const char* prefix;
  absl::StatusCode code;
  const char* advice;
};

constexpr Meaning kMeanings[] = {
    {"WRONGPASS", absl::StatusCode::kPermissionDenied,
     "check the user in --sink, and the password in INTERCOM_SINK_PASSWORD or REDISCLI_AUTH"},
    {"ERR invalid password", absl::StatusCode::kPermissionDenied,
     "check the password in INTERCOM_SINK_PASSWORD or REDISCLI_AUTH"},
    {"NOAUTH", absl::StatusCode::kPermissionDenied,
     "set the password in INTERCOM_SINK_PASSWORD or REDISCLI_AUTH, and the user in --sink"},
    {"ERR AUTH", absl::StatusCode::kPermissionDenied, "this Redis has no password: unset it"},
    {"ERR Client sent AUTH", absl::StatusCode::kPermissionDenied,
     "this Redis has no password: unset it"},
    {"NOPERM", absl::StatusCode::kPermissionDenied,
     "grant the user +@stream +@hash +@transaction +type +select +info on the keys of the prefix"},
    {"OOM", absl::StatusCode::kResourceExhausted,
     "its maxmemory is used up: give it more, or delete or trim streams, then run again"},
    {"MISCONF", absl::StatusCode::kResourceExhausted,
     "it cannot write its files: look at its disk and log, then run again"},
    {"LOADING", absl::StatusCode::kUnavailable, "it reads its files"},
    {"BUSY", absl::StatusCode::kUnavailable, ""},
    {"TRYAGAIN", absl::StatusCode::kUnavailable, ""},
    {"MASTERDOWN", absl::StatusCode::kUnavailable, ""},
    {"NOREPLICAS", absl::StatusCode::kUnavailable, ""},
    {"READONLY", absl::StatusCode::kUnavailable, "name the primary in --sink"},
    {"ERR max number of clients", absl::StatusCode::kUnavailable, ""},
    {"MOVED", absl::StatusCode::kFailedPrecondition, "clusters are not served"},
    {"CROSSSLOT", absl::StatusCode::kFailedPrecondition, "clusters are not served"},
    {"CLUSTERDOWN", absl::StatusCode::kFailedPrecondition, "clusters are not served"},
    {"WRONGTYPE", absl::StatusCode::kFailedPrecondition,
     "a key is no stream: delete it, or use another prefix"},
    {"ERR DB index", absl::StatusCode::kFailedPrecondition, "check the database in --sink"},
    {"ERR invalid DB index", absl::StatusCode::kFailedPrecondition, "check the database in --sink"},
    {"ERR unknown command", absl::StatusCode::kFailedPrecondition,
     "this sink needs Redis 5 or later with its commands under their names"},
};

// As the protocol has it: "*2\r\n$3\r\nGET\r\n$1\r\na\r\n".
void AppendCommand(const RedisConnection::Arguments& arguments, std::string* out) {
  absl::StrAppend(out, "*", arguments.size(), "\r\n");
  for (const absl::string_view argument : arguments) {
    absl::StrAppend(out, "$", argument.size(), "\r\n", argument, "\r\n");
  }
}

}  // namespace

absl::string_view RedisText(const redisReply& reply) {
  return reply.str == nullptr ? absl::string_view() : absl::string_view(reply.str, reply.len);
}

absl::Status RedisError(absl::string_view said, absl::string_view what, absl::string_view where) {
  // What follows would be what was sent.
  const size_t arguments = said.find(", with args");
  if (arguments != absl::string_view::npos) said = said.substr(0, arguments);
  for (const Meaning& meaning : kMeanings) {
    if (!absl::StartsWith(said, meaning.prefix)) continue;
    return absl::Status(meaning.code,
                        absl::StrCat(what, " at ", where, ": ", said,
                                     *meaning.advice == '\0' ? "" : "; ", meaning.advice));
  }
  return absl::FailedPreconditionError(absl::StrCat(what, " at ", where, ": ", said));
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Connect(
    const RedisTarget& target) {
  std::unique_ptr<RedisConnection> made(new RedisConnection(
      redisConnectWithTimeout(target.host.c_str(), target.port, kConnectTimeout), target.name()));
  if (made->context_ == nullptr) return absl::ResourceExhaustedError("out of memory");
  if (made->context_->err != 0) {
    return absl::UnavailableError(absl::StrCat("cannot connect to ", made->name_, ": ",
                                               made->context_->errstr,
                                               "; check that Redis runs there and can be reached"));
  }
  if (redisSetTimeout(made->context_.get(), kAnswerTimeout) != REDIS_OK ||
      redisEnableKeepAlive(made->context_.get()) != REDIS_OK) {
    return made->Lost();
  }
  if (absl::Status status = made->LogIn(target); !status.ok()) return status;
  return made;
}

absl::Status RedisConnection::LogIn(const RedisTarget& target) {
  Arguments login = {"AUTH"};
  if (!target.user.empty()) login.push_back(target.user);
  login.push_back(target.password);
  if (!target.password.empty()) {
    if (absl::Status status = Ask(login).status(); !status.ok()) return status;
  } else if (!target.user.empty()) {
    return absl::PermissionDeniedError(
        absl::StrCat("no password for ", name_, "; set INTERCOM_SINK_PASSWORD or REDISCLI_AUTH"));
  }
  return Ask({"SELECT", absl::StrCat(target.database)}).status();
}

absl::Status RedisConnection::Send(const Arguments& arguments) {
  AppendCommand(arguments, &unsent_);
  ++unsent_commands_;
  if (unsent_.size() < kPipelineBytes) return absl::OkStatus();
  const size_t commands = unsent_commands_;
  if (absl::Status status = Flush(); !status.ok()) return status;
  return ReadUntil(commands);
}

absl::StatusOr<RedisReply> RedisConnection::Ask(const Arguments& arguments) {
  AppendCommand(arguments, &unsent_);
  ++unsent_commands_;
  if (absl::Status status = Flush(); !status.ok()) return status;
  if (absl::Status status = ReadUntil(1); !status.ok()) return status;
  return ReadReply();
}

absl::Status RedisConnection::Flush() {
  if (redisAppendFormattedCommand(context_.get(), unsent_.data(), unsent_.size()) != REDIS_OK) {
    return Lost();
  }
  sent_commands_ += unsent_commands_;
  unsent_commands_ = 0;
  unsent_.clear();
  for (int done = 0; done == 0;) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) return Lost();
  }
  return absl::OkStatus();
}

absl::StatusOr<RedisReply> RedisConnection::ReadReply() {
  void* read = nullptr;
  if (redisGetReply(context_.get(), &read) != REDIS_OK || read == nullptr) return Lost();
  --sent_commands_;
  RedisReply reply(static_cast<redisReply*>(read));
  if (reply->type == REDIS_REPLY_ERROR) {
    return RedisError(RedisText(*reply), "refused", name_);
  }
  return reply;
}

absl::Status RedisConnection::ReadUntil(size_t left) {
  while (sent_commands_ > left) {
    if (absl::Status status = ReadReply().status(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RedisConnection::Lost() const {
  const bool silent = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
  return absl::UnavailableError(
      absl::StrCat("lost the connection to ", name_, ": ",
                   silent ? "no answer for 30 s" : static_cast<const char*>(context_->errstr)));
}

}  // namespace intercom_extractor
