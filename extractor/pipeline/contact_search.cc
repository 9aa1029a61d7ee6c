#include "extractor/pipeline/contact_search.h"

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

class Conditions {
 public:
  explicit Conditions(const DayCalendar& calendar)
      : calendar_(calendar), margin_(calendar.known() ? 0 : 1) {}

  // Whole days: ">" begins at the day after that of the value, hence the second
  // before midnight; "<" ends before the day of the value, hence midnight.
  void AddDays(absl::string_view field, const std::optional<absl::CivilDay>& from,
               const std::optional<absl::CivilDay>& before) {
    if (from.has_value()) Add(field, ">", absl::StrCat(calendar_.Start(*from - margin_) - 1));
    if (before.has_value()) Add(field, "<", absl::StrCat(calendar_.Start(*before + margin_)));
  }

  void Add(absl::string_view field, absl::string_view operation, absl::string_view value) {
    absl::StrAppend(&json_, json_.empty() ? "" : ",", R"({"field":")", field, R"(","operator":")",
                    operation, R"(","value":)", value, "}");
  }

  const std::string& json() const { return json_; }

 private:
  const DayCalendar& calendar_;
  const int margin_;
  std::string json_;
};

}  // namespace

std::string ContactSearchBody(const ContactFilter& filter, const DayCalendar& calendar,
                              int per_page, absl::string_view starting_after) {
  Conditions conditions(calendar);
  conditions.AddDays("created_at", filter.created_from, filter.created_before);
  if (filter.role != ContactFilter::Role::kAny) {
    // Not the list of all other roles: nobody says that it is complete.
    conditions.Add("role", filter.role == ContactFilter::Role::kUser ? "=" : "!=", R"("user")");
  }
  conditions.AddDays("updated_at", filter.updated_from, filter.updated_before);
  if (!filter.segment_id.empty()) {
    conditions.Add("segment_id", "=", JsonString(filter.segment_id));
  }
  std::string cursor;
  if (!starting_after.empty()) {
    cursor = absl::StrCat(R"(,"starting_after":)", JsonString(starting_after));
  }
  return absl::StrCat(R"({"query":{"operator":"AND","value":[)", conditions.json(),
                      R"(]},"sort":{"field":"created_at","order":"ascending"},)",
                      R"("pagination":{"per_page":)", per_page, cursor, "}}");
}

std::string JsonString(absl::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result.push_back('\\');
      result.push_back(c);
    } else if (byte < 0x20) {
      static constexpr char kHex[] = "0123456789abcdef";
      absl::StrAppend(&result, "\\u00", std::string(1, kHex[byte >> 4]),
                      std::string(1, kHex[byte & 15]));
    } else {
      result.push_back(c);
    }
  }
  result.push_back('"');
  return result;
}

}  // namespace intercom_extractor
