#ifndef SERVER_CALLER_REGISTRY_H_
#define SERVER_CALLER_REGISTRY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "extractor/sync/clock.h"
#include "extractor/tables/table_catalog.h"
#include "server/caller_config.h"
#include "server/caller_limits.h"

namespace intercom_extractor {

// What a call shows of who makes it.
struct CallIdentity {
  // The values of its `authorization` metadata.
  std::vector<std::string> authorization;
  // The names in its client certificate, once TLS has verified that.
  std::vector<std::string> certificate_names;
};

// One who may call. Immutable but for what it has used of its limits; thread-safe.
class Caller {
 public:
  Caller(const CallerConfig& config, std::shared_ptr<CallerLimits> limits);

  // Empty where the configuration names no callers: everybody is the same one then.
  const std::string& name() const { return config_.name; }
  const CallerConfig& config() const { return config_; }
  const std::shared_ptr<CallerLimits>& limits() const { return limits_; }

  // kPermissionDenied (CONNECTION_FORBIDDEN) when it may not use the connection. Says the
  // same whether there is one of that name or not.
  absl::Status MayUse(absl::string_view connection) const;
  // kPermissionDenied (TABLE_FORBIDDEN) names what it may not read of `tables`.
  absl::Status MayRead(const std::vector<const TableInfo*>& tables) const;
  bool MayRead(absl::string_view table) const;

 private:
  const CallerConfig config_;
  const std::shared_ptr<CallerLimits> limits_;
};

// Those who may call. Immutable, thus thread-safe.
class CallerRegistry {
 public:
  // `configs` as checked by ReadCallers(); without any, everybody may use all. Callers that
  // `earlier` (may be null) knows by name keep what they have used of their limits.
  // `clock` must outlive the callers.
  CallerRegistry(const std::vector<CallerConfig>& configs, const CallerRegistry* earlier,
                 const Clock* clock);

  // Who makes a call. kUnauthenticated (CALLER_UNKNOWN) for nobody that it knows; the
  // message says what is missing, never what was shown.
  absl::StatusOr<std::shared_ptr<const Caller>> Identify(const CallIdentity& identity) const;

 private:
  std::shared_ptr<const Caller> FindByToken(absl::string_view token) const;
  std::shared_ptr<const Caller> FindByCertificate(const std::vector<std::string>& names) const;

  // Everybody; null where callers are named.
  std::shared_ptr<const Caller> everybody_;
  std::vector<std::shared_ptr<const Caller>> callers_;
};

}  // namespace intercom_extractor

#endif  // SERVER_CALLER_REGISTRY_H_
