#ifndef EXTRACTOR_TABLES_SHAPE_H_
#define EXTRACTOR_TABLES_SHAPE_H_

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

  // What is wanted below one key; a value of unexpected type may be a scalar, an
  // object and a list in turn (`avatar`, `contacts`).
  struct Node {
    int scalar = -1;  // Slot for the value itself.
    int list = -1;    // The list that an array here is.
    absl::flat_hash_map<std::string, std::unique_ptr<Node>> fields;

    // Keys in the order in which they were first seen, wanted or not: the key
    // after the one just read is nearly always the next of these.
    struct Seen {
      std::string key;
      Node* node;
    };
    std::vector<Seen> seen;
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
