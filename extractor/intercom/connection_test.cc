#include "extractor/intercom/connection.h"

#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr char kToken[] = "dG9rOjEyMzQ1Njc4OTA=";

Connection Good() {
  Connection connection;
  connection.name = "acme";
  connection.access_token = kToken;
  return connection;
}

// Says how ValidateConnection() refuses; empty when it does not.
std::string Refusal(const Connection& connection) {
  const absl::Status status = ValidateConnection(connection);
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  if (!connection.access_token.empty()) {
    EXPECT_FALSE(absl::StrContains(status.message(), connection.access_token)) << status;
  }
  EXPECT_FALSE(absl::StrContains(status.message(), kToken)) << status;
  return std::string(status.message());
}

std::string UrlRefusal(const std::string& base_url) {
  Connection connection = Good();
  connection.base_url = base_url;
  return Refusal(connection);
}

TEST(RegionBaseUrlTest, KnowsTheThreeRegionsInAnyCase) {
  EXPECT_EQ(RegionBaseUrl("us").value_or(""), "https://api.intercom.io");
  EXPECT_EQ(RegionBaseUrl("EU").value_or(""), "https://api.eu.intercom.io");
  EXPECT_EQ(RegionBaseUrl("Au").value_or(""), "https://api.au.intercom.io");
}

TEST(RegionBaseUrlTest, NamesTheRegionsWhenItIsAnother) {
  for (const char* region : {"", "uk", "us ", "https://api.intercom.io"}) {
    const auto url = RegionBaseUrl(region);
    ASSERT_FALSE(url.ok()) << region;
    EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(url.status().message(), "us, eu or au"));
  }
}

TEST(ConnectionTest, RegionsAndTheLoopbackAreGood) {
  EXPECT_EQ(Refusal(Good()), "");
  for (const char* url :
       {"https://api.eu.intercom.io", "https://api.au.intercom.io", "https://proxy.example:8443",
        "http://127.0.0.1", "http://127.0.0.1:8080", "http://127.255.255.254:1", "http://localhost",
        "http://localhost:8080", "http://[::1]", "http://[::1]:8080"}) {
    EXPECT_EQ(UrlRefusal(url), "") << url;
  }
}

TEST(ConnectionTest, PlainHttpIsForTheLoopbackOnly) {
  for (const char* url :
       {"http://api.intercom.io", "http://api.intercom.io:80", "http://127.0.0.1.example.com",
        "http://127.0.0.1.example.com:8080", "http://127.example.com", "http://127.0.0.example",
        "http://localhost.example.com", "http://128.0.0.1", "http://10.0.0.1", "http://127.0.0",
        "http://127.0.0.1.2", "http://127.0.0.256", "http://127.0.0.-1", "http://127.0.0.+1",
        "http://0.0.0.0", "http://[::1].example.com", "http://[::1]example.com",
        "http://[::2]:8080", "http://xlocalhost"}) {
    EXPECT_TRUE(absl::StrContains(UrlRefusal(url), "loopback")) << url << ": " << UrlRefusal(url);
  }
}

TEST(ConnectionTest, BaseUrlIsASchemeAndAHostAndNothingMore) {
  for (const char* url :
       {"https://", "http://", "http://:8080", "https://:443", "https://api.intercom.io/",
        "https://api.intercom.io/v2", "https://api.intercom.io?a=b", "https://api.intercom.io#a",
        "https://user@api.intercom.io", "https://user:secret@api.intercom.io",
        "http://127.0.0.1@example.com", "http://localhost:8080@example.com", "http://localhost/../",
        "https://api intercom.io"}) {
    EXPECT_TRUE(absl::StrContains(UrlRefusal(url), "https://HOST"))
        << url << ": " << UrlRefusal(url);
  }
  for (const char* url : {"", "api.intercom.io", "HTTPS://api.intercom.io", "ftp://localhost",
                          "//api.intercom.io", " https://api.intercom.io"}) {
    EXPECT_TRUE(absl::StrContains(UrlRefusal(url), "begin with https://")) << url;
  }
}

TEST(ConnectionTest, UserInformationIsNotRepeated) {
  EXPECT_FALSE(absl::StrContains(UrlRefusal("https://user:secret@api.intercom.io"), "secret"));
}

TEST(ConnectionTest, RefusalNamesTheConnection) {
  EXPECT_TRUE(absl::StrContains(UrlRefusal("nowhere"), "connection acme"));
  Connection connection = Good();
  connection.name.clear();
  EXPECT_TRUE(absl::StrContains(Refusal(connection), "name"));
}

TEST(ConnectionTest, TokenMustFitIntoAHeader) {
  Connection connection = Good();
  connection.access_token.clear();
  EXPECT_TRUE(absl::StrContains(Refusal(connection), "INTERCOM_ACCESS_TOKEN"));
  for (const std::string& bad :
       {absl::StrCat(kToken, "\n"), absl::StrCat(kToken, "\r\nX-Evil: 1"),
        absl::StrCat(" ", kToken), absl::StrCat(kToken, "\t"), kToken + std::string(1, '\0'),
        absl::StrCat(kToken, "\x7f"), absl::StrCat(kToken, "\xc3\xa4")}) {
    connection.access_token = bad;
    EXPECT_TRUE(absl::StrContains(Refusal(connection), "access token")) << bad;
  }
}

TEST(ConnectionTest, VersionMustFitIntoAHeader) {
  Connection connection = Good();
  for (const char* bad : {"2.16\r\nX-Evil: 1", "2 16", "2.16\n"}) {
    connection.api_version = bad;
    EXPECT_TRUE(absl::StrContains(Refusal(connection), "api_version")) << bad;
  }
}

TEST(ConnectionTest, ReserveIsAShareBelowOne) {
  Connection connection = Good();
  for (const double good : {0.0, 0.1, 0.5, 0.999}) {
    connection.quota_reserve = good;
    EXPECT_EQ(Refusal(connection), "") << good;
  }
  for (const double bad : {-0.1, 1.0, 10.0, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    connection.quota_reserve = bad;
    EXPECT_TRUE(absl::StrContains(Refusal(connection), "quota_reserve")) << bad;
  }
}

}  // namespace
}  // namespace intercom_extractor
