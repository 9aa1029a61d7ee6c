#include "clients/sinks/make_sink.h"

#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "clients/sinks/kafka/kafka_sink.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "clients/sinks/nats/nats_sink.h"
#include "clients/sinks/nats/nats_url.h"
#include "clients/sinks/postgres/postgres_sink.h"
#include "clients/sinks/postgres/postgres_url.h"
#include "clients/sinks/redis/redis_sink.h"
#include "clients/sinks/redis/redis_url.h"

namespace intercom_extractor {
namespace {

absl::Status UnknownSink() {
  return absl::InvalidArgumentError(
      "--sink is none that is known; write postgresql://USER@HOST:PORT/DATABASE?schema=NAME, "
      "kafka://HOST:PORT,HOST:PORT/?prefix=NAME, redis://USER@HOST:PORT/DATABASE?prefix=NAME or "
      "nats://USER@HOST:PORT?stream=NAME");
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
  if (IsNatsUrl(url)) return NameOf(ParseNatsUrl(url));
  if (IsRedisUrl(url)) return NameOf(ParseRedisUrl(url));
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
  if (IsNatsUrl(order.url)) {
    auto target = ParseNatsUrl(order.url);
    if (!target.ok()) return target.status();
    target->password = order.password;
    return NatsSink::Make(*std::move(target), order.id, tables, all);
  }
  if (IsRedisUrl(order.url)) {
    auto target = ParseRedisUrl(order.url);
    if (!target.ok()) return target.status();
    // As redis-cli.
    const char* const usual = std::getenv("REDISCLI_AUTH");
    target->password = order.password.empty() && usual != nullptr ? usual : order.password;
    return RedisSink::Make(*std::move(target), order.id, tables, all);
  }
  return UnknownSink();
}

}  // namespace intercom_extractor
