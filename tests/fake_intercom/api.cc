#include "tests/fake_intercom/api.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <stdexcept>

#include "absl/strings/str_split.h"
#include "tests/fake_intercom/answers.h"
#include "tests/fake_intercom/json_writer.h"

namespace intercom_extractor::fake {
namespace {

constexpr size_t kMaxCursorPage = 150;
constexpr size_t kMaxNumberedPage = 60;
constexpr size_t kMaxListedCompanies = 10'000;
// Tell cursors of the plain lists apart; searches use a hash of their query.
constexpr uint64_t kContactList = 1;
constexpr uint64_t kConversationList = 2;

void AnswerMerged(const std::string& into, Response* response) {
  AnswerError(410, "contact_merged",
              "This contact has been merged. See the 'Link' header for the canonical contact.",
              response);
  response->headers.emplace_back("Link", "</contacts/" + into + ">; rel=\"canonical\"");
}

// {"type":"list","data":[...]} or as `type` and `key` say, left open for more members.
void AppendList(std::string_view type, std::string_view key,
                const std::vector<std::string>& records, size_t begin, size_t end,
                Response* response) {
  std::string& body = response->body;
  end = std::min(end, records.size());
  body += R"({"type":")";
  body += type;
  body += R"(",")";
  body += key;
  body += R"(":[)";
  for (size_t i = begin; i < end; ++i) {
    if (i > begin) body += ',';
    body += records[i];
  }
  body += ']';
  response->items = end > begin ? end - begin : 0;
}

void AnswerWholeList(std::string_view type, std::string_view key,
                     const std::vector<std::string>& records, Response* response) {
  AppendList(type, key, records, 0, records.size(), response);
  response->body += '}';
}

// The cursor that a plain list was asked to go on from, if any; false after answering
// that it is none of this list's.
bool CursorIn(const Request& request, uint64_t list, std::optional<Cursor>* cursor,
              Response* response) {
  if (!request.HasQuery("starting_after")) return true;
  *cursor = DecodeCursor(request.Query("starting_after"), list);
  if (cursor->has_value()) return true;
  AnswerError(400, "client_error", "Invalid starting_after param", response);
  return false;
}

// What a page-number list is called, and how it answers who does not say how.
struct NumberedList {
  std::string_view type = "list";
  std::string_view key = "data";
  size_t per_page = 50;
  bool descending = false;
};

// A page of a page-number list of `records`, which ascend.
void AnswerNumberedPage(const Request& request, const NumberedList& list,
                        const std::vector<std::string>& records, const std::string& base_url,
                        Response* response) {
  const auto per_page = NumberIn(request, "per_page", list.per_page, kMaxNumberedPage);
  const auto page = NumberIn(request, "page", 1, SIZE_MAX / kMaxNumberedPage);
  const std::string_view order = request.Query("order");
  if (!per_page || !page || (!order.empty() && order != "asc" && order != "desc")) {
    return AnswerError(400, "parameter_invalid", "per_page, page or order is invalid", response);
  }
  const size_t begin = std::min((*page - 1) * *per_page, records.size());
  const size_t end = std::min(begin + *per_page, records.size());
  const bool descending = order.empty() ? list.descending : order == "desc";
  std::vector<std::string> shown;
  shown.reserve(end - begin);
  for (size_t i = begin; i < end; ++i) {
    shown.push_back(records[descending ? records.size() - 1 - i : i]);
  }
  AppendList(list.type, list.key, shown, 0, shown.size(), response);
  response->body +=
      R"(,"total_count":)" + std::to_string(records.size()) + R"(,"pages":)" +
      NumberedPages(records.size(), *page, *per_page, base_url + request.path, order) + "}";
}

}  // namespace

bool IsKnownVersion(std::string_view version) {
  if (version == "Unstable" || version == "Preview") return true;
  if (version.size() < 3 || version[1] != '.') return false;
  int minor = 0;
  const char* const end = version.data() + version.size();
  const auto result = std::from_chars(version.data() + 2, end, minor);
  if (result.ec != std::errc() || result.ptr != end || (version.size() > 3 && version[2] == '0')) {
    return false;
  }
  return (version[0] == '1' && minor <= 4) || (version[0] == '2' && minor <= 17);
}

Api::Api(const Options& options, const Workspace* workspace, Scroll* scroll, Faults* faults)
    : options_(options),
      workspace_(*workspace),
      scroll_(*scroll),
      faults_(*faults),
      searcher_(workspace, options.search_missing_newest) {
  if (!absl::LoadTimeZone(options.timezone, &time_zone_)) {
    throw std::invalid_argument("unknown time zone: " + options.timezone);
  }
  for (size_t i = 0; i < workspace_.company_count(); ++i) {
    if (workspace_.CompanyHasUsers(i)) listed_companies_.push_back(static_cast<uint32_t>(i));
  }
  std::sort(listed_companies_.begin(), listed_companies_.end(), [this](uint32_t a, uint32_t b) {
    return std::make_pair(-workspace_.CompanyLastRequestAt(a), a) <
           std::make_pair(-workspace_.CompanyLastRequestAt(b), b);
  });
}

void Api::Answer(const Request& request, std::string_view version, Response* response) {
  const auto still = workspace_.HoldStill();
  if (request.method == "POST") {
    if (request.path == "/contacts/search") {
      return AnswerSearch(request, SearchQuery::Target::kContacts, version, response);
    }
    if (request.path == "/conversations/search") {
      return AnswerSearch(request, SearchQuery::Target::kConversations, version, response);
    }
    if (request.path == "/companies/list") return AnswerCompanies(request, true, response);
  } else if (request.method == "GET") {
    const std::vector<std::string> path =
        absl::StrSplit(absl::string_view(request.path).substr(request.path.empty() ? 0 : 1), '/');
    return Get(request, path, response);
  }
  AnswerError(404, "not_found", "Resource Not Found", response);
}

void Api::Get(const Request& request, const std::vector<std::string>& path, Response* response) {
  if (path.size() == 1) {
    if (path[0] == "me") return AnswerMe(response);
    if (path[0] == "contacts") return AnswerContacts(request, response);
    if (path[0] == "events") return AnswerEvents(request, response);
    if (path[0] == "companies") return AnswerCompanies(request, false, response);
    if (path[0] == "admins") {
      return AnswerWholeList("admin.list", "admins", workspace_.admins(), response);
    }
    if (path[0] == "teams") {
      return AnswerWholeList("team.list", "teams", workspace_.teams(), response);
    }
    if (path[0] == "tags") return AnswerWholeList("list", "data", workspace_.tags(), response);
    if (path[0] == "segments") {
      return AnswerWholeList("segment.list", "segments",
                             workspace_.Segments(request.Query("include_count") == "true"),
                             response);
    }
    if (path[0] == "conversations") return AnswerConversations(request, response);
  } else if (path[0] == "contacts" && path.size() <= 3) {
    return AnswerContact(request, path, response);
  } else if (path.size() == 2 && path[0] == "companies" && path[1] == "scroll") {
    return AnswerScroll(request, response);
  } else if (path.size() == 2 && path[0] == "conversations" && path[1] == "deleted") {
    return AnswerNumberedPage(request, {"conversations.list", "conversations", 20, true},
                              workspace_.deleted_conversations(), base_url_, response);
  } else if (path.size() == 2 && path[0] == "conversations") {
    return AnswerConversation(request, path[1], response);
  }
  AnswerError(404, "not_found", "Resource Not Found", response);
}

void Api::AnswerMe(Response* response) const {
  JsonWriter json(&response->body);
  json.BeginObject();
  json.Field("type", "admin");
  json.Field("id", "814860");
  json.Field("name", "Admin");
  json.Field("email", "admin@example.com");
  json.Field("email_verified", true);
  json.Key("app");
  json.BeginObject();
  json.Field("type", "app");
  json.Field("id_code", "fakeapp1");
  json.Field("name", "Fake workspace");
  json.Field("region", options_.region);
  json.Field("timezone", options_.timezone);
  json.Field("created_at", int64_t{1'500'000'000});
  json.Field("identity_verification", false);
  json.EndObject();
  json.Field("has_inbox_seat", true);
  json.EndObject();
}

void Api::AnswerContacts(const Request& request, Response* response) const {
  const auto per_page = NumberIn(request, "per_page", 10, kMaxCursorPage);
  if (!per_page) {
    return AnswerError(400, "parameter_invalid", "per_page must be between 1 and 150", response);
  }
  std::optional<Cursor> after;
  if (!CursorIn(request, kContactList, &after, response)) return;
  CursorPage page;
  page.total = workspace_.living_contact_count();
  page.offset = after ? after->offset : 0;
  // In the order of their numbers.
  for (size_t i = after ? size_t{after->record} + 1 : 0; i < workspace_.contact_count(); ++i) {
    if (!workspace_.ContactExists(i)) continue;
    if (page.records.size() == *per_page) {
      page.next = EncodeCursor({page.offset + *per_page, 0, page.records.back()}, kContactList);
      break;
    }
    page.records.push_back(static_cast<uint32_t>(i));
  }
  AnswerCursorPage(
      "list", "data", page, *per_page, LastPage::kNextAbsent,
      [this](size_t i, std::string* out) { workspace_.AppendContact(i, out); }, response);
}

std::unordered_set<size_t> Api::VanishedContacts() const {
  const auto records = VanishedRecords(workspace_.contact_count(), faults_.vanish());
  return {records.begin(), records.end()};
}

std::optional<size_t> Api::ExistingContact(const std::string& id, Response* response) const {
  const auto contact = workspace_.FindContact(id);
  if (!contact) {
    const auto into = workspace_.MergedInto(id);
    if (into) {
      AnswerMerged(*into, response);
    } else {
      AnswerError(404, "not_found", "User Not Found", response);
    }
    return std::nullopt;
  }
  if (faults_.vanish() > 0) {
    const auto vanished = VanishedRecords(workspace_.contact_count(), faults_.vanish());
    const auto found = std::find(vanished.begin(), vanished.end(), *contact);
    if (found != vanished.end()) {
      if ((found - vanished.begin()) % 2 == 0) {
        AnswerError(404, "not_found", "User Not Found", response);
      } else {
        AnswerMerged(workspace_.ContactId(0), response);
      }
      return std::nullopt;
    }
  }
  return contact;
}

void Api::AnswerContact(const Request& request, const std::vector<std::string>& path,
                        Response* response) const {
  const auto contact = ExistingContact(path[1], response);
  if (!contact) return;
  if (path.size() == 2) {
    workspace_.AppendContact(*contact, &response->body);
    response->items = 1;
  } else if (path[2] == "tags") {
    AnswerWholeList("list", "data", workspace_.ContactTags(*contact), response);
  } else if (path[2] == "segments") {
    AnswerWholeList("list", "data", workspace_.ContactSegments(*contact), response);
  } else if (path[2] == "companies") {
    AnswerNumberedPage(request, {}, workspace_.ContactCompanies(*contact), base_url_, response);
  } else if (path[2] == "notes") {
    AnswerNumberedPage(request, {}, workspace_.ContactNotes(*contact), base_url_, response);
  } else {
    AnswerError(404, "not_found", "Resource Not Found", response);
  }
}

void Api::AnswerEvents(const Request& request, Response* response) const {
  const std::string_view type = request.Query("type");
  if ((type != "user" && type != "lead") || request.Query("summary") != "true") {
    return AnswerError(400, "parameter_invalid", "This fake knows event summaries only", response);
  }
  if (!request.HasQuery("intercom_user_id")) {
    return AnswerError(400, "parameter_missing", "intercom_user_id is required", response);
  }
  const auto contact = ExistingContact(std::string(request.Query("intercom_user_id")), response);
  if (!contact) return;
  response->body = workspace_.EventSummary(*contact);
  response->items = 1;
}

void Api::AnswerScroll(const Request& request, Response* response) {
  const double busy_seconds = faults_.TakeScrollBusySeconds();
  if (busy_seconds > 0) scroll_.SetBusy(absl::Seconds(busy_seconds));
  const std::string_view param = request.Query("scroll_param");
  // Only in mid-scroll, where it hurts.
  if (!param.empty() && faults_.TakeScroll500()) {
    scroll_.Break();
    return AnswerError(500, "server_error",
                       "Request failed due to an internal network error. Please restart the "
                       "scroll operation.",
                       response);
  }
  const Scroll::Step step = scroll_.Next(param, workspace_.company_count());
  switch (step.kind) {
    case Scroll::Step::Kind::kExists:
      return AnswerError(400, "scroll_exists", "scroll already exists for this workspace",
                         response);
    case Scroll::Step::Kind::kNotFound:
      return AnswerError(404, "not_found", "scroll parameter not found", response);
    case Scroll::Step::Kind::kPage:
      break;
  }
  const size_t end = std::min(step.offset + Scroll::kPageSize, workspace_.company_count());
  std::string& body = response->body;
  body += R"({"type":"list","data":[)";
  for (size_t i = step.offset; i < end; ++i) {
    if (i > step.offset) body += ',';
    workspace_.AppendCompany(i, &body);
    ++response->items;
  }
  body += R"(],"pages":null,"total_count":null,"scroll_param":)" + JsonString(step.param) + "}";
}

void Api::AnswerCompanies(const Request& request, bool list_endpoint, Response* response) const {
  const auto per_page = NumberIn(request, "per_page", 15, kMaxNumberedPage);
  const auto page = NumberIn(request, "page", 1, 1'000'000);
  const std::string_view order = request.Query("order");
  if (!per_page || !page || (!order.empty() && order != "asc" && order != "desc")) {
    return AnswerError(400, "parameter_invalid",
                       "per_page must be at most 60, order must be asc or desc", response);
  }
  if (*page * *per_page > kMaxListedCompanies) {
    return AnswerError(400, "bad_request", "page limit reached, please use scroll API", response);
  }
  if (!list_endpoint && (request.HasQuery("tag_id") || request.HasQuery("segment_id") ||
                         request.HasQuery("name") || request.HasQuery("company_id"))) {
    // Nothing the extractor needs; generated companies have neither tags nor segments.
    return AnswerError(404, "company_not_found", "Company Not Found", response);
  }
  const size_t total = listed_companies_.size();
  const size_t begin = std::min((*page - 1) * *per_page, total);
  const size_t end = std::min(begin + *per_page, total);
  std::string& body = response->body;
  body += R"({"type":"list","data":[)";
  for (size_t i = begin; i < end; ++i) {
    if (i > begin) body += ',';
    const size_t position = order == "asc" ? total - 1 - i : i;
    workspace_.AppendCompany(listed_companies_[position], &body);
  }
  response->items = end - begin;
  body += R"(],"total_count":)" + std::to_string(total) + R"(,"pages":)" +
          NumberedPages(total, *page, *per_page, base_url_ + request.path, order) + "}";
}

void Api::AnswerConversations(const Request& request, Response* response) {
  const auto per_page = NumberIn(request, "per_page", 20, kMaxCursorPage);
  if (!per_page) {
    return AnswerError(400, "parameter_invalid", "per_page must be between 1 and 150", response);
  }
  std::optional<Cursor> after;
  if (!CursorIn(request, kConversationList, &after, response)) return;
  SearchSort sort;
  sort.field = Condition::Field::kUpdatedAt;
  const auto all = searcher_.AllConversations(sort);
  const CursorPage page =
      PageOf(*all, sort.ascending, after, *per_page, kConversationList,
             [&](uint32_t i) { return searcher_.ConversationDate(i, sort.field); });
  AnswerCursorPage(
      "conversation.list", "conversations", page, *per_page, LastPage::kNextNull,
      [this](size_t i, std::string* out) { workspace_.AppendConversation(i, out); }, response);
}

void Api::AnswerConversation(const Request& request, const std::string& id,
                             Response* response) const {
  const auto conversation = workspace_.FindConversation(id);
  const auto vanished = VanishedRecords(workspace_.conversation_count(), faults_.vanish());
  if (!conversation ||
      std::find(vanished.begin(), vanished.end(), *conversation) != vanished.end()) {
    return AnswerError(404, "not_found", "Conversation not found", response);
  }
  response->body =
      workspace_.ConversationDetail(*conversation, request.Query("display_as") == "plaintext");
  response->items = 1;
}

void Api::AnswerSearch(const Request& request, SearchQuery::Target target, std::string_view version,
                       Response* response) {
  const bool contacts = target == SearchQuery::Target::kContacts;
  if (request.Header("content-type").substr(0, 16) != "application/json") {
    return AnswerError(415, "unsupported", "Content-Type must be application/json", response);
  }
  const auto json = JsonValue::Parse(request.body);
  if (!json || !json->IsObject()) {
    return AnswerError(400, "parameter_invalid", "The body is not valid JSON", response);
  }
  const bool exact =
      !contacts || version == "2.17" || version == "Unstable" || version == "Preview";
  const DateRule rule = exact ? DateRule::kExactSeconds : DateRule::kWholeDays;
  Condition condition;
  SearchSort sort;
  if (!contacts) sort.field = Condition::Field::kUpdatedAt;
  SearchError error;
  if (!SearchQuery::Parse((*json)["query"], target, rule, time_zone_, &condition, &error) ||
      !ParseSort((*json)["sort"], target, &sort, &error)) {
    return AnswerError(400, error.code, error.message, response);
  }
  const JsonValue& pagination = (*json)["pagination"];
  size_t per_page = contacts ? 50 : 20;
  if (!pagination["per_page"].IsAbsentOrNull()) {
    const auto given = pagination["per_page"].AsInt();
    if (!given || *given < 1 || *given > static_cast<int64_t>(kMaxCursorPage)) {
      return AnswerError(400, "parameter_invalid", "per_page must be between 1 and 150", response);
    }
    per_page = static_cast<size_t>(*given);
  }
  const std::string key = std::string(RawMember(request.body, "query")) + "|" +
                          std::string(RawMember(request.body, "sort")) + "|" +
                          (exact ? "exact" : "days") + std::to_string(faults_.vanish());
  const uint64_t list = std::hash<std::string>()(key);
  std::optional<Cursor> after;
  if (!pagination["starting_after"].IsAbsentOrNull()) {
    after = DecodeCursor(pagination["starting_after"].text(), list);
    if (!after) {
      return AnswerError(400, "client_error", "Invalid starting_after param", response);
    }
  }
  if (contacts) {
    const auto matches = searcher_.Contacts(condition, sort, VanishedContacts(), key);
    const CursorPage page =
        PageOf(*matches, sort.ascending, after, per_page, list,
               [&](uint32_t i) { return searcher_.ContactDate(i, sort.field); });
    AnswerCursorPage(
        "list", "data", page, per_page, LastPage::kNextAbsent,
        [&](size_t i, std::string* out) { workspace_.AppendContact(i, out); }, response);
  } else {
    const auto matches = searcher_.Conversations(condition, sort, key);
    const CursorPage page =
        PageOf(*matches, sort.ascending, after, per_page, list,
               [&](uint32_t i) { return searcher_.ConversationDate(i, sort.field); });
    AnswerCursorPage(
        "conversation.list", "conversations", page, per_page, LastPage::kNextNull,
        [&](size_t i, std::string* out) { workspace_.AppendConversation(i, out); }, response);
  }
}

}  // namespace intercom_extractor::fake
