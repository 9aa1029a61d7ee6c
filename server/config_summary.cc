#include "server/config_summary.h"

#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "extractor/intercom/connection.h"
#include "extractor/tables/privacy_rules.h"
#include "server/caller_config.h"

namespace intercom_extractor {
namespace {

std::string Recognised(const CallerConfig& caller) {
  std::vector<std::string> by;
  if (!caller.token_hashes.empty()) {
    by.push_back(absl::StrCat(caller.token_hashes.size(),
                              caller.token_hashes.size() == 1 ? " token" : " tokens"));
  }
  if (!caller.certificate_names.empty()) {
    by.push_back(absl::StrCat("certificate of ", absl::StrJoin(caller.certificate_names, " or ")));
  }
  return absl::StrJoin(by, " and ");
}

void AppendLimit(absl::string_view what, int64_t limit, std::string* line) {
  if (limit > 0) absl::StrAppend(line, "; at most ", limit, " ", what);
}

std::string Describe(const CallerConfig& caller) {
  std::string line = absl::StrCat(
      "  caller ", caller.name, ": ", Recognised(caller), "; connections ",
      absl::StrJoin(caller.connections, ", "), "; ",
      caller.tables.empty() ? "all tables"
                            : absl::StrCat("tables ", absl::StrJoin(caller.tables, ", ")));
  AppendLimit("streams", caller.limits.max_streams, &line);
  AppendLimit("calls a minute", caller.limits.max_requests_per_minute, &line);
  AppendLimit("bytes a second", caller.limits.max_bytes_per_second, &line);
  return absl::StrCat(line, "\n");
}

}  // namespace

std::string DescribeConfig(const ServerConfig& config) {
  const char* tls = config.tls_cert_file.empty()        ? "plain text"
                    : config.tls_client_ca_file.empty() ? "TLS"
                                                        : "mutual TLS";
  std::string text = absl::StrCat("  listens on ", config.listen, ", ", tls, "\n");
  for (const Connection& connection : config.connections) {
    absl::StrAppend(&text, "  connection ", connection.name, ": ", connection.base_url,
                    ", API version ", connection.api_version, "\n");
    if (connection.privacy != nullptr) {
      absl::StrAppend(&text, "    privacy: ", connection.privacy->Summary(), "\n");
    }
  }
  for (const CallerConfig& caller : config.callers) absl::StrAppend(&text, Describe(caller));
  if (config.callers.empty()) {
    absl::StrAppend(&text, "  no callers: everybody who can connect may use all connections\n");
  }
  return text;
}

}  // namespace intercom_extractor
