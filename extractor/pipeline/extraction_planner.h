#ifndef EXTRACTOR_PIPELINE_EXTRACTION_PLANNER_H_
#define EXTRACTOR_PIPELINE_EXTRACTION_PLANNER_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "extractor/intercom/intercom_client.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Says how an extraction of these tables reads them and with how many requests:
// asks Intercom for its counts and for up to four pages of contacts, which stand
// for all. Makes no rows. Calls `done` exactly once, on the HTTP loop's thread, or
// before it returns when the request is wrong; it must not block. `client` must
// outlive that call.
//
// Errors: kInvalidArgument (the request names no table, or an unknown one),
// kUnauthenticated, kUnavailable (see the service's comments). What else cannot be
// counted is said in the plan.
void PlanExtraction(const v1::PlanExtractionRequest& request, IntercomClient* client,
                    absl::AnyInvocable<void(absl::StatusOr<v1::PlanExtractionResponse>) &&> done);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_EXTRACTION_PLANNER_H_
