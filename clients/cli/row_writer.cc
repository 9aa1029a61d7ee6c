#include "clients/cli/row_writer.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "clients/cli/byte_scan.h"
#include "clients/cli/json_text.h"

namespace intercom_extractor {
namespace {

bool IsSpecial(char c) { return c == ',' || c == '"' || c == '\r' || c == '\n'; }

// Eight bytes at a time: most text is short and plain, and the rest is long.
bool NeedsQuotes(absl::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    const ByteScan scan(text.data() + i);
    if (ByteScan::Any(scan.Equal(',') | scan.Equal('"') | scan.Equal('\r') | scan.Equal('\n'))) {
      return true;
    }
  }
  for (; i < text.size(); ++i) {
    if (IsSpecial(text[i])) return true;
  }
  return false;
}

}  // namespace

void AppendCsvText(absl::string_view text, std::string* out) {
  if (text.empty()) {
    out->append("\"\"");
    return;
  }
  if (!NeedsQuotes(text)) {
    out->append(text.data(), text.size());
    return;
  }
  out->push_back('"');
  while (true) {
    const size_t quote = text.find('"');
    if (quote == absl::string_view::npos) break;
    out->append(text.data(), quote + 1);
    out->push_back('"');
    text.remove_prefix(quote + 1);
  }
  out->append(text.data(), text.size());
  out->push_back('"');
}

namespace {

class CsvRowWriter : public RowWriter {
 public:
  explicit CsvRowWriter(RowColumns columns) : columns_(std::move(columns)) {}

  void AppendHeader(std::string* out) const override {
    bool first = true;
    for (const RowColumns::Column& column : columns_.columns()) {
      if (!first) out->push_back(',');
      first = false;
      AppendCsvText(column.name, out);
    }
    out->push_back('\n');
  }

  bool AppendRow(absl::string_view row, std::string* out) const override {
    const size_t begin = out->size();
    Values values{out};
    if (!columns_.VisitRow(row, &values)) return false;
    // Each value ends with a comma; the last one's place is the line end's.
    if (out->size() > begin) {
      out->back() = '\n';
    } else {
      out->push_back('\n');
    }
    return true;
  }

 private:
  struct Values {
    void Null() { out->push_back(','); }
    void String(absl::string_view text) {
      AppendCsvText(text, out);
      out->push_back(',');
    }
    void Int64(int64_t value) {
      AppendInt64(value, out);
      out->push_back(',');
    }
    void Double(double value) {
      AppendDouble(value, out);
      out->push_back(',');
    }
    void Bool(bool value) { out->append(value ? "true," : "false,"); }

    std::string* out;
  };

  const RowColumns columns_;
};

class JsonlRowWriter : public RowWriter {
 public:
  explicit JsonlRowWriter(RowColumns columns) : columns_(std::move(columns)) {
    for (const RowColumns::Column& column : columns_.columns()) {
      std::string key = keys_.empty() ? "{" : ",";
      AppendJsonString(column.name, &key);
      key.push_back(':');
      keys_.push_back(std::move(key));
    }
  }

  void AppendHeader(std::string*) const override {}

  bool AppendRow(absl::string_view row, std::string* out) const override {
    Values values{keys_.data(), out};
    if (!columns_.VisitRow(row, &values)) return false;
    out->append(keys_.empty() ? "{}\n" : "}\n");
    return true;
  }

 private:
  struct Values {
    std::string& Key() {
      out->append(*next_key++);
      return *out;
    }
    void Null() { Key().append("null"); }
    void String(absl::string_view text) { AppendJsonString(text, &Key()); }
    void Int64(int64_t value) { AppendInt64(value, &Key()); }
    void Double(double value) {
      // JSON has no infinity; Intercom's answers are JSON and have none either.
      if (!std::isfinite(value)) return Null();
      AppendDouble(value, &Key());
    }
    void Bool(bool value) { Key().append(value ? "true" : "false"); }

    const std::string* next_key;
    std::string* out;
  };

  const RowColumns columns_;
  // What stands before each value: `{"type":`, `,"id":`, ...
  std::vector<std::string> keys_;
};

}  // namespace

const char* FileExtension(RowFormat format) { return format == RowFormat::kCsv ? "csv" : "jsonl"; }

std::unique_ptr<RowWriter> NewCsvRowWriter(RowColumns columns) {
  return std::make_unique<CsvRowWriter>(std::move(columns));
}

std::unique_ptr<RowWriter> NewJsonlRowWriter(RowColumns columns) {
  return std::make_unique<JsonlRowWriter>(std::move(columns));
}

std::unique_ptr<RowWriter> NewRowWriter(RowFormat format, RowColumns columns) {
  return format == RowFormat::kCsv ? NewCsvRowWriter(std::move(columns))
                                   : NewJsonlRowWriter(std::move(columns));
}

}  // namespace intercom_extractor
