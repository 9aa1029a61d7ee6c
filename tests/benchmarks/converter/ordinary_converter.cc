#include "tests/benchmarks/converter/ordinary_converter.h"

#include <string_view>

namespace intercom_extractor {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::SUCCESS;
using Value = simdjson::simdjson_result<ondemand::value>;

std::string_view Trimmed(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\n')) token.remove_suffix(1);
  return token;
}

// Each sets a column when there is a value of its type.

template <typename Row>
void SetText(Value value, Row* row, std::string* (Row::*column)()) {
  std::string_view text;
  if (value.get_string().get(text) == SUCCESS) (row->*column)()->assign(text.data(), text.size());
}

template <typename Row>
void SetInt(Value value, Row* row, void (Row::*set)(int64_t)) {
  int64_t number = 0;
  if (value.get_int64().get(number) == SUCCESS) (row->*set)(number);
}

template <typename Row>
void SetBool(Value value, Row* row, void (Row::*set)(bool)) {
  bool flag = false;
  if (value.get_bool().get(flag) == SUCCESS) (row->*set)(flag);
}

// Nothing when it is null; an id may be a number.
std::string_view Id(Value result) {
  ondemand::value value;
  std::string_view text;
  if (std::move(result).get(value) != SUCCESS) return {};
  if (value.get_string().get(text) == SUCCESS) return text;
  ondemand::json_type type;
  if (value.type().get(type) != SUCCESS || type != ondemand::json_type::number) return {};
  return Trimmed(value.raw_json_token());
}

void Assign(std::string_view text, std::string* column) {
  column->assign(text.data(), text.size());
}

template <typename Row>
void SetId(Value value, Row* row, std::string* (Row::*column)()) {
  const std::string_view id = Id(std::move(value));
  if (!id.empty()) Assign(id, (row->*column)());
}

template <typename OnElement>
void ForEach(Value result, OnElement on_element) {
  ondemand::array array;
  if (result.get_array().get(array) != SUCCESS) return;
  for (auto element : array) {
    ondemand::object object;
    if (element.get_object().get(object) == SUCCESS) on_element(object);
  }
}

// JSON text of a string value, "null" for none.
std::string_view Token(Value result) {
  ondemand::value value;
  if (std::move(result).get(value) != SUCCESS) return "null";
  return Trimmed(value.raw_json_token());
}

void AppendMember(const char* name, std::string_view token, bool* any, std::string* json) {
  *any = *any || token != "null";
  json->append(name);
  json->append(token.data(), token.size());
}

template <typename Row>
void ReadContact(ondemand::object contact, std::string_view id, std::string_view external_id,
                 Row* row) {
  Assign(id, row->mutable_id());
  if (!external_id.empty()) Assign(external_id, row->mutable_user_id());
  SetText(contact["email"], row, &Row::mutable_email);
  SetText(contact["phone"], row, &Row::mutable_phone);
  SetText(contact["name"], row, &Row::mutable_name);
  ondemand::object object;
  if (contact["avatar"].get_object().get(object) == SUCCESS) {
    SetText(object["image_url"], row, &Row::mutable_avatar_image_url);
  }
  SetId(contact["owner_id"], row, &Row::mutable_owner_id);
}

// The fields behind the social profiles.
template <typename Row>
void ReadContactRest(ondemand::object contact, Row* row) {
  SetBool(contact["has_hard_bounced"], row, &Row::set_has_hard_bounced);
  SetBool(contact["marked_email_as_spam"], row, &Row::set_marked_email_as_spam);
  SetBool(contact["unsubscribed_from_emails"], row, &Row::set_unsubscribed_from_emails);
  SetInt(contact["created_at"], row, &Row::set_created_at);
  SetInt(contact["updated_at"], row, &Row::set_updated_at);
  SetInt(contact["signed_up_at"], row, &Row::set_signed_up_at);
  SetInt(contact["last_seen_at"], row, &Row::set_last_request_at);
  if constexpr (std::is_same_v<Row, v1::User>) {
    SetText(contact["language_override"], row, &Row::mutable_language_override);
  }
  bool any = false;
  std::string* agent = row->mutable_user_agent_data();
  AppendMember("{\"browser\":", Token(contact["browser"]), &any, agent);
  AppendMember(",\"browser_version\":", Token(contact["browser_version"]), &any, agent);
  AppendMember(",\"browser_language\":", Token(contact["browser_language"]), &any, agent);
  AppendMember(",\"os\":", Token(contact["os"]), &any, agent);
  agent->push_back('}');
  if (!any) row->clear_user_agent_data();
  ondemand::object location;
  if (contact["location"].get_object().get(location) == SUCCESS) {
    SetText(location["country"], row, &Row::mutable_location_data_country_name);
    SetText(location["region"], row, &Row::mutable_location_data_region_name);
    SetText(location["city"], row, &Row::mutable_location_data_city_name);
    SetText(location["country_code"], row, &Row::mutable_location_data_country_code);
    SetText(location["continent_code"], row, &Row::mutable_location_data_continent_code);
  }
  ondemand::object attributes;
  if (contact["custom_attributes"].get_object().get(attributes) == SUCCESS) {
    std::string_view json;
    if (attributes.raw_json().get(json) == SUCCESS) {
      Assign(Trimmed(json), row->mutable_custom_attributes());
    }
  }
}

void ReadAttachment(ondemand::object attachment, v1::ConversationAttachment* row) {
  using Row = v1::ConversationAttachment;
  SetText(attachment["type"], row, &Row::mutable_type);
  SetText(attachment["name"], row, &Row::mutable_name);
  SetText(attachment["url"], row, &Row::mutable_url);
  SetText(attachment["content_type"], row, &Row::mutable_content_type);
  SetInt(attachment["filesize"], row, &Row::set_filesize);
  SetInt(attachment["width"], row, &Row::set_width);
  SetInt(attachment["height"], row, &Row::set_height);
}

void ReadAttachment(ondemand::object attachment, v1::ConversationPartAttachment* row) {
  using Row = v1::ConversationPartAttachment;
  SetText(attachment["type"], row, &Row::mutable_type);
  SetText(attachment["name"], row, &Row::mutable_name);
  SetText(attachment["url"], row, &Row::mutable_url);
  SetText(attachment["content_type"], row, &Row::mutable_content_type);
  SetInt(attachment["filesize"], row, &Row::set_filesize);
  SetInt(attachment["width"], row, &Row::set_width);
  SetInt(attachment["height"], row, &Row::set_height);
}

void ReadPart(ondemand::object part, std::string_view conversation, v1::RowBatch* batch) {
  using Row = v1::ConversationPart;
  Row* row = batch->add_conversation_parts();
  SetText(part["type"], row, &Row::mutable_type);
  SetId(part["id"], row, &Row::mutable_id);
  SetText(part["part_type"], row, &Row::mutable_part_type);
  SetText(part["body"], row, &Row::mutable_body);
  SetInt(part["created_at"], row, &Row::set_created_at);
  SetInt(part["updated_at"], row, &Row::set_updated_at);
  SetInt(part["notified_at"], row, &Row::set_notified_at);
  ondemand::object person;
  if (part["assigned_to"].get_object().get(person) == SUCCESS) {
    SetText(person["type"], row, &Row::mutable_assigned_to_type);
    SetId(person["id"], row, &Row::mutable_assigned_to_id);
  }
  if (part["author"].get_object().get(person) == SUCCESS) {
    SetText(person["type"], row, &Row::mutable_author_type);
    SetId(person["id"], row, &Row::mutable_author_id);
  }
  int64_t ordinal = 0;
  ForEach(part["attachments"], [&](ondemand::object attachment) {
    v1::ConversationPartAttachment* child = batch->add_conversation_parts_attachments();
    ReadAttachment(attachment, child);
    child->set_conversation_parts_pk(row->id());
    child->set_ordinal(ordinal++);
  });
  SetId(part["external_id"], row, &Row::mutable_external_id);
  Assign(conversation, row->mutable_conversations_pk());
}

}  // namespace

bool OrdinaryConverter::Knows(v1::SourceRecord record) {
  return record == v1::SOURCE_RECORD_CONTACT || record == v1::SOURCE_RECORD_CONVERSATION ||
         record == v1::SOURCE_RECORD_COMPANY;
}

simdjson::error_code OrdinaryConverter::Convert(v1::SourceRecord record, const std::string& items,
                                                const simdjson::padded_string& page) {
  batch_.Clear();
  ondemand::document document;
  if (const auto error = parser_.iterate(page).get(document)) return error;
  if (items.empty()) {
    ondemand::object object;
    if (const auto error = document.get_object().get(object)) return error;
    AddRecord(record, object);
  } else {
    ondemand::array array;
    if (const auto error = document[items].get_array().get(array)) return error;
    for (auto element : array) {
      ondemand::object object;
      if (const auto error = element.get_object().get(object)) return error;
      AddRecord(record, object);
    }
  }
  batch_.SerializeToString(&bytes_);
  return SUCCESS;
}

void OrdinaryConverter::AddRecord(v1::SourceRecord record, ondemand::object object) {
  switch (record) {
    case v1::SOURCE_RECORD_CONTACT:
      return AddContact(object);
    case v1::SOURCE_RECORD_CONVERSATION:
      return AddConversation(object);
    default:
      return AddCompany(object);
  }
}

void OrdinaryConverter::AddContact(ondemand::object contact) {
  const std::string_view id = Id(contact["id"]);
  const std::string_view external_id = Id(contact["external_id"]);
  std::string_view role;
  if (contact["role"].get_string().get(role) != SUCCESS) return;
  if (role == "user") {
    v1::User* user = batch_.add_users();
    user->set_type("user");
    user->set_anonymous(false);
    ReadContact(contact, id, external_id, user);
    int64_t ordinal = 0;
    ForEach(contact["social_profiles"]["data"], [&](ondemand::object profile) {
      v1::UserSocialProfile* row = batch_.add_users_social_profiles();
      SetText(profile["type"], row, &v1::UserSocialProfile::mutable_type);
      SetText(profile["name"], row, &v1::UserSocialProfile::mutable_name);
      SetText(profile["url"], row, &v1::UserSocialProfile::mutable_url);
      Assign(id, row->mutable_users_pk());
      row->set_ordinal(ordinal++);
    });
    ReadContactRest(contact, user);
    ForEach(contact["tags"]["data"], [&](ondemand::object tag) {
      v1::UserTag* row = batch_.add_users_tags();
      row->set_type("tag");
      SetId(tag["id"], row, &v1::UserTag::mutable_id);
      Assign(id, row->mutable_users_pk());
    });
    ForEach(contact["companies"]["data"], [&](ondemand::object company) {
      v1::UserCompany* row = batch_.add_users_companies();
      row->set_type("company");
      SetId(company["id"], row, &v1::UserCompany::mutable_id);
      Assign(id, row->mutable_users_pk());
    });
  } else if (role == "lead") {
    v1::Lead* lead = batch_.add_leads();
    lead->set_type("contact");
    lead->set_anonymous(true);
    ReadContact(contact, id, external_id, lead);
    int64_t ordinal = 0;
    ForEach(contact["social_profiles"]["data"], [&](ondemand::object profile) {
      v1::LeadSocialProfile* row = batch_.add_leads_social_profiles();
      SetText(profile["type"], row, &v1::LeadSocialProfile::mutable_type);
      SetText(profile["name"], row, &v1::LeadSocialProfile::mutable_name);
      SetText(profile["url"], row, &v1::LeadSocialProfile::mutable_url);
      Assign(id, row->mutable_leads_pk());
      row->set_ordinal(ordinal++);
    });
    ReadContactRest(contact, lead);
    ForEach(contact["tags"]["data"], [&](ondemand::object tag) {
      v1::LeadTag* row = batch_.add_leads_tags();
      row->set_type("tag");
      SetId(tag["id"], row, &v1::LeadTag::mutable_id);
      Assign(id, row->mutable_leads_pk());
    });
    ForEach(contact["companies"]["data"], [&](ondemand::object company) {
      v1::LeadCompany* row = batch_.add_leads_companies();
      row->set_type("company");
      SetId(company["id"], row, &v1::LeadCompany::mutable_id);
      Assign(id, row->mutable_leads_pk());
    });
  }
}

void OrdinaryConverter::AddConversation(ondemand::object conversation) {
  using Row = v1::Conversation;
  Row* row = batch_.add_conversations();
  SetText(conversation["type"], row, &Row::mutable_type);
  const std::string_view id = Id(conversation["id"]);
  Assign(id, row->mutable_id());
  SetInt(conversation["created_at"], row, &Row::set_created_at);
  SetInt(conversation["updated_at"], row, &Row::set_updated_at);
  SetInt(conversation["waiting_since"], row, &Row::set_waiting_since);
  SetInt(conversation["snoozed_until"], row, &Row::set_snoozed_until);
  row->set_conversation_message_type("conversation_message");
  std::string_view author_type;
  std::string_view author_id;
  ondemand::object source;
  if (conversation["source"].get_object().get(source) == SUCCESS) {
    SetText(source["type"], row, &Row::mutable_source_type);
    SetId(source["id"], row, &Row::mutable_conversation_message_id);
    SetText(source["subject"], row, &Row::mutable_conversation_message_subject);
    SetText(source["body"], row, &Row::mutable_conversation_message_body);
    ondemand::object author;
    if (source["author"].get_object().get(author) == SUCCESS) {
      if (author["type"].get_string().get(author_type) == SUCCESS) {
        Assign(author_type, row->mutable_conversation_message_author_type());
      }
      author_id = Id(author["id"]);
      if (!author_id.empty()) Assign(author_id, row->mutable_conversation_message_author_id());
    }
    int64_t ordinal = 0;
    ForEach(source["attachments"], [&](ondemand::object attachment) {
      v1::ConversationAttachment* child = batch_.add_conversations_attachments();
      ReadAttachment(attachment, child);
      Assign(id, child->mutable_conversations_pk());
      child->set_ordinal(ordinal++);
    });
    SetText(source["url"], row, &Row::mutable_conversation_message_url);
  }
  ForEach(conversation["contacts"]["contacts"], [&](ondemand::object contact) {
    v1::ConversationCustomer* child = batch_.add_conversations_customers();
    const std::string_view contact_id = Id(contact["id"]);
    Assign(contact_id, child->mutable_id());
    Assign(author_id == contact_id ? author_type : "user", child->mutable_type());
    Assign(id, child->mutable_conversations_pk());
    if (row->has_user_id()) return;
    row->set_user_id(child->id());
    row->set_user_type(child->type());
  });
  const std::string_view admin = Id(conversation["admin_assignee_id"]);
  const std::string_view team = Id(conversation["team_assignee_id"]);
  if (!team.empty()) Assign(team, row->mutable_team_assignee_id());
  const bool to_admin = !admin.empty() && admin != "0";
  const bool to_team = !to_admin && !team.empty() && team != "0";
  row->set_assignee_type(to_admin ? "admin" : to_team ? "team" : "nobody_admin");
  if (to_admin || to_team) Assign(to_admin ? admin : team, row->mutable_assignee_id());
  SetBool(conversation["open"], row, &Row::set_open);
  SetText(conversation["state"], row, &Row::mutable_state);
  SetBool(conversation["read"], row, &Row::set_read);
  ForEach(conversation["tags"]["tags"], [&](ondemand::object tag) {
    v1::ConversationTag* child = batch_.add_conversations_tags();
    SetText(tag["type"], child, &v1::ConversationTag::mutable_type);
    SetId(tag["id"], child, &v1::ConversationTag::mutable_id);
    Assign(id, child->mutable_conversations_pk());
  });
  SetText(conversation["title"], row, &Row::mutable_title);
  ForEach(conversation["conversation_parts"]["conversation_parts"],
          [&](ondemand::object part) { ReadPart(part, id, &batch_); });
}

void OrdinaryConverter::AddCompany(ondemand::object company) {
  using Row = v1::Company;
  Row* row = batch_.add_companies();
  SetText(company["type"], row, &Row::mutable_type);
  SetId(company["company_id"], row, &Row::mutable_company_id);
  SetId(company["id"], row, &Row::mutable_id);
  SetText(company["name"], row, &Row::mutable_name);
  SetInt(company["remote_created_at"], row, &Row::set_remote_created_at);
  SetInt(company["created_at"], row, &Row::set_created_at);
  SetInt(company["updated_at"], row, &Row::set_updated_at);
  SetInt(company["last_request_at"], row, &Row::set_last_request_at);
  double spend = 0;
  if (company["monthly_spend"].get_double().get(spend) == SUCCESS) row->set_monthly_spend(spend);
  SetInt(company["session_count"], row, &Row::set_session_count);
  SetInt(company["user_count"], row, &Row::set_user_count);
  SetInt(company["size"], row, &Row::set_size);
  SetText(company["website"], row, &Row::mutable_website);
  SetText(company["industry"], row, &Row::mutable_industry);
  ondemand::object object;
  if (company["plan"].get_object().get(object) == SUCCESS) {
    SetText(object["name"], row, &Row::mutable_plan);
  }
  if (company["custom_attributes"].get_object().get(object) == SUCCESS) {
    std::string_view json;
    if (object.raw_json().get(json) == SUCCESS)
      Assign(Trimmed(json), row->mutable_custom_attributes());
  }
}

}  // namespace intercom_extractor
