#include "tests/fake_intercom/oracle.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "tests/fake_intercom/json_value.h"
#include "tests/fake_intercom/json_writer.h"

namespace intercom_extractor::fake {
namespace {

// In the order of OracleTables().
enum TableNumber : size_t {
  kUsers,
  kUsersTags,
  kUsersSegments,
  kUsersCompanies,
  kUsersSocialProfiles,
  kNotes,
  kEventsSummary,
  kLeads,
  kLeadsTags,
  kLeadsSegments,
  kLeadsCompanies,
  kLeadsSocialProfiles,
  kCompanies,
  kAdmins,
  kTags,
  kSegments,
  kConversations,
  kConversationsAttachments,
  kConversationsCustomers,
  kConversationsTags,
  kConversationParts,
  kConversationPartsAttachments,
};

// The most items of a list that a contact embeds.
constexpr size_t kEmbeddedItems = 10;

const OracleCell kNull = std::nullopt;

// A text column: numbers, booleans and containers are no text.
OracleCell Text(const JsonValue& value) {
  return value.IsString() ? OracleCell(value.text()) : kNull;
}

// An id column: numbers count, too, with the digits that were sent.
OracleCell Id(const JsonValue& value) {
  return value.IsString() || value.IsNumber() ? OracleCell(value.text()) : kNull;
}

OracleCell Int(const JsonValue& value) {
  const std::optional<int64_t> number = value.AsInt();
  return number ? OracleCell(std::to_string(*number)) : kNull;
}

OracleCell Bool(const JsonValue& value) {
  return value.kind() == JsonValue::Kind::kBool ? OracleCell(value.text()) : kNull;
}

OracleCell Double(const JsonValue& value) {
  if (!value.IsNumber() && !value.IsString()) return kNull;
  const std::string& text = value.text();
  // from_chars reads "inf" and "nan", too.
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return kNull;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return kNull;
  std::array<char, 64> shortest;
  // An exponent only where Python's repr() has one.
  const double size = std::abs(number);
  const auto format = size != 0 && (size < 1e-4 || size >= 1e16) ? std::chars_format::scientific
                                                                 : std::chars_format::fixed;
  const auto written =
      std::to_chars(shortest.data(), shortest.data() + shortest.size(), number, format);
  return std::string(shortest.data(), written.ptr);
}

OracleCell Trimmed(const JsonValue& value) {
  if (!value.IsString()) return kNull;
  const std::string& text = value.text();
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

OracleCell CustomAttributes(std::string_view record) {
  const std::string_view raw = RawMember(record, "custom_attributes");
  if (raw.empty() || raw == "null") return kNull;
  return std::string(raw);
}

OracleCell UserAgentData(const JsonValue& contact) {
  std::string json = "{";
  bool all_null = true;
  for (const char* name : {"browser", "browser_version", "browser_language", "os"}) {
    const OracleCell text = Text(contact[name]);
    if (json.size() > 1) json += ',';
    json += '"' + std::string(name) + "\":" + (text ? JsonString(*text) : "null");
    all_null = all_null && !text;
  }
  return all_null ? kNull : OracleCell(json + "}");
}

// An object's image_url, or the avatar itself when it is a text.
OracleCell AvatarUrl(const JsonValue& avatar) {
  return avatar.IsObject() ? Text(avatar["image_url"]) : Text(avatar);
}

// What an assignee id must not be to count.
bool IsAssigned(const JsonValue& id) {
  if (!id.IsString() && !id.IsNumber()) return false;
  return !id.text().empty() && !(id.IsNumber() && id.text() == "0");
}

JsonValue ParseRecord(const std::string& json) {
  std::optional<JsonValue> value = JsonValue::Parse(json);
  if (!value) throw std::runtime_error("a record of the workspace is no JSON");
  return *std::move(value);
}

class Oracle {
 public:
  Oracle(const Workspace& workspace, const OracleOptions& options, const OracleSink& sink)
      : workspace_(workspace),
        options_(options),
        sink_(sink),
        gone_contacts_(options.vanished_contacts.begin(), options.vanished_contacts.end()),
        gone_conversations_(options.vanished_conversations.begin(),
                            options.vanished_conversations.end()) {}

  void Run() {
    for (size_t i = 0; i < workspace_.contact_count(); ++i) {
      if (!workspace_.ContactExists(i)) continue;
      if (!options_.since || options_.since->Contact(workspace_, i)) Contact(i);
    }
    for (size_t i = 0; i < workspace_.company_count(); ++i) Company(i);
    for (const std::string& admin : workspace_.admins()) Admin(admin, false);
    for (const std::string& team : workspace_.teams()) Admin(team, true);
    for (const std::string& tag : workspace_.tags()) {
      const JsonValue json = ParseRecord(tag);
      sink_(kTags, {Text(json["type"]), Id(json["id"]), Text(json["name"])});
    }
    for (const std::string& segment : workspace_.Segments(true)) Segment(segment);
    for (size_t i = 0; i < workspace_.conversation_count(); ++i) {
      if (gone_conversations_.count(i) > 0 || !workspace_.ConversationExists(i)) continue;
      if (!options_.since || options_.since->Conversation(workspace_, i)) Conversation(i);
    }
  }

 private:
  void Contact(size_t number) {
    std::string text;
    workspace_.AppendContact(number, &text);
    const JsonValue json = ParseRecord(text);
    const std::string& role = json["role"].text();
    if (role != "user" && role != "lead") return;
    const bool user = role == "user";
    const OracleCell id = Id(json["id"]);
    if (user) {
      User(json, text, id);
    } else {
      Lead(json, text, id);
    }
    SocialProfiles(json, user ? kUsersSocialProfiles : kLeadsSocialProfiles, id);
    const bool gone = gone_contacts_.count(number) > 0;
    Links(gone ? Embedded(json["tags"]) : Parsed(workspace_.ContactTags(number)), "tag",
          user ? kUsersTags : kLeadsTags, id);
    Links(gone ? Embedded(json["companies"]) : Parsed(workspace_.ContactCompanies(number)),
          "company", user ? kUsersCompanies : kLeadsCompanies, id);
    if (gone) return;
    Links(Parsed(workspace_.ContactSegments(number)), "segment",
          user ? kUsersSegments : kLeadsSegments, id);
    for (const std::string& note : workspace_.ContactNotes(number)) Note(note, role, id);
    if (user) Events(workspace_.EventSummary(number), id);
  }

  static std::vector<JsonValue> Parsed(const std::vector<std::string>& records) {
    std::vector<JsonValue> parsed;
    parsed.reserve(records.size());
    for (const std::string& record : records) parsed.push_back(ParseRecord(record));
    return parsed;
  }

  static std::vector<JsonValue> Embedded(const JsonValue& list) {
    std::vector<JsonValue> items = list["data"].elements();
    items.resize(std::min(items.size(), kEmbeddedItems));
    return items;
  }

  void Links(const std::vector<JsonValue>& items, const char* type, TableNumber table,
             const OracleCell& parent) {
    for (const JsonValue& item : items) sink_(table, {type, Id(item["id"]), parent});
  }

  void User(const JsonValue& json, const std::string& text, const OracleCell& id) {
    const JsonValue& location = json["location"];
    sink_(kUsers, {"user",
                   id,
                   Int(json["created_at"]),
                   Int(json["signed_up_at"]),
                   Int(json["updated_at"]),
                   Text(json["email"]),
                   Text(json["phone"]),
                   Id(json["external_id"]),
                   Int(json["last_seen_at"]),
                   kNull,
                   Bool(json["unsubscribed_from_emails"]),
                   Bool(json["marked_email_as_spam"]),
                   Bool(json["has_hard_bounced"]),
                   UserAgentData(json),
                   kNull,
                   kNull,
                   "false",
                   Text(json["name"]),
                   Text(location["city"]),
                   Text(location["continent_code"]),
                   Text(location["country_code"]),
                   Text(location["country"]),
                   Double(location["latitude"]),
                   Double(location["longitude"]),
                   kNull,
                   Text(location["region"]),
                   kNull,
                   AvatarUrl(json["avatar"]),
                   CustomAttributes(text),
                   Text(json["language_override"]),
                   Id(json["owner_id"])});
  }

  void Lead(const JsonValue& json, const std::string& text, const OracleCell& id) {
    const JsonValue& location = json["location"];
    sink_(kLeads, {"contact",
                   id,
                   Int(json["created_at"]),
                   Int(json["updated_at"]),
                   Id(json["external_id"]),
                   Text(json["email"]),
                   Text(json["name"]),
                   Text(json["phone"]),
                   "true",
                   kNull,
                   Int(json["last_seen_at"]),
                   Bool(json["unsubscribed_from_emails"]),
                   Text(location["city"]),
                   Text(location["continent_code"]),
                   Text(location["country_code"]),
                   Text(location["country"]),
                   Double(location["latitude"]),
                   Double(location["longitude"]),
                   kNull,
                   Text(location["region"]),
                   kNull,
                   AvatarUrl(json["avatar"]),
                   UserAgentData(json),
                   kNull,
                   kNull,
                   Int(json["signed_up_at"]),
                   kNull,
                   Bool(json["marked_email_as_spam"]),
                   Bool(json["has_hard_bounced"]),
                   CustomAttributes(text),
                   Id(json["owner_id"])});
  }

  void SocialProfiles(const JsonValue& contact, TableNumber table, const OracleCell& parent) {
    size_t ordinal = 0;
    for (const JsonValue& profile : contact["social_profiles"]["data"].elements()) {
      sink_(table, {Text(profile["type"]), kNull, Text(profile["name"]), kNull,
                    Text(profile["url"]), parent, std::to_string(ordinal++)});
    }
  }

  void Note(const std::string& record, const std::string& role, const OracleCell& contact_id) {
    const JsonValue json = ParseRecord(record);
    const OracleCell about = Id(json["contact"]["id"]);
    const JsonValue& author = json["author"];
    sink_(kNotes, {Text(json["type"]), Id(json["id"]), Int(json["created_at"]), Text(json["body"]),
                   role, about ? about : contact_id, Text(author["type"]), Id(author["id"])});
  }

  void Events(const std::string& answer, const OracleCell& contact_id) {
    const JsonValue json = ParseRecord(answer);
    const OracleCell user_id = Id(json["intercom_user_id"]);
    for (const JsonValue& event : json["events"].elements()) {
      sink_(kEventsSummary,
            {user_id ? user_id : contact_id, Text(event["name"]), Int(event["count"]),
             Trimmed(event["first"]), Trimmed(event["last"]), Text(event["description"])});
    }
  }

  void Company(size_t number) {
    std::string text;
    workspace_.AppendCompany(number, &text);
    const JsonValue json = ParseRecord(text);
    sink_(kCompanies, {Text(json["type"]), Id(json["id"]), Int(json["created_at"]),
                       Int(json["remote_created_at"]), Int(json["updated_at"]),
                       Id(json["company_id"]), Text(json["name"]), Int(json["session_count"]),
                       Double(json["monthly_spend"]), Int(json["user_count"]),
                       Text(json["plan"]["name"]), CustomAttributes(text), Text(json["website"]),
                       Text(json["industry"]), Int(json["size"]), Int(json["last_request_at"])});
  }

  void Admin(const std::string& record, bool team) {
    const JsonValue json = ParseRecord(record);
    sink_(kAdmins, {Text(json["type"]), Id(json["id"]), Text(json["name"]),
                    team ? kNull : Text(json["email"])});
  }

  void Segment(const std::string& record) {
    const JsonValue json = ParseRecord(record);
    OracleCell person_type = Text(json["person_type"]);
    if (person_type == "contact") person_type = "lead";
    sink_(kSegments,
          {Text(json["type"]), Id(json["id"]), Text(json["name"]), Int(json["created_at"]),
           Int(json["updated_at"]), Int(json["count"]), person_type});
  }

  // The role of the contact that a conversation refers to: what the conversation's
  // author says of itself, else what the workspace knows.
  OracleCell RoleOf(const OracleCell& id, const JsonValue& author) const {
    if (!id) return "contact";
    const std::string& type = author["type"].text();
    if ((type == "user" || type == "lead") && Id(author["id"]) == id) return type;
    const std::optional<size_t> contact = workspace_.FindContact(*id);
    if (!contact) return "contact";
    const std::string role(workspace_.contact_key(*contact).role);
    return role == "user" || role == "lead" ? role : "contact";
  }

  void Conversation(size_t number) {
    const JsonValue json = ParseRecord(workspace_.ConversationDetail(number, options_.plaintext));
    const OracleCell id = Id(json["id"]);
    const JsonValue& source = json["source"];
    const JsonValue& author = source["author"];
    const JsonValue& contacts =
        json["contacts"].IsArray() ? json["contacts"] : json["contacts"]["contacts"];
    const JsonValue& parts = json["conversation_parts"]["conversation_parts"];
    const std::optional<int64_t> total = json["conversation_parts"]["total_count"].AsInt();

    OracleCell first_contact = kNull;
    OracleCell first_role = kNull;
    for (const JsonValue& contact : contacts.elements()) {
      const OracleCell contact_id = Id(contact["id"]);
      const OracleCell role = RoleOf(contact_id, author);
      if (&contact == &contacts.elements().front()) {
        first_contact = contact_id;
        first_role = role;
      }
      sink_(kConversationsCustomers, {role, contact_id, id});
    }

    OracleCell assignee_type = "nobody_admin";
    OracleCell assignee_id = kNull;
    if (IsAssigned(json["admin_assignee_id"])) {
      assignee_type = "admin";
      assignee_id = Id(json["admin_assignee_id"]);
    } else if (IsAssigned(json["team_assignee_id"])) {
      assignee_type = "team";
      assignee_id = Id(json["team_assignee_id"]);
    }

    const bool truncated = total && *total > static_cast<int64_t>(parts.elements().size());
    sink_(kConversations, {Text(json["type"]),
                           id,
                           Int(json["created_at"]),
                           Int(json["updated_at"]),
                           Int(json["waiting_since"]),
                           Int(json["snoozed_until"]),
                           first_role,
                           first_contact,
                           assignee_type,
                           assignee_id,
                           "conversation_message",
                           Id(source["id"]),
                           Text(source["subject"]),
                           Text(source["body"]),
                           Text(author["type"]),
                           Id(author["id"]),
                           Text(source["url"]),
                           Bool(json["open"]),
                           Bool(json["read"]),
                           Text(json["state"]),
                           Text(json["title"]),
                           Text(source["type"]),
                           Id(json["team_assignee_id"]),
                           truncated ? "true" : "false"});
    Attachments(source["attachments"], kConversationsAttachments, id);
    for (const JsonValue& tag : json["tags"]["tags"].elements()) {
      sink_(kConversationsTags, {Text(tag["type"]), Id(tag["id"]), id});
    }
    for (const JsonValue& part : parts.elements()) Part(part, id);
  }

  void Part(const JsonValue& json, const OracleCell& conversation_id) {
    const OracleCell id = Id(json["id"]);
    const JsonValue& assigned_to = json["assigned_to"];
    const JsonValue& author = json["author"];
    sink_(kConversationParts,
          {Text(json["type"]), id, Text(json["part_type"]), Text(json["body"]),
           Int(json["created_at"]), Int(json["updated_at"]), Int(json["notified_at"]),
           Text(assigned_to["type"]), Id(assigned_to["id"]), Text(author["type"]), Id(author["id"]),
           Id(json["external_id"]), conversation_id});
    Attachments(json["attachments"], kConversationPartsAttachments, id);
  }

  void Attachments(const JsonValue& list, TableNumber table, const OracleCell& parent) {
    size_t ordinal = 0;
    for (const JsonValue& json : list.elements()) {
      sink_(table, {Text(json["type"]), Text(json["name"]), Text(json["url"]),
                    Text(json["content_type"]), Int(json["filesize"]), Int(json["width"]),
                    Int(json["height"]), parent, std::to_string(ordinal++)});
    }
  }

  const Workspace& workspace_;
  const OracleOptions& options_;
  const OracleSink& sink_;
  const std::unordered_set<size_t> gone_contacts_;
  const std::unordered_set<size_t> gone_conversations_;
};

}  // namespace

void ExpectedRows(const Workspace& workspace, const OracleOptions& options,
                  const OracleSink& sink) {
  Oracle(workspace, options, sink).Run();
}

}  // namespace intercom_extractor::fake
