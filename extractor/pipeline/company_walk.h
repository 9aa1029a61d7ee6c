#ifndef EXTRACTOR_PIPELINE_COMPANY_WALK_H_
#define EXTRACTOR_PIPELINE_COMPANY_WALK_H_

#include <functional>
#include <string>
#include <vector>

#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/walk.h"
#include "extractor/tables/record_converter.h"

namespace intercom_extractor {

// Reads companies through the scroll, the only endpoint that gives all of them:
// one per workspace at a time, gone after a minute without a request, ended by
// an empty page only. A scroll that breaks begins anew, as a new generation of
// the table. When another scroll stays open, the list serves, without the
// companies that have no users.
class CompanyWalk : public Walk {
 public:
  // `run` must outlive the walk.
  CompanyWalk(Run* run, const TableInfo* table);

  void Start(std::function<void()> done) override;

 private:
  void Scroll(const std::string& scroll_param);
  void OnPage(const PageInfo& info, const std::string& scroll_param);
  void OnError(const absl::Status& status, bool first_page);
  void Restart(const std::string& reason);
  void WaitForOtherScroll(const absl::Status& status);
  void ReadList();
  void ReadListPage(int64_t page);
  void End(const absl::Status& status);
  Run::Reading MakeReading(const std::string& operation);

  Run* const run_;
  const int table_;
  TableSet tables_;
  RecordConverter converter_;
  const ValueRef id_;
  PageReader reader_;
  ProgressWatch watch_;
  int64_t page_ = 1;
  int restarts_ = 0;
  absl::Time waiting_since_ = absl::InfiniteFuture();
  std::function<void()> done_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_COMPANY_WALK_H_
