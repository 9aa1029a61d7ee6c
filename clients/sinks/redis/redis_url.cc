#include "clients/sinks/redis/redis_url.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "clients/sinks/sink_url.h"

namespace intercom_extractor {
namespace {

constexpr char kForm[] = "redis://USER@HOST:PORT/DATABASE?prefix=NAME&format=json|protobuf";

absl::Status Malformed(absl::string_view what) { return SinkUrlError(what, kForm); }

absl::Status TakeParameter(const std::string& name, const std::string& value, RedisTarget* target) {
  if (name == "prefix") {
    target->prefix = value;
    return absl::OkStatus();
  }
  if (name == "format") {
    if (ParseRecordFormat(value, &target->format)) return absl::OkStatus();
    return Malformed(kFormatMistake);
  }
  if (name == "maxlen") {
    if (absl::SimpleAtoi(value, &target->maxlen) && target->maxlen > 0) return absl::OkStatus();
    return Malformed("maxlen= is a number of entries");
  }
  return UnknownParameter(name, kForm);
}

}  // namespace

std::string RedisTarget::name() const {
  const bool brackets = absl::StrContains(host, ':');
  return absl::StrCat("redis://", user, user.empty() ? "" : "@", brackets ? "[" : "", host,
                      brackets ? "]" : "", ":", port, "/", database, ", keys ", prefix, "*");
}

bool IsRedisUrl(absl::string_view url) {
  return absl::StartsWith(url, "redis://") || absl::StartsWith(url, "rediss://");
}

absl::StatusOr<RedisTarget> ParseRedisUrl(const std::string& url) {
  const auto parsed = ParseSinkUrl(url, kForm);
  if (!parsed.ok()) return parsed.status();
  if (parsed->scheme == "rediss") {
    return Malformed("this program speaks no TLS with Redis: put stunnel or the like in between");
  }
  if (parsed->scheme != "redis") return Malformed("this is no URL of Redis");
  if (parsed->hosts.size() != 1) return Malformed("the URL names one host: no cluster");
  RedisTarget target;
  target.user = parsed->user;
  if (!SplitHostPort(parsed->hosts[0], &target.host, &target.port)) {
    return Malformed("the port is no number");
  }
  if (!parsed->path.empty() &&
      !(absl::SimpleAtoi(parsed->path, &target.database) && target.database >= 0)) {
    return Malformed("the database is a number");
  }
  for (const auto& [name, value] : parsed->parameters) {
    if (absl::Status status = TakeParameter(name, value, &target); !status.ok()) return status;
  }
  return target;
}

}  // namespace intercom_extractor
