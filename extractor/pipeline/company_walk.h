#ifndef EXTRACTOR_PIPELINE_COMPANY_WALK_H_
#define EXTRACTOR_PIPELINE_COMPANY_WALK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/scroll_drain.h"
#include "extractor/pipeline/walk.h"
#include "extractor/tables/record_converter.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// Requests of a scroll over a workspace with so many companies that have users:
// others are in the scroll as well, and an empty page ends it.
Estimate ScrollPages(int64_t companies_with_users);

// Makes the rows of companies from the pages that a ScrollDrain reads. When
// another app's scroll stays open, the list serves, without the companies that
// have no users.
class CompanyWalk : public Walk {
 public:
  // `run` must outlive the walk.
  CompanyWalk(Run* run, const TableInfo* table, const ScrollDrain::Options& scroll);

  void Start(std::function<void()> done) override;
  // A scroll cannot be continued: the table begins anew.
  void Save(resume::State* /*state*/) const override {}
  void Restore(const resume::State& state) override;
  // As long as it goes on: neither scroll nor list can be continued.
  bool BeginsAnew() const override { return drain_ != nullptr; }

 private:
  void Count();
  void TakeNext();
  void OnEvent(ScrollDrain::Event event);
  void OnPage(ApiAnswer page, bool salvage);
  void OnEnded(const absl::Status& status);
  void ReadListPage(int64_t page);
  void End(const absl::Status& status);
  Run::Reading MakeReading(const std::string& operation);

  Run* const run_;
  const int table_;
  TableSet tables_;
  RecordConverter converter_;
  const ValueRef id_;
  PageReader reader_;
  PageReader count_reader_;
  RequestPlan::Line* count_line_ = nullptr;
  RequestPlan::Line* scroll_line_ = nullptr;
  RequestPlan::Line* list_line_ = nullptr;
  // Of the list; the drain has its own.
  ProgressWatch watch_;
  // Gone once the walk has ended.
  std::unique_ptr<ScrollDrain> drain_;
  std::function<void()> done_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_COMPANY_WALK_H_
