#ifndef EXTRACTOR_TABLES_JSON_NUMBER_H_
#define EXTRACTOR_TABLES_JSON_NUMBER_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace intercom_extractor {

// The whole text as a number, as JSON writes numbers; nothing when it is none or
// does not fit. An integer may be written with a fraction of zero or an
// exponent, as long as a double holds it exactly.
std::optional<int64_t> ParseInt64(std::string_view text);
std::optional<double> ParseDouble(std::string_view text);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_JSON_NUMBER_H_
