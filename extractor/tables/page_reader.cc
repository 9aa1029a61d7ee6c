#include "extractor/tables/page_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "extractor/tables/body_splitter.h"

namespace intercom_extractor {
namespace {

using simdjson::SUCCESS;
namespace ondemand = simdjson::ondemand;

absl::Status Malformed(simdjson::error_code error) {
  return absl::DataLossError(absl::StrCat("malformed JSON: ", simdjson::error_message(error)));
}

// Percent decoding as in a query: cursors can hold "+", "/" and line ends.
std::string DecodeQueryValue(absl::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    int high = 0;
    int low = 0;
    const auto hex = [](char c, int* value) {
      if (c >= '0' && c <= '9') return *value = c - '0', true;
      if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') return *value = (c | 0x20) - 'a' + 10, true;
      return false;
    };
    if (text[i] == '+') {
      result.push_back(' ');
    } else if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1], &high) &&
               hex(text[i + 2], &low)) {
      result.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

// Only the parameters of the URL count: where to ask is ours to know.
void ReadNextUrl(std::string_view url, PageInfo* info) {
  const size_t query = url.find('?');
  if (query == std::string_view::npos) return;
  const std::string_view parameters = url.substr(query + 1);
  for (absl::string_view parameter :
       absl::StrSplit(absl::string_view(parameters.data(), parameters.size()), '&')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    int64_t number = 0;
    if (pair.first == "page" && absl::SimpleAtoi(pair.second, &number)) {
      info->next_page = number;
    } else if (pair.first == "starting_after" && !pair.second.empty()) {
      info->next_starting_after = DecodeQueryValue(pair.second);
    }
  }
}

// A number that may be missing, null or (as elsewhere in Intercom) a string.
std::optional<int64_t> ReadCount(ondemand::value value) {
  int64_t number = 0;
  std::string_view text;
  ondemand::json_type type;
  if (value.type().get(type) != SUCCESS) return std::nullopt;
  if (type == ondemand::json_type::number && value.get_int64().get(number) == SUCCESS) {
    return number;
  }
  if (type == ondemand::json_type::string && value.get_string().get(text) == SUCCESS &&
      absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &number)) {
    return number;
  }
  return std::nullopt;
}

void ReadNext(ondemand::value next, PageInfo* info) {
  ondemand::json_type type;
  if (next.type().get(type) != SUCCESS) return;
  std::string_view text;
  if (type == ondemand::json_type::string) {
    if (next.get_string().get(text) == SUCCESS) ReadNextUrl(text, info);
    return;
  }
  ondemand::object object;
  if (type != ondemand::json_type::object || next.get_object().get(object) != SUCCESS) return;
  for (auto field : object) {
    std::string_view key;
    if (field.unescaped_key().get(key) != SUCCESS) return;
    ondemand::value value;
    if (field.value().get(value) != SUCCESS) return;
    if (key == "page") {
      info->next_page = ReadCount(value);
    } else if (key == "starting_after") {
      if (value.get_string().get(text) == SUCCESS && !text.empty()) {
        info->next_starting_after = std::string(text);
      }
    }
  }
}

void ReadPages(ondemand::value pages, PageInfo* info) {
  ondemand::object object;
  ondemand::json_type type;
  if (pages.type().get(type) != SUCCESS || type != ondemand::json_type::object ||
      pages.get_object().get(object) != SUCCESS) {
    return;
  }
  for (auto field : object) {
    std::string_view key;
    if (field.unescaped_key().get(key) != SUCCESS) return;
    ondemand::value value;
    if (field.value().get(value) != SUCCESS) return;
    if (key == "next") {
      ReadNext(value, info);
    } else if (key == "page") {
      info->page = ReadCount(value);
    } else if (key == "total_pages") {
      info->total_pages = ReadCount(value);
    }
  }
}

}  // namespace

PageReader::PageReader(std::vector<std::string> items, std::string split, Shape* shape)
    : items_(std::move(items)), split_(std::move(split)), reader_(shape) {
  if (!split_.empty()) split_list_ = shape->AddList(-1, split_);
}

bool PageReader::IsItems(std::string_view key) const {
  return std::any_of(items_.begin(), items_.end(),
                     [key](const std::string& item) { return key == item; });
}

absl::StatusOr<PageInfo> PageReader::Read(ResponseBody* body, OnRecord on_record) {
  PageInfo info;
  if (absl::Status status = document_.Open(body->text()); !status.ok()) return status;
  ondemand::object object;
  if (const auto error = document_.document().get_object().get(object)) return Malformed(error);
  absl::Status status;
  if (items_.empty()) {
    status = reader_.Read(&document_, object, &values_);
    if (status.ok()) status = on_record({&values_, 0, 0});
    info.records = 1;
  } else {
    status = ReadEnvelope(object, &info, on_record);
  }
  if (!status.ok()) return status;
  // Something behind the object: two texts in one body, say.
  if (!document_.AtEnd()) return absl::DataLossError("malformed JSON: trailing text");
  return info;
}

absl::Status PageReader::ReadEnvelope(ondemand::object envelope, PageInfo* info,
                                      OnRecord on_record) {
  bool found_items = false;
  for (auto result : envelope) {
    ondemand::field field;
    if (const auto error = std::move(result).get(field)) return Malformed(error);
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return Malformed(error);
    ondemand::value value = field.value();
    if (key == "pages") {
      ReadPages(value, info);
    } else if (key == "total_count") {
      info->total_count = ReadCount(value);
    } else if (key == "scroll_param") {
      std::string_view text;
      ondemand::json_type type;
      if (value.type().get(type) == SUCCESS && type == ondemand::json_type::string &&
          value.get_string().get(text) == SUCCESS) {
        info->scroll_param = std::string(text);
      }
    } else if (!found_items && IsItems(key)) {
      ondemand::array array;
      ondemand::json_type type;
      if (const auto error = value.type().get(type)) return Malformed(error);
      if (type != ondemand::json_type::array) continue;
      if (const auto error = value.get_array().get(array)) return Malformed(error);
      found_items = true;
      for (auto item : array) {
        ondemand::object record;
        if (const auto error = item.get_object().get(record)) return Malformed(error);
        if (absl::Status status = reader_.Read(&document_, record, &values_); !status.ok()) {
          return status;
        }
        ++info->records;
        if (absl::Status status = on_record({&values_, 0, 0}); !status.ok()) return status;
      }
    }
  }
  if (!found_items) {
    return absl::DataLossError(absl::StrCat("the answer has no list \"", items_.front(), "\""));
  }
  return absl::OkStatus();
}

absl::StatusOr<PageInfo> PageReader::Salvage(ResponseBody* body, OnRecord on_record,
                                             OnMalformed on_malformed) {
  if (items_.empty()) return SalvageRecord(body, on_record, on_malformed);
  std::vector<std::vector<std::string>> paths;
  paths.reserve(items_.size());
  for (const std::string& key : items_) paths.push_back({key});
  absl::StatusOr<SplitBody> split = SplitAtList(*body, paths);
  if (!split.ok()) return split.status();

  // First what is around the records: without it they are no page of ours.
  PageInfo info;
  rest_ = std::move(split->rest);
  rest_.reserve(rest_.size() + ResponseBody::kPadding);
  if (absl::Status status = document_.Open(rest_); !status.ok()) return status;
  ondemand::object object;
  if (const auto error = document_.document().get_object().get(object)) return Malformed(error);
  // The splitter does not know a list whose key is written with escapes: its
  // records are still here.
  if (absl::Status status = ReadEnvelope(object, &info, on_record); !status.ok()) return status;
  // What follows a bracket too many would be lost in silence.
  info.complete = split->complete && document_.AtEnd();

  for (const SplitBody::Slice& slice : split->elements) {
    buffer_.reserve(slice.size + ResponseBody::kPadding);
    buffer_.resize(slice.size);
    const auto got = body->Read(slice.offset, buffer_.data(), slice.size);
    if (!got.ok()) return got.status();
    absl::Status status = document_.Open(buffer_);
    if (status.ok()) {
      ondemand::object record;
      const auto error = document_.document().get_object().get(record);
      status = error ? Malformed(error) : reader_.Read(&document_, record, &values_);
      if (status.ok() && !document_.AtEnd()) {
        status = absl::DataLossError("malformed JSON: trailing text");
      }
    }
    if (!status.ok()) {
      ++info.malformed;
      on_malformed(std::string(status.message()));
      continue;
    }
    ++info.records;
    if (status = on_record({&values_, 0, 0}); !status.ok()) return status;
  }
  return info;
}

absl::StatusOr<PageInfo> PageReader::SalvageRecord(ResponseBody* body, OnRecord on_record,
                                                   OnMalformed on_malformed) {
  PageInfo info;
  info.records = 1;
  std::vector<std::vector<std::string>> paths;
  if (!split_.empty()) paths.push_back(absl::StrSplit(split_, '.'));
  absl::StatusOr<SplitBody> split = SplitAtList(*body, paths);
  if (!split.ok()) return split.status();
  rest_ = std::move(split->rest);
  rest_.reserve(rest_.size() + ResponseBody::kPadding);
  if (absl::Status status = document_.Open(rest_); !status.ok()) return status;
  ondemand::object object;
  if (const auto error = document_.document().get_object().get(object)) return Malformed(error);
  absl::Status status = reader_.Read(&document_, object, &values_);
  if (!status.ok()) return status;
  info.complete = split->complete && document_.AtEnd();
  const int part = split->elements.empty() ? 0 : 1;
  if (status = on_record({&values_, part, split->elements.size()}); !status.ok()) return status;

  for (const SplitBody::Slice& slice : split->elements) {
    buffer_.reserve(slice.size + ResponseBody::kPadding);
    buffer_.resize(slice.size);
    const auto got = body->Read(slice.offset, buffer_.data(), slice.size);
    if (!got.ok()) return got.status();
    status = element_document_.Open(buffer_);
    if (status.ok()) {
      ondemand::object element;
      const auto error = element_document_.document().get_object().get(element);
      status = error ? Malformed(error)
                     : reader_.ReadElement(&element_document_, element, split_list_, &values_);
      if (status.ok() && !element_document_.AtEnd()) {
        status = absl::DataLossError("malformed JSON: trailing text");
      }
    }
    if (!status.ok()) {
      ++info.malformed;
      on_malformed(std::string(status.message()));
      continue;
    }
    if (status = on_record({&values_, 2, split->elements.size()}); !status.ok()) return status;
  }
  return info;
}

}  // namespace intercom_extractor
