#include "server/tls_credentials.h"

#include <optional>
#include <string>

#include "grpc/grpc.h"
#include "grpc/grpc_security.h"

namespace intercom_extractor {
namespace {

// gRPC's C library has had certificates that are asked for at each handshake for years,
// its C++ library never got them. (TlsServerCredentials with a FileWatcher, which it has,
// refuses all clients while the files are broken.)
class FetchingCredentials : public grpc::ServerCredentials {
 public:
  explicit FetchingCredentials(grpc_server_credentials* credentials) : credentials_(credentials) {}
  ~FetchingCredentials() override { grpc_server_credentials_release(credentials_); }

  // We read the metadata ourselves.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

grpc_ssl_certificate_config_reload_status Fetch(void* source,
                                                grpc_ssl_server_certificate_config** config) {
  const std::optional<TlsMaterial> material = static_cast<CertificateSource*>(source)->TakeNew();
  if (!material.has_value()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair = {material->private_key.c_str(),
                                           material->certificates.c_str()};
  // It wants authorities also where no client is asked for a certificate.
  const std::string& roots =
      material->client_ca.empty() ? material->certificates : material->client_ca;
  *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeTlsCredentials(CertificateSource* source) {
  grpc_ssl_server_credentials_options* options =
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          source->wants_client_certificates()
              ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
              : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
          &Fetch, source);
  // Takes the options over.
  grpc_server_credentials* credentials = grpc_ssl_server_credentials_create_with_options(options);
  if (credentials == nullptr) return nullptr;
  return std::make_shared<FetchingCredentials>(credentials);
}

}  // namespace intercom_extractor
