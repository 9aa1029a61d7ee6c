#ifndef SERVER_TEST_CERTIFICATES_H_
#define SERVER_TEST_CERTIFICATES_H_

#include <string>

namespace intercom_extractor {

// PEM texts of a certificate and its key.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

struct TestCertificateOptions {
  std::string common_name = "localhost";
  // As OpenSSL writes them; empty: none.
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";
  bool expired = false;
  // Who signs it; null: it does so itself. Kept by the caller.
  const TestCertificate* issuer = nullptr;
};

// A fresh certificate. Signed by itself, it can stand for a server, a client and, as its own
// authority, for both.
TestCertificate MakeTestCertificate(const TestCertificateOptions& options = {});

// Writes a file into the test's directory and returns its path.
std::string WriteTestFile(const std::string& name, const std::string& content);

}  // namespace intercom_extractor

#endif  // SERVER_TEST_CERTIFICATES_H_
