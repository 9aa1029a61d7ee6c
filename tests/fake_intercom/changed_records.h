#ifndef TESTS_FAKE_INTERCOM_CHANGED_RECORDS_H_
#define TESTS_FAKE_INTERCOM_CHANGED_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace intercom_extractor::fake {

// The JSON texts of records that are new in a changing workspace, and of those that
// became different. Times are Unix seconds; a `number` is that of a change, which
// keeps ids apart.

// A record's id, be it a text or a number.
std::string RecordId(const std::string& record);

std::string NewContactJson(const std::string& id, std::string_view role, int64_t now);
std::string NewNote(size_t number, const std::string& contact_id, int64_t now);
std::string NewEventSummary(const std::string& contact_id, int64_t now);
// Without parts; `contact_id` may be empty.
std::string NewConversationJson(const std::string& id, const std::string& contact_id,
                                std::string_view role, int64_t now);
std::string NewPart(size_t number, int64_t now);
std::string DeletedConversation(const std::string& id, int64_t now);

// `contact` with the first ten of `records` as its list `name` of `type`.
std::string WithEmbeddedList(const std::string& contact, std::string_view name,
                             std::string_view type, const std::string& id,
                             const std::vector<std::string>& records);
// `conversation` with one part more in its statistics and, where it has parts, among
// them: of more than 500 it keeps the newest.
std::string WithPart(const std::string& conversation, const std::string& part);
// `record` with an integer member made larger; as it is where it has none.
std::string WithMoreIn(const std::string& record, std::string_view name, int64_t more);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_CHANGED_RECORDS_H_
