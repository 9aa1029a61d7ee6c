#ifndef CLIENTS_SINKS_MAKE_SINK_H_
#define CLIENTS_SINKS_MAKE_SINK_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/sinks/sink.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What a user says of a sink.
struct SinkOrder {
  std::string url;  // Its scheme tells the kind. Secret: may hold a password.
  std::string id;   // Under which the sink keeps how far it is.
  // For kinds whose URL has no place for one; may be empty.
  std::string password;
};

// The sink's name for people, without a password: reads the URL, connects to nothing.
// kInvalidArgument: the URL is none of a sink; says which there are and quotes nothing.
absl::StatusOr<std::string> DescribeSink(const std::string& url);

// A sink for `tables`, which are among `all` of the server's. Errors as DescribeSink();
// kUnimplemented: a table is newer than this program.
absl::StatusOr<std::unique_ptr<Sink>> MakeSink(const SinkOrder& order,
                                               const std::vector<v1::TableDescription>& tables,
                                               const std::vector<v1::TableDescription>& all);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_MAKE_SINK_H_
