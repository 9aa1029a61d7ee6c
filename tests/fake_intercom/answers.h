#ifndef TESTS_FAKE_INTERCOM_ANSWERS_H_
#define TESTS_FAKE_INTERCOM_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {

// What answers are made of: errors, cursors and the `pages` object.

// Makes `*response` an `error.list` with one error and a fresh request id.
void AnswerError(int status, std::string_view code, std::string_view message, Response* response);

// How a cursor list says that there is no further page.
enum class LastPage { kNextAbsent, kNextNull };

// A position in a list: behind a record, wherever that would be now. Only the text
// of the cursor is Intercom's; that it goes by the record and not by the offset is a
// choice, made so that a list that changes loses nothing that did not move.
struct Cursor {
  // How many records came before; `page` numbers follow from it.
  size_t offset = 0;
  // What the list is sorted by, of the last of them, and its number.
  int64_t sorted_by = 0;
  uint32_t record = 0;
};

// `list` tells lists and queries apart, so that a cursor of one is refused by
// another. Cursors hold '+', '/', '=' and a line feed on purpose: Intercom's do, and
// clients must encode them.
std::string EncodeCursor(const Cursor& cursor, uint64_t list);
std::optional<Cursor> DecodeCursor(std::string_view text, uint64_t list);

// A page of a cursor list.
struct CursorPage {
  // Numbers of its records.
  std::vector<uint32_t> records;
  // In the whole list, and before this page.
  size_t total = 0;
  size_t offset = 0;
  // Of the next page; nothing at the end.
  std::optional<std::string> next;
};

// What comes behind `after` of `matches`, which are sorted by `date_of` and then by
// their numbers.
CursorPage PageOf(const std::vector<uint32_t>& matches, bool ascending,
                  const std::optional<Cursor>& after, size_t per_page, uint64_t list,
                  const std::function<int64_t(uint32_t)>& date_of);

// Answers such a page of at most `per_page` records, each of which `append` writes.
void AnswerCursorPage(std::string_view type, std::string_view key, const CursorPage& page,
                      size_t per_page, LastPage last_page,
                      const std::function<void(size_t, std::string*)>& append, Response* response);

// A `pages` object of a page-number list. `url` is the address without query,
// `order` what was asked for, if anything.
std::string NumberedPages(size_t total, size_t page, size_t per_page, const std::string& url,
                          std::string_view order);

// The number in a query parameter, `otherwise` when it is absent; nullopt when it
// is no number or not in [1, maximum].
std::optional<size_t> NumberIn(const Request& request, std::string_view name, size_t otherwise,
                               size_t maximum);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_ANSWERS_H_
