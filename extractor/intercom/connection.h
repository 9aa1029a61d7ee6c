#ifndef EXTRACTOR_INTERCOM_CONNECTION_H_
#define EXTRACTOR_INTERCOM_CONNECTION_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

class PrivacyRules;

// How one Intercom workspace is reached.
struct Connection {
  // The name that callers use.
  std::string name = "default";
  // "https://host[:port]" without a trailing slash. Plain http is for the
  // loopback only.
  std::string base_url = "https://api.intercom.io";
  // Secret: never printed, logged or put into an error.
  std::string access_token;
  // Secret that resume tokens are signed with; empty: derived from the access token.
  // One of its own lets tokens outlive the access token.
  std::string resume_key;
  // Sent as Intercom-Version with each request.
  std::string api_version = "2.16";
  // Share of each quota window that is left to the workspace's other apps, in
  // [0, 1).
  double quota_reserve = 0.1;
  // What happens to values before they leave; null: nothing.
  std::shared_ptr<const PrivacyRules> privacy;
  // Asked before each request goes out, as HttpRequest::may_send; for who may lose the right
  // to the workspace at any moment. Empty: always.
  std::function<bool()> may_send;
};

// The base URL of a region: "us", "eu" or "au". kInvalidArgument for others.
absl::StatusOr<std::string> RegionBaseUrl(absl::string_view region);

// Checks everything but the token's validity. kInvalidArgument names the field
// and what to write instead; never repeats the token.
absl::Status ValidateConnection(const Connection& connection);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_CONNECTION_H_
