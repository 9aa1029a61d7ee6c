#ifndef EXTRACTOR_TABLES_RECORD_CONVERTER_H_
#define EXTRACTOR_TABLES_RECORD_CONVERTER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/string_view.h"
#include "extractor/memory/growing_buffer.h"
#include "extractor/tables/json_document.h"
#include "extractor/tables/record_reader.h"
#include "extractor/tables/shape.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"
#include "extractor/tables/value_protection.h"
#include "extractor/tables/wire.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Knows the roles of contacts.
class RoleDirectory {
 public:
  virtual ~RoleDirectory() = default;
  // "user" or "lead"; nothing when nobody knows it.
  virtual std::optional<absl::string_view> Role(absl::string_view contact_id) const = 0;
};

// What a record cannot say of itself.
struct RecordContext {
  // Of a contact's sub-resource: the contact.
  absl::string_view parent_id;
  v1::ContactRole parent_role = v1::CONTACT_ROLE_UNSPECIFIED;
  // Of a conversation.
  const RoleDirectory* roles = nullptr;
  std::optional<bool> parts_truncated;
  // Tables that get no rows from this record, as they come from elsewhere.
  TableSet skip;
};

// Turns the values of one kind of record into rows of every wanted table that is
// made of it. Compiled once from the tables' annotations; nothing is looked up
// by name per row. What a table's privacy rules say is done as values are written.
// Not thread-safe.
class RecordConverter {
 public:
  // Tables of `wanted` that are not made of `record` are ignored.
  RecordConverter(v1::SourceRecord record, const std::vector<const TableInfo*>& wanted);

  // The values that the tables need. More may be added before reading begins.
  Shape* shape() { return &shape_; }

  // Whether any wanted table is made of this record.
  bool wanted() const { return !tables_.empty(); }

  // Which rows to write of a record whose list is read piece by piece.
  enum class Part {
    kWhole,
    // Everything but the rows of `list` and of the lists inside it.
    kWithoutList,
    // Only these.
    kListOnly,
  };

  // Appends the record's rows to `unit`, and a notice for each value that does
  // not fit its column. Contacts of the other role give no rows.
  void Convert(const RecordValues& values, const RecordContext& context, UnitRows* unit,
               Part part = Part::kWhole, int list = -1);

 private:
  // How a column's value is written.
  enum class Write : uint8_t { kText, kIdentifier, kJsonText, kInt64, kDouble, kBool };
  // Whose values a column takes, when it takes just one value.
  enum class Owner : uint8_t { kRecord, kElement, kOuterElement, kSeveral };
  struct Column {
    explicit Column(const v1::ColumnDescription& description);

    const std::string* name;
    WireTag tag;
    Write write;
    v1::Derivation derivation;
    // Masked or hashed, or its members are treated by their names.
    bool is_protected = false;
    v1::PrivacyAction privacy = v1::PRIVACY_ACTION_UNSPECIFIED;
    // More has to be done than copying a value.
    bool special = false;
    Owner owner = Owner::kSeveral;
    // Of a column that takes just one value.
    int slot = -1;
    std::vector<ValueRef> values;
  };
  // A table's columns, resolved for one of the lists that may hold its rows.
  struct Variant {
    int list = -1;
    std::vector<Column> columns;
  };
  struct Table {
    int index = 0;
    WireTag batch_tag;
    v1::ContactRole role = v1::CONTACT_ROLE_UNSPECIFIED;
    // The bytes of all constant columns.
    std::string constants;
    std::vector<Variant> variants;
    // Of the row before, in bytes, as a varint: a guess for the next one.
    size_t length_size = 1;
  };
  // What one row is made of, and where it goes.
  struct RowSource {
    const RecordValues* values;
    const RecordContext* context;
    const Table* table;
    int list;
    size_t element;
    // The element's place among those of its own parent.
    uint64_t ordinal;
    UnitRows* unit;
    GrowingBuffer* out;
    // What the row's columns may need besides their texts.
    size_t room;
  };

  void AddTable(const TableInfo& info, const v1::TableSource& source);
  Variant CompileVariant(const TableInfo& info, int list);
  static Write HowToWrite(const v1::ColumnDescription& column);
  Owner OwnerOf(const std::vector<ValueRef>& values, int list) const;

  bool InPart(int list, Part part, int split_list) const;
  void WriteRow(const RowSource& row, Table* table, const Variant& variant);
  // These write at `to`, where `row.room` bytes are free, and return where they end,
  // maybe elsewhere, again with so much room.
  char* WriteColumns(const RowSource& row, const Variant& variant, char* to);
  char* WriteCopied(const RowSource& row, const Column& column, const JsonValue& value, char* to);
  // A text's tag and length; its bytes are the caller's to write.
  static char* BeginText(const RowSource& row, const Column& column, size_t size, char* to);
  static char* WriteText(const RowSource& row, const Column& column, std::string_view text,
                         char* to);
  // `value`: the first of the column's values that is there.
  char* WriteSpecial(const RowSource& row, const Column& column, const JsonValue& value, char* to);
  char* WriteProtected(const RowSource& row, const Column& column, const JsonValue& value,
                       char* to);
  char* WriteDerived(const RowSource& row, const Column& column, const JsonValue& value, char* to);
  char* WriteUserAgent(const RowSource& row, const Column& column, char* to);
  char* WriteAssignee(const RowSource& row, const Column& column, char* to);
  std::string ReferencedRole(const RowSource& row, std::string_view contact_id);

  size_t ElementOf(const RowSource& row, ValueRef ref) const;
  const JsonValue& Get(const RowSource& row, ValueRef ref) const;
  // The first of the column's values that is there, else an absent or null one.
  const JsonValue& First(const RowSource& row, const Column& column) const;
  void Complain(const RowSource& row, const Column& column, const char* wanted,
                const JsonValue& value);
  std::string RecordId(const RowSource& row) const;

  Shape shape_;
  std::vector<Table> tables_;
  // Null where no table has rules.
  std::unique_ptr<ValueProtection> protection_;
  // A text that is about to be replaced.
  std::string plain_;
  ValueRef id_;
  ValueRef role_;
  ValueRef type_;
  ValueRef author_id_;
  ValueRef author_type_;
};

// Whether an assignee or another reference is set: neither null nor 0 nor "".
bool IsSetReference(const JsonValue& value);

// Appends the ids of a conversation's contacts whose role its author does not
// tell. `contacts` are the lists that may hold them, `id` their id for each.
void AppendUnknownRoles(const Shape& shape, const RecordValues& values, int list, ValueRef id,
                        ValueRef author_id, ValueRef author_type, std::vector<std::string>* ids);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_RECORD_CONVERTER_H_
