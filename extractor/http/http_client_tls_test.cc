#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/http/http_client.h"
#include "extractor/sync/inbox.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

struct Release {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// A certificate that signs itself, for one `name` such as "IP:127.0.0.1".
class Certificate {
 public:
  explicit Certificate(const std::string& name)
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    constexpr long kHour = 3600;  // NOLINT(google-runtime-int): OpenSSL's type.
    X509* const x509 = certificate_.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -kHour);
    X509_gmtime_adj(X509_getm_notAfter(x509), kHour);
    X509_set_pubkey(x509, key_.get());
    X509_NAME* const subject = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509, subject);
    Extend(NID_subject_alt_name, name);
    Extend(NID_basic_constraints, "critical,CA:TRUE");
    EXPECT_GT(X509_sign(x509, key_.get(), EVP_sha256()), 0);
  }

  // A file that holds it.
  std::string Save(const std::string& name) const {
    const std::string path = absl::StrCat(testing::TempDir(), "/", name);
    std::FILE* file = std::fopen(path.c_str(), "w");
    EXPECT_NE(file, nullptr);
    EXPECT_EQ(PEM_write_X509(file, certificate_.get()), 1);
    std::fclose(file);
    return path;
  }

  X509* certificate() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  void Extend(int extension, const std::string& value) {
    X509_EXTENSION* added = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
    EXPECT_EQ(X509_add_ext(certificate_.get(), added, -1), 1);
    X509_EXTENSION_free(added);
  }

  const std::unique_ptr<EVP_PKEY, Release> key_;
  const std::unique_ptr<X509, Release> certificate_;
};

class TlsServer {
 public:
  explicit TlsServer(const Certificate& certificate)
      : server_(certificate.certificate(), certificate.key()) {
    server_.Get("/me", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("{}", "application/json");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  // At least one client must have connected: httplib forgets a stop() before it
  // has begun to listen.
  ~TlsServer() {
    server_.stop();
    thread_.join();
  }

  std::string Url() const { return absl::StrCat("https://127.0.0.1:", port_, "/me"); }

 private:
  httplib::SSLServer server_;
  int port_ = 0;
  std::thread thread_;
};

HttpResponse Fetch(const std::string& url, const std::string& ca_file) {
  HttpClient::Options options;
  options.ca_file = ca_file;
  HttpClient client(options);
  Inbox<HttpResponse> responses;
  HttpRequest request;
  request.url = url;
  client.Start(std::move(request),
               [&responses](HttpResponse response) { responses.Put(std::move(response)); });
  return responses.Take();
}

TEST(HttpClientTlsTest, UntrustedCertificateIsFailedPrecondition) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate);
  const HttpResponse response = Fetch(server.Url(), "");
  EXPECT_EQ(response.status.code(), absl::StatusCode::kFailedPrecondition) << response.status;
  EXPECT_FALSE(response.sent) << "the token must not have left";
}

TEST(HttpClientTlsTest, CertificateOfTheCaFileIsTrusted) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate);
  HttpResponse response = Fetch(server.Url(), certificate.Save("trusted.pem"));
  EXPECT_EQ(response.status, absl::OkStatus());
  EXPECT_EQ(response.status_code, 200);
  EXPECT_EQ(response.body.text(), "{}");
}

TEST(HttpClientTlsTest, TrustedCertificateOfAnotherHostIsFailedPrecondition) {
  const Certificate certificate("DNS:api.intercom.io");
  const TlsServer server(certificate);
  const HttpResponse response = Fetch(server.Url(), certificate.Save("other.pem"));
  EXPECT_EQ(response.status.code(), absl::StatusCode::kFailedPrecondition) << response.status;
  EXPECT_FALSE(response.sent);
}

TEST(HttpClientTlsTest, MissingCaFileIsFailedPrecondition) {
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate);
  const std::string trusted = certificate.Save("trusted.pem");
  EXPECT_EQ(Fetch(server.Url(), absl::StrCat(trusted, ".missing")).status.code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Fetch(server.Url(), trusted).status, absl::OkStatus());
}

TEST(HttpClientTlsTest, LoopbackIgnoresTheProxyOfHttps) {
  setenv("https_proxy", "http://127.0.0.1:1", 1);
  const Certificate certificate("IP:127.0.0.1");
  const TlsServer server(certificate);
  const HttpResponse response = Fetch(server.Url(), certificate.Save("proxy.pem"));
  unsetenv("https_proxy");
  EXPECT_EQ(response.status, absl::OkStatus());
}

}  // namespace
}  // namespace intercom_extractor
