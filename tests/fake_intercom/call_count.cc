#include "tests/fake_intercom/call_count.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor::fake {
namespace {

// The most records that a page holds.
constexpr int64_t kContactsPerPage = 150;
constexpr int64_t kConversationsPerPage = 150;
constexpr int64_t kCompaniesPerScrollPage = 100;
constexpr int64_t kSubListPerPage = 60;
constexpr int64_t kIdsPerLookup = 150;
// The most items of a list that a contact embeds.
constexpr int64_t kEmbedded = 10;

// By role: users, leads.
constexpr std::array<const char*, 2> kTagTables = {"users_tags", "leads_tags"};
constexpr std::array<const char*, 2> kSegmentTables = {"users_segments", "leads_segments"};
constexpr std::array<const char*, 2> kCompanyTables = {"users_companies", "leads_companies"};

int64_t PagesOf(int64_t records, int64_t page_size) {
  return (records + page_size - 1) / page_size;
}

// A list that is empty is an answer, too.
int64_t AtLeastOne(int64_t pages) { return std::max<int64_t>(1, pages); }

JsonValue ParseRecord(const std::string& json) {
  std::optional<JsonValue> value = JsonValue::Parse(json);
  if (!value) throw std::runtime_error("a record of the workspace is no JSON");
  return *std::move(value);
}

const std::vector<const char*>& ContactTables() {
  static const auto& tables = *new std::vector<const char*>{
      "users", "users_tags",    "users_segments", "users_companies", "users_social_profiles",
      "leads", "leads_tags",    "leads_segments", "leads_companies", "leads_social_profiles",
      "notes", "events_summary"};
  return tables;
}

const std::vector<const char*>& ConversationTables() {
  static const auto& tables = *new std::vector<const char*>{
      "conversations",      "conversations_attachments", "conversations_customers",
      "conversations_tags", "conversation_parts",        "conversation_parts_attachments"};
  return tables;
}

// With a column that says whether somebody is a user or a lead.
const std::vector<const char*>& RoleTables() {
  static const auto& tables =
      *new std::vector<const char*>{"conversations", "conversations_customers"};
  return tables;
}

}  // namespace

void CallCount::Add(Line line) {
  if (line.calls > 0) lines_.push_back(std::move(line));
}

int64_t CallCount::Total() const {
  int64_t total = 0;
  for (const Line& line : lines_) total += line.calls;
  return total;
}

int64_t CallCount::Of(const std::string& operation) const {
  int64_t calls = 0;
  for (const Line& line : lines_) calls += line.operation == operation ? line.calls : 0;
  return calls;
}

int64_t CallCount::For(const std::string& table) const {
  int64_t calls = 0;
  for (const Line& line : lines_) calls += line.tables.count(table) > 0 ? line.calls : 0;
  return calls;
}

CallCounter::CallCounter(const Workspace& workspace, const Options& options)
    : options_(options), companies_(static_cast<int64_t>(workspace.company_count())) {
  std::vector<std::string> segments;
  for (const std::string& segment : workspace.Segments(false)) {
    segments.push_back(ParseRecord(segment)["id"].text());
  }
  for (People& people : people_) people.members.resize(segments.size());
  for (size_t i = 0; i < workspace.contact_count(); ++i) {
    if (!workspace.ContactExists(i)) continue;
    contacts_ += IsListed(workspace, i) ? 1 : 0;
    if (!options_.since || options_.since->Contact(workspace, i)) {
      CountContact(workspace, i, segments);
    }
  }
  std::set<std::string> unknown;
  for (size_t i = 0; i < workspace.conversation_count(); ++i) {
    if (!workspace.ConversationExists(i)) continue;
    conversations_ +=
        !options_.since || workspace.conversation_key(i).updated_at >= options_.since->updated_since
            ? 1
            : 0;
    if (options_.since && !options_.since->Conversation(workspace, i)) continue;
    ++details_;
    if (WantsAny(RoleTables())) CountRoles(workspace, i, &unknown);
  }
  unknown_roles_ = static_cast<int64_t>(unknown.size());
  if (options_.since && options_.since->find_deleted) deleted_pages_ = DeletedPages(workspace);
}

bool CallCounter::IsListed(const Workspace& workspace, size_t contact) const {
  return !options_.since || options_.since->find_deleted ||
         workspace.contact_key(contact).updated_at >= options_.since->contacts_searched_since;
}

// The newest deletions come first: pages up to the first that is too old, or all.
int64_t CallCounter::DeletedPages(const Workspace& workspace) const {
  const std::vector<std::string>& deleted = workspace.deleted_conversations();
  int64_t since = 0;
  for (const std::string& record : deleted) {
    const int64_t deleted_at = ParseRecord(record)["deleted_at"].AsInt().value_or(0);
    since += deleted_at >= options_.since->updated_since ? 1 : 0;
  }
  const auto all = static_cast<int64_t>(deleted.size());
  return AtLeastOne(PagesOf(std::min(since + 1, all), kSubListPerPage));
}

bool CallCounter::Wants(const char* table) const {
  return options_.tables.empty() || options_.tables.count(table) > 0;
}

bool CallCounter::WantsAny(const std::vector<const char*>& tables) const {
  return !Wanted(tables).empty();
}

std::set<std::string> CallCounter::Wanted(const std::vector<const char*>& tables) const {
  std::set<std::string> wanted;
  for (const char* table : tables) {
    if (Wants(table)) wanted.insert(table);
  }
  return wanted;
}

bool CallCounter::WantsDetails() const {
  return Wants("conversation_parts") || Wants("conversation_parts_attachments") ||
         (options_.plaintext && Wants("conversations"));
}

void CallCounter::CountContact(const Workspace& workspace, size_t contact,
                               const std::vector<std::string>& segments) {
  const std::string_view role = workspace.contact_key(contact).role;
  if (role != "user" && role != "lead") return;
  People& people = people_[role == "user" ? kUser : kLead];
  ++people.count;
  const auto tags = static_cast<int64_t>(workspace.ContactTags(contact).size());
  people.long_tags += tags > kEmbedded ? 1 : 0;
  const auto companies = static_cast<int64_t>(workspace.ContactCompanies(contact).size());
  const int64_t company_pages = PagesOf(companies, kSubListPerPage);
  people.long_companies += companies > kEmbedded ? company_pages : 0;
  people.naive_companies += AtLeastOne(company_pages);
  if (companies > kEmbedded) people.most_companies = std::max(people.most_companies, companies);
  const auto notes = static_cast<int64_t>(workspace.ContactNotes(contact).size());
  const int64_t note_pages = PagesOf(notes, kSubListPerPage);
  people.notes += note_pages;
  people.naive_notes += AtLeastOne(note_pages);
  people.most_notes = std::max(people.most_notes, notes);
  for (size_t i = 0; i < segments.size(); ++i) {
    people.members[i] += workspace.InSegment(contact, segments[i]) ? 1 : 0;
  }
}

void CallCounter::CountRoles(const Workspace& workspace, size_t conversation,
                             std::set<std::string>* unknown) {
  std::string text;
  workspace.AppendConversation(conversation, &text);
  const JsonValue json = ParseRecord(text);
  const JsonValue& author = json["source"]["author"];
  const std::string& type = author["type"].text();
  const JsonValue& contacts =
      json["contacts"].IsArray() ? json["contacts"] : json["contacts"]["contacts"];
  for (const JsonValue& contact : contacts.elements()) {
    const JsonValue& id = contact["id"];
    if (!id.IsString() && !id.IsNumber()) continue;
    if ((type == "user" || type == "lead") && author["id"].text() == id.text()) continue;
    // The list of contacts shows its role.
    const std::optional<size_t> known = workspace.FindContact(id.text());
    if (WantsAny(ContactTables()) && known && IsListed(workspace, *known)) continue;
    unknown->insert(id.text());
  }
}

// Members of both roles come in one search; of one role, when only that is wanted,
// the search leaves out the other.
int64_t CallCounter::SegmentSearches() const {
  int64_t pages = 0;
  for (size_t i = 0; i < people_[kUser].members.size(); ++i) {
    int64_t members = 0;
    for (const size_t role : {kUser, kLead}) {
      if (Wants(kSegmentTables[role])) members += people_[role].members[i];
    }
    pages += AtLeastOne(PagesOf(members, kContactsPerPage));
  }
  return pages;
}

CallCount CallCounter::Lists() const {
  CallCount count;
  // The token's check, and the time zone that searches go by.
  count.Add({"GET /me", 1, {}});
  if (Wants("admins")) {
    count.Add({"GET /admins", 1, {"admins"}});
    count.Add({"GET /teams", 1, {"admins"}});
  }
  if (Wants("tags")) count.Add({"GET /tags", 1, {"tags"}});
  if (Wants("segments")) count.Add({"GET /segments", 1, {"segments"}});
  if (Wants("companies")) {
    // The scroll ends with a page of nothing.
    count.Add(
        {"GET /companies/scroll", PagesOf(companies_, kCompaniesPerScrollPage) + 1, {"companies"}});
  }
  if (WantsAny(ContactTables())) {
    const bool search = options_.since && !options_.since->find_deleted;
    count.Add({search ? "POST /contacts/search updated_at" : "GET /contacts",
               AtLeastOne(PagesOf(contacts_, kContactsPerPage)), Wanted(ContactTables())});
  }
  if (WantsAny(ConversationTables())) {
    const std::set<std::string> tables = Wanted(ConversationTables());
    count.Add({options_.since ? "POST /conversations/search updated_at" : "GET /conversations",
               AtLeastOne(PagesOf(conversations_, kConversationsPerPage)), tables});
    if (WantsDetails()) count.Add({"GET /conversations/{id}", details_, tables});
    count.Add({"GET /conversations/deleted", deleted_pages_, tables});
    count.Add(
        {"POST /contacts/search id", PagesOf(unknown_roles_, kIdsPerLookup), Wanted(RoleTables())});
  }
  if (Wants("events_summary")) {
    count.Add({"GET /events", people_[kUser].count, {"events_summary"}});
  }
  return count;
}

CallCount CallCounter::Cheapest(Segments segments) const {
  CallCount count = Lists();
  int64_t per_contact = 0;
  std::set<std::string> segment_tables;
  for (const size_t role : {kUser, kLead}) {
    const People& people = people_[role];
    if (Wants(kTagTables[role])) {
      count.Add({"GET /contacts/{id}/tags", people.long_tags, {kTagTables[role]}});
    }
    if (Wants(kCompanyTables[role])) {
      count.Add({"GET /contacts/{id}/companies", people.long_companies, {kCompanyTables[role]}});
    }
    if (Wants("notes")) count.Add({"GET /contacts/{id}/notes", people.notes, {"notes"}});
    if (Wants(kSegmentTables[role])) {
      per_contact += people.count;
      segment_tables.insert(kSegmentTables[role]);
    }
  }
  if (segment_tables.empty()) return count;
  // Which segments there are has to be known first.
  const int64_t names = Wants("segments") ? 0 : 1;
  if (segments == Segments::kPerContact || per_contact <= SegmentSearches() + names) {
    count.Add({"GET /contacts/{id}/segments", per_contact, segment_tables});
  } else {
    count.Add({"GET /segments", names, segment_tables});
    count.Add({"POST /contacts/search segment_id", SegmentSearches(), segment_tables});
  }
  return count;
}

CallCount CallCounter::Naive() const {
  CallCount count = Lists();
  for (const size_t role : {kUser, kLead}) {
    const People& people = people_[role];
    if (Wants(kTagTables[role])) {
      count.Add({"GET /contacts/{id}/tags", people.count, {kTagTables[role]}});
    }
    if (Wants(kCompanyTables[role])) {
      count.Add({"GET /contacts/{id}/companies", people.naive_companies, {kCompanyTables[role]}});
    }
    if (Wants("notes")) count.Add({"GET /contacts/{id}/notes", people.naive_notes, {"notes"}});
    if (Wants(kSegmentTables[role])) {
      count.Add({"GET /contacts/{id}/segments", people.count, {kSegmentTables[role]}});
    }
  }
  return count;
}

CallChain CallCounter::LongestChain(std::chrono::microseconds latency,
                                    std::chrono::microseconds per_record) const {
  std::vector<CallChain> chains = {{"GET /me", 1, 0}};
  if (Wants("companies")) {
    chains.push_back(
        {"GET /companies/scroll", PagesOf(companies_, kCompaniesPerScrollPage) + 1, companies_});
  }
  if (WantsAny(ContactTables())) {
    // One page counts, then search gives all others at once.
    const int64_t page = std::min(contacts_, kContactsPerPage);
    const int64_t list = contacts_ > kContactsPerPage ? 2 : 1;
    chains.push_back({"contacts", list, list * page});
    if (Wants("events_summary") && people_[kUser].count > 0) {
      chains.push_back({"GET /events", 2, page + 1});
    }
    for (const size_t role : {kUser, kLead}) {
      const People& people = people_[role];
      const auto add = [&](const char* what, int64_t records) {
        if (records == 0) return;
        chains.push_back({what, 1 + PagesOf(records, kSubListPerPage), page + records});
      };
      if (Wants(kCompanyTables[role])) add("GET /contacts/{id}/companies", people.most_companies);
      if (Wants("notes")) add("GET /contacts/{id}/notes", people.most_notes);
    }
  }
  if (WantsAny(ConversationTables())) {
    const int64_t page = std::min(conversations_, kConversationsPerPage);
    const int64_t list = conversations_ > kConversationsPerPage ? 2 : 1;
    const int64_t details = WantsDetails() && details_ > 0 ? 1 : 0;
    chains.push_back({"conversations", list + details, list * page + details});
  }
  const auto duration = [&](const CallChain& chain) {
    return latency * chain.requests + per_record * chain.records;
  };
  return *std::max_element(
      chains.begin(), chains.end(),
      [&](const CallChain& a, const CallChain& b) { return duration(a) < duration(b); });
}

}  // namespace intercom_extractor::fake
