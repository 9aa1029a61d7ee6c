#include "extractor/http/response_body.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

int OpenTemporaryFile() {
  const char* folder = std::getenv("TMPDIR");
  const std::string base = folder != nullptr && *folder != '\0' ? folder : "/tmp";
#ifdef O_TMPFILE
  const int unnamed = open(base.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (unnamed >= 0) return unnamed;
#endif
  // File systems without O_TMPFILE: the name is gone before anything is in it.
  std::string name = base + "/intercom-extractor-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

absl::Status WriteAll(int file, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(file, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot keep a large answer in a temporary file: ", std::strerror(errno),
                       "; free disk space or point TMPDIR elsewhere"));
    }
    data += written;
    size -= static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

}  // namespace

ResponseBody ResponseBody::FromString(absl::string_view content) {
  ResponseBody body(content.size());
  body.memory_.assign(content.data(), content.size());
  body.size_ = content.size();
  return body;
}

ResponseBody::~ResponseBody() {
  if (file_ >= 0) close(file_);
}

ResponseBody::ResponseBody(ResponseBody&& other) noexcept { *this = std::move(other); }

ResponseBody& ResponseBody::operator=(ResponseBody&& other) noexcept {
  if (this != &other) {
    if (file_ >= 0) close(file_);
    max_in_memory_ = other.max_in_memory_;
    size_ = std::exchange(other.size_, 0);
    memory_ = std::move(other.memory_);
    other.memory_.clear();
    file_ = std::exchange(other.file_, -1);
  }
  return *this;
}

absl::Status ResponseBody::Append(const char* data, size_t size) {
  if (file_ < 0 && size_ + size > max_in_memory_) {
    if (absl::Status status = MoveToFile(); !status.ok()) return status;
  }
  if (file_ >= 0) {
    if (absl::Status status = WriteAll(file_, data, size); !status.ok()) return status;
  } else {
    memory_.append(data, size);
  }
  size_ += size;
  return absl::OkStatus();
}

absl::Status ResponseBody::MoveToFile() {
  file_ = OpenTemporaryFile();
  if (file_ < 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot make a temporary file for a large answer: ", std::strerror(errno),
                     "; point TMPDIR to a folder that can be written"));
  }
  absl::Status status = WriteAll(file_, memory_.data(), memory_.size());
  memory_.clear();
  memory_.shrink_to_fit();
  return status;
}

absl::string_view ResponseBody::text() {
  if (memory_.capacity() < size_ + kPadding) memory_.reserve(size_ + kPadding);
  return absl::string_view(memory_.data(), size_);
}

absl::StatusOr<size_t> ResponseBody::Read(size_t offset, char* buffer, size_t size) const {
  if (offset >= size_) return size_t{0};
  size = std::min(size, size_ - offset);
  if (file_ < 0) {
    std::memcpy(buffer, memory_.data() + offset, size);
    return size;
  }
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(file_, buffer + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot read back a large answer: ", std::strerror(errno)));
    }
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace intercom_extractor
