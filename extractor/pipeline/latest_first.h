#ifndef EXTRACTOR_PIPELINE_LATEST_FIRST_H_
#define EXTRACTOR_PIPELINE_LATEST_FIRST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// Follows a list as its pages are read and tells whether it has what changed last first.
// Such a list loses records: one that changes before its page was read jumps to the
// front, behind the reader. They are found by reading the front again, which takes the
// ids of what was read. Whether Intercom's lists are so is not documented; a list that is
// seen to be sorted otherwise is not followed further.
//
// Pure. Not thread-safe.
class LatestFirst {
 public:
  // Longer lists are read in windows, unless Intercom does not count them.
  static constexpr size_t kMaxIds = 5000;
  // What a resume token holds of it.
  static constexpr size_t kMaxPackedBytes = size_t{12} << 10;

  // `start`: when reading began, in Unix seconds.
  explicit LatestFirst(int64_t start) : start_(start) {}

  // A page begins, also one that is read anew.
  void BeginPage();
  // Its next record. Whether it was not read before.
  bool Add(absl::string_view id, std::optional<int64_t> updated_at);
  // Records so far have been read; several times for a page that is read in pieces.
  void CommitPage();

  bool WasRead(absl::string_view id) const { return ids_.contains(id); }

  // Whether the front has to be read again, and can be: the list has more than a page and
  // the latest change first.
  bool MayMiss() const { return latest_first_ && descends_ && pages_ > 1; }
  bool CanFind() const { return all_known_; }

  // The front is read from its first page on; order does not matter any more.
  void BeginFront();
  bool at_front() const { return at_front_; }
  // After a page of it: whether the next may have more that changed since the start.
  bool PageChanged() const { return page_changed_; }
  // Records that were found since BeginFront().
  int64_t found() const { return found_; }

  // The list was seen not to have the latest change first: nothing can have jumped.
  bool sorted_otherwise() const { return !latest_first_; }

  // For a resume token, beside sorted_otherwise(): packed ids of what was read; empty where
  // they are of no use or too many.
  std::string Save() const;
  // Goes on in the middle of a list. The rest of it alone may look as if it had the latest
  // change first.
  void Restore(const std::string& saved, bool sorted_otherwise);

 private:
  struct Record {
    std::string id;
    std::optional<int64_t> updated_at;
  };

  const int64_t start_;
  std::vector<Record> page_;
  bool page_begins_ = false;
  bool page_changed_ = false;
  absl::flat_hash_set<std::string> ids_;
  // False when some ids were forgotten.
  bool all_known_ = true;
  // Nothing was seen that speaks against it, and something that speaks for it.
  bool latest_first_ = true;
  bool descends_ = false;
  bool at_front_ = false;
  std::optional<int64_t> last_;
  int64_t pages_ = 0;
  int64_t found_ = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_LATEST_FIRST_H_
