#ifndef EXTRACTOR_TABLES_RECORD_READER_H_
#define EXTRACTOR_TABLES_RECORD_READER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "extractor/tables/json_document.h"
#include "extractor/tables/shape.h"

namespace intercom_extractor {

// The elements of one list of a record.
struct ListValues {
  // An array stood there, maybe an empty one.
  bool present = false;
  // Something else stood there, or an element that is no object.
  bool misplaced = false;
  size_t count = 0;
  // `slots` of the list's shape for each element, one element after the other.
  std::vector<JsonValue> values;
  // For a list in a list: which element of the outer one holds each element.
  std::vector<uint32_t> outer;
};

// What a reader found in one record, as its shape numbers slots and lists. The
// texts live as long as the reader's current document.
struct RecordValues {
  std::vector<JsonValue> slots;
  std::vector<ListValues> lists;

  // The value of the record, or of an element of a list.
  const JsonValue& Get(const Shape& shape, ValueRef ref, size_t element) const {
    if (ref.list < 0) return slots[ref.slot];
    return lists[ref.list].values[element * shape.lists()[ref.list].slots + ref.slot];
  }
};

// Reads the wanted values of JSON records in one pass, without building a
// document. Not thread-safe.
class RecordReader {
 public:
  // `shape` must outlive the reader.
  explicit RecordReader(Shape* shape) : shape_(shape) {}

  // Forgets `values` and fills it from the object at `*token`, which moves behind it.
  // kDataLoss when that is no well-formed JSON object.
  absl::Status Read(JsonDocument* document, JsonDocument::Token* token, RecordValues* values);

  // Forgets the elements of `list` (and of lists inside it) and reads the object as
  // its only one; the rest of `values` stays.
  absl::Status ReadElement(JsonDocument* document, JsonDocument::Token* token, int list,
                           RecordValues* values);

 private:
  using Token = JsonDocument::Token;
  // Where the values of a record, or of an element of one of its lists, are kept.
  struct Place {
    int list = -1;
    size_t element = 0;
    JsonValue* slots = nullptr;
  };

  absl::Status ReadRecord(Token* token, Shape::Node* node, const Place& place);
  // Each returns the token behind what it read, or null where that is malformed.
  Token ReadObject(Token token, Shape::Node* node, const Place& place);
  Token ReadValue(Token token, Shape::Node* node, const Place& place);
  Token ReadList(Token token, int list, size_t outer);
  // The object or array at `token` where no such thing is wanted.
  Token ReadWhole(Token token, const Shape::Node& node, const Place& place);
  // A scalar where only something larger is wanted.
  Token ReadMisplaced(Token token, const Shape::Node& node, const Place& place);
  // What is wanted below a key that did not come where it was expected, or null; learns
  // its place.
  static Shape::Node* LookUp(absl::string_view key, Shape::Node* node, size_t* expected);
  void Misplace(const Shape::Node& node, const Place& place, std::string_view raw);

  Shape* const shape_;
  // During a Read() only.
  JsonDocument* document_ = nullptr;
  RecordValues* values_ = nullptr;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_RECORD_READER_H_
