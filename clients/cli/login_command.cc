#include "clients/cli/login_command.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/output_file.h"
#include "clients/cli/private_file.h"
#include "clients/login/authorization.h"
#include "clients/login/redirect_listener.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "server/secrets.h"

namespace intercom_extractor {
namespace {

constexpr char kWhat[] = "the token file";
constexpr char kClientIdVariable[] = "INTERCOM_CLIENT_ID";
constexpr char kClientSecretVariable[] = "INTERCOM_CLIENT_SECRET";

// Between looks at whether the browser has come or the user wants an end.
constexpr int kStepMilliseconds = 100;
// No address is longer.
constexpr size_t kLongestLine = 16 << 10;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<OAuthApp> AppOf(const LoginOptions& options) {
  OAuthApp app;
  app.redirect_url = options.redirect_url;
  app.client_id = options.client_id.empty() ? Variable(kClientIdVariable) : options.client_id;
  if (app.client_id.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no client id: set ", kClientIdVariable,
                     " or give --client-id; it stands in Intercom's Developer Hub > your app > "
                     "Basic information"));
  }
  if (!options.client_secret_file.empty()) {
    auto secret = ReadSecretFile(options.client_secret_file);
    if (!secret.ok()) return secret.status();
    app.client_secret = *std::move(secret);
    return app;
  }
  app.client_secret = std::string(absl::StripAsciiWhitespace(Variable(kClientSecretVariable)));
  if (app.client_secret.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no client secret: set ", kClientSecretVariable,
                     " or give --client-secret-file; it stands beside the client id"));
  }
  return app;
}

bool IsFileName(absl::string_view name) {
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') {
      return false;
    }
  }
  return !name.empty() && name[0] != '.';
}

// Where the token of a connection is kept; makes the directory.
absl::StatusOr<std::string> DefaultTokenPath(const std::string& connection) {
  if (!IsFileName(connection)) {
    return absl::InvalidArgumentError(
        "--connection: a name of letters, digits, '-', '_' and '.'; or say where the token is to "
        "be kept: --access-token-file FILE");
  }
  std::string config = Variable("XDG_CONFIG_HOME");
  if (config.empty()) {
    const std::string home = Variable("HOME");
    if (home.empty()) {
      return absl::InvalidArgumentError(
          "HOME is not set; say where the token is to be kept: --access-token-file FILE");
    }
    config = home + "/.config";
  }
  std::error_code ignored;  // What cannot be made is an error of the next line.
  std::filesystem::create_directories(config, ignored);
  const std::string directory = config + "/intercom-extractor";
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return OutputError(absl::StrCat("make the directory ", directory), errno);
  }
  return absl::StrCat(directory, "/", connection, ".token");
}

absl::StatusOr<AuthorizationUrls> UrlsOf(const ConnectionOptions& options) {
  if (options.base_url.empty()) return UrlsOfRegion(options.region);
  Connection connection;
  connection.name = options.connection;
  connection.base_url = std::string(absl::StripSuffix(options.base_url, "/"));
  connection.access_token = "none-yet";
  // A secret is sent there.
  if (absl::Status usable = ValidateConnection(connection); !usable.ok()) return usable;
  return UrlsBelow(connection.base_url);
}

// What came of the addresses that a browser, or a person with one, has brought.
class Answers {
 public:
  explicit Answers(std::string state) : state_(std::move(state)) {}

  // Takes the first that is meant for this login; others are errors and change nothing.
  absl::Status Take(const std::string& address) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::StatusOr<std::string> code = CodeIn(address, state_);
    const absl::MutexLock lock(&mu_);
    const bool meant = code.ok() || absl::IsUnauthenticated(code.status());
    if (meant && !answer_.has_value()) answer_ = code;
    return code.status();
  }

  std::optional<absl::StatusOr<std::string>> answer() const ABSL_LOCKS_EXCLUDED(mu_) {
    const absl::MutexLock lock(&mu_);
    return answer_;
  }

 private:
  const std::string state_;
  mutable absl::Mutex mu_;
  std::optional<absl::StatusOr<std::string>> answer_ ABSL_GUARDED_BY(mu_);
};

// Lines of a descriptor, until its end.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}

  // The next line, if there is one within `milliseconds`.
  std::optional<std::string> Next(int milliseconds) {
    if (auto line = Take(); line.has_value()) return line;
    pollfd ready = {fd_, POLLIN, 0};  // A negative descriptor is never ready.
    if (poll(&ready, 1, milliseconds) <= 0) return std::nullopt;
    std::array<char, 4096> piece;
    const ssize_t got = read(fd_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) return std::nullopt;
    if (got <= 0) {
      fd_ = -1;
      if (!text_.empty()) text_ += '\n';  // The last line may come without its end.
      return Take();
    }
    text_.append(piece.data(), static_cast<size_t>(got));
    return Take();
  }

 private:
  // The first of the lines that have been read; one read may bring several.
  std::optional<std::string> Take() {
    const size_t end = text_.find('\n');
    if (end == std::string::npos && text_.size() < kLongestLine) return std::nullopt;
    std::string line(absl::StripAsciiWhitespace(text_.substr(0, end)));
    text_.erase(0, end == std::string::npos ? end : end + 1);
    return line;
  }

  int fd_;
  std::string text_;
};

Outcome Failed(const absl::Status& status) {
  return {absl::IsInvalidArgument(status) ? ExitCode::kUsage : ExitCodeForStatus(status),
          std::string(status.message())};
}

// The code that Intercom gave the browser.
absl::StatusOr<std::string> WaitForCode(const AuthorizationUrls& urls, OAuthApp* app,
                                        const LoginOptions& options, int input_fd,
                                        const Console& console, Cancellation* interrupt) {
  const std::string state = RandomState();
  Answers answers(state);
  std::unique_ptr<RedirectListener> listener;
  std::string waiting = "Then paste here the address that the browser ends at.";
  if (IsLoopbackUrl(app->redirect_url)) {
    auto started = RedirectListener::Start(app->redirect_url, [&](const std::string& address) {
      absl::Status taken = answers.Take(address);
      if (!taken.ok()) {
        console.err(absl::StrCat("A browser came to ", listener->url(), ": ",
                                 ForTerminal(taken.message()), ".\n"));
      }
      return taken;
    });
    if (!started.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--redirect-url ", app->redirect_url, ": ", started.status().message()));
    }
    listener = *std::move(started);
    app->redirect_url = listener->url();
    waiting = absl::StrCat(
        "Intercom then sends the browser to ", app->redirect_url, ".\n",
        absl::StartsWith(app->redirect_url, "https:")
            ? "It will warn of that page's certificate, which was made for this login.\n"
            : "",
        "Where that cannot be reached, paste here the address that the browser ends at.");
  }
  console.err(absl::StrCat("Open this address in a browser and authorize the app:\n\n  ",
                           AuthorizeUrl(urls, *app, state), "\n\n", waiting, "\n"));
  LineReader lines(input_fd);
  const absl::Time deadline = absl::Now() + options.timeout;
  for (;;) {
    if (const auto answer = answers.answer(); answer.has_value()) return *answer;
    if (interrupt->cancelled()) return absl::CancelledError("interrupted");
    if (absl::Now() > deadline) {
      return absl::UnauthenticatedError(absl::StrCat("no browser came within ",
                                                     absl::FormatDuration(options.timeout),
                                                     "; log in anew, or give a longer --timeout"));
    }
    const auto line = lines.Next(kStepMilliseconds);
    if (!line.has_value() || line->empty()) continue;
    if (absl::Status taken = answers.Take(*line); !taken.ok()) {
      console.err(absl::StrCat(ForTerminal(taken.message()), ".\n"));
    }
  }
}

std::string HowToUse(const LoginOptions& options) {
  const ConnectionOptions& connection = options.connection;
  std::string region;
  if (!connection.region.empty()) region = absl::StrCat(" --region ", connection.region);
  if (!connection.base_url.empty()) region = absl::StrCat(" --base-url ", connection.base_url);
  const std::string& file = connection.access_token_file;
  return absl::StrCat("The access token is in ", file, ", which only you can read. To use it:\n",
                      "  intercom-extract extract --access-token-file ", file, region,
                      " --template all --output out\n", "or in a server's configuration",
                      connection.region.empty() ? "" : " with region: " + connection.region,
                      ", as access_token_file: ", file, "\n\n");
}

}  // namespace

Outcome RunLogin(LoginOptions* options, int input_fd, const Console& console,
                 Cancellation* interrupt) {
  ConnectionOptions& connection = options->connection;
  auto app = AppOf(*options);
  if (!app.ok()) return Failed(app.status());
  const auto urls = UrlsOf(connection);
  if (!urls.ok()) return Failed(urls.status());
  std::string& file = connection.access_token_file;
  if (file.empty()) {
    auto path = DefaultTokenPath(connection.connection);
    if (!path.ok()) return Failed(path.status());
    file = *std::move(path);
  }
  if (file != "-") {
    // Before somebody has authorized something for nothing.
    if (absl::Status writable = CheckPrivateFile(kWhat, file); !writable.ok()) {
      return {ExitCode::kOutput, std::string(writable.message())};
    }
  }
  const auto code = WaitForCode(*urls, &*app, *options, input_fd, console, interrupt);
  if (interrupt->cancelled()) return {ExitCode::kInterrupted, "interrupted; nothing was stored"};
  if (!code.ok()) return Failed(code.status());
  HttpClient::Options http_options;
  http_options.ca_file = connection.ca_file;
  HttpClient http(http_options);
  const auto token = ExchangeCode(*urls, *app, *code, &http, interrupt);
  if (interrupt->cancelled()) return {ExitCode::kInterrupted, "interrupted; nothing was stored"};
  if (!token.ok()) return Failed(token.status());
  if (file == "-") {
    if (console.out(absl::StrCat(*token, "\n"))) return {};
    return {ExitCode::kOutput, "cannot write the access token to standard output"};
  }
  if (absl::Status stored = ReplacePrivateFile(kWhat, file, absl::StrCat(*token, "\n"));
      !stored.ok()) {
    return {ExitCode::kOutput, std::string(stored.message())};
  }
  console.err(HowToUse(*options));
  return {};
}

}  // namespace intercom_extractor
