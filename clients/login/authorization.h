#ifndef CLIENTS_LOGIN_AUTHORIZATION_H_
#define CLIENTS_LOGIN_AUTHORIZATION_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/cpp/cancellation.h"
#include "extractor/http/http_client.h"

namespace intercom_extractor {

// Intercom's OAuth authorization-code flow, as its page "Setting up OAuth" describes it: the
// app's scopes are those chosen in the Developer Hub, a code works once and for some minutes,
// access tokens do not expire and there is nothing to refresh them with.

// Where Intercom is asked.
struct AuthorizationUrls {
  std::string authorize;  // What a browser opens: "https://app.intercom.com/oauth".
  std::string token;      // What a code is exchanged at.
};

// Of a region: "us", "eu" or "au"; empty is "us". Codes of all regions are exchanged at one
// address.
AuthorizationUrls UrlsOfRegion(absl::string_view region);
// Of an address of the API's that serves both, as the fake does: no slash at its end.
AuthorizationUrls UrlsBelow(absl::string_view base_url);

// An app of the Developer Hub.
struct OAuthApp {
  std::string client_id;
  std::string client_secret;  // Secret: never printed, logged or put into an error.
  // One of those that the app names.
  std::string redirect_url;
};

// A text that nobody can guess, which tells the answer to this login from all others.
std::string RandomState();

// What a browser is to open.
std::string AuthorizeUrl(const AuthorizationUrls& urls, const OAuthApp& app,
                         absl::string_view state);

// The code in the address that Intercom sent the browser to. kPermissionDenied: another
// `state`, so nothing in it may be used; kUnauthenticated: Intercom or the person said no;
// kInvalidArgument: no address with a code. Errors never repeat the address.
absl::StatusOr<std::string> CodeIn(const std::string& redirected, absl::string_view state);

// The access token for a code. Blocks until Intercom has answered or `interrupt`
// (kCancelled), never tries twice. kUnauthenticated: client, secret or code are refused;
// kUnavailable and kDeadlineExceeded: Intercom did not answer, or with a failure of its own;
// else as HttpResponse::status. Errors say what Intercom said, never what was sent.
absl::StatusOr<std::string> ExchangeCode(const AuthorizationUrls& urls, const OAuthApp& app,
                                         const std::string& code, HttpClient* http,
                                         Cancellation* interrupt);

}  // namespace intercom_extractor

#endif  // CLIENTS_LOGIN_AUTHORIZATION_H_
