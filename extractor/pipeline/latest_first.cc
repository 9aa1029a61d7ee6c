#include "extractor/pipeline/latest_first.h"

#include <utility>

#include "extractor/checkpoint/packed_ids.h"

namespace intercom_extractor {

void LatestFirst::BeginPage() {
  page_.clear();
  page_changed_ = false;
  page_begins_ = true;
}

bool LatestFirst::Add(absl::string_view id, std::optional<int64_t> updated_at) {
  if (!latest_first_) return true;
  page_changed_ = page_changed_ || (updated_at.has_value() && *updated_at >= start_);
  if (ids_.contains(id)) return false;
  page_.push_back({std::string(id), updated_at});
  return true;
}

void LatestFirst::CommitPage() {
  if (std::exchange(page_begins_, false)) ++pages_;
  for (Record& record : std::exchange(page_, {})) {
    if (at_front_) {
      ++found_;
    } else if (record.updated_at.has_value()) {
      if (last_.has_value() && *record.updated_at > *last_) latest_first_ = false;
      if (last_.has_value() && *record.updated_at < *last_) descends_ = true;
      last_ = record.updated_at;
    }
    ids_.insert(std::move(record.id));
  }
  if (ids_.size() > kMaxIds) all_known_ = false;
  if (!latest_first_ || !all_known_) ids_.clear();
}

void LatestFirst::BeginFront() {
  at_front_ = true;
  found_ = 0;
}

std::string LatestFirst::Save() const {
  if (!latest_first_ || !all_known_) return "";
  std::string packed = PackIds({ids_.begin(), ids_.end()});
  return packed.size() <= kMaxPackedBytes ? std::move(packed) : "";
}

void LatestFirst::Restore(const std::string& saved, bool sorted_otherwise) {
  // At least the pages before.
  ++pages_;
  latest_first_ = !sorted_otherwise;
  if (sorted_otherwise) return;
  descends_ = true;
  auto ids = UnpackIds(saved);
  all_known_ = ids.ok() && !ids->empty();
  if (all_known_) ids_.insert(ids->begin(), ids->end());
}

}  // namespace intercom_extractor
