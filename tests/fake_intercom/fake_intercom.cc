#include "tests/fake_intercom/fake_intercom.h"

#include <exception>
#include <utility>

#include "tests/fake_intercom/answers.h"
#include "tests/fake_intercom/fault_effects.h"
#include "tests/fake_intercom/json_writer.h"

namespace intercom_extractor::fake {
namespace {

std::string CodeOfStatus(int status) {
  switch (status) {
    case 400:
      return "client_error";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 408:
      return "request_timeout";
    case 429:
      return "rate_limit_exceeded";
    case 503:
      return "service_unavailable";
    default:
      return status >= 500 ? "server_error" : "client_error";
  }
}

std::string MessageOfCode(const std::string& code) {
  if (code == "forbidden") return "The access token does not have the required scope";
  if (code == "api_plan_restricted") return "Active subscription needed.";
  return "A fault on purpose";
}

std::string HttpDate(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
}

}  // namespace

FakeIntercom::FakeIntercom(const FakeIntercomOptions& options,
                           std::shared_ptr<const Workspace> workspace)
    : options_(options),
      workspace_(std::move(workspace)),
      quota_(options.quota, options.clock),
      scroll_(options.scroll, options.clock),
      oauth_(options.oauth, options.access_token, options.clock),
      api_(options.api, workspace_.get(), &scroll_, &faults_) {
  faults_.Add(options.faults);
  for (const FaultRule& rule : options.fault_rules) faults_.Add(rule);
  for (const ConnectionRule& rule : options.connection_rules) faults_.Add(rule);
  HttpServer::Options server = options.server;
  server.on_connection = [this] { return faults_.ForConnection(); };
  // The first connection could come before base_url_ is known, were it not set in
  // the gap: nobody knows the port before the constructor returns.
  server_ = std::make_unique<HttpServer>(
      server, [this](const Request& request, Response* response) { Handle(request, response); });
  base_url_ = (options.server.tls_cert_file.empty() ? "http://127.0.0.1:" : "https://127.0.0.1:") +
              std::to_string(server_->port());
  api_.set_base_url(base_url_);
}

void FakeIntercom::SetHandler(std::string method, std::string path_prefix, RouteHandler handler) {
  const std::lock_guard<std::mutex> lock(mu_);
  handlers_.insert(handlers_.begin(),
                   std::make_shared<const Handler>(
                       Handler{std::move(method), std::move(path_prefix), std::move(handler), {}}));
}

void FakeIntercom::AlterAnswers(std::string method, std::string path_prefix, Alteration alter) {
  const std::lock_guard<std::mutex> lock(mu_);
  handlers_.insert(handlers_.begin(),
                   std::make_shared<const Handler>(
                       Handler{std::move(method), std::move(path_prefix), {}, std::move(alter)}));
}

void FakeIntercom::ClearHandlers() {
  const std::lock_guard<std::mutex> lock(mu_);
  handlers_.clear();
}

void FakeIntercom::Handle(const Request& request, Response* response) {
  if (HandleControl(request, response)) return;
  stats_.Begin(RouteOf(request.method, request.path));
  response->on_done = [this] { stats_.End(); };
  // All pages of a scroll have one URL; its position tells them apart.
  std::string key = request.method + " " + request.target;
  if (!request.body.empty()) key += " " + request.body;
  std::string fault_key = key;
  if (request.path == "/companies/scroll") {
    // A page that was hit once is spared in the next scroll as well: a retry of the
    // scroll is a retry of its pages.
    fault_key =
        request.path + scroll_.Offset(request.target.find("scroll_param=") == std::string::npos);
    key += scroll_.Position();
  }

  const bool admitted = !oauth_.Answer(request, response) && Admit(request, response);
  bool intact = false;
  FaultAction action;
  if (admitted) {
    if (options_.on_request) options_.on_request();
    intact = AnswerWithHandler(request, response);
    if (!intact) {
      action = faults_.For(request, fault_key);
      intact = AnswerWithFaults(request, action, response);
    }
    response->delay += options_.latency + options_.page_latency_per_item * response->items;
    intact = intact && response->status == 200 && response->delivery.Whole();
  }
  if (!response->rate_headers || faults_.no_rate_headers()) {
    auto& headers = response->headers;
    for (size_t i = headers.size(); i-- > 0;) {
      if (headers[i].first.rfind("X-RateLimit-", 0) == 0) headers.erase(headers.begin() + i);
    }
  }
  response->headers.emplace_back("Date", HttpDate(options_.clock()));
  response->headers.emplace_back("Intercom-Version",
                                 request.Header("intercom-version").empty()
                                     ? options_.default_version
                                     : std::string(request.Header("intercom-version")));
  ChangeHeaders(action, response);
  if (options_.on_answer) options_.on_answer(request, *response);
  const bool reset = response->delivery.reset || response->delivery.raw;
  stats_.Answered(reset ? 0 : response->status, reset ? 0 : response->body.size(), intact, key);
}

bool FakeIntercom::Admit(const Request& request, Response* response) {
  if (request.Header("authorization") != "Bearer " + options_.access_token) {
    AnswerError(401, "unauthorized", "Access Token Invalid", response);
    return false;
  }
  const Quota::Answer quota = quota_.Take();
  if (quota_.limited()) {
    auto& headers = response->headers;
    headers.emplace_back("X-RateLimit-Limit", std::to_string(quota.limit));
    headers.emplace_back("X-RateLimit-Remaining", std::to_string(quota.remaining));
    headers.emplace_back("X-RateLimit-Reset", std::to_string(quota.reset));
  }
  if (!quota.allowed) {
    AnswerError(429, "rate_limit_exceeded",
                "Exceeded rate limit of " + std::to_string(quota.limit) + " in " +
                    std::to_string(absl::ToInt64Seconds(quota_.window())) + "_seconds",
                response);
    return false;
  }
  if (request.Header("accept").find("application/json") == std::string_view::npos) {
    AnswerError(406, "media_type_not_acceptable",
                "The Accept header should send a media type of "
                "application/json",
                response);
    return false;
  }
  const std::string_view version = request.Header("intercom-version");
  if (!version.empty() && !IsKnownVersion(version)) {
    AnswerError(400, "intercom_version_invalid", "The requested version could not be found",
                response);
    return false;
  }
  return true;
}

bool FakeIntercom::AnswerWithHandler(const Request& request, Response* response) {
  std::vector<std::shared_ptr<const Handler>> handlers;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    handlers = handlers_;
  }
  for (const auto& handler : handlers) {
    if (handler->function && handler->method == request.method &&
        request.path.compare(0, handler->path_prefix.size(), handler->path_prefix) == 0 &&
        handler->function(request, response)) {
      return true;
    }
  }
  return false;
}

void FakeIntercom::AlterAnswer(const Request& request, Response* response) {
  std::vector<std::shared_ptr<const Handler>> handlers;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    handlers = handlers_;
  }
  for (const auto& handler : handlers) {
    if (handler->alter && handler->method == request.method &&
        request.path.compare(0, handler->path_prefix.size(), handler->path_prefix) == 0) {
      handler->alter(request, response);
    }
  }
}

bool FakeIntercom::AnswerWithFaults(const Request& request, const FaultAction& action,
                                    Response* response) {
  response->delay += action.delay;
  const bool struck = action.status || action.reset;
  if (!struck || action.carried_out) {
    const std::string_view version = request.Header("intercom-version");
    api_.Answer(request, version.empty() ? options_.default_version : version, response);
    AlterAnswer(request, response);
  }
  if (action.status) {
    const std::string code = action.code.empty() ? CodeOfStatus(*action.status) : action.code;
    AnswerError(*action.status, code, MessageOfCode(code), response);
  }
  ChangeBody(action, response);
  response->delivery.reset = action.reset;
  return action.Harmless();
}

bool FakeIntercom::HandleControl(const Request& request, Response* response) {
  if (request.path.compare(0, 3, "/__") != 0) return false;
  if (request.method == "GET" && request.path == "/__stats") {
    response->body = StatsJson();
  } else if (request.method == "POST" && request.path == "/__reset") {
    stats_.Reset();
    response->body = "{}";
  } else if (request.method == "POST" && request.path == "/__faults") {
    // Replaces all faults by those in the body.
    try {
      Faults().Add(request.body);
      faults_.Clear();
      faults_.Add(request.body);
      response->body = "{}";
    } catch (const std::exception& error) {
      AnswerError(400, "parameter_invalid", error.what(), response);
    }
  } else {
    AnswerError(404, "not_found", "The fake has no such page", response);
  }
  return true;
}

std::string FakeIntercom::StatsJson() const {
  const Stats::Snapshot stats = stats_.snapshot();
  const Scroll::State scroll = scroll_.state();
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Field("total", stats.total);
  json.Key("by_route");
  json.BeginObject();
  for (const auto& [route, count] : stats.by_route) json.RawField(route, std::to_string(count));
  json.EndObject();
  json.Key("by_status");
  json.BeginObject();
  for (const auto& [status, count] : stats.by_status) {
    json.RawField(std::to_string(status), std::to_string(count));
  }
  json.EndObject();
  json.Field("rate_limited", stats.rate_limited);
  json.Field("duplicates", stats.duplicates);
  json.Key("duplicate_list");
  json.BeginArray();
  for (const std::string& request : stats.duplicate_list) json.String(request);
  json.EndArray();
  json.Field("in_flight", int64_t{stats.in_flight});
  json.Field("max_in_flight", int64_t{stats.max_in_flight});
  json.Field("bytes_sent", stats.bytes_sent);
  json.Key("scroll");
  json.BeginObject();
  json.Field("open", scroll.open);
  json.Field("busy", scroll.busy);
  json.Field("offset", static_cast<int64_t>(scroll.offset));
  json.Field("opened", int64_t{scroll.opened});
  json.Field("expired", int64_t{scroll.expired});
  json.Field("refused", int64_t{scroll.refused});
  json.EndObject();
  json.EndObject();
  return body;
}

}  // namespace intercom_extractor::fake
