#include "server/certificate_source.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "extractor/sync/fake_clock.h"
#include "gtest/gtest.h"
#include "server/server_config.h"
#include "server/test_certificates.h"
#include "server/tls_files.h"

namespace intercom_extractor {
namespace {

class CertificateSourceTest : public ::testing::Test {
 protected:
  CertificateSourceTest() : first_(MakeTestCertificate()), second_(MakeTestCertificate()) {
    config_.tls_cert_file = WriteTestFile("source.crt", first_.certificate);
    config_.tls_key_file = WriteTestFile("source.key", first_.key);
    auto source = CertificateSource::Create(config_, &clock_);
    EXPECT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }

  // The certificate that TakeNew() gives; empty for nothing.
  std::string Take() {
    const std::optional<TlsMaterial> material = source_->TakeNew();
    return material.has_value() ? material->certificates : "";
  }
  void Wait() { clock_.Advance(CertificateSource::kLookAgainAfter); }

  const TestCertificate first_;
  const TestCertificate second_;
  FakeClock clock_;
  ServerConfig config_;
  std::unique_ptr<CertificateSource> source_;
};

TEST_F(CertificateSourceTest, GivesWhatItHasOnceAndThenOnlyWhatIsNew) {
  EXPECT_EQ(Take(), first_.certificate);
  Wait();
  EXPECT_EQ(Take(), "");
  WriteTestFile("source.crt", second_.certificate);
  WriteTestFile("source.key", second_.key);
  // Not at each of many connections.
  EXPECT_EQ(Take(), "");
  Wait();
  EXPECT_EQ(Take(), second_.certificate);
  Wait();
  EXPECT_EQ(Take(), "");
}

TEST_F(CertificateSourceTest, ACertificateWhoseKeyIsStillToComeWaitsForIt) {
  EXPECT_EQ(Take(), first_.certificate);
  WriteTestFile("source.crt", second_.certificate);
  Wait();
  EXPECT_EQ(Take(), "");
  WriteTestFile("source.key", second_.key);
  Wait();
  EXPECT_EQ(Take(), second_.certificate);
}

TEST_F(CertificateSourceTest, BrokenFilesLeaveWhatWasThere) {
  EXPECT_EQ(Take(), first_.certificate);
  for (const char* broken : {"", "nonsense"}) {
    WriteTestFile("source.crt", broken);
    Wait();
    EXPECT_EQ(Take(), "");
  }
  WriteTestFile("source.crt", first_.certificate);
  Wait();
  EXPECT_EQ(Take(), "") << "it is still the first";
}

TEST_F(CertificateSourceTest, LooksAtOnceWhenTold) {
  EXPECT_EQ(Take(), first_.certificate);
  WriteTestFile("source.crt", second_.certificate);
  WriteTestFile("source.key", second_.key);
  source_->LookNow();
  EXPECT_EQ(Take(), second_.certificate);
}

}  // namespace
}  // namespace intercom_extractor
