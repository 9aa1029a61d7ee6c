#include "server/gate.h"

#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {
namespace {

constexpr char kDefaultConnection[] = "default";

UsageLimits StreamsOnly(int max_streams) {
  UsageLimits limits;
  limits.max_streams = max_streams;
  return limits;
}

}  // namespace

absl::StatusOr<std::shared_ptr<IntercomClient>> Visit::Connect(
    const std::string& connection) const {
  const std::string name = connection.empty() ? kDefaultConnection : connection;
  const absl::Status allowed = caller_->MayUse(name);
  if (!allowed.ok()) return allowed;
  return FindConnection(snapshot_->connections, name);
}

absl::Status Visit::MayReadAll(v1::Template wanted, const std::vector<std::string>& tables) const {
  const auto selected = TableCatalog::Get().Select(wanted, tables);
  return selected.ok() ? caller_->MayRead(*selected) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<StreamPass>> Visit::BeginStream() const {
  return StreamPass::Create(caller_->limits(), server_);
}

Gate::Gate(const HttpClient::Options& http, const Clock* clock)
    : clock_(clock),
      pool_(http, clock),
      server_(std::make_shared<CallerLimits>("this server", UsageLimits(), clock)) {}

absl::StatusOr<std::unique_ptr<Gate>> Gate::Create(const AccessConfig& config,
                                                   const HttpClient::Options& http,
                                                   const Clock* clock) {
  std::unique_ptr<Gate> gate(new Gate(http, clock));
  const absl::Status loaded = gate->Reload(config);
  if (!loaded.ok()) return loaded;
  return gate;
}

absl::Status Gate::Reload(const AccessConfig& config) {
  MutexLock reload_lock(&reload_mu_);
  std::shared_ptr<const Snapshot> current;
  {
    MutexLock lock(&mu_);
    current = snapshot_;
  }
  auto connections =
      pool_.Open(config.connections, current == nullptr ? ConnectionSet() : current->connections);
  if (!connections.ok()) return connections.status();
  std::shared_ptr<const Snapshot> next(new Snapshot{
      CallerRegistry(config.callers, current == nullptr ? nullptr : &current->callers, clock_),
      *std::move(connections)});
  {
    MutexLock lock(&mu_);
    snapshot_.swap(next);
  }
  server_->Set(StreamsOnly(config.max_streams));
  // The old one goes here, without the lock.
  return absl::OkStatus();
}

absl::StatusOr<Visit> Gate::Enter(const CallIdentity& identity) const {
  std::shared_ptr<const Snapshot> snapshot;
  {
    MutexLock lock(&mu_);
    snapshot = snapshot_;
  }
  auto caller = snapshot->callers.Identify(identity);
  if (!caller.ok()) return caller.status();
  const absl::Status allowed = (*caller)->limits()->TakeRequest();
  if (!allowed.ok()) return allowed;
  return Visit(*std::move(caller), std::move(snapshot), server_);
}

ConnectionSet Gate::connections() const {
  MutexLock lock(&mu_);
  return snapshot_->connections;
}

}  // namespace intercom_extractor
