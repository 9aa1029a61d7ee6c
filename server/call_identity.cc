#include "server/call_identity.h"

#include <memory>
#include <string>

#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/auth_context.h"

namespace intercom_extractor {

CallIdentity IdentityOf(const grpc::CallbackServerContext& context) {
  CallIdentity identity;
  const auto range = context.client_metadata().equal_range("authorization");
  for (auto it = range.first; it != range.second; ++it) {
    identity.authorization.emplace_back(it->second.data(), it->second.size());
  }
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return identity;
  for (const char* property :
       {GRPC_PEER_DNS_PROPERTY_NAME, GRPC_PEER_URI_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME}) {
    for (const grpc::string_ref& name : peer->FindPropertyValues(property)) {
      identity.certificate_names.emplace_back(name.data(), name.size());
    }
  }
  return identity;
}

}  // namespace intercom_extractor
