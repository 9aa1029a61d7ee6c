#include "extractor/tables/answer_converter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "extractor/tables/table_catalog.h"
#include "google/protobuf/util/message_differencer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"

namespace intercom_extractor {
namespace {

std::vector<const TableInfo*> AllTables() {
  std::vector<const TableInfo*> tables;
  for (const TableInfo& table : TableCatalog::Get().tables()) tables.push_back(&table);
  return tables;
}

// As the pipeline asks for it.
std::string SplitOf(const AnswerKind& kind) {
  return kind.items.empty() && kind.record == v1::SOURCE_RECORD_CONVERSATION
             ? "conversation_parts.conversation_parts"
             : "";
}

}  // namespace

std::optional<absl::string_view> AnswerConverter::KnownRoles::Role(
    absl::string_view contact_id) const {
  const auto found = context_->roles.find(std::string(contact_id));
  if (found == context_->roles.end()) return std::nullopt;
  return found->second;
}

AnswerConverter::AnswerConverter(const AnswerKind& kind)
    : kind_(kind),
      converter_(kind.record, AllTables()),
      reader_(kind.items.empty() ? std::vector<std::string>() : std::vector{kind.items},
              SplitOf(kind), converter_.shape()),
      unit_(TableCatalog::Get().tables().size()) {
  context_.parent_id = kind_.context.parent_id;
  context_.parent_role = kind_.context.parent_role;
  context_.roles = &roles_;
  context_.parts_truncated = kind_.context.parts_truncated;
}

absl::StatusOr<std::vector<ReferenceRows>> AnswerConverter::Read(absl::string_view text) {
  std::vector<ReferenceRows> result;
  ResponseBody body = ResponseBody::FromString(text);
  const auto info = reader_.Read(&body, [&](const PageReader::Record& record) {
    unit_.Clear();
    converter_.Convert(*record.values, context_, &unit_);
    absl::StatusOr<ReferenceRows> rows = Rows();
    if (rows.ok()) result.push_back(*std::move(rows));
    return rows.status();
  });
  if (!info.ok()) return info.status();
  return result;
}

absl::StatusOr<AnswerConverter::Salvaged> AnswerConverter::Salvage(absl::string_view text) {
  using Part = RecordConverter::Part;
  Salvaged result;
  ResponseBody body = ResponseBody::FromString(text);
  const auto info = reader_.Salvage(
      &body,
      [&](const PageReader::Record& record) {
        unit_.Clear();
        converter_.Convert(*record.values, context_, &unit_,
                           record.part == 0   ? Part::kWhole
                           : record.part == 1 ? Part::kWithoutList
                                              : Part::kListOnly,
                           reader_.split_list());
        if (record.part < 2) result.records.emplace_back();
        const absl::StatusOr<ReferenceRows> rows = Rows();
        if (!rows.ok()) return rows.status();
        ReferenceRows& all = result.records.back();
        all.batch.MergeFrom(rows->batch);
        all.notices.insert(all.notices.end(), rows->notices.begin(), rows->notices.end());
        return absl::OkStatus();
      },
      [&](const std::string& /*what*/) { ++result.malformed; });
  if (!info.ok()) return info.status();
  return result;
}

absl::StatusOr<ReferenceRows> AnswerConverter::Rows() {
  ReferenceRows result;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    const UnitRows::TableRows& rows = unit_.tables()[table.index];
    const auto wrong = [&](absl::string_view what) {
      return absl::InternalError(absl::StrCat("rows of ", table.name(), ": ", what));
    };
    if (rows.bytes.empty() && rows.ends.empty()) continue;
    v1::RowBatch batch;
    if (!batch.ParseFromArray(rows.bytes.data(), static_cast<int>(rows.bytes.size()))) {
      return wrong("no RowBatch");
    }
    // Columns may stand in another order than protobuf's own, but nothing is
    // longer than it must be, comes twice or is unknown.
    if (batch.ByteSizeLong() != rows.bytes.size()) return wrong("longer than they must be");
    if (static_cast<size_t>(batch.GetReflection()->FieldSize(batch, table.batch_field)) !=
        rows.ends.size()) {
      return wrong("not as many as they are said to be");
    }
    if (rows.ends.empty() || rows.ends.back() != rows.bytes.size()) {
      return wrong("they do not end where they are said to");
    }
    result.batch.MergeFrom(batch);
  }
  for (const UnitRows::RowNotice& notice : unit_.notices()) {
    const TableInfo& table = TableCatalog::Get().tables()[notice.table];
    const std::string column = notice.message.substr(0, notice.message.find(':'));
    result.notices.push_back({table.name(), notice.code, notice.record_id,
                              table.row->FindFieldByName(column) == nullptr ? "" : column});
  }
  return result;
}

std::string NoticesText(std::vector<ReferenceNotice> notices) {
  std::sort(notices.begin(), notices.end());
  std::string text;
  for (const ReferenceNotice& notice : notices) {
    absl::StrAppend(&text, notice.table, " ", v1::NoticeCode_Name(notice.code), " \"",
                    notice.record_id, "\" ", notice.column, "\n");
  }
  return text;
}

std::string Difference(const ReferenceRows& expected, const ReferenceRows& actual) {
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  differencer.Compare(expected.batch, actual.batch);
  const std::string expected_notices = NoticesText(expected.notices);
  const std::string notices = NoticesText(actual.notices);
  if (notices != expected_notices) {
    absl::StrAppend(&difference, "notices expected:\n", expected_notices, "and got:\n", notices);
  }
  return difference;
}

const AnnotatedKeys& AnnotatedKeys::Get() {
  static const auto* const keys = new AnnotatedKeys();
  return *keys;
}

AnnotatedKeys::AnnotatedKeys() {
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    for (const v1::TableSource& source : table.description.table().sources()) {
      for (const std::string& items : source.items()) Add(items, true);
    }
    for (const v1::ColumnDescription& column : table.description.columns()) {
      for (const std::string& path : column.column().paths()) Add(path.substr(2), false);
    }
  }
  all.insert("role");
}

void AnnotatedKeys::Add(const std::string& path, bool is_list) {
  std::vector<std::string> steps = absl::StrSplit(path, absl::ByAnyChar(".[]"), absl::SkipEmpty());
  all.insert(steps.begin(), steps.end());
  if (!is_list) steps.pop_back();
  containers.insert(steps.begin(), steps.end());
}

}  // namespace intercom_extractor
