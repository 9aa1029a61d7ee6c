#ifndef EXTRACTOR_INTERCOM_ANSWER_STATUS_H_
#define EXTRACTOR_INTERCOM_ANSWER_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "extractor/intercom/intercom_client.h"

namespace intercom_extractor {

// What to do about an answer.
enum class Verdict {
  // Good, or bad in a way that another try will not change.
  kFinal,
  // Worth another try after a pause.
  kTransient,
  // The quota is spent: another try after the window, at no cost.
  kRateLimited,
};

// Reads an answer's status from how the transfer ended, the HTTP status and the
// body, and sets `answer->status` (as ApiAnswer documents) and
// `answer->request_id`. Judged by what failed, not by the HTTP method: our POSTs
// are searches. Messages never hold `access_token`.
Verdict JudgeAnswer(absl::string_view operation, absl::string_view access_token,
                    const absl::Status& transfer, int http_status, ApiAnswer* answer);

// Whether Intercom, or the way to it, could not cope: fewer requests at a time may
// help. A 429 speaks of the quota only.
bool IsOverload(const absl::Status& transfer, int http_status);

// Whether Intercom was asked (`sent`) and did not have the answer ready in time, be
// it for us or for its own gateway: asking for less at once may help.
bool IsTooSlow(const absl::Status& transfer, bool sent, int http_status);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_ANSWER_STATUS_H_
