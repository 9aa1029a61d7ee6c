#include "extractor/tables/shape.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace intercom_extractor {

bool Shape::SeenKey::CanLearn(absl::string_view key) {
  return key.size() + 2 <= kReadable && key.find_first_of("\"\\") == absl::string_view::npos;
}

Shape::SeenKey::SeenKey(absl::string_view key, Node* node)
    : node_(node), key_(absl::StrCat("\"", key, "\"")) {
  std::memcpy(head_, key_.data(), std::min(key_.size(), sizeof(head_)));
  constexpr char kAll = '\xff';
  for (size_t i = 0; i < std::min(key_.size(), sizeof(mask_)); ++i) {
    std::memcpy(reinterpret_cast<char*>(mask_) + i, &kAll, 1);
  }
}

Shape::Shape() : root_(std::make_unique<Node>()) {}

Shape::Node* Shape::Descend(int level, absl::string_view path) {
  Node* node = level < 0 ? root_.get() : lists_[level].element.get();
  for (absl::string_view key : absl::StrSplit(path, '.')) {
    auto& child = node->fields[std::string(key)];
    if (child == nullptr) child = std::make_unique<Node>();
    node = child.get();
  }
  return node;
}

ValueRef Shape::AddValue(int level, absl::string_view path) {
  const size_t first = path.find("[0].");
  if (first != absl::string_view::npos) {
    return AddValue(AddList(level, path.substr(0, first)), path.substr(first + 4));
  }
  Node* node = Descend(level, path);
  if (node->scalar < 0) {
    node->scalar = level < 0 ? record_slots_++ : lists_[level].slots++;
  }
  return {level, node->scalar};
}

int Shape::AddList(int level, absl::string_view path) {
  const size_t inner = path.find("[].");
  if (inner != absl::string_view::npos) {
    return AddList(AddList(level, path.substr(0, inner)), path.substr(inner + 3));
  }
  Node* node = Descend(level, path);
  if (node->list < 0) {
    node->list = static_cast<int>(lists_.size());
    lists_.push_back({level, 0, std::make_unique<Node>()});
  }
  return node->list;
}

}  // namespace intercom_extractor
