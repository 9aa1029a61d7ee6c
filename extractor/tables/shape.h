#ifndef EXTRACTOR_TABLES_SHAPE_H_
#define EXTRACTOR_TABLES_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// Where a value of a record is kept once it has been read: in a slot of the
// record itself (`list` < 0), or of each element of one of its lists.
struct ValueRef {
  int list = -1;
  int slot = -1;

  bool valid() const { return slot >= 0; }
};

// Which values of a JSON record somebody wants: a tree of keys, compiled once
// from all the paths that the tables of that record name, so that one walk over
// the JSON text serves every table.
//
// Not thread-safe: reading learns the order in which keys come.
class Shape {
 public:
  // A list inside the record.
  struct Node;
  struct List {
    int parent = -1;  // The list whose elements hold this one, or -1.
    int slots = 0;    // Values kept of each element.
    std::unique_ptr<Node> element;
  };

  // A key that records were seen to have, and what is wanted below it, if anything.
  class SeenKey {
   public:
    // Longer keys are never wanted. A key with a quote in it would also match
    // `"id":"..."` as it stands in the text, and so would one with a backslash.
    static bool CanLearn(absl::string_view key);
    SeenKey(absl::string_view key, Node* node);

    // Whether this key stands in its quotes at `text`, of which kReadable bytes can be read.
    static constexpr size_t kReadable = 64;
    bool Matches(const char* text) const {
      Block differences = {};
      for (size_t i = 0; i < kBlocks; ++i) {
        Block block;
        std::memcpy(&block, text + i * sizeof(block), sizeof(block));
        differences |= (block ^ head_[i]) & mask_[i];
      }
      return (differences[0] | differences[1]) == 0 &&
             (key_.size() <= sizeof(head_) ||
              std::memcmp(text + sizeof(head_), key_.data() + sizeof(head_),
                          key_.size() - sizeof(head_)) == 0);
    }
    Node* node() const { return node_; }

   private:
    // The first bytes of `key_`, and which bits of them count: most keys are compared
    // without a call.
    using Block = uint64_t __attribute__((vector_size(16)));
    static constexpr size_t kBlocks = 2;
    Block head_[kBlocks] = {};
    Block mask_[kBlocks] = {};
    Node* node_;
    // With its quotes.
    std::string key_;
  };

  // What is wanted below one key; a value of unexpected type may be a scalar, an
  // object and a list in turn (`avatar`, `contacts`).
  struct Node {
    int scalar = -1;  // Slot for the value itself.
    int list = -1;    // The list that an array here is.
    absl::flat_hash_map<std::string, std::unique_ptr<Node>> fields;

    // Keys in the order in which they were first seen, wanted or not: the key
    // after the one just read is nearly always the next of these.
    std::vector<SeenKey> seen;
    absl::flat_hash_map<std::string, int> seen_index;

    bool wants_object() const { return !fields.empty(); }
  };

  Shape();

  // Wants the value at `path` ("a.b", or "a.b[0].c" for the first element of a
  // list) below `level`, a list's elements or -1 for the record.
  ValueRef AddValue(int level, absl::string_view path);

  // Wants the elements of the list at `path` ("a.b", or "a.b[].c" for the list c
  // in each element of the list a.b). Returns the list.
  int AddList(int level, absl::string_view path);

  int record_slots() const { return record_slots_; }
  const std::vector<List>& lists() const { return lists_; }
  Node* root() const { return root_.get(); }

 private:
  Node* Descend(int level, absl::string_view path);

  int record_slots_ = 0;
  std::unique_ptr<Node> root_;
  std::vector<List> lists_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_SHAPE_H_
