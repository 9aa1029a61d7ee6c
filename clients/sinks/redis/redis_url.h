#ifndef CLIENTS_SINKS_REDIS_REDIS_URL_H_
#define CLIENTS_SINKS_REDIS_REDIS_URL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/records/record_table.h"

namespace intercom_extractor {

// A Redis, and what is asked of it.
struct RedisTarget {
  std::string host;
  int port = 6379;
  int database = 0;
  std::string user;                  // Empty: the default one.
  std::string password;              // Not from the URL. Secret.
  std::string prefix = "intercom:";  // Of all keys.
  RecordFormat format = RecordFormat::kProtobuf;
  int64_t maxlen = 0;  // About so many entries stay in each stream; 0: all.

  // For people: "redis://etl@h:6379/0, keys intercom:*".
  std::string name() const;
};

// Whether a sink's URL is one of Redis.
bool IsRedisUrl(absl::string_view url);

// Reads "redis://user@host:port/database?prefix=name&format=json&maxlen=1000". Errors as
// ParseSinkUrl().
absl::StatusOr<RedisTarget> ParseRedisUrl(const std::string& url);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_REDIS_REDIS_URL_H_
