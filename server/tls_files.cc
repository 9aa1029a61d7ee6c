#include "server/tls_files.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

absl::StatusOr<std::string> ReadPemFile(const char* key, const std::string& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream content;
  if (in) content << in.rdbuf();
  // A directory opens, but cannot be read.
  if (!in || in.bad() || content.str().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("tls.", key, ": cannot read ", file, ": ",
                     errno != 0 ? std::strerror(errno) : "the file is empty"));
  }
  return content.str();
}

BioPtr Reader(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
}

X509Ptr FirstCertificate(const std::string& pem) {
  return X509Ptr(PEM_read_bio_X509(Reader(pem).get(), nullptr, nullptr, nullptr), &X509_free);
}

// Without this, OpenSSL would ask for the passphrase on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::Status NotCertificate(const char* key, const std::string& file) {
  return absl::InvalidArgumentError(
      absl::StrCat("tls.", key, ": ", file, " holds no PEM certificate"));
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsFiles(const ServerConfig& config) {
  if (config.tls_cert_file.empty() && config.tls_key_file.empty()) {
    return absl::InvalidArgumentError("tls.client_ca_file: needs cert_file and key_file beside it");
  }
  if (config.tls_cert_file.empty() || config.tls_key_file.empty()) {
    return absl::InvalidArgumentError(config.tls_cert_file.empty()
                                          ? "tls.cert_file: is missing beside key_file"
                                          : "tls.key_file: is missing beside cert_file");
  }

  const absl::StatusOr<std::string> cert = ReadPemFile("cert_file", config.tls_cert_file);
  if (!cert.ok()) return cert.status();
  const absl::StatusOr<std::string> key = ReadPemFile("key_file", config.tls_key_file);
  if (!key.ok()) return key.status();

  const X509Ptr x509 = FirstCertificate(*cert);
  if (x509 == nullptr) return NotCertificate("cert_file", config.tls_cert_file);
  const KeyPtr private_key(
      PEM_read_bio_PrivateKey(Reader(*key).get(), nullptr, &NoPassphrase, nullptr), &EVP_PKEY_free);
  if (private_key == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("tls.key_file: ", config.tls_key_file,
                     " holds no PEM private key, or one that needs a passphrase"));
  }
  if (X509_check_private_key(x509.get(), private_key.get()) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("tls.key_file: the key in ", config.tls_key_file,
                                                   " does not belong to the certificate in ",
                                                   config.tls_cert_file));
  }

  TlsMaterial material{*cert, *key, /*client_ca=*/""};
  if (!config.tls_client_ca_file.empty()) {
    const absl::StatusOr<std::string> ca = ReadPemFile("client_ca_file", config.tls_client_ca_file);
    if (!ca.ok()) return ca.status();
    if (FirstCertificate(*ca) == nullptr) {
      return NotCertificate("client_ca_file", config.tls_client_ca_file);
    }
    material.client_ca = *ca;
  }
  return material;
}

}  // namespace intercom_extractor
