// Rows of any table through the command line's writers, read again by Python: a byte for
// the table, one for the way, then the rows.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/casts.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "clients/cli/row_columns.h"
#include "clients/cli/row_writer.h"
#include "extractor/tables/table_catalog.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/stubs/logging.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/fuzz/input_bytes.h"
#include "tests/fuzz/json_facts.h"
#include "tests/fuzz/python_reader.h"
#include "tests/fuzz/require.h"

namespace intercom_extractor::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kMostRows = 16;

void FillColumn(const FieldDescriptor& field, InputBytes* input, Message* row) {
  const google::protobuf::Reflection& reflection = *row->GetReflection();
  const uint8_t how = input->Byte();
  if (how < 0x40) return;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      reflection.SetInt64(row, &field,
                          how < 0x60 ? how - 0x50 : static_cast<int64_t>(input->Word()));
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      reflection.SetDouble(row, &field,
                           how < 0x60 ? how / 8.0 : absl::bit_cast<double>(input->Word()));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      reflection.SetBool(row, &field, (how & 1) != 0);
      return;
    default:
      reflection.SetString(row, &field,
                           how < 0x60 ? std::string() : std::string(input->Text(how - 0x5f)));
  }
}

// Takes Python's answer apart.
class Answer {
 public:
  explicit Answer(std::string bytes) : bytes_(std::move(bytes)) {}

  bool AtEnd() const { return at_ == bytes_.size(); }
  char Kind() { return at_ < bytes_.size() ? bytes_[at_++] : '\0'; }
  absl::string_view Text() {
    uint32_t size = 0;
    const absl::string_view header = Bytes(sizeof(size));
    std::memcpy(&size, header.data(), header.size());
    return Bytes(size);
  }
  absl::string_view Bytes(size_t size) {
    const absl::string_view bytes = absl::string_view(bytes_).substr(at_, size);
    at_ += bytes.size();
    return bytes;
  }

 private:
  const std::string bytes_;
  size_t at_ = 0;
};

void RequireKind(Answer* answer, char kind, const char* what) {
  const char found = answer->Kind();
  Require(found == kind, what, std::string(1, found));
}

void RequireText(Answer* answer, absl::string_view text) {
  const absl::string_view found = answer->Text();
  Require(found == text, "a text reads as it was", absl::CEscape(found));
}

// The number as it was: to the last bit, but for what is not a number.
void RequireDouble(double expected, double found) {
  Require(absl::bit_cast<uint64_t>(expected) == absl::bit_cast<uint64_t>(found) ||
              (std::isnan(expected) && std::isnan(found)),
          "a double reads as it was", expected, " ", found);
}

void CheckCsvValue(const FieldDescriptor& field, const Message& row, Answer* answer) {
  const google::protobuf::Reflection& reflection = *row.GetReflection();
  if (!reflection.HasField(row, &field)) return RequireKind(answer, 'N', "null is empty");
  RequireKind(answer, 'S', "what is not null is not empty");
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return RequireText(answer, std::to_string(reflection.GetInt64(row, &field)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return RequireText(answer, reflection.GetBool(row, &field) ? "true" : "false");
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return RequireDouble(reflection.GetDouble(row, &field),
                           std::strtod(std::string(answer->Text()).c_str(), nullptr));
    default:
      return RequireText(answer, reflection.GetString(row, &field));
  }
}

void CheckJsonValue(const FieldDescriptor& field, const Message& row, Answer* answer) {
  const google::protobuf::Reflection& reflection = *row.GetReflection();
  const char kind = answer->Kind();
  if (!reflection.HasField(row, &field)) return Require(kind == 'N', "null is null");
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      Require(kind == 'I', "an integer is one");
      return RequireText(answer, std::to_string(reflection.GetInt64(row, &field)));
    case FieldDescriptor::CPPTYPE_BOOL:
      Require(kind == 'B', "a bool is one");
      return Require(
          (answer->Bytes(1) == absl::string_view("\1", 1)) == reflection.GetBool(row, &field),
          "a bool reads as it was");
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const double expected = reflection.GetDouble(row, &field);
      if (!std::isfinite(expected)) return Require(kind == 'N', "JSON has no infinity");
      // Whole ones are integers to Python.
      if (kind == 'I') {
        return RequireDouble(expected, std::strtod(std::string(answer->Text()).c_str(), nullptr) +
                                           (std::signbit(expected) && expected == 0 ? -0.0 : 0));
      }
      double found = 0;
      Require(kind == 'D', "a double is one");
      std::memcpy(&found, answer->Bytes(sizeof(found)).data(), sizeof(found));
      return RequireDouble(expected, found);
    }
    default:
      Require(kind == 'S', "a text is one");
      return RequireText(answer, reflection.GetString(row, &field));
  }
}

struct Way {
  RowFormat format;
  ColumnSelection columns;
  // Rows as bytes, which may be none.
  bool raw;
};

void Check(const TableInfo& table, const Way& way, InputBytes* input) {
  absl::StatusOr<RowColumns> resolved = RowColumns::Resolve(table.description, way.columns);
  Require(resolved.ok(), "a table of ours is known", resolved.status().ToString());
  const RowColumns columns = *resolved;
  const std::unique_ptr<RowWriter> writer = NewRowWriter(way.format, *std::move(resolved));
  const Message& prototype =
      *google::protobuf::MessageFactory::generated_factory()->GetPrototype(table.row);

  std::string text;
  writer->AppendHeader(&text);
  std::vector<std::unique_ptr<Message>> rows;
  while (!input->empty() && rows.size() < kMostRows) {
    std::unique_ptr<Message> row(prototype.New());
    if (way.raw) {
      const std::string bytes(input->Text(size_t{input->Byte()} + 1));
      const size_t before = text.size();
      const bool written = writer->AppendRow(bytes, &text);
      Require(written || text.size() == before, "nothing is written of what is no row");
      if (!row->ParseFromString(bytes)) {
        // Texts that are no UTF-8 are protobuf's only other reason.
        text.resize(before);
        continue;
      }
      Require(written, "what protobuf reads is a row", absl::CEscape(bytes));
    } else {
      for (int i = 0; i < table.row->field_count(); ++i) {
        FillColumn(*table.row->field(i), input, row.get());
      }
      Require(writer->AppendRow(row->SerializePartialAsString(), &text), "a row is written");
    }
    rows.push_back(std::move(row));
  }
  // Python's JSON takes no half characters; rows never have them.
  if (way.format == RowFormat::kJsonl && !IsUtf8(text)) return;

  const bool csv = way.format == RowFormat::kCsv;
  Answer answer(PythonReader::Get().Read(csv ? 'c' : 'j', text));
  if (csv) {
    RequireKind(&answer, 'R', "there is a header");
    for (const RowColumns::Column& column : columns.columns()) {
      RequireKind(&answer, 'S', "which has names");
      RequireText(&answer, column.name);
    }
  }
  for (const std::unique_ptr<Message>& row : rows) {
    RequireKind(&answer, 'R', "each row is a record");
    for (const RowColumns::Column& column : columns.columns()) {
      const FieldDescriptor& field = *table.row->FindFieldByNumber(column.number);
      if (csv) {
        CheckCsvValue(field, *row, &answer);
        continue;
      }
      RequireKind(&answer, 'S', "each value has a key");
      RequireText(&answer, column.name);
      CheckJsonValue(field, *row, &answer);
    }
  }
  Require(answer.AtEnd(), "there are no more records");
}

}  // namespace
}  // namespace intercom_extractor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intercom_extractor;  // NOLINT(google-build-using-namespace)
  // It says of each text that it is no UTF-8.
  static const auto* const quiet = new google::protobuf::LogSilencer();
  (void)quiet;
  fuzz::InputBytes input(data, size);
  const auto& tables = TableCatalog::Get().tables();
  const TableInfo& table = tables[input.Below(tables.size())];
  const uint8_t how = input.Byte();
  fuzz::Check(
      table,
      {(how & 1) == 0 ? RowFormat::kCsv : RowFormat::kJsonl,
       (how & 2) == 0 ? ColumnSelection::kAll : ColumnSelection::kDocumented, (how & 4) != 0},
      &input);
  return 0;
}
