#include "server/connections.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "extractor/tables/privacy_rules.h"
#include "server/printable_name.h"

namespace intercom_extractor {
namespace {

// What is configured, not where it is kept.
bool SameRules(const PrivacyRules* a, const PrivacyRules* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

bool SameConnection(const Connection& a, const Connection& b) {
  return a.name == b.name && a.base_url == b.base_url && a.access_token == b.access_token &&
         a.resume_key == b.resume_key && a.api_version == b.api_version &&
         a.quota_reserve == b.quota_reserve && SameRules(a.privacy.get(), b.privacy.get());
}

}  // namespace

absl::StatusOr<std::shared_ptr<IntercomClient>> FindConnection(const ConnectionSet& set,
                                                               const std::string& name) {
  const auto found = set.find(name);
  if (found != set.end()) return found->second;

  // Some are enough to see a typing error; errors must stay small.
  constexpr int kMaxNames = 10;
  std::string names;
  int count = 0;
  for (const auto& entry : set) {
    if (++count > kMaxNames) {
      absl::StrAppend(&names, ", ...");
      break;
    }
    absl::StrAppend(&names, count > 1 ? ", " : "", entry.first);
  }
  return StatusWithReason(absl::StatusCode::kNotFound, "CONNECTION_UNKNOWN",
                          absl::StrCat("connection \"", PrintableName(name),
                                       "\" is not configured in this server; it has: ", names));
}

ConnectionPool::ConnectionPool(const HttpClient::Options& http, const Clock* clock)
    : clock_(clock), http_(http) {}

ConnectionPool::~ConnectionPool() {
  std::map<IntercomClient*, std::unique_ptr<IntercomClient>> clients;
  {
    MutexLock lock(&mu_);
    clients.swap(clients_);
  }
  // Without the lock: as what they have pending ends, pointers to them are let go.
  clients.clear();
}

absl::StatusOr<ConnectionSet> ConnectionPool::Open(const std::vector<Connection>& connections,
                                                   const ConnectionSet& current) {
  if (connections.empty()) {
    return absl::InvalidArgumentError("connections: there is none; configure at least one");
  }
  ConnectionSet result;
  for (const Connection& connection : connections) {
    const absl::Status valid = ValidateConnection(connection);
    if (!valid.ok()) return valid;
    std::shared_ptr<IntercomClient> client;
    const auto before = current.find(connection.name);
    if (before != current.end() && SameConnection(before->second->connection(), connection)) {
      client = before->second;
    } else {
      auto owned = std::make_unique<IntercomClient>(connection, &http_, clock_);
      client = std::shared_ptr<IntercomClient>(owned.get(),
                                               [this](IntercomClient* unused) { Retire(unused); });
      MutexLock lock(&mu_);
      clients_.emplace(owned.get(), std::move(owned));
    }
    if (!result.emplace(connection.name, std::move(client)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("connection ", connection.name, ": the name is used twice"));
    }
  }
  return result;
}

void ConnectionPool::Retire(IntercomClient* client) {
  std::unique_ptr<IntercomClient> owned;
  {
    MutexLock lock(&mu_);
    const auto found = clients_.find(client);
    // The pool is about to end, and all with it.
    if (found == clients_.end()) return;
    owned = std::move(found->second);
    clients_.erase(found);
  }
  reaper_.Destroy(std::move(owned));
}

}  // namespace intercom_extractor
