#ifndef CLIENTS_CLI_TOP_TEXT_H_
#define CLIENTS_CLI_TOP_TEXT_H_

#include <string>

#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What a server's extractions do, for a person: of each its bars (requests made, quota), where
// its time goes and its tables; then those that ended last. Lines have at most `columns`
// visible characters.
std::string FormatTop(const v1::ListExtractionsResponse& response, const std::string& server,
                      int columns, bool color);

// One JSON object without a line end, for programs.
std::string TopJson(const v1::ListExtractionsResponse& response);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TOP_TEXT_H_
