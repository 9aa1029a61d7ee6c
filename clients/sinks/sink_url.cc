#include "clients/sinks/sink_url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace intercom_extractor {
namespace {

bool PercentDecode(absl::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out->push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
        !absl::ascii_isxdigit(text[i + 2])) {
      return false;
    }
    out->append(absl::HexStringToBytes(text.substr(i + 1, 2)));
    i += 2;
  }
  return true;
}

bool IsHost(absl::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains(".-_:[]", absl::string_view(&c, 1));
  });
}

}  // namespace

absl::Status SinkUrlError(absl::string_view what, absl::string_view form) {
  return absl::InvalidArgumentError(absl::StrCat("--sink: ", what, "; write ", form));
}

absl::Status UnknownParameter(absl::string_view name, absl::string_view form) {
  if (absl::StrContains(name, "pass") || absl::StrContains(name, "token")) {
    return SinkUrlError(
        "the password comes from INTERCOM_SINK_PASSWORD, as a URL is for all to see", form);
  }
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.';
  });
  return SinkUrlError(absl::StrCat("no parameter ", plain ? name : "of that name",
                                   " is known; docs/sinks.md lists them"),
                      form);
}

absl::StatusOr<SinkUrl> ParseSinkUrl(const std::string& url, absl::string_view form) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return SinkUrlError("this is no URL", form);
  SinkUrl parsed;
  parsed.scheme = url.substr(0, scheme);
  const absl::string_view rest = absl::string_view(url).substr(scheme + 3);
  const size_t question = std::min(rest.find('?'), rest.size());
  const absl::string_view before = rest.substr(0, question);
  // What is before an @ may be a password with a slash in it.
  const size_t at = before.rfind('@');
  absl::string_view hosts = before;
  if (at != absl::string_view::npos) {
    const absl::string_view user = before.substr(0, at);
    if (user.find_first_of(":/@") != absl::string_view::npos) {
      return SinkUrlError("a URL is for all to see: the password comes from INTERCOM_SINK_PASSWORD",
                          form);
    }
    if (user.empty() || !PercentDecode(user, &parsed.user)) {
      return SinkUrlError("the user cannot be read", form);
    }
    hosts = before.substr(at + 1);
  }
  const size_t slash = std::min(hosts.find('/'), hosts.size());
  if (slash < hosts.size()) parsed.path = std::string(hosts.substr(slash + 1));
  for (absl::string_view host : absl::StrSplit(hosts.substr(0, slash), ',')) {
    if (!IsHost(host)) return SinkUrlError("the host cannot be read", form);
    parsed.hosts.emplace_back(host);
  }
  const absl::string_view query = question < rest.size() ? rest.substr(question + 1) : "";
  for (absl::string_view parameter : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const size_t equals = parameter.find('=');
    if (equals == absl::string_view::npos) {
      return SinkUrlError("a parameter has no value", form);
    }
    auto& [name, value] = parsed.parameters.emplace_back();
    name = std::string(parameter.substr(0, equals));
    if (!PercentDecode(parameter.substr(equals + 1), &value)) {
      return SinkUrlError("the value of a parameter has a % that begins no %41", form);
    }
  }
  return parsed;
}

bool SplitHostPort(const std::string& text, std::string* host, int* port) {
  const size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  const bool has_port = colon != std::string::npos &&
                        (bracket == std::string::npos ? text.find(':') == colon : bracket < colon);
  *host = has_port ? text.substr(0, colon) : text;
  if (host->size() > 2 && host->front() == '[' && host->back() == ']') {
    *host = host->substr(1, host->size() - 2);
  }
  if (!has_port) return true;
  return absl::SimpleAtoi(text.substr(colon + 1), port) && *port > 0 && *port < 65536;
}

}  // namespace intercom_extractor
