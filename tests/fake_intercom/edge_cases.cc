#include "tests/fake_intercom/edge_cases.h"

#include <array>

namespace intercom_extractor::fake {
namespace {

// JSON texts of strings that break careless writers of CSV, SQL and logs.
constexpr std::string_view kEmoji = "\"\\ud83d\\ude80 R\xC3\xB8ket \xF0\x9F\x8E\x89 \\u00e9\"";
constexpr std::string_view kLineBreaks = "\"line one\\nline two\\r\\nline three\\rend\"";
constexpr std::string_view kQuotes = "\"say \\\"hi\\\", then 'bye', done\"";
constexpr std::string_view kSpaces = "\"  leading and trailing \\t\"";
constexpr std::string_view kControl = "\"bell \\u0001\\u001f\\u007f\\b\\f end\"";
constexpr std::string_view kSeparators =
    "\"u2028 \\u2028 u2029 \xE2\x80\xA9 bom \\ufeff nel \\u0085\"";
constexpr std::string_view kFormula = "\"=1+1; -- \\\\N \\\\. NULL null\"";
constexpr std::string_view kMaxInt64 = "9223372036854775807";
constexpr std::string_view kMinInt64 = "-9223372036854775808";
constexpr std::string_view kBeyondInt64 = "9223372036854775808";
constexpr std::string_view kFarBeyondInt64 = "123456789012345678901234567890";

// In the order of the ordinals; empty entries have lists of special lengths only.
const std::array<Overrides, 40>& ContactEdges() {
  static const auto& edges = *new std::array<Overrides, 40>{{
      {},
      {},
      {},
      {},
      {},
      // 5: everything null that may be.
      {{"external_id", "null"},
       {"phone", "null"},
       {"name", "null"},
       {"owner_id", "null"},
       {"signed_up_at", "null"},
       {"last_seen_at", "null"},
       {"language_override", "null"},
       {"browser", "null"},
       {"browser_version", "null"},
       {"browser_language", "null"},
       {"os", "null"},
       {"avatar", "null"},
       {"email", "null"},
       {"custom_attributes", "null"},
       {"location", "null"},
       {"social_profiles", "null"},
       {"has_hard_bounced", "null"},
       {"marked_email_as_spam", "null"},
       {"unsubscribed_from_emails", "null"},
       {"updated_at", "null"},
       {"tags", "null"},
       {"companies", "null"},
       {"notes", "null"}},
      // 6: everything absent that may be.
      {{"external_id", kAbsent},
       {"phone", kAbsent},
       {"name", kAbsent},
       {"owner_id", kAbsent},
       {"signed_up_at", kAbsent},
       {"last_seen_at", kAbsent},
       {"language_override", kAbsent},
       {"browser", kAbsent},
       {"browser_version", kAbsent},
       {"browser_language", kAbsent},
       {"os", kAbsent},
       {"avatar", kAbsent},
       {"email", kAbsent},
       {"custom_attributes", kAbsent},
       {"location", kAbsent},
       {"social_profiles", kAbsent},
       {"has_hard_bounced", kAbsent},
       {"marked_email_as_spam", kAbsent},
       {"unsubscribed_from_emails", kAbsent},
       {"updated_at", kAbsent},
       {"tags", kAbsent},
       {"companies", kAbsent},
       {"notes", kAbsent}},
      // 7: empty strings; a number column has none, so it is null there.
      {{"external_id", "\"\""},
       {"phone", "\"\""},
       {"name", "\"\""},
       {"owner_id", "\"\""},
       {"email", "\"\""},
       {"language_override", "\"\""},
       {"browser", "\"\""},
       {"browser_version", "\"\""},
       {"browser_language", "\"\""},
       {"os", "\"\""},
       {"signed_up_at", "\"\""},
       {"avatar", "{\"type\":\"avatar\",\"image_url\":\"\"}"}},
      // 8: zero and false.
      {{"signed_up_at", "0"},
       {"last_seen_at", "0"},
       {"has_hard_bounced", "false"},
       {"marked_email_as_spam", "false"},
       {"unsubscribed_from_emails", "false"},
       {"owner_id", "0"},
       {"external_id", "\"0\""},
       {"name", "\"0\""}},
      {{"name", kEmoji}, {"phone", kQuotes}, {"external_id", kLineBreaks}, {"email", kSpaces}},
      {{"name", kLineBreaks}, {"phone", kControl}, {"external_id", kSeparators}},
      {{"name", kQuotes}, {"phone", kEmoji}, {"external_id", kFormula}},
      {{"name", kSpaces}, {"phone", kSeparators}, {"external_id", "\" \""}},
      {{"name", kControl}, {"phone", "\",\""}, {"external_id", "\"\\\"\""}},
      {{"name", kSeparators}, {"phone", "\"\\n\""}, {"external_id", "\"\\r\""}},
      {{"name", kFormula}, {"phone", "\"-\""}, {"external_id", "\"null\""}},
      // 16: numbers as decimal strings.
      {{"created_at", kQuoted},
       {"updated_at", kQuoted},
       {"last_seen_at", "\"1700000000\""},
       {"signed_up_at", "\"-1\""}},
      // 17: ids as numbers, numbers in text columns.
      {{"owner_id", "814860"},
       {"external_id", "12345678901234567890123"},
       {"name", "42"},
       {"phone", "4.5"},
       {"email", "7"}},
      {{"signed_up_at", kMaxInt64}, {"last_seen_at", kMinInt64}, {"external_id", "-17"}},
      {{"signed_up_at", kBeyondInt64},
       {"last_seen_at", kFarBeyondInt64},
       {"external_id", kBeyondInt64}},
      {{"signed_up_at", "\"9223372036854775808\""}, {"last_seen_at", "\"9223372036854775807\""}},
      // 21: wrong types everywhere.
      {{"signed_up_at", "{}"},
       {"last_seen_at", "[1700000000]"},
       {"updated_at", "true"},
       {"name", "{\"first\":\"x\"}"},
       {"phone", "[\"1\"]"},
       {"email", "false"},
       {"external_id", "true"},
       {"owner_id", "{\"id\":\"1\"}"},
       {"has_hard_bounced", "\"true\""},
       {"marked_email_as_spam", "1"},
       {"unsubscribed_from_emails", "{}"},
       {"browser", "[]"},
       {"browser_version", "120"},
       {"os", "{}"},
       {"location", "\"Dublin\""},
       {"avatar", "17"},
       {"language_override", "[]"}},
      {{"signed_up_at", "\"soon\""},
       {"last_seen_at", "1700000000.5"},
       {"updated_at", "\"2024-01-01T00:00:00Z\""},
       {"location", "[]"},
       {"avatar", "[]"}},
      // 23: a creation time that cannot be read; the row must not get lost.
      {{"created_at", "{\"unix\":1700000000}"}},
      {{"created_at", "null"}},
      {{"avatar", "\"https://images.example.com/avatar,1.png\""}},
      {{"avatar", "{\"type\":\"avatar\",\"image_url\":null}"}},
      {{"avatar", "{\"type\":\"avatar\"}"}, {"location", "{}"}},
      {{"avatar", "\"\""}, {"location", "{\"type\":\"location\",\"city\":\"\",\"country\":null}"}},
      {{"location",
        "{\"type\":\"location\",\"country\":\"Ireland\",\"region\":\"Dublin\",\"city\":\"Dublin\","
        "\"country_code\":\"IRL\",\"continent_code\":\"EU\",\"latitude\":53.3498,"
        "\"longitude\":-6.26031}"}},
      {{"location",
        "{\"latitude\":\"53.5\",\"longitude\":\"-6\",\"city\":\"S\\u00e3o Paulo, \\\"SP\\\"\"}"}},
      {{"location", "{\"latitude\":100,\"longitude\":0,\"city\":7,\"country_code\":[]}"}},
      {{"location", "{\"latitude\":\"north\",\"longitude\":true}"}},
      {{"custom_attributes", "{}"}, {"social_profiles", "{\"type\":\"list\",\"data\":[]}"}},
      {{"custom_attributes",
        "{ \"spaced\" : [ 1 , 2.50 , null ] ,\n \"nested\":{\"a\":{\"b\":[{}]}} }"}},
      {{"custom_attributes",
        "{\"unicode \\u00fc \xC3\xBC\":\"\\ud83d\\ude00 \xF0\x9F\x98\x80\",\"quote\":\"\\\"},{\","
        "\"big\":123456789012345678901234567890,\"exp\":1.0e5,\"slash\":\"a\\/b\"}"}},
      {{"custom_attributes", "{\"empty\":\"\",\"none\":null,\"zero\":0,\"no\":false}"},
       {"social_profiles", "{\"type\":\"list\"}"}},
      // 37: a browser with some of its fields.
      {{"browser", "null"},
       {"browser_version", "\"120.0\""},
       {"browser_language", kAbsent},
       {"os", "null"}},
      {{"browser", "\"Quote\\\"Browser, Inc\""},
       {"browser_version", "null"},
       {"os",
        "\"Gr\xC3\xBC"
        "n OS\""}},
      {{"signed_up_at", "-62135596800"}, {"last_seen_at", "64654125776"}},
  }};
  return edges;
}

template <typename Container>
const Overrides* Entry(const Container& edges, size_t index) {
  return index < edges.size() && !edges[index].empty() ? &edges[index] : nullptr;
}

}  // namespace

const Overrides* ContactEdge(size_t ordinal) { return Entry(ContactEdges(), ordinal); }

int EdgeTagCount(size_t ordinal) {
  static constexpr std::array<int, 5> kCounts = {0, 1, 10, 11, 151};
  return ordinal < kCounts.size() ? kCounts[ordinal] : -1;
}

int EdgeCompanyCount(size_t ordinal) {
  static constexpr std::array<int, 5> kCounts = {0, 11, 1, 151, 10};
  return ordinal < kCounts.size() ? kCounts[ordinal] : -1;
}

int EdgeNoteCount(size_t ordinal) {
  static constexpr std::array<int, 12> kCounts = {0, 1, 11, 151, 50, -1, -1, 60, 61, 51, 10, 120};
  return ordinal < kCounts.size() ? kCounts[ordinal] : -1;
}

int EdgeEventCount(size_t ordinal) {
  static constexpr std::array<int, 4> kCounts = {0, 1, 9, 30};
  return ordinal < kCounts.size() ? kCounts[ordinal] : -1;
}

const Overrides* CompanyEdge(size_t company) {
  static const auto& edges = *new std::vector<Overrides>{
      {{"plan", "{}"}, {"monthly_spend", "100"}},
      {{"plan", "null"}, {"monthly_spend", "155.98"}, {"custom_attributes", "{}"}},
      {{"plan", kAbsent}, {"monthly_spend", "-12.5"}, {"custom_attributes", "null"}},
      {{"plan", "{\"type\":\"plan\",\"id\":\"1\",\"name\":null}"}, {"monthly_spend", "0"}},
      {{"plan", "{\"type\":\"plan\",\"id\":1,\"name\":\"\"}"}, {"monthly_spend", "null"}},
      {{"plan", "\"gold\""}, {"monthly_spend", kAbsent}, {"custom_attributes", kAbsent}},
      {{"plan", "{\"name\":\"Plan, \\\"A\\\"\\nB\"}"}, {"monthly_spend", "\"99.95\""}},
      {{"plan", "{\"name\":5}"}, {"monthly_spend", "\"lots\""}, {"session_count", kQuoted}},
      {{"name", "null"},
       {"website", "null"},
       {"industry", "null"},
       {"size", "null"},
       {"last_request_at", "null"},
       {"remote_created_at", "null"},
       {"session_count", "null"},
       {"user_count", "null"},
       {"updated_at", "null"}},
      {{"name", kAbsent},
       {"website", kAbsent},
       {"industry", kAbsent},
       {"size", kAbsent},
       {"last_request_at", kAbsent},
       {"remote_created_at", kAbsent},
       {"session_count", kAbsent},
       {"user_count", kAbsent},
       {"company_id", kAbsent},
       {"updated_at", kAbsent}},
      {{"name", "\"\""}, {"website", "\"\""}, {"industry", "\"\""}, {"company_id", "\"\""}},
      {{"name", kEmoji}, {"website", kQuotes}, {"industry", kLineBreaks}},
      {{"name", kSpaces}, {"website", kControl}, {"industry", kSeparators}},
      {{"company_id", "6"},
       {"session_count", "9223372036854775807"},
       {"user_count", "0"},
       {"size", "0"},
       {"monthly_spend", "0.1"}},
      {{"company_id", "12345678901234567890123"},
       {"session_count", "9223372036854775808"},
       {"user_count", "-9223372036854775808"},
       {"size", "1.5"},
       {"monthly_spend", "-0.001"}},
      {{"session_count", "\"12\""},
       {"user_count", "[]"},
       {"size", "\"big\""},
       {"created_at", kQuoted},
       {"remote_created_at", "\"\""},
       {"monthly_spend", "{}"},
       {"name", "12"},
       {"company_id", "{}"}},
      {{"monthly_spend", "123456789.123"}, {"type", "null"}},
      {{"monthly_spend", "9007199254740993"}, {"type", kAbsent}},
      {{"monthly_spend", "1.7976931348623157e308"},
       {"custom_attributes", "{ \"a\" : [1,  2] ,\"b\":\"\\u003ctag\\u003e\" }"}},
  };
  return Entry(edges, company);
}

const Overrides* NoteEdge(size_t note_of_contact) {
  static const auto& edges = *new std::vector<Overrides>{
      {},
      {{"id", kUnquoted}, {"body", "null"}, {"author", "null"}},
      {{"body", "\"\""}, {"author", kAbsent}, {"contact", "null"}},
      {{"body", kLineBreaks}, {"contact", kAbsent}, {"created_at", kQuoted}},
      {{"body", kEmoji}, {"author", "{\"type\":\"admin\",\"id\":814860}"}},
      {{"body", kAbsent}, {"created_at", "null"}, {"author", "{}"}, {"contact", "{}"}},
      {{"body", "17"}, {"created_at", "[]"}, {"author", "\"814860\""}, {"type", "null"}},
  };
  return Entry(edges, note_of_contact);
}

const Overrides* EventEdge(size_t event_of_contact) {
  static const auto& edges = *new std::vector<Overrides>{
      {},
      {{"last", "\" 2024-02-29T23:59:59.000+00:00 \""}, {"description", "null"}},
      {{"first", "null"}, {"last", kAbsent}, {"description", kAbsent}, {"count", kQuoted}},
      {{"first", "\"\""}, {"last", "\"   \""}, {"description", "\"\""}, {"count", "0"}},
      {{"first", "1700000000"}, {"count", "null"}, {"description", kQuotes}},
      {{"name", "\"odd, \\\"name\\\"\""}, {"count", "9223372036854775808"}},
      {{"name", kEmoji}, {"count", "9223372036854775807"}},
      {{"count", kAbsent}, {"description", kLineBreaks}},
  };
  return Entry(edges, event_of_contact);
}

const Overrides* SocialProfileEdge(size_t contact_ordinal, size_t profile) {
  static const auto& edges = *new std::vector<Overrides>{
      {},
      {{"name", "null"}, {"url", "null"}},
      {{"name", kAbsent}, {"url", "\"\""}, {"type", kAbsent}},
      {{"name", kEmoji}, {"url", kQuotes}, {"type", "null"}},
      {{"name", "7"}, {"url", "{}"}, {"type", "[]"}},
  };
  return contact_ordinal == 2 ? Entry(edges, profile) : nullptr;
}

const Overrides* TagEdge(size_t tag) {
  static const auto& edges = *new std::vector<Overrides>{
      {},
      {{"name", kEmoji}},
      {{"name", kQuotes}},
      {{"name", "\"\""}},
      {{"name", "null"}},
      {{"name", kAbsent}},
      {{"name", "5"}},
      {{"id", kUnquoted}},
      {{"id", kUnquoted}, {"name", kLineBreaks}},
      {{"type", "null"}, {"name", kSpaces}},
  };
  return Entry(edges, tag);
}

const Overrides* SegmentEdge(size_t segment) {
  static const auto& edges = *new std::vector<Overrides>{
      {},
      {{"name", kEmoji}, {"updated_at", "null"}},
      {{"name", kQuotes}, {"created_at", kQuoted}},
      {},
      {{"name", "\"\""}, {"created_at", kAbsent}},
      {{"name", "null"}, {"person_type", "\"contact\""}, {"updated_at", "{}"}},
  };
  return Entry(edges, segment);
}

const Overrides* AdminEdge(size_t admin) {
  static const auto& edges = *new std::vector<Overrides>{
      {},
      {{"name", kEmoji}, {"email", "null"}},
      {{"name", kQuotes}, {"email", kAbsent}, {"id", kUnquoted}},
      {{"name", "\"\""}, {"email", "\"\""}},
      {{"name", "null"}, {"email", "3"}},
  };
  return Entry(edges, admin);
}

const Overrides* TeamEdge(size_t team) {
  static const auto& edges = *new std::vector<Overrides>{
      {},
      // A team's e-mail is null in the table whatever is sent.
      {{"name", kLineBreaks}, {"email", "\"team@example.com\""}, {"id", kUnquoted}},
      {{"name", "null"}, {"email", "null"}},
  };
  return Entry(edges, team);
}

const Overrides* AttachmentEdge(size_t attachment) {
  static const auto& edges = *new std::vector<Overrides>{
      {},
      {{"width", "null"}, {"height", kAbsent}, {"filesize", kQuoted}},
      {{"type", kAbsent},
       {"name", kEmoji},
       {"url", "\"\""},
       {"content_type", "null"},
       {"filesize", "0"}},
      {{"name", "null"},
       {"filesize", "9223372036854775808"},
       {"width", "\"wide\""},
       {"height", "-1"},
       {"content_type", "1"}},
  };
  return Entry(edges, attachment);
}

const ConversationEdge* EdgeOfConversation(size_t conversation) {
  using Contacts = ConversationContacts;
  static const auto& edges = *new std::vector<ConversationEdge>{
      {Contacts::kOne, 0, {{"admin_assignee_id", "814860"}, {"team_assignee_id", "null"}}, {}},
      {Contacts::kOne, 1, {{"admin_assignee_id", "null"}, {"team_assignee_id", "5017690"}}, {}},
      {Contacts::kOne,
       499,
       {{"admin_assignee_id", "\"814861\""}, {"team_assignee_id", "\"5017691\""}},
       {}},
      {Contacts::kOne, 500, {{"admin_assignee_id", "0"}, {"team_assignee_id", "0"}}, {}},
      {Contacts::kOne, 501, {{"admin_assignee_id", "\"\""}, {"team_assignee_id", "\"\""}}, {}},
      {Contacts::kOne, 900, {{"admin_assignee_id", kAbsent}, {"team_assignee_id", kAbsent}}, {}},
      {Contacts::kGroup,
       -1,
       {{"admin_assignee_id", "0"}, {"team_assignee_id", "\"5017691\""}, {"title", kQuotes}},
       {}},
      {Contacts::kNone,
       -1,
       {{"admin_assignee_id", "814862"}, {"team_assignee_id", "5017690"}, {"title", kEmoji}},
       {}},
      {Contacts::kNull,
       -1,
       {{"waiting_since", "null"},
        {"snoozed_until", "null"},
        {"title", "null"},
        {"updated_at", kQuoted}},
       {}},
      {Contacts::kBareArray,
       -1,
       {{"waiting_since", kAbsent}, {"snoozed_until", kAbsent}, {"title", kAbsent}},
       {}},
      {Contacts::kUnknown, -1, {{"waiting_since", "64654125776"}, {"title", "\"\""}}, {}},
      {Contacts::kUnknownAuthor,
       -1,
       {{"waiting_since", "0"}, {"snoozed_until", "\"1700000000\""}},
       {}},
      {Contacts::kConflictingAuthor,
       -1,
       {{"open", "null"}, {"read", kAbsent}, {"state", "null"}},
       {}},
      {Contacts::kMerged, -1, {{"open", "\"true\""}, {"read", "0"}, {"state", "1"}}, {}},
      {Contacts::kAbsent, -1, {{"id", kUnquoted}, {"tags", kAbsent}}, {}},
      {Contacts::kOne, static_cast<int>(PartEdgeCount()), {{"tags", "null"}}, {}},
      {Contacts::kGroup,
       -1,
       {{"source", "null"}, {"tags", "{\"type\":\"tag.list\",\"tags\":[]}"}},
       {}},
      {Contacts::kOne, -1, {{"source", kAbsent}, {"title", kLineBreaks}}, {}},
      {Contacts::kOne,
       -1,
       {},
       {{"body", "null"},
        {"subject", "null"},
        {"id", "null"},
        {"url", "null"},
        {"type", "null"},
        {"author", "null"},
        {"attachments", "null"}}},
      {Contacts::kOne,
       -1,
       {},
       {{"body", "\"\""},
        {"subject", "\"\""},
        {"id", "\"\""},
        {"url", "\"\""},
        {"type", "\"\""},
        {"author", "{}"},
        {"attachments", "[]"}}},
      {Contacts::kGroup,
       -1,
       {},
       {{"body", kAbsent},
        {"subject", kAbsent},
        {"id", kUnquoted},
        {"url", kAbsent},
        {"type", kAbsent},
        {"author", kAbsent},
        {"attachments", kAbsent}}},
      {Contacts::kOne,
       -1,
       {},
       {{"id", "[]"}, {"url", "{}"}, {"type", "7"}, {"author", "\"admin\""}}},
      {Contacts::kOne,
       -1,
       {{"waiting_since", "true"},
        {"snoozed_until", "9223372036854775808"},
        {"admin_assignee_id", "[]"},
        {"team_assignee_id", "5017690"},
        {"title", "9"}},
       {{"url", "\"https://example.com/a?b=1,2&c=\\\"d\\\"\""}}},
      {Contacts::kOne,
       -1,
       {{"created_at", kQuoted}, {"type", "null"}},
       {{"author", "{\"type\":\"bot\",\"id\":\"1001\",\"name\":\"Operator\"}"}}},
  };
  return conversation < edges.size() ? &edges[conversation] : nullptr;
}

namespace {

const std::vector<Overrides>& PartEdges() {
  static const auto& edges = *new std::vector<Overrides>{
      {{"body", "null"}},
      {{"body", "\"\""}},
      {{"body", kAbsent}},
      {{"body", kEmoji}},
      {{"body", kLineBreaks}},
      {{"body", kSpaces}},
      {{"body", kControl}},
      {{"body", kSeparators}},
      {{"body", kFormula}},
      {{"id", kUnquoted}, {"external_id", "\"ext, 1\""}},
      {{"author", "null"}, {"external_id", "17"}},
      {{"author", kAbsent}, {"external_id", "\"\""}},
      {{"author", "{\"type\":\"bot\",\"id\":1001}"}, {"external_id", kAbsent}},
      {{"assigned_to", "{\"type\":\"admin\",\"id\":814860}"}, {"part_type", "\"assignment\""}},
      {{"assigned_to", "{\"type\":\"team\",\"id\":\"5017690\"}"}, {"part_type", "\"assignment\""}},
      {{"assigned_to", "{\"type\":\"nobody_admin\",\"id\":null}"}},
      {{"assigned_to", kAbsent}, {"notified_at", "null"}},
      {{"notified_at", kAbsent},
       {"updated_at", kQuoted},
       {"part_type", "\"custom_action_started\""}},
      {{"created_at", kQuoted}, {"updated_at", "null"}, {"part_type", "null"}},
      {{"updated_at", "9223372036854775808"}, {"notified_at", "{}"}, {"part_type", "[]"}},
      {{"attachments", "null"}, {"type", "null"}},
      {{"attachments", kAbsent}, {"type", kAbsent}},
      {{"attachments", "{}"}, {"body", "4"}},
      {},
      {},
      {},
      {},
  };
  return edges;
}

}  // namespace

const Overrides* PartEdge(size_t part) { return Entry(PartEdges(), part); }
size_t PartEdgeCount() { return PartEdges().size(); }

}  // namespace intercom_extractor::fake
