#include "extractor/pipeline/scroll_spill.h"

#include <algorithm>
#include <array>
#include <utility>

namespace intercom_extractor {
namespace {

// Hands `size` bytes of `from`, beginning at `offset`, to the end of `to`.
absl::Status Copy(const ResponseBody& from, size_t offset, size_t size, ResponseBody* to) {
  std::array<char, size_t{16} << 10> buffer;
  while (size > 0) {
    const auto got = from.Read(offset, buffer.data(), std::min(size, buffer.size()));
    if (!got.ok()) return got.status();
    if (*got == 0) return absl::ResourceExhaustedError("a temporary file has become shorter");
    if (absl::Status status = to->Append(buffer.data(), *got); !status.ok()) return status;
    offset += *got;
    size -= *got;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ScrollSpill::Put(ResponseBody body) {
  if (segments_.empty() || segments_.back().content.size() >= options_.segment) {
    segments_.emplace_back().content = ResponseBody(options_.max_in_memory);
  }
  absl::Status status = Copy(body, 0, body.size(), &segments_.back().content);
  if (!status.ok()) {
    Clear();
    return status;
  }
  sizes_.push_back(body.size());
  bytes_ += body.size();
  return absl::OkStatus();
}

absl::StatusOr<ResponseBody> ScrollSpill::Take() {
  Segment& segment = segments_.front();
  const size_t size = sizes_.front();
  ResponseBody body;
  absl::Status status = Copy(segment.content, segment.taken, size, &body);
  if (!status.ok()) {
    Clear();
    return status;
  }
  segment.taken += size;
  // The last one, too: a consumer that keeps up never needs a file.
  if (segment.taken == segment.content.size()) segments_.pop_front();
  sizes_.pop_front();
  bytes_ -= size;
  return body;
}

void ScrollSpill::Clear() {
  segments_.clear();
  sizes_.clear();
  bytes_ = 0;
}

size_t ScrollSpill::bytes_in_files() const {
  size_t bytes = 0;
  for (const Segment& segment : segments_) {
    if (segment.content.in_file()) bytes += segment.content.size() - segment.taken;
  }
  return bytes;
}

}  // namespace intercom_extractor
