#ifndef EXTRACTOR_HTTP_RESPONSE_BODY_H_
#define EXTRACTOR_HTTP_RESPONSE_BODY_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// The body of an answer: in memory while it is small, else in an unlinked
// temporary file that vanishes with the body. Not thread-safe; movable.
class ResponseBody {
 public:
  // Bytes behind `text()` that may be read, as simdjson's scanner does.
  static constexpr size_t kPadding = 64;

  ResponseBody() = default;
  explicit ResponseBody(size_t max_in_memory) : max_in_memory_(max_in_memory) {}
  // A body with this content, in memory whatever its size; for tests.
  static ResponseBody FromString(absl::string_view content);

  ~ResponseBody();
  ResponseBody(ResponseBody&& other) noexcept;
  ResponseBody& operator=(ResponseBody&& other) noexcept;

  // kResourceExhausted when the temporary file cannot take it.
  absl::Status Append(const char* data, size_t size);

  size_t size() const { return size_; }
  bool in_file() const { return file_ >= 0; }

  // The content, valid until the body changes or ends; kPadding bytes behind it
  // may be read. Only when !in_file().
  absl::string_view text();

  // Reads up to `size` bytes from `offset`; fewer only at the end. Works for
  // both places.
  absl::StatusOr<size_t> Read(size_t offset, char* buffer, size_t size) const;

 private:
  absl::Status MoveToFile();

  size_t max_in_memory_ = size_t{2} << 20;
  size_t size_ = 0;
  std::string memory_;
  int file_ = -1;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_HTTP_RESPONSE_BODY_H_
