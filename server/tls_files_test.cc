#include "server/tls_files.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/test_certificates.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() : certificate_(MakeTestCertificate()) {
    config_.tls_cert_file = WriteTestFile("good.crt", certificate_.certificate);
    config_.tls_key_file = WriteTestFile("good.key", certificate_.key);
  }

  std::string Error() const {
    const auto material = ReadTlsFiles(config_);
    EXPECT_EQ(material.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(material.status().message());
  }

  const TestCertificate certificate_;
  ServerConfig config_;
};

TEST_F(TlsFilesTest, TakesAPairWithAndWithoutClientAuthority) {
  auto material = ReadTlsFiles(config_);
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_EQ(material->certificates, certificate_.certificate);
  EXPECT_EQ(material->private_key, certificate_.key);
  EXPECT_EQ(material->client_ca, "");
  config_.tls_client_ca_file = config_.tls_cert_file;
  material = ReadTlsFiles(config_);
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_EQ(material->client_ca, certificate_.certificate);
}

TEST_F(TlsFilesTest, HalfAPairIsAnError) {
  config_.tls_key_file.clear();
  EXPECT_EQ(Error(), "tls.key_file: is missing beside cert_file");
  config_.tls_cert_file.clear();
  config_.tls_client_ca_file = "ca.crt";
  EXPECT_EQ(Error(), "tls.client_ca_file: needs cert_file and key_file beside it");
  config_.tls_key_file = "a.key";
  EXPECT_EQ(Error(), "tls.cert_file: is missing beside key_file");
}

TEST_F(TlsFilesTest, UnreadableFilesAreNamed) {
  config_.tls_cert_file = "/nonexistent.crt";
  EXPECT_EQ(Error(), "tls.cert_file: cannot read /nonexistent.crt: No such file or directory");
  config_.tls_cert_file = ::testing::TempDir();
  EXPECT_THAT(Error(), HasSubstr("tls.cert_file: cannot read "));
  config_.tls_cert_file = WriteTestFile("empty.crt", "");
  EXPECT_THAT(Error(), HasSubstr("the file is empty"));
}

TEST_F(TlsFilesTest, FilesOfTheWrongKindAreNamed) {
  config_.tls_cert_file = WriteTestFile("not.crt", certificate_.key);
  EXPECT_THAT(Error(), HasSubstr("not.crt holds no PEM certificate"));
  config_.tls_cert_file = WriteTestFile("good.crt", certificate_.certificate);
  config_.tls_key_file = WriteTestFile("not.key", certificate_.certificate);
  EXPECT_THAT(Error(), HasSubstr("not.key holds no PEM private key"));
  config_.tls_key_file = WriteTestFile("other.key", MakeTestCertificate().key);
  EXPECT_THAT(Error(), HasSubstr("does not belong to the certificate"));
  config_.tls_key_file = WriteTestFile("good.key", certificate_.key);
  config_.tls_client_ca_file = WriteTestFile("not-ca.crt", "nonsense");
  EXPECT_THAT(Error(), HasSubstr("tls.client_ca_file: "));
}

}  // namespace
}  // namespace intercom_extractor
