#include "extractor/pipeline/list_walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/paged_list.h"

namespace intercom_extractor {

ListWalk::Source::Source(const List& list, const TableInfo* table)
    : list(list), converter(list.record, {table}), reader(list.items, "", converter.shape()) {}

ListWalk::ListWalk(Run* run, const TableInfo* table, const std::vector<List>& lists,
                   SegmentList* segments)
    : run_(run), table_(table), segments_(segments) {
  tables_.set(table->index);
  for (const List& list : lists) {
    sources_.push_back(std::make_unique<Source>(list, table));
    RequestPlan::Line* line = run->plan().AddLine(list.operation, v1::READ_WAY_LIST, tables_);
    line->Expect(Estimate::Exactly(1));
    sources_.back()->line = line;
  }
}

void ListWalk::Start(std::function<void()> done) {
  done_ = std::move(done);
  const auto first = static_cast<size_t>(run_->report().lists_done(table_->index));
  for (size_t i = 0; i < std::min(first, sources_.size()); ++i) sources_[i]->line->End();
  WalkList(first);
}

void ListWalk::Save(resume::State* state) const {
  if (position_.parameter().empty()) return;
  for (resume::Table& table : *state->mutable_tables()) {
    if (table.batch_field() == table_->batch_field->number()) *table.mutable_list() = position_;
  }
}

void ListWalk::Restore(const resume::State& state) {
  for (const resume::Table& table : state.tables()) {
    if (table.batch_field() == table_->batch_field->number()) position_ = table.list();
  }
}

void ListWalk::WalkList(size_t index) {
  run_->report().SetListsDone(table_->index, static_cast<int>(index));
  if (index >= sources_.size()) {
    done_();
    return;
  }
  Source* source = sources_[index].get();
  PagedList::Options options;
  options.operation = source->list.operation;
  options.path = source->list.path;
  options.reading.reader = &source->reader;
  options.reading.on_record = [source](const PageReader::Record& record, UnitRows* unit) {
    source->converter.Convert(*record.values, RecordContext(), unit);
  };
  options.reading.tables = tables_;
  options.reading.line = source->line;
  if (!position_.parameter().empty()) options.from = position_;
  options.on_position = [this](const resume::ListPosition& position) { position_ = position; };
  options.id = source->converter.shape()->AddValue(-1, "id");
  options.on_page = [this](const PageInfo& info, const std::function<void()>& next) {
    if (info.total_count.has_value()) run_->report().SetExpected(table_->index, *info.total_count);
    next();
  };
  options.on_end = [this, index](const absl::Status& status) {
    position_.Clear();
    if (!status.ok() && index > 0) {
      run_->report().SetPartial(table_->index);
      run_->Notify(table_->index, v1::NOTICE_CODE_DETAILS_FAILED, v1::SEVERITY_WARNING, "",
                   absl::StrCat("a part of the table is missing: ", status.message()));
    } else if (!status.ok()) {
      run_->FailTables(tables_, status);
    }
    WalkList(index + 1);
  };
  // From the middle on it would not hear all.
  if (segments_ != nullptr && !options.from.has_value() &&
      source->list.record == v1::SOURCE_RECORD_SEGMENT) {
    segments_->Watch(source->converter.shape(), &options);
  }
  PagedList::Walk(run_, source->converter.shape(), std::move(options));
}

std::vector<ListWalk::List> ListWalk::ListsOf(const TableInfo& table) {
  if (table.name() == "admins") {
    return {{v1::SOURCE_RECORD_ADMIN, "GET /admins", "/admins", {"admins", "data"}},
            {v1::SOURCE_RECORD_TEAM, "GET /teams", "/teams", {"teams", "data"}}};
  }
  if (table.name() == "tags") {
    return {{v1::SOURCE_RECORD_TAG, "GET /tags", "/tags", {"data", "tags"}}};
  }
  if (table.name() == "segments") {
    return {{v1::SOURCE_RECORD_SEGMENT,
             SegmentList::kOperation,
             SegmentList::kPath,
             {"segments", "data"}}};
  }
  return {};
}

}  // namespace intercom_extractor
