#ifndef SERVER_TEST_CERTIFICATES_H_
#define SERVER_TEST_CERTIFICATES_H_

#include <string>

namespace intercom_extractor {

// PEM texts of a fresh, self-signed certificate for "localhost" and its key. It
// can stand for a server, a client and, as its own authority, for both.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

TestCertificate MakeTestCertificate();

// Writes a file into the test's directory and returns its path.
std::string WriteTestFile(const std::string& name, const std::string& content);

}  // namespace intercom_extractor

#endif  // SERVER_TEST_CERTIFICATES_H_
