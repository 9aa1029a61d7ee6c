#include "tests/fake_intercom/conversations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tests/fake_intercom/catalog.h"
#include "tests/fake_intercom/html_to_text.h"

namespace intercom_extractor::fake {
namespace {

constexpr int64_t kFirstId = 215'000'000;
constexpr int64_t kIdStep = 17;
// Deleted conversations lie between those that exist.
constexpr int64_t kFirstDeletedId = kFirstId + kIdStep / 2;
constexpr int64_t kFirstPartId = 10'000'000'000;
// Part ids of one conversation are numbered within this many.
constexpr int64_t kPartIdStep = 100'000;
// An id of the right form that no contact has.
constexpr size_t kUnknownBase = 0x60000000;

std::string Body(Random* random) {
  const std::string a(Word(random->Next()));
  const std::string b(Word(random->Next()));
  switch (random->Below(5)) {
    case 0:
      return "<p>Hello " + a + ",</p>\n<p>where do I find the " + b + " &amp; its price?</p>";
    case 1:
      return "<p>See <a href=\"https://example.com/" + a + "?x=1&amp;y=2\" rel=\"nofollow\">the " +
             b + " guide</a> for \"more\".</p>";
    case 2:
      return "<div>First line<br>second, line<br/>third: 1 &lt; 2 &#39;quoted&#39;</div>";
    case 3:
      return "<p>" + a + " " + b + "</p>";
    default:
      return "<ul><li>" + a + "</li><li>" + b +
             "</li></ul><p><b>\xC3\x9C"
             "ber</b> \xF0\x9F\x99\x82</p>";
  }
}

std::string Shown(const std::string& html, bool plaintext) {
  return plaintext ? HtmlToText(html) : html;
}

ConversationEdge EdgeOf(size_t conversation) {
  const ConversationEdge* edge = EdgeOfConversation(conversation);
  return edge == nullptr ? ConversationEdge() : *edge;
}

}  // namespace

ConversationKey Conversations::Key(size_t conversation) const {
  Random random(options_.seed, kConversationKeyKind, conversation);
  ConversationKey key;
  key.created_at = random.Between(kGeneratedStart, kGeneratedNow - 3'600);
  key.updated_at =
      random.Between(key.created_at, std::min(kGeneratedNow, key.created_at + 864'000));
  return key;
}

std::string Conversations::Id(size_t conversation) const {
  return std::to_string(kFirstId + kIdStep * static_cast<int64_t>(conversation));
}

std::optional<size_t> Conversations::Find(std::string_view id) const {
  int64_t number = 0;
  const auto result = std::from_chars(id.data(), id.data() + id.size(), number);
  if (result.ec != std::errc() || result.ptr != id.data() + id.size()) return std::nullopt;
  if (number < kFirstId || (number - kFirstId) % kIdStep != 0) return std::nullopt;
  const auto conversation = static_cast<size_t>((number - kFirstId) / kIdStep);
  if (conversation >= count()) return std::nullopt;
  return conversation;
}

size_t Conversations::PartCount(size_t conversation) const {
  const ConversationEdge* edge = EdgeOfConversation(conversation);
  if (edge != nullptr && edge->parts >= 0) return edge->parts;
  return Random(options_.seed, kPartKind, conversation)
      .Below(2 * options_.parts_per_conversation + 1);
}

std::vector<std::string> Conversations::Deleted() const {
  std::vector<std::pair<int64_t, size_t>> deletions;
  deletions.reserve(options_.deleted_conversations);
  for (size_t i = 0; i < options_.deleted_conversations; ++i) {
    Random random(options_.seed, kDeletedConversationKind, i);
    deletions.emplace_back(random.Between(kGeneratedStart, kGeneratedNow), i);
  }
  std::sort(deletions.begin(), deletions.end());
  std::vector<std::string> records;
  records.reserve(deletions.size());
  for (const auto& [deleted_at, i] : deletions) {
    JsonWriter json(&records.emplace_back());
    json.BeginObject();
    json.Field("type", "conversation");
    json.Field("id", std::to_string(kFirstDeletedId + kIdStep * static_cast<int64_t>(i)));
    json.Field("metrics_retained", i % 2 == 1);
    json.Field("deleted_at", deleted_at);
    json.EndObject();
  }
  return records;
}

Conversations::Cast Conversations::CastOf(size_t conversation,
                                          ConversationContacts contacts) const {
  Random random(options_.seed, kConversationKind, conversation + (uint64_t{1} << 40));
  Cast cast;
  cast.contact = people_.AnyUserOrLead(random.Next());
  const auto draw = random.Below(10);
  cast.author = draw < 6 ? AuthorKind::kContact : draw < 9 ? AuthorKind::kAdmin : AuthorKind::kBot;
  switch (contacts) {
    case ConversationContacts::kUnknown:
    case ConversationContacts::kMerged:
      cast.author = AuthorKind::kAdmin;
      break;
    case ConversationContacts::kUnknownAuthor:
      cast.author = AuthorKind::kContact;
      cast.author_id = people_.Id(kUnknownBase + conversation);
      cast.author_type = "lead";
      return cast;
    case ConversationContacts::kConflictingAuthor:
      if (!cast.contact) break;
      cast.author = AuthorKind::kContact;
      cast.author_id = people_.Id(*cast.contact);
      cast.author_type = people_.Key(*cast.contact).role == "user" ? "lead" : "user";
      return cast;
    default:
      break;
  }
  if (!cast.contact && cast.author == AuthorKind::kContact) cast.author = AuthorKind::kAdmin;
  switch (cast.author) {
    case AuthorKind::kContact:
      if (!cast.contact) break;
      cast.author_id = people_.Id(*cast.contact);
      cast.author_type = std::string(people_.Key(*cast.contact).role);
      break;
    case AuthorKind::kAdmin:
      cast.author_id = AdminId(random.Below(kAdminCount));
      cast.author_type = "admin";
      break;
    case AuthorKind::kBot:
      cast.author_id = "1001";
      cast.author_type = "bot";
      break;
  }
  return cast;
}

void Conversations::AppendReference(std::string_view type, const std::string& id,
                                    const std::string& external_id, JsonWriter* json) const {
  json->BeginObject();
  json->Key("type");
  json->String(type);
  json->Key("id");
  json->String(id);
  json->Key("external_id");
  if (external_id.empty()) {
    json->Raw("null");
  } else {
    json->String(external_id);
  }
  json->EndObject();
}

void Conversations::AppendContacts(size_t conversation, ConversationContacts contacts,
                                   const Cast& cast, JsonWriter* json) const {
  if (contacts == ConversationContacts::kAbsent) return;
  json->Key("contacts");
  if (contacts == ConversationContacts::kNull) return json->Raw("null");
  const auto reference = [&](size_t contact, std::string_view type) {
    AppendReference(type, people_.Id(contact), people_.ExternalId(contact), json);
  };
  if (contacts == ConversationContacts::kBareArray) {
    json->BeginArray();
    if (cast.contact) reference(*cast.contact, people_.Key(*cast.contact).role);
    return json->EndArray();
  }
  json->BeginObject();
  json->Key("type");
  json->String("contact.list");
  json->Key("contacts");
  json->BeginArray();
  switch (contacts) {
    case ConversationContacts::kUnknown:
      AppendReference("contact", people_.Id(kUnknownBase + conversation), "", json);
      break;
    case ConversationContacts::kUnknownAuthor:
      AppendReference("contact", cast.author_id, "", json);
      break;
    case ConversationContacts::kMerged:
      AppendReference("contact", people_.MergedId(0), "", json);
      break;
    case ConversationContacts::kNone:
      break;
    case ConversationContacts::kGroup:
      for (size_t i = 0; cast.contact && i < 3; ++i) {
        const auto contact = people_.AnyUserOrLead(*cast.contact + i * 31);
        // A workspace of few people holds the same one thrice: name it once.
        if (i == 0 || people_.count() > 100) reference(*contact, "contact");
      }
      break;
    default:
      if (cast.contact) reference(*cast.contact, "contact");
  }
  json->EndArray();
  json->EndObject();
}

void Conversations::AppendAttachments(size_t count, size_t first, const std::string& owner,
                                      std::string* out) const {
  *out += '[';
  for (size_t i = 0; i < count; ++i) {
    JsonWriter json(out, first == 0 ? AttachmentEdge(i) : nullptr);
    json.BeginObject();
    json.Field("type", "upload");
    json.Field("name", "file, " + std::to_string(i) + ".png");
    json.Field("url", "https://downloads.example.com/" + owner + "/" + std::to_string(i) +
                          "?expires=1&signature=a%2Bb");
    json.Field("content_type", "image/png");
    json.Field("filesize", int64_t{1'000} + static_cast<int64_t>(i));
    json.Field("width", int64_t{640});
    json.Field("height", int64_t{480});
    json.EndObject();
  }
  *out += ']';
}

void Conversations::AppendSource(size_t conversation, const Cast& cast,
                                 const ConversationEdge& edge, bool plaintext, Escaping escaping,
                                 std::string* out) const {
  Random random(options_.seed, kConversationKind, conversation + (uint64_t{1} << 41));
  const std::string id = std::to_string(700'000'000 + conversation);
  JsonWriter json(out, &edge.source, escaping);
  json.BeginObject();
  json.Field("type", random.Percent(50) ? "email" : "conversation");
  json.Field("id", id);
  json.Field("delivered_as", "customer_initiated");
  json.Field(
      "subject",
      random.Percent(50)
          ? std::string()
          : Shown("<p>About " + std::string(Word(random.Next())) + " &amp; more</p>", plaintext));
  json.Field("body", Shown(Body(&random), plaintext));
  if (!json.Overridden("author")) {
    json.RawField("author", R"({"type":")" + cast.author_type + R"(","id":")" + cast.author_id +
                                R"(","name":"Author","email":"author@example.com"})");
  }
  if (!json.Overridden("attachments")) {
    json.Key("attachments");
    const size_t attachments = conversation < 6 ? conversation : random.Percent(15) ? 1 : 0;
    AppendAttachments(attachments, conversation == 4 ? 0 : 1, id, out);
  }
  if (random.Percent(50)) {
    json.Field("url", "https://app.example.com/page/" + std::to_string(conversation));
  } else {
    json.NullField("url");
  }
  json.Field("redacted", false);
  json.EndObject();
}

void Conversations::Append(size_t conversation, bool plaintext, bool with_parts,
                           std::string* out) const {
  const ConversationKey key = Key(conversation);
  const ConversationEdge edge = EdgeOf(conversation);
  const Cast cast = CastOf(conversation, edge.contacts);
  Random random(options_.seed, kConversationKind, conversation);
  const Escaping escaping = conversation % 4 == 3 ? Escaping::kRails : Escaping::kMinimal;
  JsonWriter json(out, &edge.fields, escaping);
  const auto state = random.Below(3);
  json.BeginObject();
  json.Field("type", "conversation");
  json.Field("id", Id(conversation));
  if (random.Percent(50)) {
    json.Field("title", "About " + std::string(Word(random.Next())));
  } else {
    json.NullField("title");
  }
  json.Field("created_at", key.created_at);
  json.Field("updated_at", key.updated_at);
  if (random.Percent(50)) {
    json.Field("waiting_since", random.Between(key.created_at, key.updated_at));
  } else {
    json.NullField("waiting_since");
  }
  if (state == 2) {
    json.Field("snoozed_until", key.updated_at + 86'400);
  } else {
    json.NullField("snoozed_until");
  }
  if (!json.Overridden("source")) {
    json.Key("source");
    AppendSource(conversation, cast, edge, plaintext, escaping, out);
  }
  AppendContacts(conversation, edge.contacts, cast, &json);
  json.NullField("first_contact_reply");
  if (random.Percent(60)) {
    json.RawField("admin_assignee_id", AdminId(random.Below(kAdminCount)));
  } else {
    json.NullField("admin_assignee_id");
  }
  if (random.Percent(30)) {
    json.Field("team_assignee_id", TeamId(random.Below(kTeamCount)));
  } else {
    json.NullField("team_assignee_id");
  }
  json.Field("open", state != 1);
  json.Field("state", std::array<const char*, 3>{"open", "closed", "snoozed"}[state]);
  json.Field("read", random.Percent(70));
  json.Field("priority", "none");
  if (!json.Overridden("tags")) {
    const size_t first_tag = random.Below(kTagCount);
    const size_t tags = conversation == 6 ? 12 : random.Below(3);
    json.Key("tags");
    json.BeginObject();
    json.Key("type");
    json.String("tag.list");
    json.Key("tags");
    json.BeginArray();
    for (size_t i = 0; i < tags; ++i) {
      json.Raw(AppliedTagRecord((first_tag + i) % kTagCount, cast.author_id, key.updated_at));
    }
    json.EndArray();
    json.EndObject();
  }
  json.NullField("conversation_rating");
  json.RawField("teammates", R"({"type":"admin.list","teammates":[]})");
  json.RawField("custom_attributes", "{}");
  json.RawField("statistics", R"({"type":"conversation_statistics","count_conversation_parts":)" +
                                  // Intercom counts the source message, too.
                                  std::to_string(PartCount(conversation) + 1) + "}");
  json.RawField("linked_objects", R"({"type":"list","data":[],"total_count":0,"has_more":false})");
  if (with_parts) AppendParts(conversation, cast, plaintext, escaping, out);
  json.EndObject();
}

void Conversations::AppendParts(size_t conversation, const Cast& cast, bool plaintext,
                                Escaping escaping, std::string* out) const {
  const ConversationKey key = Key(conversation);
  const size_t count = PartCount(conversation);
  JsonWriter json(out);
  json.Key("conversation_parts");
  json.BeginObject();
  json.Field("type", "conversation_part.list");
  json.Key("conversation_parts");
  json.BeginArray();
  for (size_t i = count > kMaxParts ? count - kMaxParts : 0; i < count; ++i) {
    const int64_t created_at = key.created_at + (key.updated_at - key.created_at) *
                                                    static_cast<int64_t>(i + 1) /
                                                    static_cast<int64_t>(count);
    AppendPart(conversation, i, created_at, cast, plaintext, escaping, out);
  }
  json.EndArray();
  json.Field("total_count", static_cast<int64_t>(count));
  json.EndObject();
}

void Conversations::AppendPart(size_t conversation, size_t part, int64_t created_at,
                               const Cast& cast, bool plaintext, Escaping escaping,
                               std::string* out) const {
  const auto number = static_cast<int64_t>(kFirstPartId + conversation * kPartIdStep + part);
  Random random(options_.seed, kPartKind, number);
  const bool assignment = random.Percent(15);
  const bool silent = !assignment && random.Percent(15);
  JsonWriter json(out, conversation == kOddPartsConversation ? PartEdge(part) : nullptr, escaping);
  json.BeginObject();
  json.Field("type", "conversation_part");
  json.Field("id", std::to_string(number));
  json.Field("part_type", assignment ? "assignment" : silent ? "close" : "comment");
  if (assignment || silent) {
    json.NullField("body");
  } else {
    json.Field("body", Shown(Body(&random), plaintext));
  }
  json.Field("created_at", created_at);
  json.Field("updated_at", created_at + random.Between(0, 100));
  json.Field("notified_at", created_at);
  const std::string admin_id = AdminId(random.Below(kAdminCount));
  if (assignment) {
    json.RawField("assigned_to", R"({"type":"admin","id":")" + admin_id + "\"}");
  } else {
    json.NullField("assigned_to");
  }
  const bool by_admin = assignment || silent || random.Percent(50);
  json.RawField("author", R"({"type":")" + (by_admin ? std::string("admin") : cast.author_type) +
                              R"(","id":")" + (by_admin ? admin_id : cast.author_id) +
                              R"(","name":"Author","email":"author@example.com"})");
  if (!json.Overridden("attachments")) {
    json.Key("attachments");
    const bool odd = conversation == kOddPartsConversation && part + 4 >= PartEdgeCount();
    const size_t attachments = odd ? part + 5 - PartEdgeCount() : random.Percent(8) ? 1 : 0;
    AppendAttachments(attachments, odd ? 0 : 1, std::to_string(number), out);
  }
  if (random.Percent(5)) {
    json.Field("external_id", "ext-" + std::to_string(part));
  } else {
    json.NullField("external_id");
  }
  json.Field("redacted", false);
  json.EndObject();
}

}  // namespace intercom_extractor::fake
