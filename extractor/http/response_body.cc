#include "extractor/http/response_body.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/memory/buffer_pool.h"

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

// Of smaller bodies the allocator takes care. Others take the memory of those before
// them, of which a page of 150 contacts fits the least.
constexpr size_t kPooledFrom = size_t{32} << 10;
constexpr size_t kLeastPooled = size_t{512} << 10;

BufferPool& Pool() {
  constexpr size_t kMaxKept = size_t{24} << 20;
  static auto* const pool = new BufferPool(kMaxKept);
  return *pool;
}

GrowingBuffer TakeMemory(size_t capacity) {
  const bool pooled = capacity >= kPooledFrom;
  GrowingBuffer memory = pooled ? Pool().Take() : GrowingBuffer();
  memory.Reserve(pooled ? std::max(capacity, kLeastPooled) : capacity);
  return memory;
}

void GiveMemory(GrowingBuffer memory) {
  if (memory.capacity() >= kPooledFrom) Pool().Give(std::move(memory));
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
  (void)body.Append(content.data(), content.size());
  return body;
}

ResponseBody::~ResponseBody() { LetGo(); }

ResponseBody::ResponseBody(ResponseBody&& other) noexcept { *this = std::move(other); }

ResponseBody& ResponseBody::operator=(ResponseBody&& other) noexcept {
  if (this != &other) {
    LetGo();
    max_in_memory_ = other.max_in_memory_;
    size_ = std::exchange(other.size_, 0);
    memory_ = std::move(other.memory_);
    file_ = std::exchange(other.file_, -1);
    budget_ = other.budget_;
    taken_ = std::exchange(other.taken_, 0);
  }
  return *this;
}

absl::Status ResponseBody::Append(const char* data, size_t size) {
  if (file_ < 0 && (size_ + size > max_in_memory_ || !MakeRoom(size_ + size))) {
    if (absl::Status status = MoveToFile(); !status.ok()) return status;
  }
  if (file_ >= 0) {
    if (absl::Status status = WriteAll(file_, data, size); !status.ok()) return status;
  } else {
    memory_.Append({data, size});
  }
  size_ += size;
  return absl::OkStatus();
}

bool ResponseBody::MakeRoom(size_t size) {
  const size_t capacity = size + kPadding;
  if (capacity <= memory_.capacity()) return true;
  GrowingBuffer larger = TakeMemory(std::max(capacity, 2 * memory_.capacity()));
  if (budget_ != nullptr) {
    const size_t more = larger.capacity() - taken_;
    if (!budget_->Take(more)) {
      GiveMemory(std::move(larger));
      return false;
    }
    taken_ += more;
  }
  larger.Append(memory_.view());
  GiveMemory(std::exchange(memory_, std::move(larger)));
  return true;
}

absl::Status ResponseBody::MoveToFile() {
  file_ = OpenTemporaryFile();
  if (file_ < 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot make a temporary file for a large answer: ", std::strerror(errno),
                     "; point TMPDIR to a folder that can be written"));
  }
  absl::Status status = WriteAll(file_, memory_.data(), memory_.size());
  LetGoOfMemory();
  return status;
}

absl::Status ResponseBody::Load() {
  if (file_ < 0 || size_ > max_in_memory_) return absl::OkStatus();
  char* const to = memory_.End(size_ + kPadding);
  const auto got = Read(0, to, size_);
  if (!got.ok()) return got.status();
  memory_.SetEnd(to + size_);
  close(std::exchange(file_, -1));
  return absl::OkStatus();
}

void ResponseBody::LetGoOfMemory() {
  GiveMemory(std::exchange(memory_, GrowingBuffer()));
  if (taken_ > 0) budget_->GiveBack(std::exchange(taken_, 0));
}

void ResponseBody::LetGo() {
  LetGoOfMemory();
  if (file_ >= 0) close(std::exchange(file_, -1));
}

absl::string_view ResponseBody::text() {
  memory_.Reserve(kPadding);
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
