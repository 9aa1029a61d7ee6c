#include "clients/sinks/kafka/kafka_url.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace intercom_extractor {
namespace {

constexpr absl::string_view kScheme = "kafka://";

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

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("--sink: ", what, "; write kafka://HOST:PORT,HOST:PORT/?prefix=NAME&..."));
}

bool IsTopicText(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

bool PercentDecode(absl::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out->push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
        !absl::ascii_isxdigit(text[i + 2])) {
      return false;
    }
    out->append(absl::HexStringToBytes(text.substr(i + 1, 2)));
    i += 2;
  }
  return true;
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
    target->format = value == "json" ? RecordFormat::kJson : RecordFormat::kProtobuf;
    return value == "json" || value == "protobuf" ? "" : "format= is protobuf or json";
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

absl::Status TakeParameter(absl::string_view parameter, KafkaTarget* target) {
  const size_t equals = parameter.find('=');
  if (equals == absl::string_view::npos) return Malformed("a parameter has no value");
  const std::string name(parameter.substr(0, equals));
  std::string value;
  if (!PercentDecode(parameter.substr(equals + 1), &value)) {
    return Malformed(absl::StrCat("the value of ", name, " has a % that begins no %41"));
  }
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
  if (absl::StrContains(name, "password")) {
    return Malformed("the password comes from INTERCOM_SINK_PASSWORD, as a URL is for all to see");
  }
  return Malformed(absl::StrCat("no parameter ", IsTopicText(name) ? name : "of that name",
                                " is known; docs/sinks.md lists them"));
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
  if (!IsKafkaUrl(url)) return Malformed("this is no URL of Kafka");
  const absl::string_view rest = absl::string_view(url).substr(kScheme.size());
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  KafkaTarget target;
  target.max_message_bytes = kMaxMessageBytes;
  target.brokers = std::string(rest.substr(0, end));
  if (absl::StrContains(rest, '@') &&
      (absl::StrContains(target.brokers, '@') || rest.find('@') < rest.find('?'))) {
    return Malformed(
        "users are named by ?sasl.username=NAME, their password by INTERCOM_SINK_PASSWORD");
  }
  for (absl::string_view broker : absl::StrSplit(target.brokers, ',')) {
    const auto wrong = [](char c) {
      return !absl::ascii_isalnum(c) && !absl::StrContains(".-_:[]", absl::string_view(&c, 1));
    };
    if (broker.empty() || std::any_of(broker.begin(), broker.end(), wrong)) {
      return Malformed("the brokers cannot be read");
    }
  }
  absl::string_view query = rest.substr(end);
  if (!absl::ConsumePrefix(&query, "/?") && !absl::ConsumePrefix(&query, "?") && query != "/" &&
      !query.empty()) {
    return Malformed("the URL has no path; topics are named by ?prefix=NAME");
  }
  if (query == "/") query = "";
  for (absl::string_view parameter : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    if (absl::Status status = TakeParameter(parameter, &target); !status.ok()) return status;
  }
  if (absl::Status status = SizeQueue(&target); !status.ok()) return status;
  return target;
}

}  // namespace intercom_extractor
