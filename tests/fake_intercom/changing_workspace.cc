#include "tests/fake_intercom/changing_workspace.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "tests/fake_intercom/changed_records.h"
#include "tests/fake_intercom/json_edit.h"
#include "tests/fake_intercom/json_value.h"
#include "tests/fake_intercom/json_writer.h"

namespace intercom_extractor::fake {
namespace {

// Beyond the numbers of all other contacts, so that ids cannot meet.
constexpr size_t kNewContactBase = 0x50000000;
constexpr int64_t kFirstNewConversationId = 900'000'000'000;

bool IsOneOf(const std::vector<std::string>& records, std::string_view id) {
  return std::any_of(records.begin(), records.end(),
                     [id](const std::string& record) { return RecordId(record) == id; });
}

}  // namespace

ChangingWorkspace::ChangingWorkspace(std::shared_ptr<const Workspace> base, const Options& options,
                                     Clock clock)
    : base_(std::move(base)),
      options_(options),
      clock_(std::move(clock)),
      living_contacts_(base_->contact_count()),
      deleted_conversations_(base_->deleted_conversations()),
      requests_to_next_(std::max<size_t>(1, options.requests_between)) {}

std::shared_lock<std::shared_mutex> ChangingWorkspace::HoldStill() const {
  return std::shared_lock<std::shared_mutex>(mu_);
}

void ChangingWorkspace::OnRequest() {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  if (due_changes_ == options_.changes || --requests_to_next_ > 0) return;
  ++due_changes_;
  DrawChange();
  requests_to_next_ = 1 + Random(options_.seed, kChangePaceKind, due_changes_)
                              .Below(2 * std::max<size_t>(1, options_.requests_between) - 1);
}

void ChangingWorkspace::ChangeNow(size_t count) {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  for (size_t i = 0; i < count; ++i) DrawChange();
}

void ChangingWorkspace::UpdateContact(size_t contact) {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  if (!ContactExists(contact)) return;
  Random random = NextRandom();
  Update(contact, &random);
}

void ChangingWorkspace::DeleteContact(size_t contact) {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  if (!ContactExists(contact)) return;
  Remove(contact);
  Happened(Change::Kind::kDelete, true, ContactId(contact), "");
}

void ChangingWorkspace::MergeContact(size_t contact, size_t into) {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  if (!ContactExists(contact) || !ContactExists(into) || contact == into) return;
  Random random = NextRandom();
  Merge(contact, into, &random);
}

void ChangingWorkspace::ConvertToUser(size_t lead) {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  if (ContactExists(lead) && contact_key(lead).role == "lead") Convert(lead);
}

void ChangingWorkspace::UpdateConversation(size_t conversation) {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  if (!ConversationExists(conversation)) return;
  Random random = NextRandom();
  UpdateConversationAs(conversation, &random);
}

void ChangingWorkspace::DeleteConversation(size_t conversation) {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  if (ConversationExists(conversation)) RemoveConversation(conversation);
}

size_t ChangingWorkspace::CreateContact(std::string_view role) {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  Random random = NextRandom();
  return NewContact(role == "user" ? "user" : "lead", &random);
}

size_t ChangingWorkspace::CreateConversation() {
  const std::lock_guard<std::shared_mutex> lock(mu_);
  Random random = NextRandom();
  return NewConversation(&random);
}

std::vector<Change> ChangingWorkspace::changes() const {
  const std::shared_lock<std::shared_mutex> lock(mu_);
  return changes_;
}

int64_t ChangingWorkspace::Now() {
  last_time_ = std::max(last_time_, absl::ToUnixSeconds(clock_()));
  return last_time_;
}

Random ChangingWorkspace::NextRandom() { return Random(options_.seed, kChangeKind, drawn_++); }

void ChangingWorkspace::Happened(Change::Kind kind, bool contact, const std::string& id,
                                 const std::string& into) {
  changes_.push_back({kind, contact, id, into, Now()});
}

void ChangingWorkspace::DrawChange() {
  Random random = NextRandom();
  if (random.Percent(50)) {
    DrawContactChange(&random);
  } else {
    DrawConversationChange(&random);
  }
}

void ChangingWorkspace::DrawContactChange(Random* random) {
  const uint64_t draw = random->Below(100);
  const std::optional<size_t> lead = PickContact(random, "lead");
  const std::optional<size_t> user = PickContact(random, "user");
  const std::optional<size_t> any = random->Percent(50) && lead ? lead : user;
  if (draw < 40 && any) {
    Update(*any, random);
  } else if (draw < 55 && any) {
    Remove(*any);
    Happened(Change::Kind::kDelete, true, ContactId(*any), "");
  } else if (draw < 70 && lead && user) {
    Merge(*lead, *user, random);
  } else if (draw < 80 && lead) {
    Convert(*lead);
  } else {
    NewContact(random->Percent(50) ? "user" : "lead", random);
  }
}

void ChangingWorkspace::DrawConversationChange(Random* random) {
  const uint64_t draw = random->Below(100);
  const std::optional<size_t> conversation = PickConversation(random);
  if (draw < 50 && conversation) {
    UpdateConversationAs(*conversation, random);
  } else if (draw < 75 && conversation) {
    RemoveConversation(*conversation);
  } else {
    NewConversation(random);
  }
}

std::optional<size_t> ChangingWorkspace::PickContact(Random* random, std::string_view role) const {
  const size_t count = contact_count();
  const size_t start = count == 0 ? 0 : random->Below(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t contact = (start + i) % count;
    if (ContactExists(contact) && contact_key(contact).role == role) return contact;
  }
  return std::nullopt;
}

std::optional<size_t> ChangingWorkspace::PickConversation(Random* random) const {
  const size_t count = conversation_count();
  const size_t start = count == 0 ? 0 : random->Below(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t conversation = (start + i) % count;
    if (ConversationExists(conversation)) return conversation;
  }
  return std::nullopt;
}

ChangingWorkspace::Contact& ChangingWorkspace::Edit(size_t contact) {
  const auto [found, is_new] = contacts_.try_emplace(contact);
  Contact& edited = found->second;
  if (is_new) {
    edited.key = base_->contact_key(contact);
    edited.id = base_->ContactId(contact);
    base_->AppendContact(contact, &edited.json);
    edited.tags = base_->ContactTags(contact);
    edited.segments = base_->ContactSegments(contact);
    edited.companies = base_->ContactCompanies(contact);
    edited.notes = base_->ContactNotes(contact);
    edited.event_summary = base_->EventSummary(contact);
  }
  return edited;
}

ChangingWorkspace::Conversation& ChangingWorkspace::EditConversation(size_t conversation) {
  const auto [found, is_new] = conversations_.try_emplace(conversation);
  Conversation& edited = found->second;
  if (is_new) {
    edited.key = base_->conversation_key(conversation);
    edited.id = base_->ConversationId(conversation);
    base_->AppendConversation(conversation, &edited.list_item);
    edited.html_detail = base_->ConversationDetail(conversation, false);
    edited.text_detail = base_->ConversationDetail(conversation, true);
  }
  return edited;
}

void ChangingWorkspace::Touch(Contact* contact, int64_t now) {
  contact->key.updated_at = now;
  contact->json = WithMember(contact->json, "updated_at", std::to_string(now));
}

void ChangingWorkspace::Update(size_t contact, Random* random) {
  Contact& edited = Edit(contact);
  const int64_t now = Now();
  Touch(&edited, now);
  switch (random->Below(4)) {
    case 0:
      edited.json = WithMember(edited.json, "name",
                               JsonString("Changed " + std::to_string(random->Below(1'000'000))));
      break;
    case 1:
      // Taken off as often as put on.
      if (!edited.tags.empty() && random->Percent(50)) {
        edited.tags.erase(edited.tags.begin() + random->Below(edited.tags.size()));
      } else if (!tags().empty()) {
        const std::string& tag = tags()[random->Below(tags().size())];
        if (!IsOneOf(edited.tags, RecordId(tag))) edited.tags.push_back(tag);
      }
      edited.json = WithEmbeddedList(edited.json, "tags", "tag", edited.id, edited.tags);
      break;
    case 2:
      if (!edited.companies.empty() && random->Percent(50)) {
        edited.companies.erase(edited.companies.begin() + random->Below(edited.companies.size()));
      } else if (company_count() > 0) {
        std::string company;
        AppendCompany(random->Below(company_count()), &company);
        if (!IsOneOf(edited.companies, RecordId(company))) edited.companies.push_back(company);
      }
      edited.json =
          WithEmbeddedList(edited.json, "companies", "company", edited.id, edited.companies);
      break;
    default:
      edited.notes.push_back(NewNote(changes_.size(), edited.id, now));
      edited.json = WithEmbeddedList(edited.json, "notes", "note", edited.id, edited.notes);
  }
  Happened(Change::Kind::kUpdate, true, edited.id, "");
}

void ChangingWorkspace::CountMember(const Contact& contact, int64_t change) {
  for (const std::string& segment : contact.segments) more_members_[RecordId(segment)] += change;
}

void ChangingWorkspace::Remove(size_t contact) {
  Contact& edited = Edit(contact);
  edited.exists = false;
  --living_contacts_;
  CountMember(edited, -1);
}

void ChangingWorkspace::Merge(size_t contact, size_t into, Random* random) {
  Remove(contact);
  merged_[ContactId(contact)] = ContactId(into);
  Contact& edited = Edit(into);
  Touch(&edited, Now());
  edited.json = WithMember(edited.json, "name",
                           JsonString("Merged " + std::to_string(random->Below(1'000'000))));
  Happened(Change::Kind::kMerge, true, ContactId(contact), edited.id);
}

void ChangingWorkspace::Convert(size_t lead) {
  Contact& edited = Edit(lead);
  edited.key.role = "user";
  Touch(&edited, Now());
  edited.json = WithMember(edited.json, "role", R"("user")");
  // Segments of leads hold no users.
  CountMember(edited, -1);
  edited.segments.clear();
  Happened(Change::Kind::kConvert, true, edited.id, "");
}

size_t ChangingWorkspace::NewContact(std::string_view role, Random* random) {
  const size_t number = contact_count();
  const int64_t now = Now();
  Contact contact;
  contact.id = HexId(options_.seed, kContactIdKind, kNewContactBase + new_contacts_.size());
  contact.key = {now, now, ContactKey::kNever, role};
  for (size_t i = random->Below(3); i > 0 && !tags().empty(); --i) {
    const std::string& tag = tags()[random->Below(tags().size())];
    if (!IsOneOf(contact.tags, RecordId(tag))) contact.tags.push_back(tag);
  }
  if (random->Percent(30)) contact.notes.push_back(NewNote(changes_.size(), contact.id, now));
  for (const std::string& segment : base_->Segments(false)) {
    const bool for_leads = RawMember(segment, "person_type") == R"("contact")";
    if (for_leads != (role == "lead")) continue;
    contact.segments.push_back(segment);
    break;
  }
  CountMember(contact, 1);
  contact.json = NewContactJson(contact.id, role, now);
  contact.json = WithEmbeddedList(contact.json, "tags", "tag", contact.id, contact.tags);
  contact.json = WithEmbeddedList(contact.json, "notes", "note", contact.id, contact.notes);
  contact.json = WithEmbeddedList(contact.json, "companies", "company", contact.id, {});
  contact.event_summary = NewEventSummary(contact.id, now);
  new_contacts_.emplace(contact.id, number);
  ++living_contacts_;
  Happened(Change::Kind::kCreate, true, contact.id, "");
  contacts_.emplace(number, std::move(contact));
  return number;
}

void ChangingWorkspace::UpdateConversationAs(size_t conversation, Random* random) {
  Conversation& edited = EditConversation(conversation);
  const int64_t now = Now();
  edited.key.updated_at = now;
  const uint64_t draw = random->Below(3);
  const std::string title = JsonString("Changed " + std::to_string(random->Below(1'000'000)));
  const std::string tags =
      R"({"type":"tag.list","tags":)" +
      (this->tags().empty() ? std::string("[]")
                            : "[" + this->tags()[random->Below(this->tags().size())] + "]") +
      "}";
  for (std::string* json : {&edited.list_item, &edited.html_detail, &edited.text_detail}) {
    *json = WithMember(*json, "updated_at", std::to_string(now));
    if (draw == 0) {
      *json = WithMember(*json, "title", title);
    } else if (draw == 1) {
      *json = WithMember(*json, "tags", tags);
    } else {
      *json = WithPart(*json, NewPart(changes_.size(), now));
    }
  }
  Happened(Change::Kind::kUpdate, false, edited.id, "");
}

void ChangingWorkspace::RemoveConversation(size_t conversation) {
  Conversation& edited = EditConversation(conversation);
  edited.exists = false;
  deleted_conversations_.push_back(DeletedConversation(edited.id, Now()));
  Happened(Change::Kind::kDelete, false, edited.id, "");
}

size_t ChangingWorkspace::NewConversation(Random* random) {
  const size_t number = conversation_count();
  const int64_t now = Now();
  Conversation conversation;
  conversation.id = std::to_string(kFirstNewConversationId + new_conversations_.size());
  conversation.key = {now, now};
  const std::string_view role = random->Percent(50) ? "user" : "lead";
  const std::optional<size_t> contact = PickContact(random, role);
  conversation.list_item = NewConversationJson(
      conversation.id, contact ? ContactId(*contact) : std::string(), role, now);
  conversation.html_detail =
      WithMember(conversation.list_item, "conversation_parts",
                 R"({"type":"conversation_part.list","conversation_parts":[],"total_count":0})");
  conversation.text_detail = conversation.html_detail;
  const std::string part = NewPart(changes_.size(), now);
  for (std::string* json :
       {&conversation.list_item, &conversation.html_detail, &conversation.text_detail}) {
    *json = WithPart(*json, part);
  }
  new_conversations_.emplace(conversation.id, number);
  Happened(Change::Kind::kCreate, false, conversation.id, "");
  conversations_.emplace(number, std::move(conversation));
  return number;
}

const ChangingWorkspace::Contact* ChangingWorkspace::Changed(size_t contact) const {
  const auto found = contacts_.find(contact);
  return found == contacts_.end() ? nullptr : &found->second;
}

const ChangingWorkspace::Conversation* ChangingWorkspace::ChangedConversation(
    size_t conversation) const {
  const auto found = conversations_.find(conversation);
  return found == conversations_.end() ? nullptr : &found->second;
}

bool ChangingWorkspace::ContactExists(size_t contact) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr || changed->exists;
}

bool ChangingWorkspace::ConversationExists(size_t conversation) const {
  const Conversation* changed = ChangedConversation(conversation);
  return changed == nullptr || changed->exists;
}

ContactKey ChangingWorkspace::contact_key(size_t contact) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->contact_key(contact) : changed->key;
}

std::string ChangingWorkspace::ContactId(size_t contact) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->ContactId(contact) : changed->id;
}

std::optional<size_t> ChangingWorkspace::FindContact(std::string_view id) const {
  std::optional<size_t> contact = base_->FindContact(id);
  if (!contact) {
    const auto found = new_contacts_.find(std::string(id));
    if (found == new_contacts_.end()) return std::nullopt;
    contact = found->second;
  }
  return ContactExists(*contact) ? contact : std::nullopt;
}

std::optional<std::string> ChangingWorkspace::MergedInto(std::string_view id) const {
  const auto found = merged_.find(std::string(id));
  if (found == merged_.end()) return base_->MergedInto(id);
  return found->second;
}

void ChangingWorkspace::AppendContact(size_t contact, std::string* out) const {
  const Contact* changed = Changed(contact);
  if (changed == nullptr) return base_->AppendContact(contact, out);
  *out += changed->json;
}

std::vector<std::string> ChangingWorkspace::ContactTags(size_t contact) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->ContactTags(contact) : changed->tags;
}

std::vector<std::string> ChangingWorkspace::ContactSegments(size_t contact) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->ContactSegments(contact) : changed->segments;
}

std::vector<std::string> ChangingWorkspace::ContactCompanies(size_t contact) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->ContactCompanies(contact) : changed->companies;
}

std::vector<std::string> ChangingWorkspace::ContactNotes(size_t contact) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->ContactNotes(contact) : changed->notes;
}

std::string ChangingWorkspace::EventSummary(size_t contact) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->EventSummary(contact) : changed->event_summary;
}

bool ChangingWorkspace::HasTag(size_t contact, std::string_view tag_id) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->HasTag(contact, tag_id) : IsOneOf(changed->tags, tag_id);
}

bool ChangingWorkspace::InSegment(size_t contact, std::string_view segment_id) const {
  const Contact* changed = Changed(contact);
  return changed == nullptr ? base_->InSegment(contact, segment_id)
                            : IsOneOf(changed->segments, segment_id);
}

std::vector<std::string> ChangingWorkspace::Segments(bool include_count) const {
  std::vector<std::string> segments = base_->Segments(include_count);
  for (std::string& segment : segments) {
    const auto more = more_members_.find(RecordId(segment));
    if (more != more_members_.end()) segment = WithMoreIn(segment, "count", more->second);
  }
  return segments;
}

ConversationKey ChangingWorkspace::conversation_key(size_t conversation) const {
  const Conversation* changed = ChangedConversation(conversation);
  return changed == nullptr ? base_->conversation_key(conversation) : changed->key;
}

std::string ChangingWorkspace::ConversationId(size_t conversation) const {
  const Conversation* changed = ChangedConversation(conversation);
  return changed == nullptr ? base_->ConversationId(conversation) : changed->id;
}

std::optional<size_t> ChangingWorkspace::FindConversation(std::string_view id) const {
  std::optional<size_t> conversation = base_->FindConversation(id);
  if (!conversation) {
    const auto found = new_conversations_.find(std::string(id));
    if (found == new_conversations_.end()) return std::nullopt;
    conversation = found->second;
  }
  return ConversationExists(*conversation) ? conversation : std::nullopt;
}

void ChangingWorkspace::AppendConversation(size_t conversation, std::string* out) const {
  const Conversation* changed = ChangedConversation(conversation);
  if (changed == nullptr) return base_->AppendConversation(conversation, out);
  *out += changed->list_item;
}

std::string ChangingWorkspace::ConversationDetail(size_t conversation, bool plaintext) const {
  const Conversation* changed = ChangedConversation(conversation);
  if (changed == nullptr) return base_->ConversationDetail(conversation, plaintext);
  return plaintext ? changed->text_detail : changed->html_detail;
}

}  // namespace intercom_extractor::fake
