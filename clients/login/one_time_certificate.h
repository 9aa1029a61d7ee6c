#ifndef CLIENTS_LOGIN_ONE_TIME_CERTIFICATE_H_
#define CLIENTS_LOGIN_ONE_TIME_CERTIFICATE_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

namespace intercom_extractor {

// A certificate of localhost that signs itself, and its key, in memory only.
struct OneTimeCertificate {
  std::unique_ptr<X509, decltype(&X509_free)> x509{nullptr, &X509_free};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{nullptr, &EVP_PKEY_free};
};

// Valid for an hour.
OneTimeCertificate MakeOneTimeCertificate();

}  // namespace intercom_extractor

#endif  // CLIENTS_LOGIN_ONE_TIME_CERTIFICATE_H_
