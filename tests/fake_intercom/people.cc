#include "tests/fake_intercom/people.h"

#include <algorithm>
#include <array>

#include "absl/time/time.h"
#include "tests/fake_intercom/catalog.h"
#include "tests/fake_intercom/edge_cases.h"
#include "tests/fake_intercom/random.h"

namespace intercom_extractor::fake {
namespace {

// Where the visitor stands among the others.
constexpr size_t kVisitor = 25;
// The most items that a contact embeds of a list.
constexpr size_t kEmbeddedItems = 10;
// A tenth of all people came in one import, on the day on which the United States
// changed to daylight saving time: 2024-03-10, from 00:00 to 24:00 in New York.
constexpr int64_t kImportStart = 1'710'046'800;
constexpr int64_t kImportEnd = kImportStart + int64_t{23} * 3'600;
// Days of Creation::kFewDays; the last of them is the import's.
constexpr uint64_t kDays = 5;
constexpr int64_t kBetweenDays = int64_t{300} * 86'400;

// Far beyond any index of a contact, so that ids cannot meet.
constexpr size_t kMergedBase = 0x70000000;

bool Has(const Overrides* edge, std::string_view field) {
  return edge != nullptr && std::any_of(edge->begin(), edge->end(),
                                        [field](const Override& o) { return o.field == field; });
}

std::string IsoTime(int64_t seconds) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S.000+00:00", absl::FromUnixSeconds(seconds),
                          absl::UTCTimeZone());
}

}  // namespace

People::People(const GeneratorOptions& options, const Companies* companies)
    : options_(options),
      companies_(*companies),
      people_(options.users + options.leads),
      has_visitor_(people_ >= 30),
      count_(people_ + (has_visitor_ ? 1 : 0)) {}

size_t People::Ordinal(size_t contact) const {
  if (has_visitor_ && contact == kVisitor) return SIZE_MAX;
  const size_t position = has_visitor_ && contact > kVisitor ? contact - 1 : contact;
  const size_t leads_before = position * options_.leads / people_;
  const bool lead = (position + 1) * options_.leads / people_ > leads_before;
  return lead ? leads_before : position - leads_before;
}

ContactKey People::Key(size_t contact) const {
  ContactKey key;
  if (has_visitor_ && contact == kVisitor) {
    key.role = "visitor";
  } else {
    const size_t position = has_visitor_ && contact > kVisitor ? contact - 1 : contact;
    key.role = (position + 1) * options_.leads / people_ > position * options_.leads / people_
                   ? "lead"
                   : "user";
  }
  Random random(options_.seed, kContactKeyKind, contact);
  if (random.Percent(10) || options_.creation == Creation::kOneDay) {
    // Some of them within the same second.
    key.created_at =
        random.Percent(20) ? kImportStart + 43'200 : random.Between(kImportStart, kImportEnd - 1);
  } else if (options_.creation == Creation::kFewDays) {
    key.created_at = random.Between(kImportStart, kImportEnd - 1) -
                     static_cast<int64_t>(random.Below(kDays)) * kBetweenDays;
  } else {
    key.created_at = random.Between(kGeneratedStart, kGeneratedNow - 3'600);
  }
  key.updated_at = random.Between(key.created_at, kGeneratedNow);
  if (random.Percent(80)) key.last_seen_at = random.Between(key.created_at, kGeneratedNow);
  return key;
}

std::string People::Id(size_t contact) const {
  return HexId(options_.seed, kContactIdKind, contact);
}

std::string People::ExternalId(size_t contact) const { return "person-" + std::to_string(contact); }

std::optional<size_t> People::Find(std::string_view id) const {
  const std::string text(id);
  const size_t contact = IndexOfHexId(text);
  if (contact >= count_ || Id(contact) != text) return std::nullopt;
  return contact;
}

std::string People::MergedId(size_t merged) const { return Id(kMergedBase + merged); }

std::optional<std::string> People::MergedInto(std::string_view id) const {
  for (size_t i = 0; i < kMergedContacts && i < count_; ++i) {
    if (MergedId(i) == id) return Id(i);
  }
  return std::nullopt;
}

std::optional<size_t> People::AnyUserOrLead(uint64_t number) const {
  if (people_ == 0) return std::nullopt;
  const size_t contact = number % count_;
  return has_visitor_ && contact == kVisitor ? contact + 1 : contact;
}

const Overrides* People::Edge(size_t contact) const { return ContactEdge(Ordinal(contact)); }

People::Lists People::ListsOf(size_t contact) const {
  Random random(options_.seed, kContactListsKind, contact);
  Lists lists;
  lists.tags = random.Percent(3) ? 11 + random.Below(6) : random.Below(4);
  lists.first_tag = random.Below(kTagCount);
  lists.companies = random.Percent(1) ? 11 + random.Below(3) : random.Below(3);
  lists.first_company = random.Next();
  lists.notes = random.Percent(10) ? 1 + random.Below(3) : 0;
  lists.events = random.Below(4);
  lists.profiles = random.Percent(20) ? 1 + random.Below(2) : 0;
  const size_t ordinal = Ordinal(contact);
  if (EdgeTagCount(ordinal) >= 0) lists.tags = EdgeTagCount(ordinal);
  if (EdgeCompanyCount(ordinal) >= 0) lists.companies = EdgeCompanyCount(ordinal);
  if (EdgeNoteCount(ordinal) >= 0) lists.notes = EdgeNoteCount(ordinal);
  if (EdgeEventCount(ordinal) >= 0) lists.events = EdgeEventCount(ordinal);
  if (ordinal < 3) lists.profiles = std::array<size_t, 3>{0, 1, 5}[ordinal];
  lists.companies = std::min(lists.companies, companies_.populated_count());
  const Overrides* edge = ContactEdge(ordinal);
  // What the contact says to be absent must be so in its sub-resource, too.
  if (Has(edge, "tags")) lists.tags = 0;
  if (Has(edge, "companies")) lists.companies = 0;
  if (Has(edge, "notes")) lists.notes = 0;
  return lists;
}

void People::AppendEmbedded(std::string_view name, std::string_view type, const std::string& id,
                            const std::vector<std::string>& item_ids, size_t total,
                            JsonWriter* json, std::string* out) const {
  if (json->Overridden(name)) return;
  JsonWriter list(out);
  list.Key(name);
  list.BeginObject();
  list.Field("type", "list");
  list.Key("data");
  list.BeginArray();
  for (const std::string& item_id : item_ids) {
    list.BeginObject();
    list.RawField("id", item_id);
    list.Field("type", type);
    std::string bare = item_id;
    bare.erase(std::remove(bare.begin(), bare.end(), '"'), bare.end());
    list.Field("url", "/" + std::string(name) + "/" + bare);
    list.EndObject();
  }
  list.EndArray();
  list.Field("url", "/contacts/" + id + "/" + std::string(name));
  list.Field("total_count", static_cast<int64_t>(total));
  list.Field("has_more", total > item_ids.size());
  list.EndObject();
}

void People::Append(size_t contact, std::string* out) const {
  const ContactKey key = Key(contact);
  const Lists lists = ListsOf(contact);
  const std::string id = Id(contact);
  const std::string number = std::to_string(contact);
  const size_t ordinal = Ordinal(contact);
  Random random(options_.seed, kContactKind, contact);
  JsonWriter json(out, Edge(contact), contact % 4 == 3 ? Escaping::kRails : Escaping::kMinimal);
  const auto time = [&](std::string_view name, int percent) {
    if (random.Percent(percent)) {
      json.Field(name, random.Between(key.created_at, kGeneratedNow));
    } else {
      json.NullField(name);
    }
  };

  json.BeginObject();
  json.Field("type", "contact");
  json.Field("id", id);
  json.Field("workspace_id", "fakeapp1");
  if (key.role == "lead" && random.Percent(30)) {
    json.NullField("external_id");
  } else {
    json.Field("external_id", ExternalId(contact));
  }
  json.Field("role", key.role);
  json.Field("email", key.role == "lead" && random.Percent(30)
                          ? std::string()
                          : "person" + number + "@example.com");
  json.Field("email_domain", "example.com");
  if (random.Percent(40)) {
    json.Field("phone", "+1555" + std::to_string(random.Between(1'000'000, 9'999'999)));
  } else {
    json.NullField("phone");
  }
  json.Field("name", std::string(Word(random.Next())) + " " + std::string(Word(random.Next())) +
                         (random.Percent(5) ? " \xC3\x9Cmlaut, \xE6\x9D\xB1\xE4\xBA\xAC" : ""));
  if (random.Percent(30)) {
    json.Field("owner_id", AdminId(random.Below(kAdminCount)));
  } else {
    json.NullField("owner_id");
  }
  json.Field("has_hard_bounced", random.Percent(3));
  json.Field("marked_email_as_spam", random.Percent(2));
  json.Field("unsubscribed_from_emails", random.Percent(10));
  json.Field("created_at", key.created_at);
  json.Field("updated_at", key.updated_at);
  time("signed_up_at", 70);
  if (key.last_seen_at != ContactKey::kNever) {
    json.Field("last_seen_at", key.last_seen_at);
  } else {
    json.NullField("last_seen_at");
  }
  time("last_replied_at", 30);
  time("last_contacted_at", 40);
  time("last_email_opened_at", 20);
  time("last_email_clicked_at", 10);
  if (random.Percent(10)) {
    json.Field("language_override", "en");
  } else {
    json.NullField("language_override");
  }
  const bool browser = random.Percent(70);
  const auto browser_field = [&](std::string_view name, std::string_view text) {
    if (browser) {
      json.Field(name, text);
    } else {
      json.NullField(name);
    }
  };
  browser_field("browser", "chrome");
  browser_field("browser_version", std::to_string(random.Between(80, 130)) + ".0.0");
  browser_field("browser_language", "en-US");
  browser_field("os", "OS X 10.15.7");
  for (const std::string_view name :
       {"android_app_name", "android_app_version", "android_device", "android_os_version",
        "android_sdk_version", "android_last_seen_at", "ios_app_name", "ios_app_version",
        "ios_device", "ios_os_version", "ios_sdk_version", "ios_last_seen_at"}) {
    json.NullField(name);
  }
  json.RawField("custom_attributes",
                random.Percent(20)
                    ? std::string("{}")
                    : R"({"paid":)" + std::string(random.Percent(50) ? "true" : "false") +
                          R"(,"logins":)" + std::to_string(random.Below(1000)) +
                          R"(,"score":0.5,"plan \u00e9":"pro, \"2\"","since":null})");
  if (random.Percent(40)) {
    json.RawField("avatar", R"({"type":"avatar","image_url":"https://images.example.com/)" +
                                number + ".png\"}");
  } else {
    json.NullField("avatar");
  }

  std::vector<std::string> item_ids;
  item_ids.reserve(kEmbeddedItems);
  for (size_t i = 0; i < std::min(lists.tags, kEmbeddedItems); ++i) {
    item_ids.push_back(TagIdJson((lists.first_tag + i) % kTagCount));
  }
  AppendEmbedded("tags", "tag", id, item_ids, lists.tags, &json, out);
  item_ids.clear();
  for (size_t i = 0; i < std::min(lists.notes, kEmbeddedItems); ++i) {
    item_ids.push_back(JsonString(std::to_string(20'000'000 + contact * 1'000 + i)));
  }
  AppendEmbedded("notes", "note", id, item_ids, lists.notes, &json, out);
  item_ids.clear();
  for (size_t i = 0; i < std::min(lists.companies, kEmbeddedItems); ++i) {
    item_ids.push_back(JsonString(companies_.Id(
        companies_.Populated(lists.first_company % companies_.populated_count() + i))));
  }
  AppendEmbedded("companies", "company", id, item_ids, lists.companies, &json, out);
  AppendEmbedded("opted_out_subscription_types", "subscription", id, {}, 0, &json, out);
  if (random.Percent(60)) {
    json.RawField("location", random.Percent(50)
                                  ? R"({"type":"location","country":"Ireland","region":"Leinster",)"
                                    R"("city":"Dublin","country_code":"IRL","continent_code":"EU"})"
                                  : R"({"type":"location","country":"Canada","region":"Quebec",)"
                                    R"("city":"Montr\u00e9al"})");
  } else {
    json.RawField("location", R"({"type":"location","country":null,"region":null,"city":null})");
  }
  if (!json.Overridden("social_profiles")) {
    json.Key("social_profiles");
    json.BeginObject();
    JsonWriter(out).Field("type", "list");
    json.Key("data");
    json.BeginArray();
    for (size_t i = 0; i < lists.profiles; ++i) {
      JsonWriter profile(out, SocialProfileEdge(ordinal, i));
      profile.BeginObject();
      profile.Field("type", "social_profile");
      profile.Field("name", i % 2 == 0 ? "Twitter" : "LinkedIn");
      profile.Field("url", "https://social.example.com/" + number + "/" + std::to_string(i));
      profile.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndObject();
}

std::vector<std::string> People::Tags(size_t contact) const {
  const Lists lists = ListsOf(contact);
  const ContactKey key = Key(contact);
  std::vector<std::string> records;
  records.reserve(lists.tags);
  for (size_t i = 0; i < lists.tags; ++i) {
    records.push_back(
        AppliedTagRecord((lists.first_tag + i) % kTagCount, Id(contact), key.updated_at));
  }
  return records;
}

bool People::HasTag(size_t contact, std::string_view tag_id) const {
  const Lists lists = ListsOf(contact);
  for (size_t i = 0; i < lists.tags; ++i) {
    if (TagId((lists.first_tag + i) % kTagCount) == tag_id) return true;
  }
  return false;
}

std::vector<size_t> People::CompaniesOf(size_t contact) const {
  const Lists lists = ListsOf(contact);
  std::vector<size_t> companies;
  companies.reserve(lists.companies);
  for (size_t i = 0; i < lists.companies; ++i) {
    companies.push_back(
        companies_.Populated(lists.first_company % companies_.populated_count() + i));
  }
  return companies;
}

std::vector<std::string> People::Notes(size_t contact) const {
  const Lists lists = ListsOf(contact);
  const ContactKey key = Key(contact);
  const std::string contact_id = Id(contact);
  const bool odd = Ordinal(contact) < 12;
  std::vector<std::string> records;
  for (size_t i = 0; i < lists.notes; ++i) {
    const size_t number = 20'000'000 + contact * 1'000 + i;
    Random random(options_.seed, kNoteKind, number);
    std::string record;
    JsonWriter json(&record, odd ? NoteEdge(i) : nullptr,
                    i % 2 == 1 ? Escaping::kRails : Escaping::kMinimal);
    json.BeginObject();
    json.Field("type", "note");
    json.Field("id", std::to_string(number));
    json.Field("created_at", random.Between(key.created_at, kGeneratedNow));
    json.RawField("contact", R"({"type":"contact","id":")" + contact_id + "\"}");
    const std::string author_id = AdminId(random.Below(kAdminCount));
    json.RawField("author", R"({"type":"admin","id":")" + author_id +
                                R"(","name":"Admin","email":"admin@example.com"})");
    json.Field("body", "<p>Note about " + std::string(Word(random.Next())) + " &amp; " +
                           std::string(Word(random.Next())) + ".</p>");
    json.EndObject();
    records.push_back(std::move(record));
  }
  return records;
}

std::string People::EventSummary(size_t contact) const {
  const Lists lists = ListsOf(contact);
  const ContactKey key = Key(contact);
  const size_t ordinal = Ordinal(contact);
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  json.Field("type", "event.summary");
  json.Field("email", "person" + std::to_string(contact) + "@example.com");
  // The id may be missing; the row then takes its user's.
  if (ordinal == 3) {
    json.NullField("intercom_user_id");
  } else if (ordinal != 2) {
    json.Field("intercom_user_id", Id(contact));
  }
  json.Field("user_id", ExternalId(contact));
  json.Key("events");
  json.BeginArray();
  for (size_t i = 0; i < lists.events; ++i) {
    Random random(options_.seed, kEventKind, contact * 64 + i);
    const int64_t first = random.Between(key.created_at, kGeneratedNow);
    JsonWriter event(&answer, ordinal == 2 ? EventEdge(i) : nullptr);
    event.BeginObject();
    event.Field("name", "event-" + std::string(Word(i)));
    event.Field("first", IsoTime(first));
    // The space at the end is in Intercom's own example.
    event.Field("last", IsoTime(random.Between(first, kGeneratedNow)) + (i % 2 == 0 ? " " : ""));
    event.Field("count", random.Between(1, 500));
    event.Field("description", "What happened, " + std::string(Word(random.Next())));
    event.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return answer;
}

}  // namespace intercom_extractor::fake
