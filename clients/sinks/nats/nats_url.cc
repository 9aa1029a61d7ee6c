#include "clients/sinks/nats/nats_url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/sinks/sink_url.h"

namespace intercom_extractor {
namespace {

constexpr char kForm[] = "nats://USER@HOST:PORT?stream=NAME&prefix=NAME.&format=json|protobuf";

absl::Status Malformed(absl::string_view what) { return SinkUrlError(what, kForm); }

// Letters, digits, '_' and '-', which streams, buckets and the parts of subjects may have.
bool IsPlain(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
}

bool IsPrefix(absl::string_view text) {
  for (; !text.empty();) {
    const size_t dot = text.find('.');
    if (dot == absl::string_view::npos || !IsPlain(text.substr(0, dot))) return false;
    text.remove_prefix(dot + 1);
  }
  return true;
}

// What is wrong with the value; empty where nothing is.
std::string TakeValue(const std::string& name, const std::string& value, NatsTarget* target) {
  if (name == "stream") {
    target->stream = value;
    return IsPlain(value) ? "" : "stream= may have letters, digits, '_' and '-'";
  }
  if (name == "prefix") {
    target->prefix = value;
    const bool fits = !value.empty() && IsPrefix(value);
    return fits ? "" : "prefix= ends with a dot, and its parts have letters, digits, '_' and '-'";
  }
  if (name == "format") {
    return ParseRecordFormat(value, &target->format) ? "" : kFormatMistake;
  }
  if (name == "duplicate_window") {
    const bool fits = absl::ParseDuration(value, &target->duplicate_window) &&
                      target->duplicate_window >= absl::Seconds(1) &&
                      target->duplicate_window <= absl::Hours(24 * 7);
    return fits ? "" : "duplicate_window= is a time such as 90s, 10m or 2h";
  }
  if (name == "replicas") {
    const bool fits = absl::SimpleAtoi(value, &target->replicas) && target->replicas >= 1 &&
                      target->replicas <= 5;
    return fits ? "" : "replicas= is a number from 1 to 5";
  }
  target->tls = value == "true";
  return value == "true" || value == "false" ? "" : "tls= is true or false";
}

}  // namespace

std::string NatsTarget::bucket() const { return absl::StrCat(stream, "_positions"); }

std::string NatsTarget::name() const {
  return absl::StrCat("nats://", user, user.empty() ? "" : "@", absl::StrJoin(hosts, ","),
                      ", stream ", stream, ", subjects ", prefix, "*");
}

bool IsNatsUrl(absl::string_view url) { return absl::StartsWith(url, "nats://"); }

absl::StatusOr<NatsTarget> ParseNatsUrl(const std::string& url) {
  const auto parsed = ParseSinkUrl(url, kForm);
  if (!parsed.ok()) return parsed.status();
  if (parsed->scheme != "nats") return Malformed("this is no URL of NATS");
  if (!parsed->path.empty()) return Malformed("the URL has no path");
  NatsTarget target;
  target.hosts = parsed->hosts;
  target.user = parsed->user;
  for (const std::string& text : target.hosts) {
    std::string host;
    int port = 0;
    if (!SplitHostPort(text, &host, &port)) return Malformed("a port is no number");
  }
  for (const auto& [name, value] : parsed->parameters) {
    if (name == "creds") {
      target.credentials = value;
    } else if (name == "ca") {
      target.ca = value;
      target.tls = true;
    } else if (name == "stream" || name == "prefix" || name == "format" || name == "tls" ||
               name == "duplicate_window" || name == "replicas") {
      const std::string mistake = TakeValue(name, value, &target);
      if (!mistake.empty()) return Malformed(mistake);
    } else {
      return UnknownParameter(name, kForm);
    }
  }
  return target;
}

}  // namespace intercom_extractor
