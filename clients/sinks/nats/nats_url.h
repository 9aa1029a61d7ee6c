#ifndef CLIENTS_SINKS_NATS_NATS_URL_H_
#define CLIENTS_SINKS_NATS_NATS_URL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/sinks/records/record_table.h"

namespace intercom_extractor {

// Servers with JetStream, and what is asked of them.
struct NatsTarget {
  std::vector<std::string> hosts;  // "h:4222"
  std::string user;
  std::string password;     // Not from the URL; without a user, a token. Secret.
  std::string credentials;  // A file of NATS' own kind, or empty.
  bool tls = false;
  std::string ca;  // A file with certificates, or empty: the system's.
  std::string stream = "INTERCOM";
  std::string prefix = "intercom.";  // Of all subjects; ends with a dot.
  RecordFormat format = RecordFormat::kProtobuf;
  // Of a stream that is made.
  absl::Duration duplicate_window = absl::Minutes(10);
  int replicas = 1;

  // The stream's bucket of positions.
  std::string bucket() const;

  // For people: "nats://etl@h:4222, stream INTERCOM, subjects intercom.*".
  std::string name() const;
};

// Whether a sink's URL is one of NATS.
bool IsNatsUrl(absl::string_view url);

// Reads "nats://user@host:port,host:port?stream=NAME&prefix=intercom.&format=json". Errors as
// ParseSinkUrl().
absl::StatusOr<NatsTarget> ParseNatsUrl(const std::string& url);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_NATS_NATS_URL_H_
