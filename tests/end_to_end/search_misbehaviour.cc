#include "tests/end_to_end/search_misbehaviour.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace intercom_extractor {
namespace {

constexpr size_t kPageSize = 150;

// `"total_count":N` in an answer, changed.
void ChangeTotal(fake::Response* response, const std::function<std::string(int64_t)>& change) {
  const std::string key = "\"total_count\":";
  const size_t begin = response->body.find(key);
  if (begin == std::string::npos) return;
  const size_t value = begin + key.size();
  size_t end = value;
  while (end < response->body.size() && absl::ascii_isdigit(response->body[end])) ++end;
  const int64_t total = std::stoll(response->body.substr(value, end - value));
  response->body.replace(begin, end - begin, change(total));
}

void Fail(fake::Response* response) {
  response->status = 400;
  response->body =
      R"({"type":"error.list","errors":[{"code":"client_error","message":"search is broken"}]})";
}

}  // namespace

const std::vector<Misbehaviour>& Misbehaviours() {
  static const auto& all = *new std::vector<Misbehaviour>{
      {"refuses from the start", 0, Fail, "search is broken"},
      {"refuses in the middle", 7, Fail, "search is broken"},
      {"has no total", 0,
       [](auto* response) { ChangeTotal(response, [](int64_t) { return "\"x\":0"; }); },
       "total_count"},
      {"loses the total in the middle", 1,
       [](auto* response) { ChangeTotal(response, [](int64_t) { return "\"x\":0"; }); },
       "total_count"},
      {"counts too few", 0,
       [](auto* response) {
         ChangeTotal(response,
                     [](int64_t total) { return absl::StrCat("\"total_count\":", total / 2); });
       },
       "the list has 6000"},
      {"counts too many", 1,
       [](auto* response) {
         ChangeTotal(response,
                     [](int64_t total) { return absl::StrCat("\"total_count\":", total * 2); });
       },
       "are missing"},
      {"ends each window after a page", 1,
       [](auto* response) {
         response->body = absl::StrReplaceAll(response->body, {{"\"starting_after\"", "\"x\""}});
       },
       "are missing"},
  };
  return all;
}

void Misbehave(fake::FakeIntercom* intercom, const std::string& path,
               const Misbehaviour& misbehaviour) {
  auto answers = std::make_shared<std::atomic<int>>(0);
  intercom->AlterAnswers("POST", path,
                         [misbehaviour, answers](const auto&, fake::Response* response) {
                           if (++*answers > misbehaviour.spared) misbehaviour.alter(response);
                         });
}

std::shared_ptr<std::atomic<int>> RefuseCursors(fake::FakeIntercom* intercom,
                                                const std::string& path, int every) {
  auto refused = std::make_shared<std::atomic<int>>(0);
  auto asked = std::make_shared<std::atomic<int>>(0);
  intercom->SetHandler("POST", path,
                       [every, refused, asked](const auto& request, fake::Response* response) {
                         if (request.body.find("\"starting_after\"") == std::string::npos ||
                             ++*asked % every != 0 || *refused >= 3) {
                           return false;
                         }
                         ++*refused;
                         Fail(response);
                         return true;
                       });
  return refused;
}

void RefuseBodies(fake::FakeIntercom* intercom, const std::string& path,
                  std::vector<std::string> texts) {
  intercom->SetHandler("POST", path,
                       [texts = std::move(texts)](const auto& request, fake::Response* response) {
                         const auto holds = [&request](const std::string& text) {
                           return request.body.find(text) != std::string::npos;
                         };
                         if (std::none_of(texts.begin(), texts.end(), holds)) return false;
                         Fail(response);
                         return true;
                       });
}

void AnswerAnyway(fake::FakeIntercom* intercom, const std::string& path, const std::string& items,
                  std::vector<std::string> json, bool repeat) {
  intercom->SetHandler(
      "POST", path,
      [items, json = std::move(json), repeat](const auto& request, fake::Response* response) {
        size_t begin = 0;
        const size_t cursor = request.body.find("\"starting_after\":\"");
        if (cursor != std::string::npos && !repeat)
          begin = std::stoul(request.body.substr(cursor + 18));
        std::string data;
        const size_t end = std::min(json.size(), begin + kPageSize);
        for (size_t i = begin; i < end; ++i) absl::StrAppend(&data, i > begin ? "," : "", json[i]);
        const std::string next = end < json.size() || repeat
                                     ? absl::StrCat(R"({"starting_after":")", end, R"("})")
                                     : "null";
        response->body =
            absl::StrCat(R"({"type":"list",")", items, R"(":[)", data, R"(],"total_count":)",
                         json.size(), R"(,"pages":{"next":)", next, "}}");
        return true;
      });
}

}  // namespace intercom_extractor
