#ifndef SERVER_CALL_IDENTITY_H_
#define SERVER_CALL_IDENTITY_H_

#include "grpcpp/server_context.h"
#include "server/caller_registry.h"

namespace intercom_extractor {

// What a call shows of who makes it: its `authorization` metadata and, over mTLS, the
// names in the certificate that the handshake has verified.
CallIdentity IdentityOf(const grpc::CallbackServerContext& context);

}  // namespace intercom_extractor

#endif  // SERVER_CALL_IDENTITY_H_
