#include "server/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <fstream>
#include <memory>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

BioPtr Reader(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
}

template <typename Write>
std::string Pem(Write write) {
  const BioPtr out(BIO_new(BIO_s_mem()), &BIO_free);
  write(out.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

void AddExtension(X509* x509, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TestCertificate MakeTestCertificate(const TestCertificateOptions& options) {
  const KeyPtr key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const X509Ptr x509(X509_new(), &X509_free);
  X509_set_version(x509.get(), 2);
  static std::atomic<int> serial{0};
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), options.expired ? -7200 : -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()), options.expired ? -3600 : 3600);
  X509_set_pubkey(x509.get(), key.get());
  X509_NAME* name = X509_get_subject_name(x509.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                             -1, -1, 0);
  if (!options.alternative_names.empty()) {
    AddExtension(x509.get(), NID_subject_alt_name, options.alternative_names.c_str());
  }
  AddExtension(x509.get(), NID_basic_constraints,
               options.issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (options.issuer == nullptr) {
    X509_set_issuer_name(x509.get(), name);
    X509_sign(x509.get(), key.get(), EVP_sha256());
  } else {
    const X509Ptr issuer(
        PEM_read_bio_X509(Reader(options.issuer->certificate).get(), nullptr, nullptr, nullptr),
        &X509_free);
    const KeyPtr issuer_key(
        PEM_read_bio_PrivateKey(Reader(options.issuer->key).get(), nullptr, nullptr, nullptr),
        &EVP_PKEY_free);
    X509_set_issuer_name(x509.get(), X509_get_subject_name(issuer.get()));
    X509_sign(x509.get(), issuer_key.get(), EVP_sha256());
  }

  TestCertificate result;
  result.certificate = Pem([&](BIO* out) { PEM_write_bio_X509(out, x509.get()); });
  result.key = Pem([&](BIO* out) {
    PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return result;
}

std::string WriteTestFile(const std::string& name, const std::string& content) {
  const std::string file = ::testing::TempDir() + "/" + name;
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

}  // namespace intercom_extractor
