#ifndef EXTRACTOR_TABLES_RECORD_READER_H_
#define EXTRACTOR_TABLES_RECORD_READER_H_

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "extractor/tables/shape.h"

namespace intercom_extractor {

// One value of a record, as far as its JSON type tells.
struct JsonValue {
  enum class Kind : uint8_t {
    kAbsent,
    kNull,
    kFalse,
    kTrue,
    kNumber,
    kString,
    kObject,
    kArray,
    // Something stood above it that cannot hold it: `"location": 5`.
    kMisplaced,
  };
  Kind kind = Kind::kAbsent;
  // A string without its escapes; for the others the JSON text as received.
  std::string_view text;
  // The JSON text as received.
  std::string_view raw;

  bool has_value() const { return kind != Kind::kAbsent && kind != Kind::kNull; }
};

// The integer that a JSON number, or a string of its digits, is; as in the columns.
// Nothing for other numbers and other types.
std::optional<int64_t> IntegerOf(const JsonValue& value);

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
  // Opens a JSON text; `parser` and the text (with kPadding bytes behind it that
  // may be read) must stay until the next one is opened.
  class Document {
   public:
    // kDataLoss: not a JSON object.
    absl::Status Open(absl::string_view text);
    simdjson::ondemand::document& document() { return document_; }
    // Whether nothing follows, once the object has been read to its end.
    bool AtEnd();
    // Unescapes into memory that lives as long as the document.
    std::string_view Unescape(std::string_view raw_string);

   private:
    simdjson::ondemand::parser parser_;
    simdjson::ondemand::document document_;
    std::unique_ptr<uint8_t[]> unescaped_;
    size_t unescaped_capacity_ = 0;
    uint8_t* unescaped_end_ = nullptr;
  };

  // `shape` must outlive the reader.
  explicit RecordReader(Shape* shape) : shape_(shape) {}

  // Forgets `values` and fills it from a record. kDataLoss when the record is
  // not well-formed JSON.
  absl::Status Read(Document* document, simdjson::ondemand::object record, RecordValues* values);

  // Forgets the elements of `list` (and of lists inside it) and reads `record`
  // as its only one; the rest of `values` stays.
  absl::Status ReadElement(Document* document, simdjson::ondemand::object record, int list,
                           RecordValues* values);

 private:
  using Error = simdjson::error_code;

  Error ReadObject(simdjson::ondemand::object object, Shape::Node* node, int level, size_t element);
  Error ReadValue(simdjson::ondemand::value value, Shape::Node* node, int level, size_t element);
  Error ReadList(simdjson::ondemand::array array, int list, size_t outer);
  Error ReadScalar(simdjson::ondemand::value value, JsonValue* result);
  void Misplace(const Shape::Node& node, int level, size_t element, std::string_view raw);
  JsonValue& Slot(int level, size_t element, int slot);

  Shape* const shape_;
  // During a Read() only.
  Document* document_ = nullptr;
  RecordValues* values_ = nullptr;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_RECORD_READER_H_
