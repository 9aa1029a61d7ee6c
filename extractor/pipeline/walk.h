#ifndef EXTRACTOR_PIPELINE_WALK_H_
#define EXTRACTOR_PIPELINE_WALK_H_

#include <functional>

#include "resume_state.pb.h"

namespace intercom_extractor {

// Reads one kind of Intercom's things and feeds all tables that are made of it.
// Lives on the extraction's strand; lives as long as the extraction.
class Walk {
 public:
  virtual ~Walk() = default;

  // Begins; `done` is called once, after the last row or the failure of its
  // tables has been reported to the run.
  virtual void Start(std::function<void()> done) = 0;

  // Adds where the walk stands after the rows that were committed so far, unless the
  // tables' own entries say it all. Called between units.
  virtual void Save(resume::State* state) const = 0;
  // Before Start(): goes on from there. Tells the run of tables that have to begin
  // anew instead.
  virtual void Restore(const resume::State& state) = 0;
  // Whether a table would have to, if the stream ended now.
  virtual bool BeginsAnew() const { return false; }
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_WALK_H_
