#include "tests/load/call_log.h"

#include <optional>
#include <string_view>

namespace intercom_extractor {
namespace {

const std::vector<std::string>& ContactTables() {
  static const auto& tables = *new std::vector<std::string>{
      "users", "users_tags",     "users_segments",        "users_companies",
      "leads", "leads_tags",     "leads_segments",        "leads_companies",
      "notes", "events_summary", "users_social_profiles", "leads_social_profiles"};
  return tables;
}

const std::vector<std::string>& ConversationTables() {
  static const auto& tables = *new std::vector<std::string>{
      "conversations",      "conversations_attachments", "conversations_customers",
      "conversations_tags", "conversation_parts",        "conversation_parts_attachments"};
  return tables;
}

bool Has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

void CallLog::Watch(fake::FakeIntercom* intercom) {
  for (const char* method : {"GET", "POST"}) {
    intercom->SetHandler(method, "/", [this](const fake::Request& request, fake::Response*) {
      const std::vector<std::string> tables = TablesOf(request);
      const std::lock_guard<std::mutex> lock(mu_);
      ++total_;
      for (const std::string& table : tables) ++calls_[table];
      return false;
    });
  }
}

std::map<std::string, int64_t> CallLog::calls() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return calls_;
}

int64_t CallLog::total() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return total_;
}

std::vector<std::string> CallLog::TablesOf(const fake::Request& request) const {
  const std::string& path = request.path;
  if (path == "/contacts") return ContactTables();
  if (path == "/contacts/search") {
    if (Has(request.body, "segment_id")) return {"users_segments", "leads_segments"};
    // The roles of contacts in conversations.
    if (Has(request.body, R"("field":"id")")) return {"conversations", "conversations_customers"};
    return ContactTables();
  }
  if (path.rfind("/contacts/", 0) == 0) return TablesOfSubList(path);
  if (path.rfind("/conversations", 0) == 0) return ConversationTables();
  if (path.rfind("/companies", 0) == 0) return {"companies"};
  if (path == "/events") return {"events_summary"};
  if (path == "/admins" || path == "/teams") return {"admins"};
  if (path == "/tags") return {"tags"};
  if (path == "/segments") return {"segments"};
  return {};
}

std::vector<std::string> CallLog::TablesOfSubList(const std::string& path) const {
  const size_t id = std::string_view("/contacts/").size();
  const size_t slash = path.find('/', id);
  if (slash == std::string::npos) return {};
  const std::string list = path.substr(slash + 1);
  if (list == "notes") return {"notes"};
  const std::optional<size_t> contact = workspace_.FindContact(path.substr(id, slash - id));
  if (!contact) return {};
  return {(workspace_.contact_key(*contact).role == "lead" ? "leads_" : "users_") + list};
}

}  // namespace intercom_extractor
