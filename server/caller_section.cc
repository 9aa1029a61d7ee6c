#include "server/caller_section.h"

#include <cstddef>
#include <limits>
#include <map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "extractor/tables/nearest_name.h"
#include "extractor/tables/table_catalog.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/caller_token.h"
#include "yaml-cpp/yaml.h"

namespace intercom_extractor {
namespace {

// A thread and a queue each: more than that no machine bears.
constexpr int kMaxStreams = 100'000;
constexpr int kMaxRequestsPerMinute = 100'000;
// A row of 64 MiB must get through within a quarter of an hour.
constexpr int kMinBytesPerSecond = 64 << 10;
constexpr int kMaxBytesPerSecond = std::numeric_limits<int>::max();

absl::Status ReadLimits(const ConfigSection& section, UsageLimits* limits) {
  absl::Status read = section.Read("max_streams", 1, kMaxStreams, &limits->max_streams);
  if (!read.ok()) return read;
  read = section.Read("max_requests_per_minute", 1, kMaxRequestsPerMinute,
                      &limits->max_requests_per_minute);
  if (!read.ok()) return read;
  int bytes = 0;
  read = section.Read("max_bytes_per_second", kMinBytesPerSecond, kMaxBytesPerSecond, &bytes);
  limits->max_bytes_per_second = bytes;
  return read;
}

absl::Status ReadTokenHashes(const ConfigSection& section, CallerConfig* caller) {
  std::vector<std::string> texts;
  const absl::Status read = section.Read("token_sha256", &texts);
  if (!read.ok()) return read;
  for (const std::string& text : texts) {
    const absl::StatusOr<std::string> hash = ParseCallerTokenHash(text);
    if (!hash.ok()) return section.Error("token_sha256", hash.status().message());
    caller->token_hashes.push_back(*hash);
  }
  return absl::OkStatus();
}

absl::Status CheckConnections(const ConfigSection& section, const CallerConfig& caller,
                              const std::vector<Connection>& connections) {
  if (caller.connections.empty()) {
    return section.Error("connections",
                         "is missing; list the names of the connections that it may use");
  }
  std::vector<std::string> names;
  names.reserve(connections.size());
  for (const Connection& connection : connections) names.push_back(connection.name);
  for (const std::string& name : caller.connections) {
    if (absl::c_linear_search(names, name)) continue;
    return section.Error("connections", absl::StrCat("there is no connection \"", name, "\"; ",
                                                     Suggestion(name, names)));
  }
  return absl::OkStatus();
}

absl::Status CheckTables(const ConfigSection& section, const CallerConfig& caller) {
  if (section.Get("tables").IsDefined() && caller.tables.empty()) {
    return section.Error("tables", "is empty; list tables, or remove the key to allow all");
  }
  if (caller.tables.empty()) return absl::OkStatus();
  const auto tables = TableCatalog::Get().Select(v1::TEMPLATE_UNSPECIFIED, caller.tables);
  return tables.ok() ? absl::OkStatus() : section.Error("tables", tables.status().message());
}

absl::StatusOr<CallerConfig> ReadCaller(const ConfigSection& section,
                                        const std::vector<Connection>& connections,
                                        bool has_client_ca) {
  CallerConfig caller;
  absl::Status read = section.Read("name", &caller.name);
  if (!read.ok()) return read;
  // Names travel in logs and error messages.
  if (!IsConfigName(caller.name)) {
    return section.Error("name", "must be 1 to 64 letters, digits, '-', '_' or '.'");
  }
  read = ReadTokenHashes(section, &caller);
  if (!read.ok()) return read;
  read = section.Read("client_certificate", &caller.certificate_names);
  if (!read.ok()) return read;
  if (caller.token_hashes.empty() && caller.certificate_names.empty()) {
    return section.Error(
        "nothing recognises this caller; give it token_sha256, client_certificate or both");
  }
  if (!caller.certificate_names.empty() && !has_client_ca) {
    return section.Error("client_certificate",
                         "needs tls.client_ca_file, or nobody shows a certificate");
  }
  read = section.Read("connections", &caller.connections);
  if (!read.ok()) return read;
  read = CheckConnections(section, caller, connections);
  if (!read.ok()) return read;
  read = section.Read("tables", &caller.tables);
  if (!read.ok()) return read;
  read = CheckTables(section, caller);
  if (!read.ok()) return read;
  read = ReadLimits(section, &caller.limits);
  if (!read.ok()) return read;
  return caller;
}

// Whose each name, token or certificate is.
class Owners {
 public:
  // An error when another caller has `what` already.
  absl::Status Add(const ConfigSection& section, const std::string& key, absl::string_view what,
                   const std::string& value, const std::string& caller) {
    const auto inserted = owners_.emplace(absl::StrCat(key, " ", value), caller);
    if (inserted.second) return absl::OkStatus();
    return section.Error(key, absl::StrCat(what, " that caller ", inserted.first->second,
                                           " has already; each needs its own"));
  }

 private:
  std::map<std::string, std::string> owners_;
};

absl::Status Tell(const ConfigSection& section, const CallerConfig& caller, Owners* owners) {
  absl::Status own = owners->Add(section, "name", "is a name", caller.name, caller.name);
  for (const std::string& hash : caller.token_hashes) {
    if (!own.ok()) return own;
    own = owners->Add(section, "token_sha256", "has a token", hash, caller.name);
  }
  // Beside a token it does not stand for a caller by itself.
  if (!caller.token_hashes.empty()) return own;
  for (const std::string& name : caller.certificate_names) {
    if (!own.ok()) return own;
    own = owners->Add(section, "client_certificate", "has a name", name, caller.name);
  }
  return own;
}

}  // namespace

absl::StatusOr<std::vector<CallerConfig>> ReadCallers(const ConfigSection& root,
                                                      const std::string& file,
                                                      const std::vector<Connection>& connections,
                                                      bool has_client_ca) {
  std::vector<CallerConfig> callers;
  const YAML::Node list = root.Get("callers");
  if (!list.IsDefined()) return callers;
  // Not even a key whose lines are all comments: who took the last caller out does not mean
  // to let everybody in.
  if (!list.IsSequence() || list.size() == 0) {
    return root.Error("callers",
                      "must list at least one caller; remove the key to let everybody call who "
                      "can connect");
  }
  Owners owners;
  for (size_t i = 0; i < list.size(); ++i) {
    const absl::StatusOr<ConfigSection> section =
        ConfigSection::Open(file, absl::StrCat("callers[", i, "]"), list[i],
                            {"name", "token_sha256", "client_certificate", "connections", "tables",
                             "max_streams", "max_requests_per_minute", "max_bytes_per_second"});
    if (!section.ok()) return section.status();
    absl::StatusOr<CallerConfig> caller = ReadCaller(*section, connections, has_client_ca);
    if (!caller.ok()) return caller.status();
    const absl::Status told = Tell(*section, *caller, &owners);
    if (!told.ok()) return told;
    callers.push_back(*std::move(caller));
  }
  return callers;
}

}  // namespace intercom_extractor
