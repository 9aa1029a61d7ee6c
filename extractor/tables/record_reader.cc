#include "extractor/tables/record_reader.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "extractor/tables/json_number.h"

namespace intercom_extractor {
namespace {

using simdjson::error_code;
using simdjson::SUCCESS;
using Kind = JsonValue::Kind;

// Longer keys are never wanted; comparing only short ones keeps memcmp inside
// the padding behind a JSON text.
constexpr size_t kLongestSeenKey = 48;
// Objects with generated keys must not grow what is learned without end.
constexpr size_t kMostSeenKeys = 256;

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' ||
                           text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// RFC 8259's number grammar; simdjson does not check numbers that nobody parses.
bool IsJsonNumber(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i > start;
  };
  if (i < text.size() && text[i] == '-') ++i;
  if (i < text.size() && text[i] == '0') {
    ++i;
  } else if (!digits()) {
    return false;
  }
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digits()) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (!digits()) return false;
  }
  return i == text.size();
}

bool ParseHex4(std::string_view text, size_t at, uint32_t* code) {
  if (at + 4 > text.size()) return false;
  *code = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    *code <<= 4;
    if (c >= '0' && c <= '9') {
      *code |= static_cast<uint32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      *code |= static_cast<uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      return false;
    }
  }
  return true;
}

uint8_t* AppendUtf8(uint32_t code, uint8_t* out) {
  if (code < 0x80) {
    *out++ = static_cast<uint8_t>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<uint8_t>(0xc0 | (code >> 6));
    *out++ = static_cast<uint8_t>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out++ = static_cast<uint8_t>(0xe0 | (code >> 12));
    *out++ = static_cast<uint8_t>(0x80 | ((code >> 6) & 0x3f));
    *out++ = static_cast<uint8_t>(0x80 | (code & 0x3f));
  } else {
    *out++ = static_cast<uint8_t>(0xf0 | (code >> 18));
    *out++ = static_cast<uint8_t>(0x80 | ((code >> 12) & 0x3f));
    *out++ = static_cast<uint8_t>(0x80 | ((code >> 6) & 0x3f));
    *out++ = static_cast<uint8_t>(0x80 | (code & 0x3f));
  }
  return out;
}

// For strings that simdjson refuses: half of a surrogate pair, as a text cut
// between UTF-16 units leaves it, becomes U+FFFD; an escape that JSON does not
// know stands for itself. A message is worth more than its broken emoji.
uint8_t* UnescapeLeniently(std::string_view text, uint8_t* out) {
  constexpr uint32_t kReplacement = 0xfffd;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      *out++ = static_cast<uint8_t>(text[i++]);
      continue;
    }
    const char escape = text[i + 1];
    i += 2;
    uint32_t code = 0;
    switch (escape) {
      case 'b':
        *out++ = '\b';
        break;
      case 'f':
        *out++ = '\f';
        break;
      case 'n':
        *out++ = '\n';
        break;
      case 'r':
        *out++ = '\r';
        break;
      case 't':
        *out++ = '\t';
        break;
      case 'u': {
        if (!ParseHex4(text, i, &code)) {
          out = AppendUtf8(kReplacement, out);
          break;
        }
        i += 4;
        uint32_t low = 0;
        if (code >= 0xd800 && code < 0xdc00 && text.substr(i, 2) == "\\u" &&
            ParseHex4(text, i + 2, &low) && low >= 0xdc00 && low < 0xe000) {
          i += 6;
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else if (code >= 0xd800 && code < 0xe000) {
          code = kReplacement;
        }
        out = AppendUtf8(code, out);
        break;
      }
      default:
        *out++ = static_cast<uint8_t>(escape);
        break;
    }
  }
  return out;
}

absl::Status Malformed(error_code error) {
  return absl::DataLossError(absl::StrCat("malformed JSON: ", simdjson::error_message(error)));
}

}  // namespace

std::optional<int64_t> IntegerOf(const JsonValue& value) {
  if (value.kind != Kind::kNumber && value.kind != Kind::kString) return std::nullopt;
  return ParseInt64(value.text);
}

absl::Status RecordReader::Document::Open(absl::string_view text) {
  // Only the two bytes of a broken `\u` become longer: the three of U+FFFD.
  // simdjson writes whole blocks.
  const size_t longest = text.size() + text.size() / 2 + simdjson::SIMDJSON_PADDING;
  if (unescaped_capacity_ < longest) {
    unescaped_capacity_ = longest + text.size() / 4;
    unescaped_.reset(new uint8_t[unescaped_capacity_]);
  }
  unescaped_end_ = unescaped_.get();
  const error_code error =
      parser_.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING)
          .get(document_);
  return error == SUCCESS ? absl::OkStatus() : Malformed(error);
}

bool RecordReader::Document::AtEnd() {
  const char* location = nullptr;
  return document_.current_location().get(location) == simdjson::OUT_OF_BOUNDS;
}

std::string_view RecordReader::Document::Unescape(std::string_view raw_string) {
  const uint8_t* start = unescaped_end_;
  std::string_view result;
  const simdjson::ondemand::raw_json_string raw(
      reinterpret_cast<const uint8_t*>(raw_string.data()));  // NOLINT: simdjson's type
  uint8_t* end = unescaped_end_;
  if (parser_.unescape(raw, end).get(result) == SUCCESS) {
    unescaped_end_ = end;
    return result;
  }
  unescaped_end_ = UnescapeLeniently(raw_string, unescaped_end_);
  return {reinterpret_cast<const char*>(start), static_cast<size_t>(unescaped_end_ - start)};
}

absl::Status RecordReader::Read(Document* document, simdjson::ondemand::object record,
                                RecordValues* values) {
  document_ = document;
  values_ = values;
  values->slots.assign(shape_->record_slots(), JsonValue());
  values->lists.resize(shape_->lists().size());
  for (ListValues& list : values->lists) {
    list.present = list.misplaced = false;
    list.count = 0;
    list.values.clear();
    list.outer.clear();
  }
  const error_code error = ReadObject(record, shape_->root(), -1, 0);
  return error == SUCCESS ? absl::OkStatus() : Malformed(error);
}

absl::Status RecordReader::ReadElement(Document* document, simdjson::ondemand::object record,
                                       int list, RecordValues* values) {
  document_ = document;
  values_ = values;
  for (size_t i = 0; i < values->lists.size(); ++i) {
    if (static_cast<int>(i) != list && shape_->lists()[i].parent != list) continue;
    values->lists[i] = ListValues();
  }
  ListValues& target = values->lists[list];
  target.present = true;
  target.count = 1;
  target.values.resize(shape_->lists()[list].slots);
  target.outer.push_back(0);
  const error_code error = ReadObject(record, shape_->lists()[list].element.get(), list, 0);
  return error == SUCCESS ? absl::OkStatus() : Malformed(error);
}

JsonValue& RecordReader::Slot(int level, size_t element, int slot) {
  if (level < 0) return values_->slots[slot];
  return values_->lists[level].values[element * shape_->lists()[level].slots + slot];
}

error_code RecordReader::ReadObject(simdjson::ondemand::object object, Shape::Node* node, int level,
                                    size_t element) {
  size_t expected = 0;
  for (auto result : object) {
    simdjson::ondemand::field field;
    if (const error_code error = std::move(result).get(field)) return error;
    Shape::Node* child = nullptr;
    const char* raw_key = field.key().raw();
    if (expected < node->seen.size() &&
        std::memcmp(raw_key, node->seen[expected].key.data(), node->seen[expected].key.size()) ==
            0 &&
        raw_key[node->seen[expected].key.size()] == '"') {
      child = node->seen[expected++].node;
    } else {
      std::string_view key;
      if (const error_code error = field.unescaped_key().get(key)) return error;
      const absl::string_view lookup(key.data(), key.size());
      if (auto seen = node->seen_index.find(lookup); seen != node->seen_index.end()) {
        child = node->seen[seen->second].node;
        expected = seen->second + 1;
      } else {
        if (auto wanted = node->fields.find(lookup); wanted != node->fields.end()) {
          child = wanted->second.get();
        }
        // A key with a quote in it would also match `"id":"..."` as it stands in the text.
        if (key.size() <= kLongestSeenKey && node->seen.size() < kMostSeenKeys &&
            key.find('"') == std::string_view::npos) {
          node->seen_index.emplace(std::string(key), static_cast<int>(node->seen.size()));
          node->seen.push_back({std::string(key), child});
          expected = node->seen.size();
        }
      }
    }
    if (child == nullptr) continue;
    if (const error_code error = ReadValue(field.value(), child, level, element)) return error;
  }
  return SUCCESS;
}

error_code RecordReader::ReadValue(simdjson::ondemand::value value, Shape::Node* node, int level,
                                   size_t element) {
  simdjson::ondemand::json_type type;
  if (const error_code error = value.type().get(type)) return error;
  switch (type) {
    case simdjson::ondemand::json_type::object: {
      simdjson::ondemand::object object;
      if (const error_code error = value.get_object().get(object)) return error;
      if (node->wants_object()) return ReadObject(object, node, level, element);
      std::string_view raw;
      if (const error_code error = object.raw_json().get(raw)) return error;
      if (node->scalar >= 0) {
        Slot(level, element, node->scalar) = {Kind::kObject, TrimEnd(raw), TrimEnd(raw)};
      } else {
        Misplace(*node, level, element, TrimEnd(raw));
      }
      return SUCCESS;
    }
    case simdjson::ondemand::json_type::array: {
      simdjson::ondemand::array array;
      if (const error_code error = value.get_array().get(array)) return error;
      if (node->list >= 0) return ReadList(array, node->list, element);
      std::string_view raw;
      if (const error_code error = array.raw_json().get(raw)) return error;
      if (node->scalar >= 0) {
        Slot(level, element, node->scalar) = {Kind::kArray, TrimEnd(raw), TrimEnd(raw)};
      } else {
        Misplace(*node, level, element, TrimEnd(raw));
      }
      return SUCCESS;
    }
    default: {
      JsonValue scalar;
      if (const error_code error = ReadScalar(value, &scalar)) return error;
      if (node->scalar >= 0) {
        Slot(level, element, node->scalar) = scalar;
      } else if (scalar.kind != Kind::kNull) {
        Misplace(*node, level, element, scalar.raw);
      }
      return SUCCESS;
    }
  }
}

error_code RecordReader::ReadList(simdjson::ondemand::array array, int list, size_t outer) {
  const size_t slots = shape_->lists()[list].slots;
  values_->lists[list].present = true;
  for (auto result : array) {
    simdjson::ondemand::value value;
    if (const error_code error = std::move(result).get(value)) return error;
    simdjson::ondemand::json_type type;
    if (const error_code error = value.type().get(type)) return error;
    if (type != simdjson::ondemand::json_type::object) {
      values_->lists[list].misplaced = true;
      continue;
    }
    simdjson::ondemand::object object;
    if (const error_code error = value.get_object().get(object)) return error;
    // By index, as reading the element may grow the vectors of inner lists only.
    ListValues& target = values_->lists[list];
    const size_t element = target.count++;
    target.values.resize(target.count * slots);
    target.outer.push_back(static_cast<uint32_t>(outer));
    if (const error_code error =
            ReadObject(object, shape_->lists()[list].element.get(), list, element)) {
      return error;
    }
  }
  return SUCCESS;
}

error_code RecordReader::ReadScalar(simdjson::ondemand::value value, JsonValue* result) {
  const std::string_view raw = TrimEnd(value.raw_json_token());
  result->raw = result->text = raw;
  switch (raw.empty() ? '\0' : raw.front()) {
    case '"':
      if (raw.size() < 2 || raw.back() != '"') return simdjson::STRING_ERROR;
      result->kind = Kind::kString;
      result->text = raw.substr(1, raw.size() - 2);
      if (std::memchr(result->text.data(), '\\', result->text.size()) != nullptr) {
        result->text = document_->Unescape(result->text);
      }
      return SUCCESS;
    case 't':
      result->kind = Kind::kTrue;
      return raw == "true" ? SUCCESS : simdjson::T_ATOM_ERROR;
    case 'f':
      result->kind = Kind::kFalse;
      return raw == "false" ? SUCCESS : simdjson::F_ATOM_ERROR;
    case 'n':
      result->kind = Kind::kNull;
      return raw == "null" ? SUCCESS : simdjson::N_ATOM_ERROR;
    default:
      result->kind = Kind::kNumber;
      return IsJsonNumber(raw) ? SUCCESS : simdjson::NUMBER_ERROR;
  }
}

// Every wanted value below `node` is in the wrong place, which its columns and
// lists will report.
void RecordReader::Misplace(const Shape::Node& node, int level, size_t element,
                            std::string_view raw) {
  if (node.list >= 0) values_->lists[node.list].misplaced = true;
  for (const auto& [key, child] : node.fields) {
    if (child->scalar >= 0) {
      Slot(level, element, child->scalar) = {Kind::kMisplaced, raw, raw};
    }
    Misplace(*child, level, element, raw);
  }
}

}  // namespace intercom_extractor
