#ifndef EXTRACTOR_PIPELINE_CONVERSATION_SEARCH_H_
#define EXTRACTOR_PIPELINE_CONVERSATION_SEARCH_H_

#include <string>

#include "absl/strings/string_view.h"
#include "extractor/pipeline/window_axis.h"

namespace intercom_extractor {

// The body of a POST /conversations/search for one page of the conversations
// created and updated in the filter's seconds, oldest first; `starting_after` is empty
// for the first page. Where Intercom reads ">" as "or equal" a second more comes on each
// side, which is left out when the answer is read.
std::string ConversationSearchBody(const WindowFilter& filter, int per_page,
                                   absl::string_view starting_after);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONVERSATION_SEARCH_H_
