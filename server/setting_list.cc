#include "server/setting_list.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

namespace intercom_extractor {
namespace {

std::string Text(const std::string& value) { return value; }
std::string Text(bool value) { return value ? "true" : "false"; }
std::string Text(int value) { return absl::StrCat(value); }
std::string Text(absl::Duration value) {
  return value == absl::InfiniteDuration() ? "" : absl::FormatDuration(value);
}

// A setting that is one field of the configuration.
template <auto kField>
absl::Status Read(const ConfigSection& section, const std::string& name, ServerConfig* config) {
  return section.Read(name, &(config->*kField));
}
template <auto kField>
std::string Show(const ServerConfig& config) {
  return Text(config.*kField);
}
template <auto kField>
absl::Status ReadHttp(const ConfigSection& section, const std::string& name, ServerConfig* config) {
  return section.Read(name, &(config->http.*kField));
}
template <auto kField>
std::string ShowHttp(const ServerConfig& config) {
  return Text(config.http.*kField);
}

using C = ServerConfig;
using H = HttpClient::Options;

}  // namespace

const std::vector<Setting>& SettingList() {
  static const auto* const list = new std::vector<Setting>{
      {"listen", "ADDR", true,
       "Where clients connect: HOST:PORT (port 0: any free one) or unix:PATH; anything but "
       "loopback and unix needs TLS (or allow_plaintext)",
       Read<&C::listen>, Show<&C::listen>},
      {"allow_plaintext", "true|false", true, "Listens without TLS on any address",
       Read<&C::allow_plaintext>, Show<&C::allow_plaintext>},
      {"tls.cert_file", "FILE", true, "The server's certificate (PEM)", Read<&C::tls_cert_file>,
       Show<&C::tls_cert_file>},
      {"tls.key_file", "FILE", true, "Its key (PEM)", Read<&C::tls_key_file>,
       Show<&C::tls_key_file>},
      {"tls.client_ca_file", "FILE", true,
       "Authorities (PEM), of one of which clients must show a certificate",
       Read<&C::tls_client_ca_file>, Show<&C::tls_client_ca_file>},
      {"reflection", "true|false", true, "Lets tools list the service and its messages",
       Read<&C::reflection>, Show<&C::reflection>},
      {"handshake_timeout", "DURATION", true,
       "How long a connection may take until it is ready for calls", Read<&C::handshake_timeout>,
       Show<&C::handshake_timeout>},
      {"max_streams", "N", false, "Extractions that run at once, from 1 to 100000",
       [](const ConfigSection& section, const std::string& name, ServerConfig* config) {
         return section.Read(name, 1, 100'000, &config->max_streams);
       },
       Show<&C::max_streams>},
      {"channelz", "true|false", true, "gRPC's debugging service, which shows callers each other",
       Read<&C::channelz>, Show<&C::channelz>},
      {"metrics.listen", "ADDR", true,
       "HOST:PORT of /metrics, /livez, /readyz and the status page; plain HTTP, so loopback unless "
       "metrics.allow_plaintext",
       Read<&C::metrics_listen>, Show<&C::metrics_listen>},
      {"metrics.allow_plaintext", "true|false", true, "Serves these on any address",
       Read<&C::metrics_allow_plaintext>, Show<&C::metrics_allow_plaintext>},
      {"log.format", "text|json", true, "How log lines look",
       [](const ConfigSection& section, const std::string& name, ServerConfig* config) {
         return section.ReadChoice(name, {"text", "json"}, &config->log_format);
       },
       Show<&C::log_format>},
      {"log.level", "debug|info|warn|error", true, "What is logged",
       [](const ConfigSection& section, const std::string& name, ServerConfig* config) {
         return section.ReadChoice(name, {"debug", "info", "warn", "error"}, &config->log_level);
       },
       Show<&C::log_level>},
      {"max_connection_age", "DURATION", true,
       "How old connections may become, behind a load balancer; from 1m",
       Read<&C::max_connection_age>, Show<&C::max_connection_age>},
      {"max_connection_age_grace", "DURATION", true,
       "How much longer a stream may take for what cannot be continued",
       Read<&C::max_connection_age_grace>, Show<&C::max_connection_age_grace>},
      {"http.connect_timeout", "DURATION", true, "For a connection to Intercom or a proxy",
       ReadHttp<&H::connect_timeout>, ShowHttp<&H::connect_timeout>},
      {"http.transfer_timeout", "DURATION", true, "For one whole request to Intercom",
       ReadHttp<&H::transfer_timeout>, ShowHttp<&H::transfer_timeout>},
      {"http.low_speed_timeout", "DURATION", true,
       "After it a transfer that moves nothing is given up", ReadHttp<&H::low_speed_timeout>,
       ShowHttp<&H::low_speed_timeout>},
      {"http.max_connections", "N", true, "Connections to one host, from 1 to 1024",
       [](const ConfigSection& section, const std::string& name, ServerConfig* config) {
         return section.Read(name, 1, 1024, &config->http.max_connections);
       },
       ShowHttp<&H::max_connections>},
      {"http.ca_file", "FILE", true,
       "Authorities to trust (PEM) instead of the system's, for a proxy that inspects TLS",
       ReadHttp<&H::ca_file>, ShowHttp<&H::ca_file>},
  };
  return *list;
}

std::string Setting::section() const {
  const absl::string_view text(key);
  const size_t dot = text.find('.');
  return dot == absl::string_view::npos ? "" : std::string(text.substr(0, dot));
}

std::string Setting::name() const {
  const absl::string_view text(key);
  const size_t dot = text.find('.');
  return std::string(dot == absl::string_view::npos ? text : text.substr(dot + 1));
}

std::string Setting::flag() const {
  return absl::StrCat("--", absl::StrReplaceAll(key, {{".", "-"}, {"_", "-"}}));
}

std::string Setting::variable() const {
  return absl::StrCat(kVariablePrefix,
                      absl::AsciiStrToUpper(absl::StrReplaceAll(key, {{".", "_"}})));
}

std::string SettingsDocument() {
  std::string text =
      "# Settings of the server\n"
      "\n"
      "<!-- Made from [server/setting_list.cc](../server/setting_list.cc) by\n"
      "`bazel run //server:settings_document`; a test compares the two. -->\n"
      "\n"
      "Every setting of one value can be written in three ways, under the same name. What is said\n"
      "as a flag counts before what an environment variable says, this before the file, and this\n"
      "before the default:\n"
      "\n"
      "```\n"
      "intercom-extractor-server --tls-cert-file server.crt ...   # a flag\n"
      "INTERCOM_EXTRACTOR_TLS_CERT_FILE=server.crt                # an environment variable\n"
      "tls: {cert_file: server.crt}                               # the file\n"
      "```\n"
      "\n"
      "Of what is true or false, the flag alone means true; `--reflection=false` is the other.\n"
      "\n"
      "An error names where the value is from: `--max-streams: \"0\" is not a whole number from 1\n"
      "to 100000`, `INTERCOM_EXTRACTOR_MAX_STREAMS: ...`, `server.yaml:3: max_streams: ...`. A\n"
      "variable that is empty counts as not set; one that begins with `INTERCOM_EXTRACTOR_` and\n"
      "names no setting is warned of, unless the file names it as the place of a secret, or\n"
      "Kubernetes makes such variables for a service. `--config` is\n"
      "`INTERCOM_EXTRACTOR_CONFIG`. `connections` and `callers` are lists and stand in the file\n"
      "alone; [server.example.yaml](server.example.yaml) explains all keys.\n"
      "\n"
      "SIGHUP reads the file again; flags and variables stay as they were at the start, and still\n"
      "come first. What then needs a restart is said in the log and does not change before.\n"
      "\n"
      "| Key | Value | Default | Flag | Variable | Reload | |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  const ServerConfig defaults;
  for (const Setting& setting : SettingList()) {
    const std::string fallback = setting.text(defaults);
    absl::StrAppend(&text, "| `", setting.key, "` | ",
                    absl::StrReplaceAll(setting.value, {{"|", " or "}}), " | ",
                    fallback.empty() ? "" : absl::StrCat("`", fallback, "`"), " | `",
                    setting.flag(), "` | `", setting.variable(), "` | ",
                    setting.needs_restart ? "restart" : "yes", " | ", setting.help, " |\n");
  }
  return text;
}

}  // namespace intercom_extractor
