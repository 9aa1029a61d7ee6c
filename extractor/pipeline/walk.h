#ifndef EXTRACTOR_PIPELINE_WALK_H_
#define EXTRACTOR_PIPELINE_WALK_H_

#include <functional>

namespace intercom_extractor {

// Reads one kind of Intercom's things and feeds all tables that are made of it.
// Lives on the extraction's strand; lives as long as the extraction.
class Walk {
 public:
  virtual ~Walk() = default;

  // Begins; `done` is called once, after the last row or the failure of its
  // tables has been reported to the run.
  virtual void Start(std::function<void()> done) = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_WALK_H_
