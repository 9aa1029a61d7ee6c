#include "tests/benchmarks/payloads/json_text.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace intercom_extractor::payloads {

std::string JsonString(absl::string_view text, Escapes escapes) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (c == '\n') {
      result += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 ||
               (escapes == Escapes::kHtml && (c == '<' || c == '>' || c == '&'))) {
      absl::StrAppendFormat(&result, "\\u%04x", c);
    } else {
      result += c;
    }
  }
  return result + '"';
}

Object& Object::Add(absl::string_view key, absl::string_view value) {
  members_.push_back(absl::StrCat(JsonString(key), ":", value));
  return *this;
}

Object& Object::Nulls(const std::vector<const char*>& keys) {
  for (const char* key : keys) Add(key, "null");
  return *this;
}

Object& Object::Shuffle(Random* random) {
  // Not std::shuffle(), which differs between libraries.
  for (size_t i = members_.size(); i > 1; --i) {
    std::swap(members_[i - 1], members_[random->Below(i)]);
  }
  return *this;
}

std::string Object::Done() const { return absl::StrCat("{", absl::StrJoin(members_, ","), "}"); }

std::string Array(const std::vector<std::string>& elements) {
  return absl::StrCat("[", absl::StrJoin(elements, ","), "]");
}

std::string Words(Random* random, size_t bytes) {
  static constexpr const char* kWords[] = {
      "order",  "the",   "invoice", "since",   "Zoë",     "we",      "can't", "export", "and",
      "please", "your",  "plan",    "renewal", "naïve",   "account", "was",   "to",     "page",
      "with",   "error", "5 €",     "Tuesday", "charged", "twice",   "is",    "still",  "日本語"};
  std::string result;
  while (result.size() < bytes) {
    absl::StrAppend(&result, result.empty() ? "" : " ",
                    kWords[random->Below(sizeof(kWords) / sizeof(kWords[0]))]);
  }
  return result;
}

std::string Html(Random* random, size_t bytes) {
  std::string result;
  while (result.size() < bytes) {
    absl::StrAppend(&result, result.empty() ? "" : "\n", R"(<p class="no-margin">)",
                    Words(random, 40 + random->Below(160)));
    if (random->Percent(40)) {
      absl::StrAppend(&result, R"( <a href="https://app.example.com/orders/)",
                      random->Below(100000), R"(?tab=invoices&amp;from=mail" target="_blank">)",
                      Words(random, 10), "</a>");
    }
    if (random->Percent(20)) absl::StrAppend(&result, "<br>", Words(random, 30));
    if (random->Percent(20)) absl::StrAppend(&result, " \U0001F600");
    absl::StrAppend(&result, "</p>");
  }
  return result;
}

}  // namespace intercom_extractor::payloads
