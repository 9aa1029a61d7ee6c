#ifndef SERVER_TLS_FILES_H_
#define SERVER_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/server_config.h"

namespace intercom_extractor {

// What the `tls_*` files of a configuration hold, as PEM.
struct TlsMaterial {
  std::string certificates;
  std::string private_key;
  // Authorities of client certificates; empty: none are asked for.
  std::string client_ca;

  bool operator==(const TlsMaterial& other) const {
    return certificates == other.certificates && private_key == other.private_key &&
           client_ca == other.client_ca;
  }
};

// Reads the files of a configuration that has `tls_cert_file` or any other of them.
// kInvalidArgument for a file that is missing, cannot be read, is not PEM, or a key that
// is not the certificate's. Checked here because gRPC itself would only say that the port
// cannot be bound.
absl::StatusOr<TlsMaterial> ReadTlsFiles(const ServerConfig& config);

}  // namespace intercom_extractor

#endif  // SERVER_TLS_FILES_H_
