#include "extractor/pipeline/conversation_search.h"

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/contact_search.h"

namespace intercom_extractor {

std::string ConversationSearchBody(const WindowFilter& filter, int per_page,
                                   absl::string_view starting_after) {
  std::string from;
  if (filter.created_from.has_value()) {
    from = absl::StrCat(R"({"field":"created_at","operator":">","value":)",
                        *filter.created_from - 1, "},");
  }
  if (filter.updated_from.has_value()) {
    absl::StrAppend(&from, R"({"field":"updated_at","operator":">","value":)",
                    *filter.updated_from - 1, "},");
  }
  std::string cursor;
  if (!starting_after.empty()) {
    cursor = absl::StrCat(R"(,"starting_after":)", JsonString(starting_after));
  }
  return absl::StrCat(R"({"query":{"operator":"AND","value":[)", from,
                      R"({"field":"created_at","operator":"<","value":)", filter.created_before,
                      R"(}]},"sort":{"field":"created_at","order":"ascending"},)",
                      R"("pagination":{"per_page":)", per_page, cursor, "}}");
}

}  // namespace intercom_extractor
