#include "tests/fake_intercom/faults.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor::fake {
namespace {

[[noreturn]] void Refuse(const std::string& text) {
  throw std::invalid_argument("unknown fault or wrong parameters: " + text);
}

int Number(const std::string& text, const std::string& fault) {
  int number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < 1) Refuse(fault);
  return number;
}

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

}  // namespace

Faults::Fault Faults::Parse(const std::string& text) {
  std::vector<std::string> parts = absl::StrSplit(text, ':');
  Fault fault;
  fault.name = parts[0];
  if (parts.size() > 1 && parts.back() == "always") {
    fault.always = true;
    parts.pop_back();
  }
  const size_t params = parts.size() - 1;
  const std::string& name = fault.name;
  if (name == "scope_missing" || name == "plan_restricted" || name == "html_404") {
    if (params != 1 || parts[1].empty() || parts[1][0] != '/') Refuse(text);
    fault.route = parts[1];
    fault.always = true;
  } else if (name == "status" || name == "slow") {
    if (params < 1 || params > 2) Refuse(text);
    (name == "status" ? fault.code : fault.milliseconds) = Number(parts[1], text);
    if (params == 2) fault.every = Number(parts[2], text);
  } else if (name == "empty_body" || name == "malformed_json" || name == "truncate" ||
             name == "html_200" || name == "reset") {
    if (params > 1) Refuse(text);
    if (params == 1) fault.every = Number(parts[1], text);
  } else if (name == "scroll_busy" || name == "vanish") {
    if (params != 1) Refuse(text);
    fault.code = Number(parts[1], text);
  } else if (name == "large_pages") {
    if (params != 1) Refuse(text);
    fault.code = Number(parts[1], text);
    fault.always = true;
  } else if (name == "scroll_500_once" || name == "no_rate_headers" ||
             name == "search_unavailable") {
    if (params != 0) Refuse(text);
    fault.always = true;
  } else {
    Refuse(text);
  }
  return fault;
}

void Faults::Add(const std::string& list) {
  std::vector<Fault> added;
  for (const absl::string_view text : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    added.push_back(Parse(std::string(text)));
  }
  const std::lock_guard<std::mutex> lock(mu_);
  for (Fault& fault : added) {
    if (fault.name == "vanish") {
      vanish_ = fault.code;
    } else if (fault.name == "no_rate_headers") {
      no_rate_headers_ = true;
    } else if (fault.name == "scroll_500_once") {
      scroll_500_ = true;
    } else if (fault.name == "scroll_busy") {
      scroll_busy_seconds_ = fault.code;
    } else {
      faults_.push_back(std::move(fault));
    }
  }
}

void Faults::Clear() {
  const std::lock_guard<std::mutex> lock(mu_);
  faults_.clear();
  tried_.clear();
  vanish_ = 0;
  no_rate_headers_ = false;
  scroll_500_ = false;
  scroll_busy_seconds_ = 0;
}

void Faults::Apply(const Fault& fault, Plan* plan) {
  if (fault.name == "scope_missing") {
    plan->status = 403;
    plan->code = "forbidden";
  } else if (fault.name == "plan_restricted") {
    plan->status = 403;
    plan->code = "api_plan_restricted";
  } else if (fault.name == "search_unavailable") {
    plan->status = 503;
  } else if (fault.name == "large_pages") {
    plan->status = 504;
  } else if (fault.name == "status") {
    plan->status = fault.code;
  } else if (fault.name == "html_404") {
    plan->html_not_found = true;
  } else if (fault.name == "slow") {
    plan->slow = std::chrono::milliseconds(fault.milliseconds);
  } else if (fault.name == "reset") {
    plan->reset = true;
  } else if (fault.name == "empty_body") {
    plan->empty_body = true;
  } else if (fault.name == "malformed_json") {
    plan->malformed_json = true;
  } else if (fault.name == "truncate") {
    plan->truncate = true;
  } else if (fault.name == "html_200") {
    plan->html_ok = true;
  }
}

Faults::Plan Faults::For(const Request& request, const std::string& key) {
  Plan plan;
  const std::lock_guard<std::mutex> lock(mu_);
  if (faults_.empty()) return plan;
  const bool first_try = tried_.insert(std::hash<std::string>()(key)).second;
  const bool search = request.path == "/contacts/search" || request.path == "/conversations/search";
  for (Fault& fault : faults_) {
    if (!first_try && !fault.always) continue;
    if (fault.name == "search_unavailable" && !search) continue;
    if (fault.name == "large_pages" && PageSizeOf(request) <= fault.code) continue;
    if (request.path.compare(0, fault.route.size(), fault.route) != 0) continue;
    if (++fault.seen % fault.every != 0) continue;
    Apply(fault, &plan);
  }
  return plan;
}

size_t Faults::vanish() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return vanish_;
}

bool Faults::no_rate_headers() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return no_rate_headers_;
}

bool Faults::TakeScroll500() {
  const std::lock_guard<std::mutex> lock(mu_);
  return std::exchange(scroll_500_, false);
}

double Faults::TakeScrollBusySeconds() {
  const std::lock_guard<std::mutex> lock(mu_);
  return std::exchange(scroll_busy_seconds_, 0);
}

std::vector<size_t> VanishedRecords(size_t count, size_t vanish) {
  std::vector<size_t> records;
  vanish = std::min(vanish, count);
  records.reserve(vanish);
  for (size_t i = 0; i < vanish; ++i) records.push_back((2 * i + 1) * count / (2 * vanish));
  return records;
}

}  // namespace intercom_extractor::fake
