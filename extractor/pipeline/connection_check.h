#ifndef EXTRACTOR_PIPELINE_CONNECTION_CHECK_H_
#define EXTRACTOR_PIPELINE_CONNECTION_CHECK_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "extractor/intercom/intercom_client.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Asks Intercom what `client`'s token may read: `GET /me`, then one small request
// per endpoint that the tables need. Calls `done` exactly once, on the HTTP
// loop's thread; it must not block. `client` must outlive that call.
//
// Errors: kUnauthenticated, kUnavailable (see the service's comments).
void CheckConnection(IntercomClient* client,
                     absl::AnyInvocable<void(absl::StatusOr<v1::CheckConnectionResponse>) &&> done);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONNECTION_CHECK_H_
