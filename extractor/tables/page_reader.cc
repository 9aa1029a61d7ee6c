#include "extractor/tables/page_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "extractor/tables/body_splitter.h"

namespace intercom_extractor {
namespace {

using Token = JsonDocument::Token;
using Step = JsonDocument::Step;

// A number of records or of a page. One that no workspace has would overflow where many
// are added up.
std::optional<int64_t> CountOf(const JsonValue& value) {
  constexpr int64_t kMost = 1'000'000'000'000;
  const std::optional<int64_t> count = IntegerOf(value);
  if (count.has_value() && (*count < 0 || *count > kMost)) return std::nullopt;
  return count;
}

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("malformed JSON: ", what));
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

}  // namespace

PageReader::PageReader(std::vector<std::string> items, std::string split, Shape* shape)
    : items_(std::move(items)),
      split_(std::move(split)),
      reader_(shape),
      next_(pages_shape_.AddValue(-1, "next")),
      next_page_(pages_shape_.AddValue(-1, "next.page")),
      next_starting_after_(pages_shape_.AddValue(-1, "next.starting_after")),
      page_(pages_shape_.AddValue(-1, "page")),
      total_pages_(pages_shape_.AddValue(-1, "total_pages")) {
  if (!split_.empty()) split_list_ = shape->AddList(-1, split_);
}

bool PageReader::IsItems(std::string_view key) const {
  return std::any_of(items_.begin(), items_.end(),
                     [key](const std::string& item) { return key == item; });
}

absl::StatusOr<PageInfo> PageReader::Read(ResponseBody* body, OnRecord on_record) {
  document_ = TakeJsonDocument();
  absl::StatusOr<PageInfo> info = ReadText(body->text(), on_record);
  document_ = nullptr;
  return info;
}

absl::StatusOr<PageInfo> PageReader::ReadText(absl::string_view text, OnRecord on_record) {
  PageInfo info;
  absl::Status status = document_->Open(text);
  if (!status.ok()) return status;
  if (items_.empty()) {
    JsonDocument::Token token = document_->begin();
    status = reader_.Read(document_.get(), &token, &values_);
    if (status.ok() && token != document_->end()) status = Malformed("trailing text");
    if (status.ok()) status = on_record({&values_, 0, 0});
    info.records = 1;
  } else {
    bool whole = true;
    status = ReadEnvelope(&info, on_record, &whole);
    // Two texts in one body, say.
    if (status.ok() && !whole) status = Malformed("trailing text");
  }
  if (!status.ok()) return status;
  return info;
}

absl::Status PageReader::ReadEnvelope(PageInfo* info, OnRecord on_record, bool* whole) {
  bool found_items = false;
  Token token = document_->begin();
  if (document_->At(token) != '{') return Malformed("an object was expected");
  Step step = document_->Enter(&token, '}');
  for (; step == Step::kMember; step = document_->Next(&token, '}')) {
    if (!document_->IsMember(token)) return Malformed("a key was expected");
    const std::optional<std::string_view> key = document_->Key(token);
    if (!key.has_value()) return Malformed("a key was expected");
    token += 2;
    if (*key == "pages" && document_->At(token) == '{') {
      if (absl::Status status = ReadPages(&token, info); !status.ok()) return status;
    } else if (!found_items && document_->At(token) == '[' && IsItems(*key)) {
      found_items = true;
      if (absl::Status status = ReadItems(&token, info, on_record); !status.ok()) return status;
    } else if (*key == "total_count" || *key == "scroll_param") {
      JsonValue value;
      const Token behind = document_->Skip(token);
      if (behind == token + 1 && !document_->ReadScalar(token, &value)) {
        return Malformed("a value was expected");
      }
      token = behind;
      if (*key == "total_count") {
        info->total_count = CountOf(value);
      } else if (value.kind == JsonValue::Kind::kString) {
        info->scroll_param = std::string(value.text);
      }
    } else {
      token = document_->Skip(token);
    }
  }
  if (step != Step::kEnd) return Malformed("the answer is broken");
  *whole = token == document_->end();
  if (!found_items) {
    return absl::DataLossError(absl::StrCat("the answer has no list \"", items_.front(), "\""));
  }
  return absl::OkStatus();
}

absl::Status PageReader::ReadItems(Token* token, PageInfo* info, OnRecord on_record) {
  Step step = document_->Enter(token, ']');
  for (; step == Step::kMember; step = document_->Next(token, ']')) {
    if (absl::Status status = reader_.Read(document_.get(), token, &values_); !status.ok()) {
      return status;
    }
    ++info->records;
    if (absl::Status status = on_record({&values_, 0, 0}); !status.ok()) return status;
  }
  return step == Step::kEnd ? absl::OkStatus() : Malformed("the list is broken");
}

absl::Status PageReader::ReadPages(Token* token, PageInfo* info) {
  if (absl::Status status = pages_reader_.Read(document_.get(), token, &pages_); !status.ok()) {
    return status;
  }
  const auto value = [this](ValueRef ref) -> const JsonValue& {
    return pages_.Get(pages_shape_, ref, 0);
  };
  info->page = CountOf(value(page_));
  info->total_pages = CountOf(value(total_pages_));
  info->next_page = CountOf(value(next_page_));
  const JsonValue& cursor = value(next_starting_after_);
  if (cursor.kind == JsonValue::Kind::kString && !cursor.text.empty()) {
    info->next_starting_after = std::string(cursor.text);
  }
  if (const JsonValue& next = value(next_); next.kind == JsonValue::Kind::kString) {
    ReadNextUrl(next.text, info);
  }
  return absl::OkStatus();
}

absl::StatusOr<PageInfo> PageReader::Salvage(ResponseBody* body, OnRecord on_record,
                                             OnMalformed on_malformed) {
  document_ = TakeJsonDocument();
  absl::StatusOr<PageInfo> info = items_.empty() ? SalvageRecord(body, on_record, on_malformed)
                                                 : SalvageList(body, on_record, on_malformed);
  document_ = nullptr;
  return info;
}

absl::StatusOr<PageInfo> PageReader::SalvageList(ResponseBody* body, OnRecord on_record,
                                                 OnMalformed on_malformed) {
  std::vector<std::vector<std::string>> paths;
  paths.reserve(items_.size());
  for (const std::string& key : items_) paths.push_back({key});
  absl::StatusOr<SplitBody> split = SplitAtList(*body, paths);
  if (!split.ok()) return split.status();

  // First what is around the records: without it they are no page of ours.
  PageInfo info;
  rest_ = std::move(split->rest);
  rest_.reserve(rest_.size() + ResponseBody::kPadding);
  if (absl::Status status = document_->Open(rest_); !status.ok()) return status;
  bool whole = true;
  if (absl::Status status = ReadEnvelope(&info, on_record, &whole); !status.ok()) return status;
  // What follows a bracket too many would be lost in silence.
  info.complete = split->complete && whole;

  for (const SplitBody::Slice& slice : split->elements) {
    absl::Status status = OpenSlice(body, slice, document_.get());
    if (absl::IsResourceExhausted(status)) return status;
    Token token = document_->begin();
    if (status.ok()) status = reader_.Read(document_.get(), &token, &values_);
    if (status.ok() && token != document_->end()) status = Malformed("trailing text");
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

absl::Status PageReader::OpenSlice(ResponseBody* body, const SplitBody::Slice& slice,
                                   JsonDocument* document) {
  buffer_.reserve(slice.size + ResponseBody::kPadding);
  buffer_.resize(slice.size);
  const auto got = body->Read(slice.offset, buffer_.data(), slice.size);
  return got.ok() ? document->Open(buffer_) : got.status();
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
  absl::Status status = document_->Open(rest_);
  Token token = document_->begin();
  if (status.ok()) status = reader_.Read(document_.get(), &token, &values_);
  if (!status.ok()) return status;
  info.complete = split->complete && token == document_->end();
  const int part = split->elements.empty() ? 0 : 1;
  if (status = on_record({&values_, part, split->elements.size()}); !status.ok()) return status;

  // The record's rest stays open meanwhile.
  const PooledJsonDocument element = TakeJsonDocument();
  for (const SplitBody::Slice& slice : split->elements) {
    status = OpenSlice(body, slice, element.get());
    if (absl::IsResourceExhausted(status)) return status;
    token = element->begin();
    if (status.ok()) {
      status = reader_.ReadElement(element.get(), &token, split_list_, &values_);
    }
    if (status.ok() && token != element->end()) status = Malformed("trailing text");
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
