#include "server/caller_registry.h"

#include <algorithm>
#include <cstddef>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "extractor/intercom/intercom_client.h"
#include "server/caller_token.h"
#include "server/printable_name.h"

namespace intercom_extractor {
namespace {

absl::Status Unknown(absl::string_view what) {
  return StatusWithReason(absl::StatusCode::kUnauthenticated, "CALLER_UNKNOWN", what);
}

absl::Status Forbidden(absl::string_view reason, absl::string_view what) {
  return StatusWithReason(absl::StatusCode::kPermissionDenied, reason, what);
}

// Some are enough to see what is meant; errors must stay small.
std::string FirstOf(std::vector<std::string> names) {
  constexpr size_t kMaxNames = 10;
  const bool more = names.size() > kMaxNames;
  if (more) names.resize(kMaxNames);
  return absl::StrCat(absl::StrJoin(names, ", "), more ? ", ..." : "");
}

bool HasAny(const std::vector<std::string>& wanted, const std::vector<std::string>& shown) {
  return absl::c_any_of(
      shown, [&](const std::string& name) { return absl::c_linear_search(wanted, name); });
}

// The token of "Bearer TOKEN"; empty for anything else.
absl::string_view TokenOf(absl::string_view authorization) {
  constexpr absl::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(authorization, kScheme)) return "";
  return authorization.substr(kScheme.size());
}

}  // namespace

Caller::Caller(const CallerConfig& config, std::shared_ptr<CallerLimits> limits)
    : config_(config), limits_(std::move(limits)) {}

absl::Status Caller::MayUse(absl::string_view connection) const {
  if (name().empty() || absl::c_linear_search(config_.connections, connection)) {
    return absl::OkStatus();
  }
  return Forbidden(
      "CONNECTION_FORBIDDEN",
      absl::StrCat("caller ", name(), " may not use connection \"", PrintableName(connection),
                   "\"; it may use: ", FirstOf(config_.connections)));
}

bool Caller::MayRead(absl::string_view table) const {
  return config_.tables.empty() || absl::c_linear_search(config_.tables, table);
}

absl::Status Caller::MayRead(const std::vector<const TableInfo*>& tables) const {
  std::vector<std::string> forbidden;
  for (const TableInfo* table : tables) {
    if (!MayRead(table->name())) forbidden.push_back(table->name());
  }
  if (forbidden.empty()) return absl::OkStatus();
  return Forbidden("TABLE_FORBIDDEN",
                   absl::StrCat("caller ", name(), " may not read: ", FirstOf(forbidden),
                                "; it may read: ", FirstOf(config_.tables)));
}

CallerRegistry::CallerRegistry(const std::vector<CallerConfig>& configs,
                               const CallerRegistry* earlier, const Clock* clock) {
  if (configs.empty()) {
    everybody_ = std::make_shared<const Caller>(
        CallerConfig(), std::make_shared<CallerLimits>("everybody", UsageLimits(), clock));
    return;
  }
  for (const CallerConfig& config : configs) {
    std::shared_ptr<CallerLimits> limits;
    if (earlier != nullptr) {
      for (const auto& caller : earlier->callers_) {
        if (caller->name() == config.name) limits = caller->limits();
      }
    }
    if (limits != nullptr) {
      limits->Set(config.limits);
    } else {
      limits = std::make_shared<CallerLimits>(absl::StrCat("caller ", config.name), config.limits,
                                              clock);
    }
    callers_.push_back(std::make_shared<const Caller>(config, std::move(limits)));
  }
}

std::shared_ptr<const Caller> CallerRegistry::FindByToken(absl::string_view token) const {
  const std::string hash = HashCallerToken(token);
  std::shared_ptr<const Caller> found;
  // To the end, so that the time does not tell whose it is.
  for (const auto& caller : callers_) {
    for (const std::string& good : caller->config().token_hashes) {
      if (SameHash(hash, good)) found = caller;
    }
  }
  return found;
}

std::shared_ptr<const Caller> CallerRegistry::FindByCertificate(
    const std::vector<std::string>& names) const {
  for (const auto& caller : callers_) {
    const CallerConfig& config = caller->config();
    if (config.token_hashes.empty() && HasAny(config.certificate_names, names)) return caller;
  }
  return nullptr;
}

absl::StatusOr<std::shared_ptr<const Caller>> CallerRegistry::Identify(
    const CallIdentity& identity) const {
  if (everybody_ != nullptr) return everybody_;
  if (identity.authorization.empty()) {
    auto caller = FindByCertificate(identity.certificate_names);
    if (caller != nullptr) return caller;
    return Unknown(
        identity.certificate_names.empty()
            ? "this server serves callers that it knows only; send a caller token as metadata "
              "\"authorization: Bearer TOKEN\""
            : "the client certificate is of no caller that this server knows, and there is no "
              "caller token; send \"authorization: Bearer TOKEN\", or have a name of the "
              "certificate added to the server's callers");
  }
  if (identity.authorization.size() > 1) {
    return Unknown("the metadata \"authorization\" stands there more than once; send one");
  }
  const absl::string_view token = TokenOf(identity.authorization.front());
  if (token.empty()) {
    return Unknown("the metadata \"authorization\" holds no caller token; send \"Bearer TOKEN\"");
  }
  auto caller = FindByToken(token);
  if (caller == nullptr) {
    return Unknown(
        "this server does not know the caller token; use the one it was given, or ask "
        "whoever runs the server for a new one");
  }
  const std::vector<std::string>& names = caller->config().certificate_names;
  if (!names.empty() && !HasAny(names, identity.certificate_names)) {
    return Unknown("this caller token is good only together with its caller's client certificate");
  }
  return caller;
}

}  // namespace intercom_extractor
