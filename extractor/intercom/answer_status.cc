#include "extractor/intercom/answer_status.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "extractor/intercom/intercom_error.h"

namespace intercom_extractor {
namespace {

// Errors fit into this; a proxy's HTML page need not be read to its end.
constexpr size_t kMaxErrorBody = 64 << 10;
// Intercom's take some twenty bytes.
constexpr size_t kMaxRequestId = 200;

std::string ReadStart(const ResponseBody& body, size_t bytes) {
  std::string text(std::min(body.size(), bytes), '\0');
  const auto got = body.Read(0, text.data(), text.size());
  text.resize(got.ok() ? *got : 0);
  return text;
}

// Whether the body begins and ends as a JSON object or array does: tells an
// empty, an HTML and a cut body from a good one without parsing it.
bool LooksLikeJson(const ResponseBody& body) {
  constexpr size_t kEdge = 256;
  const std::string start = ReadStart(body, kEdge);
  std::string end(std::min(body.size(), kEdge), '\0');
  const auto got = body.Read(body.size() - end.size(), end.data(), end.size());
  if (!got.ok()) return false;
  const absl::string_view first = absl::StripLeadingAsciiWhitespace(start);
  const absl::string_view last = absl::StripTrailingAsciiWhitespace(end);
  if (first.empty() || last.empty()) return false;
  return (first.front() == '{' && last.back() == '}') ||
         (first.front() == '[' && last.back() == ']');
}

// Begins as a JSON text does and does not end so.
bool IsCutJson(const ResponseBody& body) {
  const std::string start = ReadStart(body, 1);
  return (start == "{" || start == "[") && !LooksLikeJson(body);
}

bool IsTransientStatus(int status) {
  return status == 408 || status == 425 || (status >= 500 && status != 501 && status != 505);
}

}  // namespace

Verdict JudgeAnswer(absl::string_view operation, absl::string_view access_token,
                    const absl::Status& transfer, int http_status, ApiAnswer* answer) {
  const auto without_token = [&](absl::string_view text) {
    return absl::StrReplaceAll(text, {{access_token, "[token]"}});
  };
  const auto fail = [&](absl::StatusCode code, absl::string_view reason, absl::string_view what) {
    answer->status =
        StatusWithReason(code, reason, without_token(absl::StrCat(operation, ": ", what)));
  };
  // Whatever stands in a header: it goes on into messages, which are UTF-8, and into
  // gRPC's metadata, where a long one would hide what happened.
  if (answer->request_id.size() > kMaxRequestId ||
      !std::all_of(answer->request_id.begin(), answer->request_id.end(),
                   [](unsigned char c) { return absl::ascii_isprint(c); })) {
    answer->request_id.clear();
  }
  answer->request_id = without_token(answer->request_id);

  if (!transfer.ok()) {
    switch (transfer.code()) {
      case absl::StatusCode::kCancelled:
        answer->status = transfer;
        return Verdict::kFinal;
      case absl::StatusCode::kResourceExhausted:
        fail(transfer.code(), "LOCAL_RESOURCES", transfer.message());
        return Verdict::kFinal;
      case absl::StatusCode::kFailedPrecondition:
        fail(transfer.code(), "INTERCOM_UNREACHABLE",
             absl::StrCat(transfer.message(),
                          "; check the base URL, the proxy variables and the certificate "
                          "authorities that are trusted (ca_file)"));
        return Verdict::kFinal;
      default:
        fail(absl::StatusCode::kUnavailable, "INTERCOM_UNREACHABLE", transfer.message());
        return Verdict::kTransient;
    }
  }

  if (http_status == 200) {
    if (LooksLikeJson(answer->body)) {
      answer->status = absl::OkStatus();
      return Verdict::kFinal;
    }
    fail(absl::StatusCode::kDataLoss, "ANSWER_MALFORMED",
         answer->body.size() == 0
             ? "HTTP 200 with an empty body"
             : absl::StrCat("HTTP 200 with ", answer->body.size(), " bytes that are no JSON text"));
    return Verdict::kTransient;
  }

  // Before it is parsed too: a long message is cut, maybe within the token.
  const IntercomError error =
      ParseIntercomError(without_token(ReadStart(answer->body, kMaxErrorBody)));
  if (!error.request_id.empty()) answer->request_id = error.request_id;
  std::string said = absl::StrCat("HTTP ", http_status);
  if (!error.code.empty()) absl::StrAppend(&said, " ", error.code);
  if (!error.message.empty()) absl::StrAppend(&said, " (", error.message, ")");
  if (!answer->request_id.empty()) absl::StrAppend(&said, ", request_id=", answer->request_id);

  if (http_status == 429) {
    // A 429 can mean another limit (pending exports); only the quota resets by
    // itself. Intercom's documents name two codes for it; a proxy's 429 has none.
    const bool quota = error.code.empty() || error.code == "rate_limit_exceeded" ||
                       error.code == "too_many_requests";
    fail(absl::StatusCode::kResourceExhausted, "RATE_LIMITED", said);
    return quota ? Verdict::kRateLimited : Verdict::kTransient;
  }
  if (error.code == "scroll_exists") {
    fail(absl::StatusCode::kAlreadyExists, "SCROLL_BUSY", said);
    return Verdict::kFinal;
  }
  if (http_status == 500 && absl::StrContains(error.message, "restart the scroll")) {
    fail(absl::StatusCode::kAborted, "SCROLL_BROKEN", said);
    return Verdict::kFinal;
  }
  if (IsTransientStatus(http_status)) {
    fail(absl::StatusCode::kUnavailable, "INTERCOM_FAILING", said);
    return Verdict::kTransient;
  }
  switch (http_status) {
    case 401:
      fail(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", said);
      return Verdict::kFinal;
    case 402:
      fail(absl::StatusCode::kPermissionDenied, "PLAN_RESTRICTED", said);
      return Verdict::kFinal;
    case 403:
      fail(absl::StatusCode::kPermissionDenied,
           error.code == "api_plan_restricted" ? "PLAN_RESTRICTED" : "SCOPE_MISSING", said);
      return Verdict::kFinal;
    case 404:
    case 410:
      fail(absl::StatusCode::kNotFound, "RECORD_GONE", said);
      return Verdict::kFinal;
    default:
      if (error.code.empty() && IsCutJson(answer->body)) {
        // What it would have said may be no error at all: that a scroll is to be waited for.
        fail(absl::StatusCode::kDataLoss, "ANSWER_MALFORMED",
             absl::StrCat(said, " with a body that ends early"));
        return Verdict::kTransient;
      }
      fail(absl::StatusCode::kInvalidArgument, "REQUEST_REJECTED", said);
      return Verdict::kFinal;
  }
}

bool IsOverload(const absl::Status& transfer, int http_status) {
  if (!transfer.ok()) return absl::IsDeadlineExceeded(transfer) || absl::IsUnavailable(transfer);
  return IsTransientStatus(http_status);
}

bool IsTooSlow(const absl::Status& transfer, bool sent, int http_status) {
  if (!transfer.ok()) return absl::IsDeadlineExceeded(transfer) && sent;
  // Not 500, a mistake at Intercom that a smaller page repeats, and not 503, which
  // says that nobody is served now. Nor a connection that breaks: an accident on the
  // way, and pages would shrink with every hiccup of the network.
  return http_status == 502 || http_status == 504 || http_status == 408;
}

}  // namespace intercom_extractor
