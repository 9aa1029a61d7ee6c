#include "extractor/tables/body_splitter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "extractor/tables/json_string.h"

namespace intercom_extractor {
namespace {

constexpr size_t kPiece = 64 << 10;
constexpr size_t kMaxRest = 64 << 20;
// Keys on the way to a list are short, even with each letter as an escape; longer ones are
// never compared.
constexpr size_t kMaxKey = 256;
constexpr size_t kNone = static_cast<size_t>(-1);

class Splitter {
 public:
  explicit Splitter(const std::vector<std::vector<std::string>>& paths) : paths_(paths) {
    size_t depth = 0;
    for (const auto& path : paths) depth = std::max(depth, path.size());
    path_.resize(depth);
  }

  absl::Status Feed(const char* data, size_t size) {
    for (size_t i = 0; i < size; ++i) Step(data[i], offset_ + i);
    offset_ += size;
    if (result_.rest.size() > kMaxRest) {
      return absl::ResourceExhaustedError(
          absl::StrCat("an answer holds more than ", kMaxRest, " bytes outside its list"));
    }
    return absl::OkStatus();
  }

  SplitBody Finish() {
    result_.complete = open_.empty() && started_ && !in_string_;
    if (!result_.complete) Close();
    return std::move(result_);
  }

 private:
  void Step(char c, size_t at) {
    const bool between_elements = in_list_ && open_.size() == list_depth_ && !in_string_;
    if (!between_elements) {
      if (!in_element_) result_.rest.push_back(c);
      Follow(c);
      return;
    }
    switch (c) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        return;
      case ',':
        EndElement(at);
        return;
      case ']':
        EndElement(at);
        in_list_ = false;
        result_.rest.push_back(c);
        open_.pop_back();
        MarkSound(result_.rest.size());
        return;
      default:
        if (!in_element_) {
          in_element_ = true;
          element_start_ = at;
        }
        Follow(c);
    }
  }

  // Keeps track of strings, brackets and the keys that lead here.
  void Follow(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
        return;
      }
      if (!in_element_ && string_.size() <= kMaxKey) string_.push_back(c);
      return;
    }
    switch (c) {
      case '"':
        in_string_ = true;
        string_.clear();
        return;
      case '{':
      case '[':
        open_.push_back(c);
        if (in_element_) return;
        if (open_.size() <= path_.size()) path_[open_.size() - 1].clear();
        if (!started_) MarkSound(result_.rest.size());
        started_ = true;
        if (c == '[' && AtWantedList()) {
          in_list_ = true;
          list_depth_ = open_.size();
          MarkSound(result_.rest.size());
        }
        return;
      case '}':
      case ']':
        CloseBracket(c == '}' ? '{' : '[');
        return;
      case ',':
        if (!in_element_) MarkSound(result_.rest.size() - 1);
        return;
      case ':':
        if (!in_element_ && !open_.empty() && open_.size() <= path_.size()) {
          // Otherwise a list would be taken for part of the rest, and half a record in it
          // for a whole one.
          std::string& key = path_[open_.size() - 1];
          key.resize(UnescapedLimit(string_.size()));
          key.resize(static_cast<size_t>(UnescapeLeniently(string_, &key[0]) - key.data()));
        }
        return;
      default:
        return;
    }
  }

  // Closes the nearest `opening` bracket: one that is missing costs the element
  // that misses it, not those behind it.
  void CloseBracket(char opening) {
    const size_t floor = in_list_ ? list_depth_ : 0;
    const size_t depth = open_.rfind(opening);
    if (depth == std::string::npos || depth < floor) return;
    open_.resize(depth);
    if (!in_element_) MarkSound(result_.rest.size());
  }

  // Whether the bracket that was just opened is the list of one of the paths; of
  // several paths, only the first that leads to a list counts.
  bool AtWantedList() {
    const size_t depth = open_.size() - 1;
    if (open_.find_first_not_of('{') != depth) return false;
    for (size_t i = 0; i < paths_.size(); ++i) {
      if (chosen_ != kNone && chosen_ != i) continue;
      if (paths_[i].size() != depth) continue;
      if (!std::equal(paths_[i].begin(), paths_[i].end(), path_.begin())) continue;
      chosen_ = i;
      return true;
    }
    return false;
  }

  // The first `size` bytes of the rest, closed, are sound JSON so far.
  void MarkSound(size_t size) {
    sound_size_ = size;
    sound_depth_ = open_.size();
  }

  void EndElement(size_t at) {
    if (!in_element_) return;
    in_element_ = false;
    result_.elements.push_back({element_start_, at - element_start_});
  }

  void Close() {
    // An element that was closed is whole even when nothing came behind it.
    if (in_element_ && !in_string_ && open_.size() == list_depth_) EndElement(offset_);
    // Half a key or value, or an element that was cut, is not kept. What was
    // opened since the rest was last sound stands at the end of `open_`.
    result_.rest.resize(sound_size_);
    open_.resize(sound_depth_);
    while (!open_.empty()) {
      result_.rest.push_back(open_.back() == '{' ? '}' : ']');
      open_.pop_back();
    }
  }

  const std::vector<std::vector<std::string>>& paths_;
  SplitBody result_;
  size_t offset_ = 0;
  // Brackets that are open, and the key that was last seen in each of the first.
  std::string open_;
  std::vector<std::string> path_;
  // Which of the paths leads to the list.
  size_t chosen_ = kNone;
  size_t sound_size_ = 0;
  size_t sound_depth_ = 0;
  std::string string_;
  bool started_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_list_ = false;
  size_t list_depth_ = 0;
  bool in_element_ = false;
  size_t element_start_ = 0;
};

}  // namespace

absl::StatusOr<SplitBody> SplitAtList(const ResponseBody& body,
                                      const std::vector<std::vector<std::string>>& paths) {
  Splitter splitter(paths);
  std::string piece(kPiece, '\0');
  for (size_t offset = 0; offset < body.size();) {
    const auto got = body.Read(offset, piece.data(), piece.size());
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    if (absl::Status status = splitter.Feed(piece.data(), *got); !status.ok()) return status;
    offset += *got;
  }
  return splitter.Finish();
}

}  // namespace intercom_extractor
