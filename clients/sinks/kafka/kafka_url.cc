#include "clients/sinks/kafka/kafka_url.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/sinks/sink_url.h"

namespace intercom_extractor {
namespace {

constexpr absl::string_view kScheme = "kafka://";
constexpr char kForm[] = "kafka://HOST:PORT,HOST:PORT/?prefix=NAME&...";

// Bodies of conversations are long; a broker's own default is 1 MiB.
constexpr int64_t kMaxMessageBytes = int64_t{16} << 20;
// A broker refuses requests of more than 100 MiB.
constexpr int64_t kMostMessageBytes = 100'000'000;

// Of the tables, and of our own topics.
constexpr size_t kLongestSuffix = 40;
constexpr size_t kLongestTopic = 249;

// librdkafka's properties that may stand in a URL: none that breaks the promises of the
// sink, or holds a secret.
constexpr absl::string_view kConnectionProperties[] = {
    "broker.address.family",
    "client.id",
    "sasl.kerberos.keytab",
    "sasl.kerberos.principal",
    "sasl.kerberos.service.name",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "security.protocol",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.timeout.ms",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
};
constexpr absl::string_view kProducerProperties[] = {
    "batch.size",
    "linger.ms",
    "message.timeout.ms",
    "queue.buffering.max.kbytes",
    "transaction.timeout.ms",
};
constexpr absl::string_view kTopicSettings[] = {
    "cleanup.policy",  "delete.retention.ms", "min.insync.replicas",
    "retention.bytes", "retention.ms",
};

template <size_t N>
bool Contains(const absl::string_view (&names)[N], absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

absl::Status Malformed(absl::string_view what) { return SinkUrlError(what, kForm); }

bool IsTopicText(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

template <typename Int>
bool ParseBetween(const std::string& text, Int least, Int most, Int* value) {
  return absl::SimpleAtoi(text, value) && *value >= least && *value <= most;
}

// What is wrong with the value; empty where nothing is.
std::string TakeOwn(const std::string& name, const std::string& value, KafkaTarget* target) {
  if (name == "prefix") {
    target->prefix = value;
    const bool fits = IsTopicText(value) && value.size() + kLongestSuffix <= kLongestTopic;
    return fits ? "" : "prefix= may have letters, digits, '.', '_' and '-', up to 200";
  }
  if (name == "format") {
    return ParseRecordFormat(value, &target->format) ? "" : kFormatMistake;
  }
  if (name == "compression") {
    target->properties["compression.type"] = value;
    const bool known = value == "lz4" || value == "zstd" || value == "none" || value == "gzip" ||
                       value == "snappy";
    return known ? "" : "compression= is lz4, zstd, gzip, snappy or none";
  }
  if (name == "transactional") {
    target->transactional = value == "true";
    return value == "true" || value == "false" ? "" : "transactional= is true or false";
  }
  if (name == "partitions") {
    return ParseBetween(value, 1, 10'000, &target->partitions)
               ? ""
               : "partitions= is a number from 1 to 10000";
  }
  if (name == "replication") {
    return ParseBetween(value, 1, 100, &target->replication)
               ? ""
               : "replication= is a number from 1 to 100";
  }
  return ParseBetween(value, int64_t{1} << 10, kMostMessageBytes, &target->max_message_bytes)
             ? ""
             : "max.message.bytes= is a number from 1024 to 100000000";
}

absl::Status TakeParameter(const std::string& name, const std::string& value, KafkaTarget* target) {
  for (absl::string_view own : {"prefix", "format", "compression", "transactional", "partitions",
                                "replication", "max.message.bytes"}) {
    if (name != own) continue;
    const std::string mistake = TakeOwn(name, value, target);
    return mistake.empty() ? absl::OkStatus() : Malformed(mistake);
  }
  if (Contains(kTopicSettings, name)) {
    target->topic_settings[name] = value;
    return absl::OkStatus();
  }
  if (IsConnectionProperty(name) || Contains(kProducerProperties, name)) {
    target->properties[name] = value;
    return absl::OkStatus();
  }
  return UnknownParameter(name, kForm);
}

// The local queue blocks who writes; one that is smaller than a record would for ever.
absl::Status SizeQueue(KafkaTarget* target) {
  std::string& queue = target->properties["queue.buffering.max.kbytes"];
  const int64_t least = 2 * target->max_message_bytes / 1024;
  if (queue.empty()) {
    queue = absl::StrCat(std::max<int64_t>(65'536, least));
    return absl::OkStatus();
  }
  int64_t kbytes = 0;
  if (ParseBetween<int64_t>(queue, 1, std::numeric_limits<int>::max(), &kbytes) &&
      kbytes >= least) {
    return absl::OkStatus();
  }
  return Malformed(absl::StrCat(
      "queue.buffering.max.kbytes must hold two of the largest records: ", least, " or more"));
}

}  // namespace

std::string KafkaTarget::name() const {
  return absl::StrCat(kScheme, brokers, ", topics ", prefix, "*");
}

std::string KafkaTarget::TransactionalId(absl::string_view id) const {
  return absl::StrCat("intercom-extract/", prefix, "/", id);
}

std::map<std::string, std::string> KafkaTarget::OwnTopicSettings() const {
  std::map<std::string, std::string> settings = {{"cleanup.policy", "compact"}};
  const auto safety = topic_settings.find("min.insync.replicas");
  if (safety != topic_settings.end()) settings.insert(*safety);
  return settings;
}

bool IsKafkaUrl(absl::string_view url) { return absl::StartsWith(url, kScheme); }

bool IsConnectionProperty(absl::string_view property) {
  return Contains(kConnectionProperties, property);
}

absl::StatusOr<KafkaTarget> ParseKafkaUrl(const std::string& url) {
  const auto parsed = ParseSinkUrl(url, kForm);
  if (!parsed.ok()) return parsed.status();
  if (parsed->scheme != "kafka") return Malformed("this is no URL of Kafka");
  if (!parsed->user.empty()) {
    return Malformed(
        "users are named by ?sasl.username=NAME, their password by INTERCOM_SINK_PASSWORD");
  }
  if (!parsed->path.empty()) {
    return Malformed("the URL has no path; topics are named by ?prefix=NAME");
  }
  KafkaTarget target;
  target.max_message_bytes = kMaxMessageBytes;
  target.brokers = absl::StrJoin(parsed->hosts, ",");
  for (const auto& [name, value] : parsed->parameters) {
    if (absl::Status status = TakeParameter(name, value, &target); !status.ok()) return status;
  }
  if (absl::Status status = SizeQueue(&target); !status.ok()) return status;
  return target;
}

}  // namespace intercom_extractor
