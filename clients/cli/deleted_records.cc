#include "clients/cli/deleted_records.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output_file.h"
#include "clients/cli/record_keys.h"

namespace intercom_extractor {
namespace {

constexpr char kDeletedAt[] = "deleted_at";

// Keys by 64 bits of them. A deleted record goes unnoticed where it shares them with
// a living one: with ten million of these once in two million million deletions.
class KeySet {
 public:
  void Reserve(size_t keys) { fingerprints_.reserve(keys); }

  // False where it is there already.
  bool Insert(absl::string_view key) { return fingerprints_.insert(Fingerprint(key)).second; }
  bool Contains(absl::string_view key) const { return fingerprints_.contains(Fingerprint(key)); }

 private:
  static uint64_t Fingerprint(absl::string_view key) {
    return absl::Hash<absl::string_view>()(key);
  }

  absl::flat_hash_set<uint64_t> fingerprints_;
};

// Calls `each` for the lines of a file, in order, until it fails. kNotFound where
// there is no file.
absl::Status ForEachLine(const std::string& path,
                         const std::function<absl::Status(absl::string_view)>& each) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return OutputError(absl::StrCat("read ", path), errno);
  std::string line;
  while (std::getline(file, line)) {
    if (absl::Status status = each(line); !status.ok()) return status;
  }
  if (file.bad()) return OutputError(absl::StrCat("read ", path), EIO);
  return absl::OkStatus();
}

// A file of lines in `.partial`.
class LineFile {
 public:
  static absl::StatusOr<LineFile> Create(OutputDirectory* directory, const std::string& name,
                                         bool gzip = false) {
    auto file = directory->CreateFile(name, gzip);
    if (!file.ok()) return file.status();
    return LineFile(*std::move(file));
  }

  std::string* buffer() { return file_->buffer(); }
  absl::Status EndLine() {
    buffer()->push_back('\n');
    return file_->WriteIfFull();
  }
  absl::Status Append(absl::string_view line) {
    buffer()->append(line.data(), line.size());
    return EndLine();
  }
  absl::Status Close() { return file_->Close(); }

 private:
  explicit LineFile(std::unique_ptr<OutputFile> file) : file_(std::move(file)) {}

  std::unique_ptr<OutputFile> file_;
};

// Writes the records of one table that are gone, each once: for people's programs
// and, as lines of keys, for the next run.
class DeletedWriter {
 public:
  static absl::StatusOr<DeletedWriter> Create(OutputDirectory* directory, const std::string& name,
                                              const std::string& kept_name, const RecordKeys& keys,
                                              const DeletedRecordsOptions& options) {
    auto file = LineFile::Create(directory, name, options.gzip);
    if (!file.ok()) return file.status();
    auto kept = LineFile::Create(directory, kept_name);
    if (!kept.ok()) return kept.status();
    DeletedWriter writer(*std::move(file), *std::move(kept), options.format);
    for (const RowColumns::Column& column : keys.columns()) {
      writer.columns_.push_back({column.name, column.type != v1::COLUMN_TYPE_INT64});
    }
    writer.columns_.push_back({kDeletedAt, false});
    if (absl::Status status = writer.WriteHeader(); !status.ok()) return status;
    return writer;
  }

  // `values` are those of the key, then of the time.
  absl::Status Write(const KeyValues& values) {
    std::string* out = file_.buffer();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (format_ == RowFormat::kCsv) {
        if (i > 0) out->push_back(',');
        if (values[i].has_value()) AppendCsvText(*values[i], out);
        continue;
      }
      out->push_back(i == 0 ? '{' : ',');
      AppendJsonString(columns_[i].name, out);
      out->push_back(':');
      if (!values[i].has_value()) {
        out->append("null");
      } else if (columns_[i].text) {
        AppendJsonString(*values[i], out);
      } else {
        out->append(*values[i]);
      }
    }
    if (format_ == RowFormat::kJsonl) out->push_back('}');
    if (absl::Status status = file_.EndLine(); !status.ok()) return status;
    ++records_;
    return kept_.Append(JoinKeyLine(values));
  }

  absl::Status Close() {
    if (absl::Status status = file_.Close(); !status.ok()) return status;
    return kept_.Close();
  }

  size_t columns() const { return columns_.size(); }
  int64_t records() const { return records_; }

 private:
  struct Column {
    std::string name;
    bool text;
  };

  DeletedWriter(LineFile file, LineFile kept, RowFormat format)
      : file_(std::move(file)), kept_(std::move(kept)), format_(format) {}

  absl::Status WriteHeader() {
    if (format_ != RowFormat::kCsv) return absl::OkStatus();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) file_.buffer()->push_back(',');
      AppendCsvText(columns_[i].name, file_.buffer());
    }
    return file_.EndLine();
  }

  LineFile file_;
  LineFile kept_;
  RowFormat format_;
  std::vector<Column> columns_;
  int64_t records_ = 0;
};

// One table's share of the work.
class TableSettlement {
 public:
  TableSettlement(OutputDirectory* directory, const v1::TableDescription& description,
                  const DeletedRecordsOptions& options, DeletedRecordsResult* result,
                  std::vector<std::string>* incomplete, std::vector<std::string>* not_known)
      : directory_(directory),
        description_(description),
        table_(description.table().name()),
        options_(options),
        result_(result),
        incomplete_(incomplete),
        not_known_(not_known) {}

  absl::Status Settle(const TableEnd& end, bool has_list) {
    const DeletedFrom kind = HowDeletedAreFound(description_.table());
    const bool compare = options_.find_deleted;
    if (compare && !end.complete) incomplete_->push_back(table_);
    // Its rows were delivered to nobody.
    if (!end.in_place) return absl::OkStatus();
    if (kind == DeletedFrom::kIntercom) {
      return compare && end.complete && has_list ? WriteListed() : absl::OkStatus();
    }
    if (!has_list) return ForgetKnown();
    if (!options_.incremental && end.complete) return ReplaceKnown();
    return compare && end.complete ? Compare() : ExtendKnown();
  }

 private:
  std::string ListPath() const { return directory_->PartialPath(KeyLists::NameOf(table_)); }
  std::string KnownName() const { return absl::StrCat(table_, kKeptExtension); }
  std::string KnownPath() const { return directory_->FinishedPath(KnownName()); }
  bool HasKnown() const { return access(KnownPath().c_str(), F_OK) == 0; }
  std::string Stem() const { return absl::StrCat(table_, kDeletedSuffix); }
  std::string ToldName() const { return absl::StrCat(Stem(), kKeptExtension); }

  // The keys of this run were not written down: then those of earlier ones are not
  // all any more.
  absl::Status ForgetKnown() {
    if (unlink(KnownPath().c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
    return OutputError(absl::StrCat("remove ", KnownPath()), errno);
  }

  absl::Status ReplaceKnown() {
    auto known = LineFile::Create(directory_, KnownName());
    if (!known.ok()) return known.status();
    absl::Status status =
        ForEachLine(ListPath(), [&](absl::string_view line) { return known->Append(line); });
    return status.ok() ? Keep(&*known) : status;
  }

  // The keys of this run, then those of earlier ones. Without these there would be a
  // list that lacks most.
  absl::Status ExtendKnown() {
    if (!HasKnown()) return absl::OkStatus();
    KeySet ours;
    auto known = LineFile::Create(directory_, KnownName());
    if (!known.ok()) return known.status();
    absl::Status status = ReadList(&ours, &*known);
    if (!status.ok()) return status;
    status = ForEachLine(KnownPath(), [&](absl::string_view line) {
      return ours.Contains(line) ? absl::OkStatus() : known->Append(line);
    });
    return status.ok() ? Keep(&*known) : status;
  }

  // What is known and not among the keys of this run is gone.
  absl::Status Compare() {
    KeySet ours;
    auto known = LineFile::Create(directory_, KnownName());
    if (!known.ok()) return known.status();
    absl::Status status = ReadList(&ours, &*known);
    if (!status.ok()) return status;
    if (!HasKnown()) {
      not_known_->push_back(table_);
      return Keep(&*known);
    }
    auto gone = CreateDeleted();
    if (!gone.ok()) return gone.status();
    status = WriteToldBefore(&ours, &*gone);
    if (!status.ok()) return status;
    status = ForEachLine(KnownPath(), [&](absl::string_view line) {
      if (!ours.Insert(line)) return absl::OkStatus();
      KeyValues values = SplitKeyLine(line);
      values.emplace_back();
      return WriteDeleted(values, &*gone);
    });
    if (!status.ok()) return status;
    // In this order: what is gone must have been told before it is forgotten.
    status = Told(&*gone);
    return status.ok() ? Keep(&*known) : status;
  }

  // What Intercom has listed, some of it perhaps twice.
  absl::Status WriteListed() {
    KeySet told;
    auto gone = CreateDeleted();
    if (!gone.ok()) return gone.status();
    absl::Status status = ForEachLine(ListPath(), [&](absl::string_view line) {
      return WriteOnce(SplitKeyLine(line), &told, &*gone);
    });
    if (status.ok()) status = WriteToldBefore(&told, &*gone);
    return status.ok() ? Told(&*gone) : status;
  }

  // What the file that stands says, and nobody may have loaded, as the new one
  // replaces it.
  absl::Status WriteToldBefore(KeySet* told, DeletedWriter* gone) {
    if (!HasFinishedFile(directory_->path(), Stem())) return absl::OkStatus();
    absl::Status status = ForEachLine(
        directory_->FinishedPath(ToldName()),
        [&](absl::string_view line) { return WriteOnce(SplitKeyLine(line), told, gone); });
    return absl::IsNotFound(status) ? absl::OkStatus() : status;
  }

  // `values` are those of the key, then of the time.
  static absl::Status WriteOnce(const KeyValues& values, KeySet* told, DeletedWriter* gone) {
    if (values.empty()) return absl::OkStatus();
    const std::string key = JoinKeyLine(KeyValues(values.begin(), values.end() - 1));
    return told->Insert(key) ? WriteDeleted(values, gone) : absl::OkStatus();
  }

  // A line that is no key of this table is not from this program.
  static absl::Status WriteDeleted(const KeyValues& values, DeletedWriter* gone) {
    return values.size() == gone->columns() ? gone->Write(values) : absl::OkStatus();
  }

  // Reads the keys of this run; writes each once.
  absl::Status ReadList(KeySet* ours, LineFile* out) {
    size_t lines = 0;
    absl::Status status = ForEachLine(ListPath(), [&](absl::string_view) {
      ++lines;
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    // Growing would take twice the memory for a moment.
    ours->Reserve(lines);
    return ForEachLine(ListPath(), [&](absl::string_view line) {
      return ours->Insert(line) ? out->Append(line) : absl::OkStatus();
    });
  }

  absl::StatusOr<DeletedWriter> CreateDeleted() {
    auto keys = RecordKeys::Resolve(description_);
    if (!keys.ok()) return keys.status();
    file_name_ =
        absl::StrCat(Stem(), ".", FileExtension(options_.format), options_.gzip ? ".gz" : "");
    return DeletedWriter::Create(directory_, file_name_, ToldName(), *keys, options_);
  }

  absl::Status Told(DeletedWriter* gone) {
    if (absl::Status status = gone->Close(); !status.ok()) return status;
    result_->files[table_] = {gone->records(), file_name_};
    result_->to_move.push_back(file_name_);
    result_->to_move.push_back(ToldName());
    return absl::OkStatus();
  }

  absl::Status Keep(LineFile* known) {
    if (absl::Status status = known->Close(); !status.ok()) return status;
    result_->to_move.push_back(KnownName());
    return absl::OkStatus();
  }

  OutputDirectory* const directory_;
  const v1::TableDescription& description_;
  const std::string& table_;
  const DeletedRecordsOptions& options_;
  DeletedRecordsResult* const result_;
  std::vector<std::string>* const incomplete_;
  std::vector<std::string>* const not_known_;
  std::string file_name_;
};

}  // namespace

absl::StatusOr<DeletedRecordsResult> FindDeletedRecords(
    OutputDirectory* directory, const KeyLists& lists,
    const std::vector<v1::TableDescription>& tables, const std::vector<TableEnd>& ends,
    const DeletedRecordsOptions& options) {
  DeletedRecordsResult result;
  std::vector<std::string> incomplete;
  std::vector<std::string> not_known;
  for (const v1::TableDescription& description : tables) {
    const std::string& table = description.table().name();
    if (HowDeletedAreFound(description.table()) == DeletedFrom::kNowhere) continue;
    for (const TableEnd& end : ends) {
      if (end.table.name() != table) continue;
      TableSettlement settlement(directory, description, options, &result, &incomplete, &not_known);
      absl::Status status = settlement.Settle(end, lists.Has(table));
      if (!status.ok()) return status;
    }
  }
  // Before any state says that these are to be moved.
  if (absl::Status status = directory->SyncPartial(); !status.ok()) return status;
  if (!incomplete.empty()) {
    result.notes.push_back(absl::StrCat(
        "which records are gone is only told of tables that were read to the end, hence not of ",
        absl::StrJoin(incomplete, ", ")));
  }
  if (!not_known.empty()) {
    result.notes.push_back(absl::StrCat(
        "no run into this directory has written down yet which records there were in ",
        absl::StrJoin(not_known, ", "), "; this one has: what is deleted from now on can be told"));
  }
  return result;
}

}  // namespace intercom_extractor
