// What is around Intercom's records: envelopes and the windows that follow them, the
// quota's headers, error bodies. A byte says which.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "extractor/http/response_body.h"
#include "extractor/intercom/answer_status.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/intercom/intercom_error.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/workspace.h"
#include "extractor/quota/quota_governor.h"
#include "extractor/quota/rate_limit_headers.h"
#include "extractor/sync/fake_clock.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/reference_json.h"
#include "extractor/tables/shape.h"
#include "tests/fuzz/input_bytes.h"
#include "tests/fuzz/json_facts.h"
#include "tests/fuzz/require.h"

namespace intercom_extractor::fuzz {
namespace {

using Type = ReferenceJson::Type;

// Nobody's.
constexpr absl::string_view kToken = "dG9rOjEyMzQ1Njc4OTA";

// Texts that are no plain integers are the converter's business, and compared there.
bool IsPlainInteger(absl::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  if (text.empty()) return false;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

void RequireInteger(const ReferenceJson* json, std::optional<int64_t> value, const char* what) {
  if (json == nullptr) return Require(!value.has_value(), what);
  if (json->type != Type::kNumber && json->type != Type::kString) {
    return Require(!value.has_value(), what, std::string(json->raw));
  }
  const std::string text = json->type == Type::kString ? json->string : std::string(json->raw);
  if (!IsPlainInteger(text)) return;
  errno = 0;
  const int64_t expected = std::strtoll(text.c_str(), nullptr, 10);
  const bool is_count = errno == 0 && expected >= 0 && expected <= 1'000'000'000'000;
  Require(is_count ? value == expected : !value.has_value(), what, text);
}

const ReferenceJson* FindIn(const ReferenceJson* json, absl::string_view key) {
  return json == nullptr || json->type != Type::kObject ? nullptr
                                                        : json->Find({key.data(), key.size()});
}

// Whether two values have one of the envelope's keys: what they mean is nobody's promise.
bool IsAmbiguous(const ReferenceJson& json) {
  static const auto* const keys = new std::set<std::string>{
      "data",        "companies",   "pages",          "next",        "page",
      "total_pages", "total_count", "starting_after", "scroll_param"};
  return RepeatsKey(json, *keys);
}

void CheckEnvelope(const PageInfo& info, const ReferenceJson& json) {
  const ReferenceJson* const pages = FindIn(&json, "pages");
  const ReferenceJson* const next = FindIn(pages, "next");
  RequireInteger(FindIn(&json, "total_count"), info.total_count, "total_count is as it says");
  RequireInteger(FindIn(pages, "page"), info.page, "pages.page is as it says");
  RequireInteger(FindIn(pages, "total_pages"), info.total_pages, "pages.total_pages, too");
  const ReferenceJson* const scroll = FindIn(&json, "scroll_param");
  Require(info.scroll_param == (scroll != nullptr && scroll->type == Type::kString
                                    ? std::optional<std::string>(scroll->string)
                                    : std::nullopt),
          "scroll_param is as it says");
  if (next == nullptr || next->type == Type::kNull) {
    Require(!info.next_page.has_value() && !info.next_starting_after.has_value(),
            "without a next page there is none");
  }
  if (next == nullptr || next->type != Type::kObject) return;
  RequireInteger(FindIn(next, "page"), info.next_page, "pages.next.page is as it says");
  const ReferenceJson* const cursor = FindIn(next, "starting_after");
  const bool has_cursor =
      cursor != nullptr && cursor->type == Type::kString && !cursor->string.empty();
  Require(info.next_starting_after ==
              (has_cursor ? std::optional<std::string>(cursor->string) : std::nullopt),
          "the cursor is as it says");
}

void CheckPage(absl::string_view text) {
  Shape shape;
  const ValueRef id = shape.AddValue(-1, "id");
  PageReader reader({"data", "companies"}, "", &shape);
  std::vector<std::string> ids;
  const auto on_record = [&](const PageReader::Record& record) {
    ids.emplace_back(record.values->Get(shape, id, 0).text);
    return absl::OkStatus();
  };
  ResponseBody body = ResponseBody::FromString(text);
  const absl::StatusOr<PageInfo> info = reader.Read(&body, on_record);
  const absl::StatusOr<PageInfo> salvaged =
      reader.Salvage(&body, on_record, [](const std::string&) {});
  Require(info.ok() || absl::IsDataLoss(info.status()), "a broken page is DATA_LOSS");
  Require(salvaged.ok() || absl::IsDataLoss(salvaged.status()), "in salvage, too");
  if (!info.ok()) return;
  Require(info->total_count.value_or(0) >= 0, "no list has fewer than no records");
  for (const int64_t page : {int64_t{1}, int64_t{7}}) {
    const std::string parameter = NextPageParameter(*info, page);
    for (const char c : parameter) {
      Require(absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-_.~%=", c),
              "what goes into a URL may stand there", parameter);
    }
    Require(!parameter.empty() || info->records == 0 || !info->next_starting_after.has_value(),
            "a cursor is followed");
  }
  if (IsDeep(text)) return;
  const auto json = ReferenceJson::Parse({text.data(), text.size()});
  // Looser than a parser in what nobody reads.
  if (!json.has_value() || IsAmbiguous(*json)) return;
  CheckEnvelope(*info, *json);
  Require(salvaged.ok(), "what is whole can be salvaged", salvaged.status().ToString());
  Require(salvaged->records == info->records && salvaged->malformed == 0 && salvaged->complete &&
              salvaged->total_count == info->total_count &&
              salvaged->next_starting_after == info->next_starting_after &&
              salvaged->next_page == info->next_page,
          "what is whole is salvaged as it is read");
}

void CheckHeaders(InputBytes* input) {
  FakeClock clock;
  QuotaGovernor::Options options;
  // Also none, and nearly all.
  options.reserve = static_cast<double>(input->Byte()) / 256;
  uint8_t random = 0;
  QuotaGovernor governor(options, &clock, [&random] { return (random += 37) / 256.0; });
  std::vector<QuotaGovernor::Ticket> sent;
  while (!input->empty()) {
    // What happens next: an answer (or a 429) with the headers of the next lines, a
    // request, or time.
    const uint8_t what = input->Byte();
    if ((what & 1) == 0 && !sent.empty()) {
      std::vector<std::pair<std::string, std::string>> headers;
      for (int i = (what >> 3) & 7; i > 0; --i) {
        static constexpr absl::string_view kNames[] = {"x-ratelimit-limit", "x-ratelimit-remaining",
                                                       "x-ratelimit-reset", "date"};
        const absl::string_view name = kNames[input->Below(4)];
        headers.emplace_back(std::string(name), std::string(input->Line()));
      }
      const RateLimitHeaders parsed = ParseRateLimitHeaders(headers);
      Require(parsed.limit.value_or(1) > 0 && parsed.remaining.value_or(0) >= 0,
              "there is no negative quota");
      const QuotaGovernor::Ticket ticket = sent.back();
      sent.pop_back();
      if ((what & 2) == 0) {
        governor.OnAnswer(ticket, parsed);
      } else {
        governor.OnRateLimited(ticket, parsed);
      }
    } else if ((what & 2) == 0) {
      QuotaGovernor::Ticket ticket = 0;
      const absl::Duration wait = governor.TryAcquire(&ticket);
      Require(wait >= absl::ZeroDuration(), "no wait is negative");
      Require(wait < absl::InfiniteDuration() || !sent.empty(),
              "only for an answer that comes is waited without end");
      Require(wait <= absl::Minutes(5) || wait == absl::InfiniteDuration(),
              "no header stops an extraction for longer than a few windows",
              absl::FormatDuration(wait));
      if (wait == absl::ZeroDuration()) sent.push_back(ticket);
      if ((what & 4) != 0 && wait < absl::InfiniteDuration()) clock.Advance(wait);
    } else {
      clock.Advance(absl::Milliseconds(input->Byte() * (what & 4 ? 1000 : 10)));
    }
    if (const auto window = governor.Present()) {
      Require(window->limit > 0 && window->left <= window->limit && window->used_by_others >= 0,
              "no window has more than its limit");
    }
    if (const auto stated = governor.Stated()) {
      Require(stated->usable >= 1 && stated->usable <= stated->limit, "and none stands still");
    }
  }
}

void CheckPrintable(absl::string_view text, size_t longest, const char* what) {
  Require(text.size() <= longest && !absl::StrContains(text, kToken), what, std::string(text));
  for (const char c : text) {
    Require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, what, absl::CEscape(text));
  }
  Require(IsUtf8(text), what, absl::CEscape(text));
}

void CheckErrorBody(InputBytes* input) {
  static constexpr int kStatus[] = {200, 400, 401, 402, 403, 404, 408, 410, 413, 422, 425, 429,
                                    500, 501, 502, 503, 504, 505, 100, 302, 599, 999, 0,   -1};
  const int http_status = kStatus[input->Below(std::size(kStatus))];
  ApiAnswer answer;
  answer.request_id = std::string(input->Line());
  // The token may stand anywhere in an answer that echoes its request.
  std::string text;
  while (!input->empty()) {
    absl::StrAppend(&text, text.empty() ? "" : kToken, std::string(input->Line()));
  }
  answer.body = ResponseBody::FromString(text);
  const Verdict verdict =
      JudgeAnswer("GET /contacts", kToken, absl::OkStatus(), http_status, &answer);
  CheckPrintable(answer.status.message(), 1000, "an error is fit to be shown");
  CheckPrintable(answer.request_id, 1000, "a request id is fit to be shown");
  Require(answer.status.ok() == (http_status == 200 && verdict == Verdict::kFinal),
          "only a good answer is OK");
  Require(answer.status.ok() || !ReasonOf(answer.status).empty(), "an error has a reason");
  Require((http_status == 429) == absl::IsResourceExhausted(answer.status),
          "the quota's error is a 429's");

  const IntercomError error = ParseIntercomError(text);
  if (IsDeep(text) || !IsUtf8(text)) return;
  const auto json = ReferenceJson::Parse(text);
  if (!json.has_value()) return;
  static const auto* const keys =
      new std::set<std::string>{"errors", "code", "message", "request_id"};
  if (RepeatsKey(*json, *keys)) return;
  const ReferenceJson* const errors = FindIn(&*json, "errors");
  const ReferenceJson* const first =
      errors != nullptr && errors->type == Type::kArray && !errors->elements.empty()
          ? &errors->elements[0]
          : nullptr;
  const auto compare = [](const ReferenceJson* expected, const std::string& found,
                          const char* what) {
    if (expected == nullptr || expected->type != Type::kString) {
      return Require(found.empty(), what, found);
    }
    // Broken escapes are no error body at all to simdjson.
    if (absl::StrContains(std::string(expected->raw), '\\') || expected->string.size() > 200) {
      return;
    }
    for (const char c : expected->string) {
      if (c == 0x7f) return;
    }
    Require(found == expected->string, what, found);
  };
  if (absl::StrContains(text, '\\')) return;
  // Nor is a number out of its range.
  if (text.find_first_of("eE0123456789") != std::string::npos && error.code.empty()) return;
  compare(FindIn(first, "code"), error.code, "an error's code is found");
  compare(FindIn(first, "message"), error.message, "its message, too");
  compare(FindIn(&*json, "request_id"), error.request_id, "and the request's id");
}

void CheckWorkspace(absl::string_view text) {
  ResponseBody body = ResponseBody::FromString(text);
  const v1::Workspace workspace = ReadWorkspace(&body);
  Require(IsUtf8(workspace.name()) && IsUtf8(workspace.time_zone()), "a workspace is UTF-8");
}

}  // namespace
}  // namespace intercom_extractor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intercom_extractor::fuzz;  // NOLINT(google-build-using-namespace)
  InputBytes input(data, size);
  switch (input.Below(4)) {
    case 0:
      CheckPage(input.rest());
      break;
    case 1:
      CheckHeaders(&input);
      break;
    case 2:
      CheckErrorBody(&input);
      break;
    default:
      CheckWorkspace(input.rest());
  }
  return 0;
}
