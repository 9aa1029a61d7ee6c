#ifndef CLIENTS_CLI_PLAN_TEXT_H_
#define CLIENTS_CLI_PLAN_TEXT_H_

#include <string>

#include "clients/cli/json_text.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// "340", or "about 1,200 (900 to 4,000)" where it is not known exactly.
std::string FormatEstimate(const v1::CountEstimate& estimate);

// For people, several lines: requests by operation and by table, all requests, and
// how long they take.
std::string FormatPlanText(const v1::PlanExtractionResponse& response);

// For programs: one JSON object.
void AppendPlan(const v1::ExtractionPlan& plan, JsonText* json);
void AppendEstimate(const v1::CountEstimate& estimate, JsonText* json);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_PLAN_TEXT_H_
