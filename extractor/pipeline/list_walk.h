#ifndef EXTRACTOR_PIPELINE_LIST_WALK_H_
#define EXTRACTOR_PIPELINE_LIST_WALK_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "extractor/pipeline/run.h"
#include "extractor/pipeline/segment_list.h"
#include "extractor/pipeline/walk.h"
#include "extractor/tables/record_converter.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// Reads a table that comes from short lists without details: admins (with
// teams), tags, segments.
class ListWalk : public Walk {
 public:
  struct List {
    v1::SourceRecord record;
    std::string operation;
    std::string path;
    // Keys that may hold the records.
    std::vector<std::string> items;
  };

  // The first list is the table; without a further one it is partial. `run` must
  // outlive the walk.
  // `segments` hears the segments, when these are what is read; may be null.
  ListWalk(Run* run, const TableInfo* table, const std::vector<List>& lists,
           SegmentList* segments = nullptr);

  void Start(std::function<void()> done) override;
  void Save(resume::State* state) const override;
  void Restore(const resume::State& state) override;

  // The lists of such a table; none for another table.
  static std::vector<List> ListsOf(const TableInfo& table);

 private:
  struct Source {
    List list;
    RecordConverter converter;
    PageReader reader;
    RequestPlan::Line* line = nullptr;
    Source(const List& list, const TableInfo* table);
  };
  void WalkList(size_t index);

  Run* const run_;
  const TableInfo* const table_;
  SegmentList* const segments_;
  TableSet tables_;
  std::vector<std::unique_ptr<Source>> sources_;
  // In the list that is being read.
  resume::ListPosition position_;
  std::function<void()> done_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_LIST_WALK_H_
