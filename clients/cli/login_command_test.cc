#include "clients/cli/login_command.h"

#include <httplib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "planted-access-token";
constexpr char kSecret[] = "planted-client-secret";

class LoginCommandTest : public ::testing::Test {
 protected:
  LoginCommandTest() {
    unsetenv("INTERCOM_CLIENT_ID");
    unsetenv("INTERCOM_CLIENT_SECRET");
    WriteAll(directory_.Path("secret"), absl::StrCat(kSecret, "\n"));
    options_.client_id = "fake-client-id";
    options_.client_secret_file = directory_.Path("secret");
    options_.redirect_url = "http://127.0.0.1:0/callback";
    options_.connection.access_token_file = directory_.Path("token");
    fake_options_.access_token = kToken;
    fake_options_.oauth.client_secret = kSecret;
    EXPECT_EQ(pipe(input_), 0);
    console_.out = [this](absl::string_view text) {
      out_.append(text.data(), text.size());
      return true;
    };
    console_.err = [this](absl::string_view text) {
      err_.append(text.data(), text.size());
      const size_t begin = err_.find("  http");
      if (begin == std::string::npos || browser_.joinable() || !use_browser_) return;
      const std::string address = err_.substr(begin + 2, err_.find('\n', begin) - begin - 2);
      browser_ = std::thread([this, address] { use_browser_(address); });
    };
  }

  ~LoginCommandTest() override {
    if (browser_.joinable()) browser_.join();
    for (const int fd : input_) close(fd);
  }

  void StartFake() {
    fake::GeneratorOptions small;
    small.users = 3;
    intercom_ = std::make_unique<fake::FakeIntercom>(
        fake_options_, std::make_shared<fake::GeneratedWorkspace>(small));
    options_.connection.base_url = intercom_->base_url();
  }

  // Where Intercom sends a browser that opens `address`.
  std::string Authorize(const std::string& address) {
    httplib::Client browser(intercom_->base_url());
    const auto answer = browser.Get(address.substr(intercom_->base_url().size()));
    EXPECT_TRUE(answer && answer->status == 302) << address;
    return answer ? answer->get_header_value("Location") : "";
  }

  static int Open(const std::string& address) {
    const size_t path = address.find('/', address.find("//") + 2);
    const auto page = httplib::Client(address.substr(0, path)).Get(address.substr(path));
    return page ? page->status : 0;
  }

  void Paste(const std::string& text) {
    EXPECT_EQ(write(input_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  Outcome Run() {
    const Outcome outcome = RunLogin(&options_, input_[0], console_, &interrupt_);
    if (browser_.joinable()) browser_.join();
    for (const std::string& text : {out_, err_, outcome.message}) {
      EXPECT_THAT(text, Not(HasSubstr(kSecret)));
    }
    for (const std::string& text : {err_, outcome.message}) {
      EXPECT_THAT(text, Not(HasSubstr(kToken)));
    }
    return outcome;
  }

  int Exchanges() { return intercom_->stats().by_route["POST /auth/eagle/token"]; }

  TestDirectory directory_;
  fake::FakeIntercomOptions fake_options_;
  std::unique_ptr<fake::FakeIntercom> intercom_;
  LoginOptions options_;
  // Opens the address that the command printed.
  std::function<void(const std::string&)> use_browser_ = [this](const std::string& address) {
    EXPECT_EQ(Open(Authorize(address)), 200);
  };
  std::thread browser_;
  int input_[2];
  Console console_;
  Cancellation interrupt_;
  std::string out_;
  std::string err_;
};

TEST_F(LoginCommandTest, TheTokenIsInAFileThatOnlyItsOwnerReads) {
  WriteAll(directory_.Path("token"), "older");
  chmod(directory_.Path("token").c_str(), 0644);
  StartFake();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_EQ(ReadAll(directory_.Path("token")), absl::StrCat(kToken, "\n"));
  struct stat info;
  ASSERT_EQ(stat(directory_.Path("token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_THAT(err_, HasSubstr(absl::StrCat("--access-token-file ", directory_.Path("token"))));
}

TEST_F(LoginCommandTest, WithoutAFileItIsKeptUnderTheConnectionsName) {
  setenv("XDG_CONFIG_HOME", directory_.Path("config").c_str(), 1);
  options_.connection.access_token_file = "";
  options_.connection.connection = "acme";
  StartFake();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  const std::string path = directory_.Path("config/intercom-extractor/acme.token");
  EXPECT_EQ(options_.connection.access_token_file, path);
  EXPECT_EQ(ReadAll(path), absl::StrCat(kToken, "\n"));

  options_.connection.access_token_file = "";
  options_.connection.connection = "../acme";
  EXPECT_EQ(Run().code, ExitCode::kUsage);
  unsetenv("XDG_CONFIG_HOME");
}

TEST_F(LoginCommandTest, OnStandardOutputThereIsTheTokenAlone) {
  options_.connection.access_token_file = "-";
  StartFake();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(out_, absl::StrCat(kToken, "\n"));
}

TEST_F(LoginCommandTest, TheAddressCanBePastedWhereTheBrowserCannotReachThisMachine) {
  options_.redirect_url = "https://etl.example/callback";
  use_browser_ = [this](const std::string& address) {
    Paste("what?\n");
    Paste(absl::StrCat(Authorize(address), "\n"));
  };
  StartFake();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_EQ(ReadAll(directory_.Path("token")), absl::StrCat(kToken, "\n"));
  EXPECT_THAT(err_, HasSubstr("no address with a code"));
}

TEST_F(LoginCommandTest, LinesThatOneReadBringsAreAllLookedAt) {
  options_.redirect_url = "https://etl.example/callback";
  use_browser_ = [this](const std::string& address) {
    Paste(absl::StrCat("what?\n\n", Authorize(address), "\n"));
  };
  StartFake();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_THAT(err_, HasSubstr("no address with a code"));
}

TEST_F(LoginCommandTest, TheLastPastedLineNeedsNoEnd) {
  options_.redirect_url = "https://etl.example/callback";
  use_browser_ = [this](const std::string& address) {
    Paste(Authorize(address));
    close(input_[1]);
    input_[1] = -1;
  };
  StartFake();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
}

TEST_F(LoginCommandTest, AnAnswerWithAnotherStateIsRefusedAndChangesNothing) {
  use_browser_ = [this](const std::string& address) {
    const std::string right = Authorize(address);
    const std::string forged = right.substr(0, right.find("&state=")) + "&state=forged";
    EXPECT_EQ(Open(forged), 400);
    EXPECT_EQ(Open(right.substr(0, right.find('?')) + "?error=access_denied&state=forged"), 400);
    EXPECT_EQ(Exchanges(), 0);
    EXPECT_EQ(Open(right), 200);
  };
  StartFake();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_EQ(Exchanges(), 1);
  EXPECT_THAT(err_, HasSubstr("state differs"));
}

TEST_F(LoginCommandTest, WhoRefusesInIntercomStoresNothing) {
  fake_options_.oauth.denied = true;
  use_browser_ = [this](const std::string& address) { EXPECT_EQ(Open(Authorize(address)), 400); };
  StartFake();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kAuthentication);
  EXPECT_THAT(outcome.message, HasSubstr("access_denied"));
  EXPECT_FALSE(Exists(directory_.Path("token")));
}

TEST_F(LoginCommandTest, AWrongSecretIsAClearError) {
  fake_options_.oauth.client_secret = "another";
  StartFake();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kAuthentication);
  EXPECT_THAT(outcome.message, HasSubstr("status 401 (Unauthorized Client); check client id"));
  EXPECT_FALSE(Exists(directory_.Path("token")));
}

TEST_F(LoginCommandTest, FailuresOfIntercomAreNotThoseOfTheUser) {
  StartFake();
  use_browser_ = [this](const std::string& address) {
    const std::string redirected = Authorize(address);
    intercom_.reset();
    EXPECT_EQ(Open(redirected), 200);
  };
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable) << outcome.message;
  EXPECT_FALSE(Exists(directory_.Path("token")));
}

TEST_F(LoginCommandTest, ItDoesNotWaitForever) {
  use_browser_ = nullptr;
  options_.timeout = absl::Milliseconds(1);
  StartFake();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kAuthentication);
  EXPECT_THAT(outcome.message, HasSubstr("no browser came within 1ms"));
}

TEST_F(LoginCommandTest, ItEndsWhenItIsInterrupted) {
  use_browser_ = [this](const std::string&) { interrupt_.Cancel(); };
  StartFake();
  EXPECT_EQ(Run().code, ExitCode::kInterrupted);
  EXPECT_FALSE(Exists(directory_.Path("token")));
}

TEST_F(LoginCommandTest, WhatCannotWorkIsSaidBeforeSomebodyAuthorizesIt) {
  StartFake();
  const LoginOptions good = options_;
  const auto refused = [&](ExitCode code, const char* message) {
    const Outcome outcome = Run();
    EXPECT_EQ(outcome.code, code) << outcome.message;
    EXPECT_THAT(outcome.message, HasSubstr(message));
    EXPECT_EQ(err_, "");
    options_ = good;
  };
  options_.client_id = "";
  refused(ExitCode::kUsage, "INTERCOM_CLIENT_ID");
  options_.client_secret_file = "";
  refused(ExitCode::kUsage, "INTERCOM_CLIENT_SECRET");
  options_.client_secret_file = directory_.Path("missing");
  refused(ExitCode::kUsage, "missing");
  options_.connection.base_url = "http://intercom.example";
  refused(ExitCode::kUsage, "plain http is only for the loopback");
  options_.connection.access_token_file = directory_.Path("no/such/token");
  refused(ExitCode::kOutput, "no/such/token");
  options_.redirect_url = intercom_->base_url() + "/callback";
  refused(ExitCode::kUsage, "another program listens there");
}

}  // namespace
}  // namespace intercom_extractor
