#include "tests/fake_intercom/faults.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor::fake {
namespace {

// Of a list that goes by cursors: how many records its request asks for; 0 for all
// other requests. A look-up by ids is none, however many it asks for.
int64_t PageSizeOf(const Request& request) {
  int64_t records = 0;
  if (request.method == "GET" &&
      (request.path == "/contacts" || request.path == "/conversations")) {
    if (!absl::SimpleAtoi(std::string(request.Query("per_page")), &records)) return 0;
  } else if (request.path == "/contacts/search" || request.path == "/conversations/search") {
    const auto search = JsonValue::Parse(request.body);
    if (!search || (*search)["query"]["field"].text() == "id") return 0;
    records = (*search)["pagination"]["per_page"].AsInt().value_or(0);
  }
  return records;
}

// What tells a retry from another request, also where it asks for a smaller page:
// ...per_page=150..., ..."per_page": 150...
std::string WithoutPageSize(std::string key) {
  const std::string name = "per_page";
  const size_t at = key.find(name);
  if (at == std::string::npos) return key;
  const size_t begin = key.find_first_not_of("\"=: ", at + name.size());
  if (begin == std::string::npos) return key;
  const size_t end = key.find_first_not_of("0123456789", begin);
  return key.erase(begin, end == std::string::npos ? end : end - begin);
}

bool PathMatches(absl::string_view pattern, absl::string_view path) {
  if (!absl::StrContains(pattern, '*')) return absl::StartsWith(path, pattern);
  const std::vector<absl::string_view> parts = absl::StrSplit(pattern, '*');
  if (!absl::ConsumePrefix(&path, parts.front())) return false;
  for (size_t i = 1; i + 1 < parts.size(); ++i) {
    const size_t at = path.find(parts[i]);
    if (at == absl::string_view::npos) return false;
    path.remove_prefix(at + parts[i].size());
  }
  return absl::EndsWith(path, parts.back());
}

bool Matches(const FaultMatch& match, const Request& request) {
  if (!match.method.empty() && match.method != request.method) return false;
  if (!PathMatches(match.path, request.path)) return false;
  if (!match.contains.empty() && !absl::StrContains(request.target, match.contains) &&
      !absl::StrContains(request.body, match.contains)) {
    return false;
  }
  return !match.page_above || PageSizeOf(request) > *match.page_above;
}

}  // namespace

void Faults::Add(const std::string& list) {
  FaultList faults = ParseFaultList(list);
  const std::lock_guard<std::mutex> lock(mu_);
  for (FaultRule& rule : faults.rules) rules_.push_back({std::move(rule)});
  WorkspaceFaults& workspace = workspace_;
  if (faults.workspace.vanish > 0) workspace.vanish = faults.workspace.vanish;
  if (faults.workspace.no_rate_headers) workspace.no_rate_headers = true;
  if (faults.workspace.scroll_500) workspace.scroll_500 = true;
  if (faults.workspace.scroll_busy_seconds > 0) {
    workspace.scroll_busy_seconds = faults.workspace.scroll_busy_seconds;
  }
}

void Faults::Add(const FaultRule& rule) {
  const std::lock_guard<std::mutex> lock(mu_);
  rules_.push_back({rule});
}

void Faults::Add(const ConnectionRule& rule) {
  const std::lock_guard<std::mutex> lock(mu_);
  connection_rules_.push_back(rule);
}

void Faults::Clear() {
  const std::lock_guard<std::mutex> lock(mu_);
  rules_.clear();
  connection_rules_.clear();
  tried_.clear();
  workspace_ = WorkspaceFaults();
}

FaultAction Faults::For(const Request& request, const std::string& key) {
  FaultAction action;
  const std::lock_guard<std::mutex> lock(mu_);
  ++requests_;
  if (rules_.empty()) return action;
  const bool first_try = tried_.insert(std::hash<std::string>()(WithoutPageSize(key))).second;
  for (CountedRule& counted : rules_) {
    const FaultMatch& match = counted.rule.match;
    if (!first_try && !match.retries_too) continue;
    if (requests_ <= match.after || !Matches(match, request)) continue;
    if (match.turns.Has(++counted.matched)) action.Add(counted.rule.action);
  }
  return action;
}

ConnectionFault Faults::ForConnection() {
  const std::lock_guard<std::mutex> lock(mu_);
  ++connections_;
  for (const ConnectionRule& rule : connection_rules_) {
    if (rule.turns.Has(connections_)) return rule.fault;
  }
  return ConnectionFault::kNone;
}

size_t Faults::vanish() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return workspace_.vanish;
}

bool Faults::no_rate_headers() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return workspace_.no_rate_headers;
}

bool Faults::TakeScroll500() {
  const std::lock_guard<std::mutex> lock(mu_);
  return std::exchange(workspace_.scroll_500, false);
}

double Faults::TakeScrollBusySeconds() {
  const std::lock_guard<std::mutex> lock(mu_);
  return std::exchange(workspace_.scroll_busy_seconds, 0);
}

std::vector<size_t> VanishedRecords(size_t count, size_t vanish) {
  std::vector<size_t> records;
  vanish = std::min(vanish, count);
  records.reserve(vanish);
  for (size_t i = 0; i < vanish; ++i) records.push_back((2 * i + 1) * count / (2 * vanish));
  return records;
}

}  // namespace intercom_extractor::fake
