#ifndef CLIENTS_SINKS_ONE_WRITER_H_
#define CLIENTS_SINKS_ONE_WRITER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// What all sinks say and do so that a sink's id has one instance, and a table one id.

// Tells an instance from all others: random.
std::string RandomInstance();

// kAborted, of the older of two instances. `place` is what each could have for itself:
// "schema".
absl::Status TakenOverError(absl::string_view id, absl::string_view where, absl::string_view place);

// kFailedPrecondition; `what` is "topic intercom.users".
absl::Status FilledByError(absl::string_view what, absl::string_view where,
                           absl::string_view other_id, absl::string_view place);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_ONE_WRITER_H_
