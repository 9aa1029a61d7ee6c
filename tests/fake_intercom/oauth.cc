#include "tests/fake_intercom/oauth.h"

#include <utility>

#include "tests/fake_intercom/answers.h"
#include "tests/fake_intercom/json_writer.h"

namespace intercom_extractor::fake {
namespace {

// "About 5 minutes", says Intercom.
constexpr absl::Duration kCodeLifetime = absl::Minutes(5);

}  // namespace

OAuth::OAuth(Options options, std::string access_token, Clock clock)
    : options_(std::move(options)),
      access_token_(std::move(access_token)),
      clock_(std::move(clock)) {}

bool OAuth::Answer(const Request& request, Response* response) {
  const bool authorize = request.method == "GET" && request.path == "/oauth";
  const bool token = request.method == "POST" && request.path == "/auth/eagle/token";
  if (!authorize && !token) return false;
  response->rate_headers = false;
  if (authorize) AnswerAuthorize(request, response);
  if (token) AnswerToken(request, response);
  return true;
}

void OAuth::AnswerAuthorize(const Request& request, Response* response) {
  response->content_type = "text/html";
  const std::string redirect(request.Query("redirect_uri"));
  if (request.Query("client_id") != options_.client_id || redirect.empty()) {
    response->status = 404;
    response->body = "<!doctype html><p>There is no such app, or no such redirect URL of it.";
    return;
  }
  std::string answer = "error=access_denied";
  if (!options_.denied) {
    const std::lock_guard<std::mutex> lock(mu_);
    const std::string code = "fake-code-" + std::to_string(++issued_);
    codes_[code] = clock_() + kCodeLifetime;
    answer = "code=" + code;
  }
  response->status = 302;
  response->headers.emplace_back(
      "Location", redirect + "?" + answer + "&state=" + UrlEncode(request.Query("state")));
}

void OAuth::AnswerToken(const Request& request, Response* response) {
  Request form;
  form.query = ParseQuery(request.body);
  if (form.Query("client_id") != options_.client_id ||
      form.Query("client_secret") != options_.client_secret) {
    AnswerError(401, "unauthorized", "Unauthorized Client", response);
    return;
  }
  {
    const std::lock_guard<std::mutex> lock(mu_);
    const auto found = codes_.find(std::string(form.Query("code")));
    const bool valid = found != codes_.end() && found->second > clock_();
    if (found != codes_.end()) codes_.erase(found);
    if (!valid) {
      AnswerError(401, "unauthorized", "Unauthorized Code", response);
      return;
    }
  }
  JsonWriter json(&response->body);
  json.BeginObject();
  json.Field("token_type", "Bearer");
  json.Field("token", access_token_);
  json.Field("access_token", access_token_);
  json.EndObject();
}

}  // namespace intercom_extractor::fake
