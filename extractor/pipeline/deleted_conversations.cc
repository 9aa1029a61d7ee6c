#include "extractor/pipeline/deleted_conversations.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/tables/record_reader.h"

namespace intercom_extractor {
DeletedConversations::DeletedConversations(Run* run, const TableInfo* table, int64_t since)
    : run_(run),
      table_(table),
      since_(since),
      line_(run->plan().AddLine(kOperation, v1::READ_WAY_LIST, TableSet().set(table->index))),
      id_(shape_.AddValue(-1, "id")),
      deleted_at_(shape_.AddValue(-1, "deleted_at")),
      reader_({"conversations", "data"}, "", &shape_) {
  line_->Expect(Estimate::Exactly(1));
  line_->Explain("newest first, until they are older than updated_since");
}

void DeletedConversations::SetEnded() {
  ended_ = true;
  line_->End();
}

void DeletedConversations::Start(std::function<void()> done) {
  done_ = std::move(done);
  PagedList::Options options;
  options.operation = kOperation;
  options.path = kPath;
  options.per_page = kPerPage;
  options.id = id_;
  options.reading.reader = &reader_;
  options.reading.tables = TableSet().set(table_->index);
  options.reading.line = line_;
  options.reading.begin = [this] {
    page_.Clear();
    oldest_on_page_ = oldest_;
    sorted_page_ = sorted_;
  };
  options.reading.on_record = [this](const PageReader::Record& record, UnitRows* /*unit*/) {
    const std::optional<int64_t> deleted_at = IntegerOf(record.values->Get(shape_, deleted_at_, 0));
    sorted_page_ = sorted_page_ && deleted_at.has_value() &&
                   *deleted_at <= oldest_on_page_.value_or(*deleted_at);
    if (deleted_at.has_value()) oldest_on_page_ = deleted_at;
    // Who does not say when may have been deleted since.
    if (deleted_at.value_or(since_) < since_) return;
    v1::DeletedRecords::Record* deleted = page_.add_records();
    deleted->set_id(std::string(record.values->Get(shape_, id_, 0).text));
    if (deleted_at.has_value()) deleted->set_deleted_at(*deleted_at);
  };
  options.reading.on_commit = [this] { Emit(); };
  options.on_page = [this](const PageInfo& info, const std::function<void()>& next) {
    OnPage(info, next);
  };
  options.on_end = [this](const absl::Status& status) {
    if (!status.ok()) {
      run_->Notify(
          table_->index, v1::NOTICE_CODE_DELETED_NOT_LISTED, v1::SEVERITY_WARNING, "",
          absl::StrCat("which conversations were deleted is not known: ", status.message()));
    }
    End();
  };
  PagedList::Walk(run_, &shape_, std::move(options));
}

void DeletedConversations::Emit() {
  oldest_ = oldest_on_page_;
  sorted_ = sorted_page_;
  if (page_.records().empty()) return;
  v1::ExtractResponse event;
  page_.set_table(table_->name());
  *event.mutable_deleted_records() = std::exchange(page_, {});
  run_->Emit(event);
}

void DeletedConversations::OnPage(const PageInfo& info, const std::function<void()>& next) {
  if (sorted_ && oldest_.value_or(since_) < since_) {
    End();
    return;
  }
  const int64_t pages = info.total_pages.value_or(1);
  const int64_t read = info.page.value_or(pages);
  line_->Expect({0, std::min<int64_t>(1, pages - read), std::max<int64_t>(0, pages - read)});
  next();
}

void DeletedConversations::End() {
  line_->End();
  ended_ = true;
  std::exchange(done_, nullptr)();
}

}  // namespace intercom_extractor
