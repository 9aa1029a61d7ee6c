#ifndef CLIENTS_SINKS_SINK_URL_H_
#define CLIENTS_SINKS_SINK_URL_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// "scheme://user@host:port,host:port/path?name=value&...", taken apart; percent escapes of
// user and values are read.
struct SinkUrl {
  std::string scheme;
  std::string user;                // Empty: none is named.
  std::vector<std::string> hosts;  // "h:6379", "[::1]"
  std::string path;                // Without its slash.
  std::vector<std::pair<std::string, std::string>> parameters;
};

// kInvalidArgument says what is wrong with a URL and how one is written, and quotes nothing:
// a password has no place in it, but people try. `form` is "redis://USER@HOST:PORT/...".
absl::StatusOr<SinkUrl> ParseSinkUrl(const std::string& url, absl::string_view form);

// The error of ParseSinkUrl(), for what a kind of sink finds wrong itself.
absl::Status SinkUrlError(absl::string_view what, absl::string_view form);

// For a parameter that a kind of sink does not know.
absl::Status UnknownParameter(absl::string_view name, absl::string_view form);

// "h:6379" as host and port: `port` stays where none is named. False where it is no number
// of a port.
bool SplitHostPort(const std::string& text, std::string* host, int* port);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_SINK_URL_H_
