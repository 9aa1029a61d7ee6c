#include "clients/login/authorization.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "simdjson.h"

namespace intercom_extractor {
namespace {

// Longer ones are no sentence.
constexpr size_t kLongestMessage = 200;

constexpr absl::Duration kLookForInterrupt = absl::Milliseconds(50);

using CurlText = std::unique_ptr<char, decltype(&curl_free)>;

std::string Escaped(absl::string_view text) {
  const CurlText escaped(curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())),
                         &curl_free);
  return escaped == nullptr ? "" : escaped.get();
}

std::string Unescaped(absl::string_view text) {
  int length = 0;
  const CurlText plain(
      curl_easy_unescape(nullptr, text.data(), static_cast<int>(text.size()), &length), &curl_free);
  return plain == nullptr ? "" : std::string(plain.get(), static_cast<size_t>(length));
}

// As in a query and in a form.
std::string Encoded(
    std::initializer_list<std::pair<absl::string_view, absl::string_view>> parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    absl::StrAppend(&text, text.empty() ? "" : "&", name, "=", Escaped(value));
  }
  return text;
}

// The query of an address; nothing when it is none.
std::optional<std::string> QueryOf(const std::string& address) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  char* query = nullptr;
  if (curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) != CURLUE_OK ||
      curl_url_get(url.get(), CURLUPART_QUERY, &query, 0) != CURLUE_OK) {
    return std::nullopt;
  }
  const CurlText owned(query, &curl_free);
  return std::string(query);
}

std::string ValueIn(absl::string_view query, absl::string_view name) {
  for (const absl::string_view parameter : absl::StrSplit(query, '&')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    if (parts.first == name) return Unescaped(parts.second);
  }
  return "";
}

bool IsWord(absl::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

// What Intercom says went wrong, for people; empty when it is no error list.
std::string MessageIn(absl::string_view body) {
  simdjson::dom::parser parser;
  std::string_view message;
  const auto list = parser.parse(body.data(), body.size());
  if (list.at_pointer("/errors/0/message").get_string().get(message) != simdjson::SUCCESS) {
    return "";
  }
  return std::string(message.substr(0, kLongestMessage));
}

absl::StatusOr<std::string> TokenIn(absl::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element answer;
  if (parser.parse(body.data(), body.size()).get(answer) == simdjson::SUCCESS) {
    // The second is what Intercom named it first, and still does beside it.
    for (const char* name : {"access_token", "token"}) {
      std::string_view token;
      if (answer[name].get_string().get(token) != simdjson::SUCCESS) continue;
      if (IsWord({token.data(), token.size()})) return std::string(token);
    }
  }
  return absl::UnavailableError("Intercom's answer to the code holds no access token; try again");
}

absl::Status Refused(int status_code, absl::string_view said) {
  const std::string what = absl::StrCat("Intercom answered the code with status ", status_code,
                                        said.empty() ? "" : absl::StrCat(" (", said, ")"));
  if (status_code >= 500 || status_code == 429) {
    return absl::UnavailableError(absl::StrCat(what, "; try again"));
  }
  return absl::UnauthenticatedError(
      absl::StrCat(what,
                   "; check client id and secret, and log in anew: a code works once, for a "
                   "few minutes"));
}

}  // namespace

AuthorizationUrls UrlsOfRegion(absl::string_view region) {
  const std::string host = region.empty() || region == "us"
                               ? "app.intercom.com"
                               : absl::StrCat("app.", region, ".intercom.com");
  return {absl::StrCat("https://", host, "/oauth"), "https://api.intercom.io/auth/eagle/token"};
}

AuthorizationUrls UrlsBelow(absl::string_view base_url) {
  return {absl::StrCat(base_url, "/oauth"), absl::StrCat(base_url, "/auth/eagle/token")};
}

std::string RandomState() {
  std::array<unsigned char, 24> bytes;
  // Without randomness a login would be anybody's.
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string AuthorizeUrl(const AuthorizationUrls& urls, const OAuthApp& app,
                         absl::string_view state) {
  return absl::StrCat(
      urls.authorize, "?",
      Encoded(
          {{"client_id", app.client_id}, {"state", state}, {"redirect_uri", app.redirect_url}}));
}

absl::StatusOr<std::string> CodeIn(const std::string& redirected, absl::string_view state) {
  const std::optional<std::string> query = QueryOf(redirected);
  if (!query.has_value()) {
    return absl::InvalidArgumentError(
        "that is no address with a code; copy the whole of it, from https:// on");
  }
  const std::string theirs = ValueIn(*query, "state");
  if (theirs.size() != state.size() ||
      CRYPTO_memcmp(theirs.data(), state.data(), state.size()) != 0) {
    return absl::PermissionDeniedError(
        "that answer is not one to this login (its state differs), so it is not used; open the "
        "address above");
  }
  if (const std::string error = ValueIn(*query, "error"); !error.empty()) {
    return absl::UnauthenticatedError(
        absl::StrCat("the authorization was refused in Intercom (",
                     absl::CHexEscape(error.substr(0, kLongestMessage)), "); log in anew"));
  }
  std::string code = ValueIn(*query, "code");
  if (!IsWord(code)) {
    return absl::InvalidArgumentError("that address holds no code; open the address above again");
  }
  return code;
}

absl::StatusOr<std::string> ExchangeCode(const AuthorizationUrls& urls, const OAuthApp& app,
                                         const std::string& code, HttpClient* http,
                                         Cancellation* interrupt) {
  HttpRequest request;
  request.method = "POST";
  request.url = urls.token;
  request.headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"};
  request.body =
      Encoded({{"code", code}, {"client_id", app.client_id}, {"client_secret", app.client_secret}});
  request.repeatable = false;
  HttpResponse response;
  absl::Notification done;
  const HttpClient::TransferId transfer = http->Start(std::move(request), [&](HttpResponse answer) {
    response = std::move(answer);
    done.Notify();
  });
  while (!done.WaitForNotificationWithTimeout(kLookForInterrupt)) {
    if (interrupt->cancelled()) http->Cancel(transfer);
  }
  if (!response.status.ok()) return response.status;
  if (absl::Status loaded = response.body.Load(); !loaded.ok()) return loaded;
  if (response.body.in_file()) return Refused(response.status_code, "more than an answer");
  const absl::string_view body = response.body.text();
  if (response.status_code != 200) return Refused(response.status_code, MessageIn(body));
  return TokenIn(body);
}

}  // namespace intercom_extractor
