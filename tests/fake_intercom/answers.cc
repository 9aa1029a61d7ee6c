#include "tests/fake_intercom/answers.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "tests/fake_intercom/json_writer.h"
#include "tests/fake_intercom/random.h"

namespace intercom_extractor::fake {
namespace {

constexpr std::string_view kCursorStart = "c+/";
constexpr std::string_view kCursorEnd = "=\n";

// An opaque token, as in Intercom's real answers.
std::string NextRequestId() {
  static std::atomic<uint64_t> next{1};
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  uint64_t number = Random(0, kCatalogKind, next.fetch_add(1)).Next();
  std::string id = "00";
  for (int i = 0; i < 18; ++i) {
    id += kDigits[number % 36];
    number = number / 36 + (i == 9 ? number << 7 : 0) + 7;
  }
  return id;
}

// A `pages` object of a cursor list.
std::string CursorPages(const CursorPage& list, size_t per_page, LastPage last_page) {
  const size_t page = list.offset / per_page + 1;
  std::string pages;
  JsonWriter json(&pages);
  json.BeginObject();
  json.Field("type", "pages");
  if (list.next) {
    json.Key("next");
    json.BeginObject();
    json.Field("page", static_cast<int64_t>(page + 1));
    json.Field("starting_after", *list.next);
    json.EndObject();
  } else if (last_page == LastPage::kNextNull) {
    json.NullField("next");
  }
  json.Field("page", static_cast<int64_t>(page));
  json.Field("per_page", static_cast<int64_t>(per_page));
  json.Field("total_pages", static_cast<int64_t>((list.total + per_page - 1) / per_page));
  json.EndObject();
  return pages;
}

}  // namespace

void AnswerError(int status, std::string_view code, std::string_view message, Response* response) {
  const std::string request_id = NextRequestId();
  response->status = status;
  response->body.clear();
  response->items = 0;
  JsonWriter json(&response->body);
  json.BeginObject();
  json.Field("type", "error.list");
  json.Field("request_id", request_id);
  json.Key("errors");
  json.BeginArray();
  json.BeginObject();
  json.Field("code", code);
  json.Field("message", message);
  json.EndObject();
  json.EndArray();
  json.EndObject();
  response->headers.emplace_back("X-Request-Id", request_id);
}

std::string EncodeCursor(const Cursor& cursor, uint64_t list) {
  const std::string plain = std::to_string(cursor.offset) + ":" + std::to_string(list) + ":" +
                            std::to_string(cursor.sorted_by) + ":" + std::to_string(cursor.record);
  std::string text(kCursorStart);
  text += absl::Base64Escape(plain);
  text += kCursorEnd;
  return text;
}

std::optional<Cursor> DecodeCursor(std::string_view text, uint64_t list) {
  if (text.size() < kCursorStart.size() + kCursorEnd.size() ||
      text.substr(0, kCursorStart.size()) != kCursorStart ||
      text.substr(text.size() - kCursorEnd.size()) != kCursorEnd) {
    return std::nullopt;
  }
  text.remove_prefix(kCursorStart.size());
  text.remove_suffix(kCursorEnd.size());
  std::string plain;
  if (!absl::Base64Unescape(absl::string_view(text.data(), text.size()), &plain)) {
    return std::nullopt;
  }
  const std::vector<std::string> fields = absl::StrSplit(plain, ':');
  Cursor cursor;
  uint64_t offset = 0;
  if (fields.size() != 4 || fields[1] != std::to_string(list) ||
      !absl::SimpleAtoi(fields[0], &offset) || !absl::SimpleAtoi(fields[2], &cursor.sorted_by) ||
      !absl::SimpleAtoi(fields[3], &cursor.record)) {
    return std::nullopt;
  }
  cursor.offset = offset;
  return cursor;
}

CursorPage PageOf(const std::vector<uint32_t>& matches, bool ascending,
                  const std::optional<Cursor>& after, size_t per_page, uint64_t list,
                  const std::function<int64_t(uint32_t)>& date_of) {
  auto begin = matches.begin();
  if (after) {
    begin = std::partition_point(matches.begin(), matches.end(), [&](uint32_t record) {
      const int64_t date = date_of(record);
      if (date != after->sorted_by) return (date < after->sorted_by) == ascending;
      return record <= after->record;
    });
  }
  const auto left = static_cast<size_t>(matches.end() - begin);
  CursorPage page;
  page.total = matches.size();
  page.offset = matches.size() - left;
  page.records.assign(begin, begin + std::min(per_page, left));
  if (left > per_page) {
    const uint32_t last = page.records.back();
    page.next = EncodeCursor({page.offset + per_page, date_of(last), last}, list);
  }
  return page;
}

void AnswerCursorPage(std::string_view type, std::string_view key, const CursorPage& page,
                      size_t per_page, LastPage last_page,
                      const std::function<void(size_t, std::string*)>& append, Response* response) {
  std::string& body = response->body;
  body.reserve(page.records.size() * 2'048 + 512);
  body += R"({"type":")";
  body += type;
  body += R"(",")";
  body += key;
  body += R"(":[)";
  for (size_t i = 0; i < page.records.size(); ++i) {
    if (i > 0) body += ',';
    append(page.records[i], &body);
  }
  body += R"(],"total_count":)";
  body += std::to_string(page.total);
  body += R"(,"pages":)";
  body += CursorPages(page, per_page, last_page);
  body += '}';
  response->items = page.records.size();
}

std::string NumberedPages(size_t total, size_t page, size_t per_page, const std::string& url,
                          std::string_view order) {
  const size_t total_pages = (total + per_page - 1) / per_page;
  std::string pages;
  JsonWriter json(&pages);
  json.BeginObject();
  json.Field("type", "pages");
  if (page < total_pages) {
    json.Field("next", url + "?per_page=" + std::to_string(per_page) +
                           (order.empty() ? "" : "&order=" + std::string(order)) +
                           "&page=" + std::to_string(page + 1));
  } else {
    json.NullField("next");
  }
  json.Field("page", static_cast<int64_t>(page));
  json.Field("per_page", static_cast<int64_t>(per_page));
  json.Field("total_pages", static_cast<int64_t>(total_pages));
  json.EndObject();
  return pages;
}

std::optional<size_t> NumberIn(const Request& request, std::string_view name, size_t otherwise,
                               size_t maximum) {
  if (!request.HasQuery(name)) return otherwise;
  const std::string_view text = request.Query(name);
  size_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || number < 1 ||
      number > maximum) {
    return std::nullopt;
  }
  return number;
}

}  // namespace intercom_extractor::fake
