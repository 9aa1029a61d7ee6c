#ifndef EXTRACTOR_HTTP_RESPONSE_BODY_H_
#define EXTRACTOR_HTTP_RESPONSE_BODY_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "extractor/memory/growing_buffer.h"

namespace intercom_extractor {

// What bodies hold in memory together, in bytes; those that find no room go to their
// files. Thread-safe.
class BodyBudget {
 public:
  explicit BodyBudget(size_t max) : max_(max) {}

  // False when there is no such room.
  bool Take(size_t size) {
    if (used_.fetch_add(size) + size <= max_) return true;
    used_ -= size;
    return false;
  }
  void GiveBack(size_t size) { used_ -= size; }

 private:
  const size_t max_;
  std::atomic<size_t> used_{0};
};

// The body of an answer: in memory while it is small, else in an unlinked
// temporary file that vanishes with the body. Not thread-safe; movable.
class ResponseBody {
 public:
  // Bytes behind `text()` that may be read, as simdjson's scanner does.
  static constexpr size_t kPadding = 64;

  ResponseBody() = default;
  // `budget` may be null: then only this body's own size counts.
  explicit ResponseBody(size_t max_in_memory, std::shared_ptr<BodyBudget> budget = nullptr)
      : max_in_memory_(max_in_memory), budget_(std::move(budget)) {}
  // A body with this content, in memory whatever its size; for tests.
  static ResponseBody FromString(absl::string_view content);

  ~ResponseBody();
  ResponseBody(ResponseBody&& other) noexcept;
  ResponseBody& operator=(ResponseBody&& other) noexcept;

  // kResourceExhausted when the temporary file cannot take it.
  absl::Status Append(const char* data, size_t size);

  // Brings what is small and only had no room into memory, whatever the budget says: to
  // be called when the body's turn to be read has come. kResourceExhausted when the
  // file cannot be read.
  absl::Status Load();

  size_t size() const { return size_; }
  bool in_file() const { return file_ >= 0; }

  // The content, valid until the body changes or ends; kPadding bytes behind it
  // may be read. Only when !in_file().
  absl::string_view text();

  // Reads up to `size` bytes from `offset`; fewer only at the end. Works for
  // both places.
  absl::StatusOr<size_t> Read(size_t offset, char* buffer, size_t size) const;

 private:
  // False when the budget has no room.
  bool MakeRoom(size_t size);
  absl::Status MoveToFile();
  void LetGoOfMemory();
  void LetGo();

  size_t max_in_memory_ = size_t{2} << 20;
  size_t size_ = 0;
  GrowingBuffer memory_;
  int file_ = -1;
  std::shared_ptr<BodyBudget> budget_;
  // Of the budget.
  size_t taken_ = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_HTTP_RESPONSE_BODY_H_
