#include "extractor/intercom/connection.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace intercom_extractor {
namespace {

// Whether `authority` ("host" or "host:port") names this machine.
bool IsLoopback(absl::string_view authority) {
  absl::string_view host = authority;
  if (absl::StartsWith(host, "[")) {
    return host == "[::1]" || absl::StartsWith(host, "[::1]:");
  }
  host = host.substr(0, host.find(':'));
  if (host == "localhost") return true;
  // Four numbers, or "127.0.0.1.example.com" would pass.
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (absl::string_view part : parts) {
    int number = 0;
    if (part.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(part[0])) ||
        !absl::SimpleAtoi(part, &number) || number > 255) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> RegionBaseUrl(absl::string_view region) {
  const std::string lower = absl::AsciiStrToLower(region);
  if (lower == "us") return std::string("https://api.intercom.io");
  if (lower == "eu") return std::string("https://api.eu.intercom.io");
  if (lower == "au") return std::string("https://api.au.intercom.io");
  return absl::InvalidArgumentError(
      absl::StrCat("region: \"", region, "\" is not a region of Intercom; use us, eu or au"));
}

absl::Status ValidateConnection(const Connection& connection) {
  const auto invalid = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("connection ", connection.name, ": ", what));
  };
  if (connection.name.empty()) return absl::InvalidArgumentError("connection: the name is empty");

  absl::string_view rest = connection.base_url;
  const bool https = absl::ConsumePrefix(&rest, "https://");
  if (!https && !absl::ConsumePrefix(&rest, "http://")) {
    return invalid("base_url must begin with https://");
  }
  if (rest.empty() || rest[0] == ':' || rest.find_first_of("/?#@ ") != absl::string_view::npos) {
    return invalid("base_url must be https://HOST or https://HOST:PORT and nothing more");
  }
  if (!https && !IsLoopback(rest)) {
    return invalid("base_url: plain http is only for the loopback; use https://");
  }
  if (connection.access_token.empty()) {
    return invalid("there is no access token; set INTERCOM_ACCESS_TOKEN or name a token file");
  }
  for (const char c : connection.access_token) {
    // Anything else would break out of the header.
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return invalid("the access token holds white space or a control character; copy it again");
    }
  }
  for (const char c : connection.api_version) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return invalid("api_version must look like 2.16");
    }
  }
  if (!(connection.quota_reserve >= 0 && connection.quota_reserve < 1)) {
    return invalid("quota_reserve must be at least 0 and below 1, such as 0.1");
  }
  return absl::OkStatus();
}

}  // namespace intercom_extractor
