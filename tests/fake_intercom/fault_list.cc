#include "tests/fake_intercom/fault_list.h"

#include <chrono>
#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor::fake {
namespace {

constexpr char kNotFoundPage[] =
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not "
    "Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
constexpr char kGoodPage[] = "<!DOCTYPE html><html><body>We will be back soon.</body></html>";

[[noreturn]] void Refuse(const std::string& text) {
  throw std::invalid_argument("unknown fault or wrong parameters: " + text);
}

int Number(const std::string& text, const std::string& fault) {
  int number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < 1) Refuse(fault);
  return number;
}

void ShowPage(const char* page, FaultAction* action) {
  action->body = page;
  action->headers.emplace_back("Content-Type", "text/html");
}

// NAME:/PATH. False for other names.
bool ParseRoute(const std::string& name, FaultRule* rule) {
  FaultAction& action = rule->action;
  if (name == "scope_missing") {
    action.status = 403;
    action.code = "forbidden";
  } else if (name == "plan_restricted") {
    action.status = 403;
    action.code = "api_plan_restricted";
  } else if (name == "html_404") {
    action.status = 404;
    ShowPage(kNotFoundPage, &action);
  } else {
    return false;
  }
  rule->match.retries_too = true;
  return true;
}

// NAME[:N]. False for other names.
bool ParseTurns(const std::string& name, FaultAction* action) {
  if (name == "reset") {
    action->reset = true;
  } else if (name == "empty_body") {
    action->body = "";
  } else if (name == "malformed_json") {
    action->malformed = true;
  } else if (name == "truncate") {
    action->cut = FaultAction::Cut{0, 0.5};
  } else if (name == "html_200") {
    ShowPage(kGoodPage, action);
  } else {
    return false;
  }
  return true;
}

// Of the workspace. False for other names.
bool ParseWorkspace(const std::vector<std::string>& parts, const std::string& text,
                    WorkspaceFaults* workspace) {
  const std::string& name = parts[0];
  const bool takes_number = name == "scroll_busy" || name == "vanish";
  if (!takes_number && name != "scroll_500_once" && name != "no_rate_headers") return false;
  if (parts.size() != (takes_number ? 2 : 1)) Refuse(text);
  if (name == "vanish") {
    workspace->vanish = Number(parts[1], text);
  } else if (name == "scroll_busy") {
    workspace->scroll_busy_seconds = Number(parts[1], text);
  } else if (name == "no_rate_headers") {
    workspace->no_rate_headers = true;
  } else {
    workspace->scroll_500 = true;
  }
  return true;
}

void Parse(const std::string& text, FaultList* list) {
  std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (ParseWorkspace(parts, text, &list->workspace)) return;
  FaultRule rule;
  if (parts.size() > 1 && parts.back() == "always") {
    rule.match.retries_too = true;
    parts.pop_back();
  }
  const size_t params = parts.size() - 1;
  const std::string& name = parts[0];
  if (ParseRoute(name, &rule)) {
    if (params != 1 || parts[1].empty() || parts[1][0] != '/') Refuse(text);
    rule.match.path = parts[1];
  } else if (name == "status" || name == "slow") {
    if (params < 1 || params > 2) Refuse(text);
    const int number = Number(parts[1], text);
    if (name == "status") {
      rule.action.status = number;
    } else {
      rule.action.delay = std::chrono::milliseconds(number);
    }
    if (params == 2) rule.match.turns.every = Number(parts[2], text);
  } else if (ParseTurns(name, &rule.action)) {
    if (params > 1) Refuse(text);
    if (params == 1) rule.match.turns.every = Number(parts[1], text);
  } else if (name == "large_pages") {
    if (params != 1) Refuse(text);
    rule.match.page_above = Number(parts[1], text);
    rule.match.retries_too = true;
    rule.action.status = 504;
  } else if (name == "search_unavailable") {
    if (params != 0) Refuse(text);
    for (const char* path : {"/contacts/search", "/conversations/search"}) {
      rule.match.path = path;
      rule.match.retries_too = true;
      rule.action.status = 503;
      list->rules.push_back(rule);
    }
    return;
  } else {
    Refuse(text);
  }
  list->rules.push_back(rule);
}

}  // namespace

FaultList ParseFaultList(const std::string& list) {
  FaultList faults;
  for (const absl::string_view text : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    Parse(std::string(text), &faults);
  }
  return faults;
}

}  // namespace intercom_extractor::fake
