#include "clients/login/one_time_certificate.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdlib>

namespace intercom_extractor {
namespace {

constexpr long kSeconds = 3600;

void AddExtension(X509* x509, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value), &X509_EXTENSION_free);
  X509_add_ext(x509, extension.get(), -1);
}

}  // namespace

OneTimeCertificate MakeOneTimeCertificate() {
  OneTimeCertificate made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.x509.reset(X509_new());
  X509* x509 = made.x509.get();
  X509_set_version(x509, 2);
  // Browsers take offence at two certificates of one issuer with one number.
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) != 1) std::abort();
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -kSeconds);
  X509_gmtime_adj(X509_getm_notAfter(x509), kSeconds);
  X509_set_pubkey(x509, made.key.get());
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x509, name);
  AddExtension(x509, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
  AddExtension(x509, NID_ext_key_usage, "serverAuth");
  X509_sign(x509, made.key.get(), EVP_sha256());
  return made;
}

}  // namespace intercom_extractor
