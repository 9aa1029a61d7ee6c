#ifndef TESTS_FAKE_INTERCOM_ANSWERS_H_
#define TESTS_FAKE_INTERCOM_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {

// What answers are made of: errors, cursors and the `pages` object.

// Makes `*response` an `error.list` with one error and a fresh request id.
void AnswerError(int status, std::string_view code, std::string_view message, Response* response);

// How a cursor list says that there is no further page.
enum class LastPage { kNextAbsent, kNextNull };

// A cursor names a position in one list: `list` tells lists and queries apart, so
// that a cursor of one is refused by another. Cursors hold '+', '/', '=' and a line
// feed on purpose: Intercom's do, and clients must encode them.
std::string EncodeCursor(size_t offset, uint64_t list);
std::optional<size_t> DecodeCursor(std::string_view cursor, uint64_t list);

// A `pages` object of a cursor list.
std::string CursorPages(size_t total, size_t offset, size_t per_page, uint64_t list,
                        LastPage last_page);
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
