#ifndef SERVER_TRACE_CONTEXT_H_
#define SERVER_TRACE_CONTEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"

namespace intercom_extractor {

// The trace id of a W3C `traceparent` header, "00-<32 hex>-<16 hex>-<2 hex>": 32 lower-case
// hexadecimal digits, or empty when `text` is none that the specification lets one use.
// Also of versions to come, which may add fields at the end.
std::string TraceIdOf(absl::string_view text);

// That of the call's metadata; empty where its caller traces nothing.
std::string TraceIdOf(const grpc::ServerContextBase& context);

}  // namespace intercom_extractor

#endif  // SERVER_TRACE_CONTEXT_H_
