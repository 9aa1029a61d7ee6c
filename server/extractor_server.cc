#include "server/extractor_server.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "extractor/sync/clock.h"
#include "grpc/grpc.h"
#include "grpcpp/ext/channelz_service_plugin.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/server_builder_option.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "proto/v1.h"
#include "server/active_calls.h"
#include "server/certificate_source.h"
#include "server/config_changes.h"
#include "server/extractor_service.h"
#include "server/gate.h"
#include "server/listen_address.h"
#include "server/log.h"
#include "server/reaper.h"
#include "server/tls_credentials.h"
#include "server/tls_files.h"
#include "server/watch.h"

namespace intercom_extractor {
namespace {

// Requests are names and options.
constexpr int kMaxRequestBytes = 64 << 10;
// Rows of up to 64 MiB are promised, plus what stands around a row.
constexpr int kMaxEventBytes = 65 << 20;
// What our clients accept.
constexpr int kMaxReceivedEventBytes = 64 << 20;
// Each is a thread and a queue.
constexpr int kMaxStreamsPerClient = 100;
// A token, a trace and what proxies add; gRPC's own default, which a release may change.
constexpr int kMaxMetadataBytes = 8 << 10;

// After the last call, until connections are cut.
constexpr absl::Duration kConnectionLinger = absl::Milliseconds(500);

// Gives one server reflection or takes it away. Linking gRPC's library adds it to
// every server of the process, wanted or not.
class ReflectionOption : public grpc::ServerBuilderOption {
 public:
  explicit ReflectionOption(bool wanted) : wanted_(wanted) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    auto plugin = std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>();
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(),
                                  [&](const std::unique_ptr<grpc::ServerBuilderPlugin>& other) {
                                    return other->name() == plugin->name();
                                  }),
                   plugins->end());
    if (wanted_) plugins->push_back(std::move(plugin));
  }

 private:
  const bool wanted_;
};

// Gives one server channelz or takes it away: it, too, is added to every server of the
// process once it is there.
class ChannelzOption : public grpc::ServerBuilderOption {
 public:
  explicit ChannelzOption(bool wanted) : wanted_(wanted) {
    static std::once_flag initialized;
    if (wanted_) std::call_once(initialized, grpc::channelz::experimental::InitChannelzService);
  }
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    if (wanted_) return;
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(),
                                  [](const std::unique_ptr<grpc::ServerBuilderPlugin>& plugin) {
                                    return plugin->name() == "channelz_service";
                                  }),
                   plugins->end());
  }

 private:
  const bool wanted_;
};

// A stream may be silent between two progress events, and a connection between
// two calls; load balancers and NAT drop what is idle for some minutes, often
// without telling anybody.
void KeepIdleConnectionsAlive(grpc::ServerBuilder* builder) {
  // Ping after a minute of silence, give up 20 s later: below the 350 s of the
  // strictest common load balancer, and a client that died is noticed.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Clients may ping every 30 s (they are told to use 60 s); by default gRPC ends
  // the connection of one that pings more than once in five minutes.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000);
}

// gRPC tells a connection to take no new calls at its age or up to a tenth earlier or
// later, so that those of many clients do not end at once. A stream that began with
// its connection ends after that, so that the call which continues it makes a new one.
absl::Duration MaxStreamAge(const ServerConfig& config) { return config.max_connection_age * 1.1; }

int ToMilliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

void LimitAge(const ServerConfig& config, grpc::ServerBuilder* builder) {
  if (config.max_connection_age == absl::InfiniteDuration()) return;
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                              ToMilliseconds(config.max_connection_age));
  // gRPC cuts streams in the middle. One that began just before it was told comes to its
  // own end first, and its reader has a grace to take what there is.
  builder->AddChannelArgument(
      GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
      ToMilliseconds(MaxStreamAge(config) + 2 * config.max_connection_age_grace));
}

AccessConfig AccessOf(const ServerConfig& config) {
  return {config.callers, config.connections, config.max_streams};
}

// What cannot be reloaded; tokens are not kept twice.
ServerConfig WithoutAccess(ServerConfig config) {
  config.callers.clear();
  config.connections.clear();
  return config;
}

bool UsesTls(const ServerConfig& config) {
  return !config.tls_cert_file.empty() || !config.tls_key_file.empty() ||
         !config.tls_client_ca_file.empty();
}

// Whether the configuration may listen where it wants to.
absl::Status CheckAddress(const ServerConfig& config) {
  if (config.listen.empty()) return absl::OkStatus();
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(config.listen);
  if (!address.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("listen: ", address.status().message()));
  }
  if (address->is_local || UsesTls(config) || config.allow_plaintext) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("listen: \"", config.listen,
                   "\" can be reached from other machines, which needs TLS; set tls.cert_file and "
                   "tls.key_file, or listen on 127.0.0.1:PORT or unix:PATH"));
}

// Says at each start what is allowed but should not stay so.
void WarnOfOpenDoors(const ServerConfig& config) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(config.listen);
  if (!address.ok() || address->is_local) return;
  if (!UsesTls(config)) {
    Log(spdlog::level::warn,
        "plain text on an address that other machines can reach (allow_plaintext): who is on the "
        "way reads customer data and caller tokens; set tls.cert_file and tls.key_file",
        {{"listen", config.listen}});
  }
  if (config.callers.empty() && config.tls_client_ca_file.empty()) {
    Log(spdlog::level::warn,
        "everybody who can reach this address may read all connections; list callers, or set "
        "tls.client_ca_file",
        {{"listen", config.listen}});
  }
}

class ExtractorServerImpl : public ExtractorServer {
 public:
  ExtractorServerImpl(const ServerConfig& config, std::unique_ptr<Gate> gate,
                      std::unique_ptr<CertificateSource> certificates,
                      std::unique_ptr<SteadyClock> clock)
      : config_(WithoutAccess(config)),
        clock_(std::move(clock)),
        certificates_(std::move(certificates)),
        gate_(std::move(gate)),
        watch_(gate_.get(), clock_.get()),
        service_(gate_.get(), &active_, watch_.extractions(), &reaper_, clock_.get(),
                 MaxStreamAge(config), config.max_connection_age_grace) {}

  ~ExtractorServerImpl() override {
    if (server_ != nullptr) ExtractorServerImpl::Shutdown(absl::ZeroDuration());
  }

  absl::Status Listen(const ServerConfig& config) {
    // Before the first server is built; gRPC keeps it in a global.
    static std::once_flag health_enabled;
    std::call_once(health_enabled, [] { grpc::EnableDefaultHealthCheckService(true); });

    // Before the builder, which takes the plugins that are there by then.
    auto channelz = std::make_unique<ChannelzOption>(config.channelz);
    grpc::ServerBuilder builder;
    builder.SetOption(std::move(channelz));
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> counting;
    counting.push_back(watch_.calls()->MakeInterceptors());
    builder.experimental().SetInterceptorCreators(std::move(counting));
    int bound_port = 0;
    bool has_port = false;
    if (!config.listen.empty()) {
      builder.AddListeningPort(config.listen,
                               certificates_ == nullptr ? grpc::InsecureServerCredentials()
                                                        : MakeTlsCredentials(certificates_.get()),
                               &bound_port);
      // gRPC reports port 1 for a unix socket.
      has_port = config.listen.rfind("unix:", 0) != 0;
    }
    // Otherwise a second server on the port would start and take half the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerClient);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    // Also for the settings that a client of HTTP/2 sends first.
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                               ToMilliseconds(config.handshake_timeout));
    KeepIdleConnectionsAlive(&builder);
    LimitAge(config, &builder);
    builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
    builder.SetMaxSendMessageSize(kMaxEventBytes);
    builder.SetOption(std::make_unique<ReflectionOption>(config.reflection));
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || (!config.listen.empty() && bound_port == 0)) {
      server_ = nullptr;
      return absl::UnavailableError(
          absl::StrCat("listen: cannot bind ", config.listen,
                       "; another process may have the port, or this machine lacks the address"));
    }
    port_ = has_port ? bound_port : 0;
    server_->GetHealthCheckService()->SetServingStatus(v1::ExtractorService::service_full_name(),
                                                       true);
    watch_.SetReady(true);
    return watch_.Serve(config);
  }

  int port() const override { return port_; }

  int metrics_port() const override { return watch_.port(); }

  std::shared_ptr<grpc::Channel> InProcessChannel() override {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMaxReceivedEventBytes);
    return server_->InProcessChannel(arguments);
  }

  absl::StatusOr<std::vector<std::string>> Reload(const ServerConfig& config) override {
    const absl::Status reloaded = gate_->Reload(AccessOf(config));
    if (!reloaded.ok()) return reloaded;
    if (certificates_ != nullptr) certificates_->LookNow();
    std::vector<std::string> for_restart = ChangesForRestart(config_, config);
    ServerConfig now = config_;
    now.callers = config.callers;
    WarnOfOpenDoors(now);
    return for_restart;
  }

  void Shutdown(absl::Duration grace) override {
    // First of all: who looks after health has said it must find it here, too.
    watch_.SetReady(false);
    // Balancers learn it from the health service and send no more calls; those
    // that come all the same are told to go elsewhere.
    server_->GetHealthCheckService()->Shutdown();
    const bool all_ended = active_.Drain(grace);
    // gRPC waits for connections, too, and asks clients to close theirs: those
    // that read get their last bytes, those that are idle do not hold us up.
    const absl::Duration linger =
        all_ended ? std::min(grace, kConnectionLinger) : absl::ZeroDuration();
    server_->Shutdown(absl::ToChronoTime(absl::Now() + linger));
    // The above returns at once when another thread is at it already.
    server_->Wait();
  }

 private:
  // In the order in which things depend on each other: gRPC's last callback comes
  // before Shutdown() returns, the reaper then ends the extractions it was given,
  // and only then may clients, HTTP and the clock go.
  const ServerConfig config_;
  const std::unique_ptr<SteadyClock> clock_;
  // Null without TLS.
  const std::unique_ptr<CertificateSource> certificates_;
  const std::unique_ptr<Gate> gate_;
  Watch watch_;
  ActiveCalls active_;
  Reaper reaper_;
  ExtractorServiceImpl service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExtractorServer>> ExtractorServer::Start(
    const ServerConfig& config) {
  // A reference that is never given back: when the last gRPC object of a process
  // goes, gRPC joins its threads, one of which may sit in a poll of 10 s. Nobody
  // should wait for that after a shutdown or at the end of an extraction.
  static const bool grpc_stays = (grpc_init(), true);
  static_cast<void>(grpc_stays);

  const absl::Status address = CheckAddress(config);
  if (!address.ok()) return address;
  auto clock = std::make_unique<SteadyClock>();
  absl::StatusOr<std::unique_ptr<CertificateSource>> certificates =
      UsesTls(config) ? CertificateSource::Create(config, clock.get())
                      : std::unique_ptr<CertificateSource>();
  if (!certificates.ok()) return certificates.status();
  absl::StatusOr<std::unique_ptr<Gate>> gate =
      Gate::Create(AccessOf(config), config.http, clock.get());
  if (!gate.ok()) return gate.status();
  WarnOfOpenDoors(config);
  auto server = std::make_unique<ExtractorServerImpl>(config, *std::move(gate),
                                                      *std::move(certificates), std::move(clock));
  absl::Status listening = server->Listen(config);
  if (!listening.ok()) return listening;
  return std::unique_ptr<ExtractorServer>(std::move(server));
}

absl::Status ExtractorServer::Check(const ServerConfig& config) {
  const absl::Status address = CheckAddress(config);
  if (!address.ok()) return address;
  if (UsesTls(config)) {
    const absl::StatusOr<TlsMaterial> tls = ReadTlsFiles(config);
    if (!tls.ok()) return tls.status();
  }
  const SteadyClock clock;
  return Gate::Create(AccessOf(config), config.http, &clock).status();
}

}  // namespace intercom_extractor
