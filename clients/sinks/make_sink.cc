#include "clients/sinks/make_sink.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "clients/sinks/kafka/kafka_sink.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "clients/sinks/postgres/postgres_sink.h"
#include "clients/sinks/postgres/postgres_url.h"

namespace intercom_extractor {
namespace {

absl::Status UnknownSink() {
  return absl::InvalidArgumentError(
      "--sink is none that is known; write postgresql://USER@HOST:PORT/DATABASE?schema=NAME or "
      "kafka://HOST:PORT,HOST:PORT/?prefix=NAME");
}

template <typename Target>
absl::StatusOr<std::string> NameOf(const absl::StatusOr<Target>& target) {
  if (!target.ok()) return target.status();
  return target->name();
}

}  // namespace

absl::StatusOr<std::string> DescribeSink(const std::string& url) {
  if (IsPostgresUrl(url)) return NameOf(ParsePostgresUrl(url));
  if (IsKafkaUrl(url)) return NameOf(ParseKafkaUrl(url));
  return UnknownSink();
}

absl::StatusOr<std::unique_ptr<Sink>> MakeSink(const SinkOrder& order,
                                               const std::vector<v1::TableDescription>& tables,
                                               const std::vector<v1::TableDescription>& all) {
  if (IsPostgresUrl(order.url)) {
    auto target = ParsePostgresUrl(order.url);
    if (!target.ok()) return target.status();
    return PostgresSink::Make(*std::move(target), order.id, tables, all);
  }
  if (IsKafkaUrl(order.url)) {
    auto target = ParseKafkaUrl(order.url);
    if (!target.ok()) return target.status();
    target->password = order.password;
    return KafkaSink::Make(*std::move(target), order.id, tables, all);
  }
  return UnknownSink();
}

}  // namespace intercom_extractor
