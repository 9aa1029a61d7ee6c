#include "tests/fake_intercom/changed_since.h"

#include <optional>
#include <stdexcept>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor::fake {
namespace {

std::optional<int64_t> UpdatedAt(const std::string& record) {
  const std::optional<JsonValue> json = JsonValue::Parse(record);
  if (!json) throw std::runtime_error("a record of the workspace is no JSON");
  return (*json)["updated_at"].AsInt();
}

}  // namespace

ChangedSince ChangedSince::ByDays(int64_t updated_since, const std::string& time_zone) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(time_zone, &zone)) {
    throw std::invalid_argument("unknown time zone: " + time_zone);
  }
  const absl::CivilDay day = absl::ToCivilDay(absl::FromUnixSeconds(updated_since), zone);
  return {updated_since, absl::ToUnixSeconds(absl::FromCivil(day, zone)), false};
}

bool ChangedSince::Contact(const Workspace& workspace, size_t contact) const {
  if (!workspace.ContactExists(contact)) return false;
  std::string record;
  workspace.AppendContact(contact, &record);
  const std::optional<int64_t> updated_at = UpdatedAt(record);
  if (updated_at) return *updated_at >= updated_since;
  return find_deleted || workspace.contact_key(contact).updated_at >= contacts_searched_since;
}

bool ChangedSince::Conversation(const Workspace& workspace, size_t conversation) const {
  if (!workspace.ConversationExists(conversation)) return false;
  std::string record;
  workspace.AppendConversation(conversation, &record);
  const std::optional<int64_t> updated_at = UpdatedAt(record);
  if (updated_at) return *updated_at >= updated_since;
  // Conversations are compared by the second in every version.
  return workspace.conversation_key(conversation).updated_at >= updated_since;
}

}  // namespace intercom_extractor::fake
