#ifndef EXTRACTOR_PIPELINE_DELETED_CONVERSATIONS_H_
#define EXTRACTOR_PIPELINE_DELETED_CONVERSATIONS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "extractor/pipeline/run.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/shape.h"
#include "extractor/tables/table_catalog.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Reads Intercom's list of deleted conversations and says which were deleted since a
// time (DeletedRecords). The list has the newest first, so its first pages are enough;
// where they are not sorted by time it is read to its end. A list that cannot be read
// is a notice: the conversations themselves are not affected. Lives on the extraction's
// strand.
class DeletedConversations {
 public:
  static constexpr char kOperation[] = "GET /conversations/deleted";
  static constexpr char kPath[] = "/conversations/deleted?order=desc";
  // The most that Intercom gives.
  static constexpr int kPerPage = 60;

  // `run` must outlive this object, which must live as long as the strand. `table`:
  // conversations. `since`: Unix seconds.
  DeletedConversations(Run* run, const TableInfo* table, int64_t since);

  // Calls `done` once, at the end.
  void Start(std::function<void()> done);
  // Whether it has ended. When not, a run that is resumed begins it anew.
  bool ended() const { return ended_; }
  // It had ended in an earlier stream; instead of Start().
  void SetEnded();

 private:
  void Emit();
  void OnPage(const PageInfo& info, const std::function<void()>& next);
  void End();

  Run* const run_;
  const TableInfo* const table_;
  const int64_t since_;
  RequestPlan::Line* const line_;
  Shape shape_;
  const ValueRef id_;
  const ValueRef deleted_at_;
  PageReader reader_;
  // Of the page that is being read.
  v1::DeletedRecords page_;
  std::optional<int64_t> oldest_on_page_;
  bool sorted_page_ = true;
  // Of all pages before.
  std::optional<int64_t> oldest_;
  bool sorted_ = true;
  std::function<void()> done_;
  bool ended_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_DELETED_CONVERSATIONS_H_
