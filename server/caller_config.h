#ifndef SERVER_CALLER_CONFIG_H_
#define SERVER_CALLER_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

namespace intercom_extractor {

// What one caller may use of the server at a time; 0 is without limit.
struct UsageLimits {
  // Extractions that run at once.
  int max_streams = 0;
  // Calls of any kind within any 60 s.
  int max_requests_per_minute = 0;
  // Of all the caller's streams together, as protobuf. A stream above it is slowed.
  int64_t max_bytes_per_second = 0;
};

// One who may call, as the configuration says.
struct CallerConfig {
  // Letters, digits, '-', '_' and '.'.
  std::string name;
  // SHA-256 of each token that is good, 32 bytes each. Several while a new one replaces
  // an old one.
  std::vector<std::string> token_hashes;
  // Names in client certificates: a subject alternative name (DNS or URI) or the
  // subject's common name. Any of them will do. Beside tokens, both must be shown.
  std::vector<std::string> certificate_names;
  // The connections that it may name.
  std::vector<std::string> connections;
  // The tables that it may read; empty: all.
  std::vector<std::string> tables;
  UsageLimits limits;
};

}  // namespace intercom_extractor

#endif  // SERVER_CALLER_CONFIG_H_
