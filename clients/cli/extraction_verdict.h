#ifndef CLIENTS_CLI_EXTRACTION_VERDICT_H_
#define CLIENTS_CLI_EXTRACTION_VERDICT_H_

#include <vector>

#include "clients/cli/command_line.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/table_outputs.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What a summary and the rows that arrived amount to. `saw_warning` says whether
// any notice was a warning or an error.
Outcome JudgeExtraction(const v1::Summary& summary,
                        const std::vector<TableOutputs::TableOutput>& outputs, bool saw_warning,
                        const ConnectionOptions& connection);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_EXTRACTION_VERDICT_H_
