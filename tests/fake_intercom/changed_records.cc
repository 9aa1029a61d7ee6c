#include "tests/fake_intercom/changed_records.h"

#include <algorithm>
#include <optional>

#include "absl/time/time.h"
#include "tests/fake_intercom/json_edit.h"
#include "tests/fake_intercom/json_value.h"
#include "tests/fake_intercom/json_writer.h"

namespace intercom_extractor::fake {
namespace {

constexpr size_t kEmbeddedItems = 10;
constexpr size_t kMaxParts = 500;
// Beyond those of generated records.
constexpr int64_t kFirstNewNoteId = 70'000'000'000;
constexpr int64_t kFirstNewPartId = 90'000'000'000;

}  // namespace

std::string RecordId(const std::string& record) {
  std::string id(RawMember(record, "id"));
  id.erase(std::remove(id.begin(), id.end(), '"'), id.end());
  return id;
}

std::string NewContactJson(const std::string& id, std::string_view role, int64_t now) {
  std::string record;
  JsonWriter json(&record);
  json.BeginObject();
  json.Field("type", "contact");
  json.Field("id", id);
  json.Field("workspace_id", "fakeapp1");
  json.Field("external_id", "new-" + id);
  json.Field("role", role);
  json.Field("email", id + "@example.com");
  json.Field("name", "New " + id.substr(0, 6));
  json.Field("created_at", now);
  json.Field("updated_at", now);
  json.NullField("last_seen_at");
  json.RawField("custom_attributes", "{}");
  json.RawField("social_profiles",
                R"({"type":"list","data":[{"type":"social_profile","name":"Twitter",)"
                R"("url":"https://social.example.com/new"}]})");
  json.EndObject();
  return record;
}

std::string NewNote(size_t number, const std::string& contact_id, int64_t now) {
  std::string record;
  JsonWriter json(&record);
  json.BeginObject();
  json.Field("type", "note");
  json.Field("id", std::to_string(kFirstNewNoteId + static_cast<int64_t>(number)));
  json.Field("created_at", now);
  json.RawField("contact", R"({"type":"contact","id":)" + JsonString(contact_id) + "}");
  json.NullField("author");
  json.Field("body", "<p>A new note</p>");
  json.EndObject();
  return record;
}

std::string NewEventSummary(const std::string& contact_id, int64_t now) {
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%S.000+00:00",
                                            absl::FromUnixSeconds(now), absl::UTCTimeZone());
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  json.Field("type", "event.summary");
  json.Field("intercom_user_id", contact_id);
  json.RawField("events", R"([{"name":"signed-up","first":")" + time + R"(","last":")" + time +
                              R"(","count":1,"description":"What happened"}])");
  json.EndObject();
  return answer;
}

std::string NewConversationJson(const std::string& id, const std::string& contact_id,
                                std::string_view role, int64_t now) {
  const std::string contact_json = JsonString(contact_id);
  std::string record;
  JsonWriter json(&record);
  json.BeginObject();
  json.Field("type", "conversation");
  json.Field("id", id);
  json.Field("title", "New");
  json.Field("created_at", now);
  json.Field("updated_at", now);
  json.NullField("waiting_since");
  json.NullField("snoozed_until");
  const std::string author =
      contact_id.empty() ? R"({"type":"bot","id":"1001"})"
                         : R"({"type":")" + std::string(role) + R"(","id":)" + contact_json + "}";
  json.RawField("source", R"({"type":"email","id":)" + JsonString("source-" + id) +
                              R"(,"subject":"","body":"A question","author":)" + author +
                              R"(,"attachments":[],"url":null})");
  json.RawField(
      "contacts",
      R"({"type":"contact.list","contacts":[)" +
          (contact_id.empty() ? std::string() : R"({"type":"contact","id":)" + contact_json + "}") +
          "]}");
  json.NullField("admin_assignee_id");
  json.NullField("team_assignee_id");
  json.Field("open", true);
  json.Field("state", "open");
  json.Field("read", false);
  json.RawField("tags", R"({"type":"tag.list","tags":[]})");
  // Intercom counts the source message, too.
  json.RawField("statistics", R"({"type":"conversation_statistics","count_conversation_parts":1})");
  json.EndObject();
  return record;
}

std::string NewPart(size_t number, int64_t now) {
  std::string record;
  JsonWriter json(&record);
  json.BeginObject();
  json.Field("type", "conversation_part");
  json.Field("id", std::to_string(kFirstNewPartId + static_cast<int64_t>(number)));
  json.Field("part_type", "comment");
  json.Field("body", "An answer");
  json.Field("created_at", now);
  json.Field("updated_at", now);
  json.Field("notified_at", now);
  json.NullField("assigned_to");
  json.RawField("author", R"({"type":"admin","id":"814860"})");
  json.RawField("attachments", "[]");
  json.NullField("external_id");
  json.EndObject();
  return record;
}

std::string DeletedConversation(const std::string& id, int64_t now) {
  std::string record;
  JsonWriter json(&record);
  json.BeginObject();
  json.Field("type", "conversation");
  json.Field("id", id);
  json.Field("metrics_retained", true);
  json.Field("deleted_at", now);
  json.EndObject();
  return record;
}

std::string WithEmbeddedList(const std::string& contact, std::string_view name,
                             std::string_view type, const std::string& id,
                             const std::vector<std::string>& records) {
  const std::string path(name);
  std::string list;
  JsonWriter json(&list);
  json.BeginObject();
  json.Field("type", "list");
  json.Key("data");
  json.BeginArray();
  for (size_t i = 0; i < std::min(records.size(), kEmbeddedItems); ++i) {
    json.BeginObject();
    json.RawField("id", RawMember(records[i], "id"));
    json.Field("type", type);
    json.Field("url", "/" + path + "/" + RecordId(records[i]));
    json.EndObject();
  }
  json.EndArray();
  json.Field("url", "/contacts/" + id + "/" + path);
  json.Field("total_count", static_cast<int64_t>(records.size()));
  json.Field("has_more", records.size() > kEmbeddedItems);
  json.EndObject();
  return WithMember(contact, name, list);
}

std::string WithPart(const std::string& conversation, const std::string& part) {
  std::string edited = conversation;
  const std::string statistics(RawMember(edited, "statistics"));
  if (!statistics.empty()) {
    edited =
        WithMember(edited, "statistics", WithMoreIn(statistics, "count_conversation_parts", 1));
  }
  const std::string list(RawMember(edited, "conversation_parts"));
  if (list.empty()) return edited;
  std::vector<std::string> parts = RawElements(RawMember(list, "conversation_parts"));
  parts.push_back(part);
  if (parts.size() > kMaxParts) parts.erase(parts.begin());
  return WithMember(
      edited, "conversation_parts",
      WithMember(WithMoreIn(list, "total_count", 1), "conversation_parts", JsonArray(parts)));
}

std::string WithMoreIn(const std::string& record, std::string_view name, int64_t more) {
  const std::optional<JsonValue> value = JsonValue::Parse(RawMember(record, name));
  const std::optional<int64_t> number = value ? value->AsInt() : std::nullopt;
  return number ? WithMember(record, name, std::to_string(*number + more)) : record;
}

}  // namespace intercom_extractor::fake
