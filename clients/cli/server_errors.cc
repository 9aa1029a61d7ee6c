#include "clients/cli/server_errors.h"

#include "absl/strings/str_cat.h"
#include "clients/cli/console.h"
#include "clients/cpp/errors.h"

namespace intercom_extractor {
namespace {

// The server's message as part of a sentence.
std::string Quoted(const absl::Status& status) {
  const std::string message = ForTerminal(status.message());
  return message.empty() ? absl::StrCat("code ", static_cast<int>(status.code())) : message;
}

std::string ServerName(const ConnectionOptions& options) {
  return options.embedded() ? "the embedded server" : absl::StrCat("server ", options.server);
}

std::string DescribeTokenRefused(const absl::Status& status, const ConnectionOptions& options) {
  return absl::StrCat("Intercom refused the access token of connection ", options.connection, " (",
                      Quoted(status), "); create a new token in the Developer Hub and ",
                      HowToGiveToken(options));
}

std::string DescribeUnavailable(const absl::Status& status, const std::string& reason,
                                const ConnectionOptions& options) {
  if (!reason.empty()) {
    return absl::StrCat("Intercom cannot be reached: ", Quoted(status),
                        "; check the network, proxy and region, then run again");
  }
  if (options.embedded()) return absl::StrCat("the embedded server broke off: ", Quoted(status));
  return absl::StrCat("cannot reach ", ServerName(options), ": ", Quoted(status),
                      "; check that it runs and that --server and --ca-file are right");
}

}  // namespace

std::string HowToGiveToken(const ConnectionOptions& options) {
  if (!options.embedded()) return absl::StrCat("give it to ", ServerName(options));
  if (!options.config.empty()) {
    return absl::StrCat("put it where ", options.config, " says for that connection");
  }
  if (!options.access_token_file.empty()) {
    return absl::StrCat("write it to ", options.access_token_file);
  }
  return "set INTERCOM_ACCESS_TOKEN";
}

Outcome DescribeServerError(const absl::Status& status, const ConnectionOptions& options) {
  const std::string reason = ErrorReason(status);
  Outcome outcome;
  outcome.code = ExitCodeForStatus(status);
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      // Without a server in between, only Intercom can refuse a token.
      outcome.message =
          reason == "TOKEN_INVALID" || options.embedded()
              ? DescribeTokenRefused(status, options)
              : absl::StrCat(ServerName(options), " refused this caller (", Quoted(status),
                             "); show it who you are with --caller-token-file, or --cert-file "
                             "and --key-file");
      return outcome;
    case absl::StatusCode::kPermissionDenied:
      if (reason == "CONNECTION_FORBIDDEN" || reason == "TABLE_FORBIDDEN") {
        outcome.message = absl::StrCat(Quoted(status), "; ask whoever runs ", ServerName(options),
                                       " for the permission");
        return outcome;
      }
      outcome.message = absl::StrCat(Quoted(status), "; ask whoever runs ", ServerName(options),
                                     " or owns the access token for the permission");
      return outcome;
    case absl::StatusCode::kNotFound:
      outcome.message = absl::StrCat(Quoted(status), "; choose another with --connection");
      return outcome;
    case absl::StatusCode::kFailedPrecondition:
      if (RefusesResumeToken(status)) {
        outcome.message =
            absl::StrCat(ServerName(options), " cannot continue this run: ", Quoted(status),
                         "; run without --resume to begin anew");
        return outcome;
      }
      outcome.message = Quoted(status);
      return outcome;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      outcome.message = Quoted(status);
      return outcome;
    case absl::StatusCode::kUnimplemented:
      outcome.message = absl::StrCat(ServerName(options), " does not know this call (",
                                     Quoted(status), "); update it to this program's version");
      return outcome;
    case absl::StatusCode::kResourceExhausted:
      if (reason == "CALLER_LIMIT") {
        // It says itself when to come back.
        outcome.message =
            absl::StrCat(ServerName(options), " does no more for now: ", Quoted(status));
        return outcome;
      }
      break;
    case absl::StatusCode::kUnavailable:
      outcome.message = DescribeUnavailable(status, reason, options);
      return outcome;
    case absl::StatusCode::kDeadlineExceeded:
      outcome.message = absl::StrCat(ServerName(options), " did not answer in time (",
                                     Quoted(status), "); run again");
      return outcome;
    default:
      break;
  }
  outcome.message = absl::StrCat(ServerName(options), " failed: ", Quoted(status),
                                 "; run again, and report it if it stays");
  return outcome;
}

Outcome CallOutcome(const absl::Status& status, const Cancellation& interrupt,
                    const ConnectionOptions& options) {
  if (interrupt.cancelled()) return {ExitCode::kInterrupted, "interrupted"};
  return DescribeServerError(status, options);
}

}  // namespace intercom_extractor
