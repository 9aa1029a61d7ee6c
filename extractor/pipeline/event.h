#ifndef EXTRACTOR_PIPELINE_EVENT_H_
#define EXTRACTOR_PIPELINE_EVENT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// A serialized `ExtractResponse`, in pieces whose memory it shares: rows stay where
// they were written until the client has them. Movable and copyable; the pieces'
// bytes do not change, so copies may be used on different threads.
class Event {
 public:
  struct Piece {
    // What holds `bytes`; may be let go on any thread.
    std::shared_ptr<const void> owner;
    absl::string_view bytes;
    // Its share of what the owner holds, in bytes: more than `bytes` where memory is not
    // used in full.
    size_t held = bytes.size();
  };

  Event() = default;
  // Of one piece.
  explicit Event(std::string bytes) {
    auto owner = std::make_shared<const std::string>(std::move(bytes));
    const absl::string_view view = *owner;
    Append({std::move(owner), view});
  }

  void Append(Piece piece) {
    size_ += piece.bytes.size();
    held_ += piece.held;
    pieces_.push_back(std::move(piece));
  }

  // Of all pieces, in bytes.
  size_t size() const { return size_; }
  // The memory that it takes, in bytes.
  size_t held() const { return held_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

  // A copy in one piece.
  std::string Flat() const {
    std::string result;
    result.reserve(size_);
    for (const Piece& piece : pieces_) result.append(piece.bytes.data(), piece.bytes.size());
    return result;
  }

 private:
  std::vector<Piece> pieces_;
  size_t size_ = 0;
  size_t held_ = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_EVENT_H_
