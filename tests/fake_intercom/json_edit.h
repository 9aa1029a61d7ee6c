#ifndef TESTS_FAKE_INTERCOM_JSON_EDIT_H_
#define TESTS_FAKE_INTERCOM_JSON_EDIT_H_

#include <string>
#include <string_view>
#include <vector>

namespace intercom_extractor::fake {

// Changes to JSON texts that leave every other byte as it is.

// `json`, an object, with `value`, a JSON text, as its member `name`: in the place of
// the member of that name, else at the end.
std::string WithMember(const std::string& json, std::string_view name, std::string_view value);
// `json`, an object, without one member.
std::string WithoutMember(const std::string& json, std::string_view name);
// The array of these JSON texts.
std::string JsonArray(const std::vector<std::string>& elements);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_JSON_EDIT_H_
