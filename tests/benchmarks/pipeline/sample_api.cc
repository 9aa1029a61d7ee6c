#include "tests/benchmarks/pipeline/sample_api.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor {
namespace {

using fake::JsonValue;
using fake::Request;
using fake::Response;

constexpr int64_t kMostPerPage = 150;
constexpr int64_t kOrdinaryPerPage = 50;
constexpr std::string_view kMe =
    R"({"type":"admin","id":"814860","name":"Admin","email":"admin@example.com",)"
    R"("email_verified":true,"app":{"type":"app","id_code":"ecahpwf5","name":"Sample workspace",)"
    R"("region":"US","timezone":"UTC","created_at":1500000000,"identity_verification":false},)"
    R"("has_inbox_seat":true})";

int64_t IntegerOf(std::string_view text, int64_t otherwise) {
  int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

SampleApi::SampleApi(const Options& options) : options_(options), contacts_(options.contacts) {}

void SampleApi::Answer(const Request& request, Response* response) {
  if (request.path == "/__record") {
    recording_ = request.method == "POST";
    const std::lock_guard<std::mutex> lock(mu_);
    response->body = std::exchange(recorded_, "");
    return;
  }
  if (request.path == "/__rows") {
    for (const auto& [table, rows] : contacts_.Rows()) {
      absl::StrAppend(&response->body, response->body.empty() ? "{" : ",", "\"", table,
                      "\":", rows);
    }
    response->body += "}";
    return;
  }
  response->delay = options_.latency;
  response->headers.emplace_back(
      "Date", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()));
  if (request.path == "/me") {
    response->body = kMe;
  } else if (request.path == "/contacts" && request.method == "GET") {
    Note(request);
    AnswerContacts({0, contacts_.count(), std::nullopt},
                   IntegerOf(request.Query("per_page"), kOrdinaryPerPage),
                   IntegerOf(request.Query("starting_after"), 0), response);
  } else if (request.path == "/contacts/search" && request.method == "POST") {
    Note(request);
    const auto body = JsonValue::Parse(request.body);
    if (!body.has_value()) {
      response->status = 400;
      return;
    }
    const JsonValue& pagination = (*body)["pagination"];
    AnswerContacts(Select(*body), pagination["per_page"].AsInt().value_or(kOrdinaryPerPage),
                   pagination["starting_after"].AsInt().value_or(0), response);
  } else {
    response->status = 404;
  }
}

SampleApi::Selection SampleApi::Select(const JsonValue& search) const {
  Selection selection = {0, contacts_.count(), std::nullopt};
  for (const JsonValue& condition : search["query"]["value"].elements()) {
    const std::string& field = condition["field"].text();
    const std::string& operation = condition["operator"].text();
    const JsonValue& value = condition["value"];
    if (field == "role") {
      selection.users = operation == "=";
    } else if (operation == ">") {
      // Of whole days as well, since callers give the second before midnight.
      selection.begin = std::max(selection.begin, contacts_.FirstSince(value.AsInt().value() + 1));
    } else {
      selection.end = std::min(selection.end, contacts_.FirstSince(value.AsInt().value()));
    }
  }
  selection.end = std::max(selection.begin, selection.end);
  return selection;
}

int64_t SampleApi::Count(const Selection& selection) const {
  if (!selection.users.has_value()) return selection.end - selection.begin;
  int64_t count = 0;
  for (int64_t contact = selection.begin; contact < selection.end; ++contact) {
    if (contacts_.IsUser(contact) == *selection.users) ++count;
  }
  return count;
}

void SampleApi::AnswerContacts(const Selection& selection, int64_t per_page, int64_t offset,
                               Response* response) {
  per_page = std::clamp<int64_t>(per_page, 1, kMostPerPage);
  const int64_t total = Count(selection);
  const int64_t end = std::min(offset + per_page, total);
  std::string tail = absl::StrCat(R"(],"total_count":)", total, R"(,"pages":{"type":"pages",)");
  if (end < total) {
    absl::StrAppend(&tail, R"("next":{"page":)", end / per_page + 1, R"(,"starting_after":")", end,
                    R"("},)");
  }
  absl::StrAppend(&tail, R"("page":)", offset / per_page + 1, R"(,"per_page":)", per_page,
                  R"(,"total_pages":)", (total + per_page - 1) / per_page, "}}");
  response->items = static_cast<size_t>(std::max<int64_t>(0, end - offset));
  const int64_t records = static_cast<int64_t>(response->items);
  const auto beginning = [&] { return Records(selection, offset, records); };
  if (options_.gzip && !selection.users.has_value()) {
    response->headers.emplace_back("Content-Encoding", "gzip");
    response->body = compressed_.Get({selection.begin + offset, records}, beginning, tail);
    return;
  }
  response->body = beginning();
  response->body += tail;
}

std::string SampleApi::Records(const Selection& selection, int64_t offset, int64_t records) const {
  // What a contact takes at most, so that the text grows only once.
  constexpr int64_t kContactBytes = 3200;
  std::string text;
  text.reserve(static_cast<size_t>(records * kContactBytes + 1024));
  text = R"({"type":"list","data":[)";
  int64_t contact = selection.begin + (selection.users.has_value() ? 0 : offset);
  int64_t skip = selection.users.has_value() ? offset : 0;
  for (int64_t written = 0; written < records; ++contact) {
    if (selection.users.has_value()) {
      if (contacts_.IsUser(contact) != *selection.users) continue;
      if (skip-- > 0) continue;
    }
    if (written++ > 0) text += ",";
    contacts_.Append(contact, &text);
  }
  return text;
}

void SampleApi::Note(const Request& request) {
  if (!recording_) return;
  const std::lock_guard<std::mutex> lock(mu_);
  absl::StrAppend(&recorded_, request.method, "\t", request.target, "\t", request.body, "\n");
}

}  // namespace intercom_extractor
