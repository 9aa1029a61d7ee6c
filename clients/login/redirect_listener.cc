#include "clients/login/redirect_listener.h"

#include <curl/curl.h>
#include <httplib.h>

#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "clients/login/one_time_certificate.h"

namespace intercom_extractor {
namespace {

struct Place {
  bool https = false;
  std::string host;  // As a socket takes it: "127.0.0.1" or "::1".
  int port = 0;
  std::string path;
  std::string origin;  // "https://localhost", without the port.
};

std::string PartOf(CURLU* url, CURLUPart part, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return text;
}

std::optional<Place> PlaceOf(const std::string& address) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const std::string scheme = PartOf(url.get(), CURLUPART_SCHEME);
  const std::string host = PartOf(url.get(), CURLUPART_HOST);
  if ((scheme != "http" && scheme != "https") || !PartOf(url.get(), CURLUPART_QUERY).empty() ||
      !PartOf(url.get(), CURLUPART_FRAGMENT).empty() ||
      !PartOf(url.get(), CURLUPART_USER).empty()) {
    return std::nullopt;
  }
  Place place;
  place.https = scheme == "https";
  if (host == "localhost" || host == "127.0.0.1") {
    place.host = "127.0.0.1";
  } else if (host == "[::1]") {
    place.host = "::1";
  } else {
    return std::nullopt;
  }
  if (!absl::SimpleAtoi(PartOf(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT), &place.port)) {
    return std::nullopt;
  }
  place.path = PartOf(url.get(), CURLUPART_PATH);
  place.origin = absl::StrCat(scheme, "://", host);
  return place;
}

std::string Page(absl::string_view title, absl::string_view text) {
  const std::string safe =
      absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
  return absl::StrCat(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><title>",
      title, "</title><body style=\"font:1.1em/1.5 system-ui;max-width:32em;margin:4em auto;",
      "padding:0 1em\"><h1 style=\"font-size:1.4em\">", title, "</h1><p>", safe, "</p>");
}

class HttplibListener : public RedirectListener {
 public:
  HttplibListener(Place place, std::unique_ptr<httplib::Server> server, OnRedirect on_redirect)
      : place_(std::move(place)),
        server_(std::move(server)),
        on_redirect_(std::move(on_redirect)) {}

  ~HttplibListener() override {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }

  absl::Status Listen() {
    // One browser at a time; a thread that it keeps open must not hold up another.
    server_->new_task_queue = [] { return new httplib::ThreadPool(4); };
    server_->set_keep_alive_max_count(1);
    // httplib's own would share the port with whoever else wants it.
    server_->set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server_->set_read_timeout(5);
    server_->Get(".*", [this](const httplib::Request& request, httplib::Response& response) {
      Answer(request, &response);
    });
    if (place_.port == 0) {
      place_.port = server_->bind_to_any_port(place_.host);
    } else if (!server_->bind_to_port(place_.host, place_.port)) {
      place_.port = -1;
    }
    if (place_.port < 0) {
      return absl::UnavailableError(
          "another program listens there; end it, or choose a "
          "--redirect-url with another port, which the app names, too");
    }
    url_ = absl::StrCat(place_.origin, ":", place_.port, place_.path);
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    // httplib forgets a stop() that comes before.
    while (!server_->is_running()) std::this_thread::yield();
    return absl::OkStatus();
  }

  const std::string& url() const override { return url_; }

 private:
  void Answer(const httplib::Request& request, httplib::Response* response) {
    // What the address holds is for nobody else.
    response->set_header("Referrer-Policy", "no-referrer");
    response->set_header("Cache-Control", "no-store");
    response->set_header("Content-Security-Policy",
                         "default-src 'none'; style-src 'unsafe-inline'");
    if (request.path != place_.path) {  // Such as /favicon.ico.
      response->status = 404;
      return;
    }
    const absl::Status status =
        on_redirect_(absl::StrCat(place_.origin, ":", place_.port, request.target));
    if (status.ok()) {
      response->set_content(Page("Authorized",
                                 "You can close this page; intercom-extract goes on "
                                 "in the terminal."),
                            "text/html; charset=utf-8");
      return;
    }
    response->status = 400;
    response->set_content(Page("Not authorized", std::string(status.message())),
                          "text/html; charset=utf-8");
  }

  Place place_;
  const std::unique_ptr<httplib::Server> server_;
  const OnRedirect on_redirect_;
  std::string url_;
  std::thread thread_;
};

}  // namespace

bool IsLoopbackUrl(const std::string& url) { return PlaceOf(url).has_value(); }

absl::StatusOr<std::unique_ptr<RedirectListener>> RedirectListener::Start(
    const std::string& redirect_url, OnRedirect on_redirect) {
  std::optional<Place> place = PlaceOf(redirect_url);
  if (!place.has_value()) {
    return absl::InvalidArgumentError(
        "no address of this machine's, such as https://localhost:8765/callback");
  }
  std::unique_ptr<httplib::Server> server;
  if (place->https) {
    const OneTimeCertificate certificate = MakeOneTimeCertificate();
    server = std::make_unique<httplib::SSLServer>(certificate.x509.get(), certificate.key.get());
  } else {
    server = std::make_unique<httplib::Server>();
  }
  auto listener = std::make_unique<HttplibListener>(*std::move(place), std::move(server),
                                                    std::move(on_redirect));
  if (absl::Status listening = listener->Listen(); !listening.ok()) return listening;
  return std::unique_ptr<RedirectListener>(std::move(listener));
}

}  // namespace intercom_extractor
