#include "tests/fake_intercom/answers.h"

#include <atomic>
#include <charconv>

#include "absl/strings/escaping.h"
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

std::string EncodeCursor(size_t offset, uint64_t list) {
  const std::string plain = std::to_string(offset) + ":" + std::to_string(list);
  std::string cursor(kCursorStart);
  cursor += absl::Base64Escape(plain);
  cursor += kCursorEnd;
  return cursor;
}

std::optional<size_t> DecodeCursor(std::string_view cursor, uint64_t list) {
  if (cursor.size() < kCursorStart.size() + kCursorEnd.size() ||
      cursor.substr(0, kCursorStart.size()) != kCursorStart ||
      cursor.substr(cursor.size() - kCursorEnd.size()) != kCursorEnd) {
    return std::nullopt;
  }
  cursor.remove_prefix(kCursorStart.size());
  cursor.remove_suffix(kCursorEnd.size());
  std::string plain;
  if (!absl::Base64Unescape(absl::string_view(cursor.data(), cursor.size()), &plain)) {
    return std::nullopt;
  }
  size_t offset = 0;
  const char* const end = plain.data() + plain.size();
  const auto result = std::from_chars(plain.data(), end, offset);
  if (result.ec != std::errc() ||
      std::string_view(result.ptr, end - result.ptr) != ":" + std::to_string(list)) {
    return std::nullopt;
  }
  return offset;
}

std::string CursorPages(size_t total, size_t offset, size_t per_page, uint64_t list,
                        LastPage last_page) {
  const size_t page = offset / per_page + 1;
  std::string pages;
  JsonWriter json(&pages);
  json.BeginObject();
  json.Field("type", "pages");
  if (offset + per_page < total) {
    json.Key("next");
    json.BeginObject();
    json.Field("page", static_cast<int64_t>(page + 1));
    json.Field("starting_after", EncodeCursor(offset + per_page, list));
    json.EndObject();
  } else if (last_page == LastPage::kNextNull) {
    json.NullField("next");
  }
  json.Field("page", static_cast<int64_t>(page));
  json.Field("per_page", static_cast<int64_t>(per_page));
  json.Field("total_pages", static_cast<int64_t>((total + per_page - 1) / per_page));
  json.EndObject();
  return pages;
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
