#include "server/watch_http.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "httplib.h"
#include "openssl/sha.h"
#include "server/status_page.h"

namespace intercom_extractor {
namespace {

constexpr int kThreads = 4;
// Those who ask are near; one that says nothing must not hold a thread for long.
constexpr std::chrono::seconds kTimeout{2};

// What stands between `begin` and `end`.
std::string Between(const std::string& text, const std::string& begin, const std::string& end) {
  const size_t from = text.find(begin);
  if (from == std::string::npos) return "";
  const size_t to = text.find(end, from);
  if (to == std::string::npos) return "";
  return text.substr(from + begin.size(), to - from - begin.size());
}

// As a policy names an inline script or style.
std::string HashSource(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return absl::StrCat("'sha256-",
                      absl::Base64Escape(absl::string_view(
                          reinterpret_cast<const char*>(digest.data()), digest.size())),
                      "'");
}

// Of a Host header, the part before the port; none at all, as simple probes send, is
// nothing that a browser does.
bool IsAddressOrLocalhost(const std::string& host_header) {
  std::string host = host_header;
  const size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) host.resize(colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  std::array<unsigned char, sizeof(in6_addr)> address;
  return host_header.empty() || absl::AsciiStrToLower(host) == "localhost" ||
         inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

class WatchHttpImpl : public WatchHttp {
 public:
  WatchHttpImpl(bool is_local, Content content)
      : content_(std::move(content)), page_(kStatusPage), policy_(PagePolicy(page_)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    // Each answer ends its connection: one that is kept open keeps one of the threads.
    server_.set_keep_alive_max_count(1);
    server_.set_read_timeout(kTimeout);
    server_.set_write_timeout(kTimeout);
    server_.set_payload_max_length(0);
    // The library's default lets a second process share the port.
    server_.set_socket_options([](int socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server_.set_default_headers({{"X-Content-Type-Options", "nosniff"},
                                 {"Cache-Control", "no-store"},
                                 {"Referrer-Policy", "no-referrer"}});
    if (is_local) RefuseOtherNames();
    AddRoutes();
  }

  ~WatchHttpImpl() override {
    if (!thread_.joinable()) return;
    server_.stop();
    thread_.join();
  }

  // False when the address cannot be bound.
  bool Listen(const std::string& host, int port) {
    if (port == 0) {
      port_ = server_.bind_to_any_port(host);
      if (port_ <= 0) return false;
    } else {
      if (!server_.bind_to_port(host, port)) return false;
      port_ = port;
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() is lost on a server that has not begun.
    while (!server_.is_running()) std::this_thread::yield();
    return true;
  }

  int port() const override { return port_; }

 private:
  void RefuseOtherNames() {
    server_.set_pre_routing_handler(
        [](const httplib::Request& request, httplib::Response& response) {
          if (IsAddressOrLocalhost(request.get_header_value("Host"))) {
            return httplib::Server::HandlerResponse::Unhandled;
          }
          response.status = 421;
          response.set_content("this port is for this machine: ask for 127.0.0.1 or localhost\n",
                               "text/plain");
          return httplib::Server::HandlerResponse::Handled;
        });
  }

  void AddRoutes() {
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(content_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Get("/livez", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("ok\n", "text/plain");
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const bool ready = content_.ready();
      if (!ready) response.status = 503;
      response.set_content(ready ? "ok\n" : "stopping\n", "text/plain");
    });
    server_.Get("/status.json", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(content_.status_json(), "application/json");
    });
    server_.Get("/", [this](const httplib::Request&, httplib::Response& response) {
      response.set_header("Content-Security-Policy", policy_);
      response.set_content(page_, "text/html; charset=utf-8");
    });
  }

  const Content content_;
  const std::string page_;
  const std::string policy_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace

std::string PagePolicy(const std::string& page) {
  return absl::StrCat("default-src 'none'; connect-src 'self'; script-src ",
                      HashSource(Between(page, "<script>", "</script>")), "; style-src ",
                      HashSource(Between(page, "<style>", "</style>")),
                      "; img-src data:; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'");
}

absl::StatusOr<std::unique_ptr<WatchHttp>> WatchHttp::Start(const ListenAddress& address,
                                                            Content content) {
  if (address.is_unix_socket) {
    return absl::InvalidArgumentError("a unix socket is not served here; write 127.0.0.1:PORT");
  }
  int port = 0;
  if (!absl::SimpleAtoi(address.text.substr(address.text.rfind(':') + 1), &port)) {
    return absl::InvalidArgumentError(absl::StrCat("no port in ", address.text));
  }
  auto http = std::make_unique<WatchHttpImpl>(address.is_local, std::move(content));
  if (!http->Listen(address.host, port)) {
    return absl::UnavailableError(
        absl::StrCat("cannot bind ", address.text,
                     "; another process may have the port, or this machine lacks the address"));
  }
  return std::unique_ptr<WatchHttp>(std::move(http));
}

}  // namespace intercom_extractor
