#include "tests/fake_intercom/html_to_text.h"

#include <array>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace intercom_extractor::fake {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kEntities = {{
    {"&amp;", "&"},
    {"&lt;", "<"},
    {"&gt;", ">"},
    {"&quot;", "\""},
    {"&apos;", "'"},
    {"&nbsp;", " "},
}};

void AppendUtf8(uint32_t code_point, std::string* out) {
  if (code_point < 0x80) {
    *out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    *out += static_cast<char>(0xC0 | code_point >> 6);
    *out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    *out += static_cast<char>(0xE0 | code_point >> 12);
    *out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    *out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else {
    *out += static_cast<char>(0xF0 | code_point >> 18);
    *out += static_cast<char>(0x80 | ((code_point >> 12) & 0x3F));
    *out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    *out += static_cast<char>(0x80 | (code_point & 0x3F));
  }
}

// Appends the entity at the start of `rest` and returns its length; 0: none.
size_t DecodeEntity(std::string_view rest, std::string* out) {
  for (const auto& [entity, text] : kEntities) {
    if (rest.substr(0, entity.size()) == entity) {
      *out += text;
      return entity.size();
    }
  }
  const size_t end = rest.substr(0, 10).find(';');
  if (rest.substr(0, 2) != "&#" || end == std::string_view::npos || end < 3) return 0;
  const uint32_t code_point =
      std::strtoul(std::string(rest.substr(2, end - 2)).c_str(), nullptr, 10);
  if (code_point == 0 || code_point > 0x10FFFF) return 0;
  AppendUtf8(code_point, out);
  return end + 1;
}

std::string TagName(std::string_view tag) {
  std::string name;
  for (const char c : tag) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '/') break;
    if (c == '/' && !name.empty()) break;
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string Href(std::string_view tag) {
  const size_t start = tag.find("href=\"");
  if (start == std::string_view::npos) return "";
  const std::string_view rest = tag.substr(start + 6);
  const std::string_view value = rest.substr(0, rest.find('"'));
  std::string url;
  for (size_t i = 0; i < value.size();) {
    const size_t length = value[i] == '&' ? DecodeEntity(value.substr(i), &url) : 0;
    if (length == 0) url += value[i];
    i += length == 0 ? 1 : length;
  }
  return url;
}

bool EndsLine(std::string_view name) {
  return name == "br" || name == "/p" || name == "/div" || name == "/li" || name == "/h1" ||
         name == "/h2" || name == "/h3" || name == "/tr";
}

}  // namespace

std::string HtmlToText(std::string_view html) {
  std::string text;
  std::string href;
  for (size_t i = 0; i < html.size();) {
    if (html[i] == '<') {
      const size_t end = html.find('>', i);
      // A tag begins with a letter or '/'; any other '<' is text.
      if (end != std::string_view::npos && i + 1 < html.size() &&
          (std::isalpha(static_cast<unsigned char>(html[i + 1])) != 0 || html[i + 1] == '/')) {
        const std::string_view tag = html.substr(i + 1, end - i - 1);
        const std::string name = TagName(tag);
        if (name == "a") href = Href(tag);
        if (name == "/a" && !href.empty()) text += " (" + std::exchange(href, "") + ")";
        if (EndsLine(name)) text += '\n';
        i = end + 1;
        continue;
      }
    }
    const size_t length = html[i] == '&' ? DecodeEntity(html.substr(i), &text) : 0;
    if (length == 0) text += html[i];
    i += length == 0 ? 1 : length;
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace intercom_extractor::fake
