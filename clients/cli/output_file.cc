#include "clients/cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

absl::StatusCode CodeForErrno(int error_number) {
  switch (error_number) {
    case EPIPE:
      return absl::StatusCode::kCancelled;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
    case EISDIR:
    case ENOTDIR:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kUnknown;
  }
}

}  // namespace

absl::Status OutputError(absl::string_view what, int error_number) {
  return absl::Status(CodeForErrno(error_number),
                      absl::StrCat("cannot ", what, ": ", std::strerror(error_number)));
}

// A gzip stream, one member after the other.
class OutputFile::Compressor {
 public:
  Compressor() {
    // Window bits + 16 asks zlib for the gzip format.
    const int result =
        deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    usable_ = result == Z_OK;
  }
  ~Compressor() { deflateEnd(&stream_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // False when zlib got no memory.
  bool usable() const { return usable_; }

  // Forgets the member under way.
  void Reset() {
    deflateReset(&stream_);
    in_member_ = false;
  }

  // Whether a member is under way.
  bool in_member() const { return in_member_; }

  // Appends to `out` what `input` compresses to. With Z_FINISH that ends the
  // member; more input begins the next one.
  void Compress(absl::string_view input, int flush, std::string* out) {
    // zlib counts input in 32 bits, and a row may be larger than any bound we set.
    constexpr size_t kMaxInput = size_t{1} << 30;
    do {
      const absl::string_view piece = input.substr(0, kMaxInput);
      input.remove_prefix(piece.size());
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream_.avail_in = static_cast<uInt>(piece.size());
      const int piece_flush = input.empty() ? flush : Z_NO_FLUSH;
      int result;
      do {
        constexpr size_t kStep = size_t{64} << 10;
        const size_t used = out->size();
        out->resize(used + kStep);
        stream_.next_out = reinterpret_cast<Bytef*>(&(*out)[used]);
        stream_.avail_out = kStep;
        result = deflate(&stream_, piece_flush);
        out->resize(used + kStep - stream_.avail_out);
      } while (stream_.avail_out == 0 && result != Z_STREAM_END);
    } while (!input.empty());
    in_member_ = true;
    if (flush == Z_FINISH) Reset();
  }

 private:
  z_stream stream_ = {};
  bool in_member_ = false;
  bool usable_ = false;
};

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return absl::OkStatus();
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  if (result != 0 && error != EINVAL) return OutputError(absl::StrCat("sync ", path), error);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path, bool gzip) {
  // O_NOFOLLOW: what stands under our name in our directory is ours, and no link
  // that leads to somebody else's file.
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return OutputError(absl::StrCat("create ", path), errno);
  std::unique_ptr<OutputFile> file(new OutputFile(fd, /*owns_fd=*/true, path, gzip));
  if (gzip && !file->compressor_->usable()) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot compress ", path, ": no memory"));
  }
  return file;
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Continue(const std::string& path, bool gzip,
                                                                 int64_t length) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) {
    return absl::DataLossError(absl::StrCat(path, " is missing"));
  }
  if (fd < 0) return OutputError(absl::StrCat("open ", path), errno);
  std::unique_ptr<OutputFile> file(new OutputFile(fd, /*owns_fd=*/true, path, gzip));
  if (gzip && !file->compressor_->usable()) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot compress ", path, ": no memory"));
  }
  struct stat info;
  if (fstat(fd, &info) != 0) return OutputError(absl::StrCat("open ", path), errno);
  if (info.st_size < length) {
    return absl::DataLossError(
        absl::StrCat(path, " has ", info.st_size, " bytes, but ", length, " were written"));
  }
  if (ftruncate(fd, length) != 0 || lseek(fd, length, SEEK_SET) < 0) {
    return OutputError(absl::StrCat("cut ", path), errno);
  }
  file->bytes_written_ = length;
  return file;
}

std::unique_ptr<OutputFile> OutputFile::ForDescriptor(int fd, const std::string& name, bool gzip) {
  return std::unique_ptr<OutputFile>(new OutputFile(fd, /*owns_fd=*/false, name, gzip));
}

OutputFile::OutputFile(int fd, bool owns_fd, std::string name, bool gzip)
    : name_(std::move(name)), owns_fd_(owns_fd), fd_(fd) {
  if (gzip) compressor_ = std::make_unique<Compressor>();
}

OutputFile::~OutputFile() {
  if (owns_fd_ && fd_ >= 0) close(fd_);
}

absl::Status OutputFile::Flush() { return buffer_.empty() ? absl::OkStatus() : WriteBuffer(); }

absl::Status OutputFile::WriteBuffer() {
  if (compressor_ == nullptr) {
    absl::Status status = WriteBytes(buffer_);
    buffer_.clear();
    return status;
  }
  compressor_->Compress(buffer_, Z_NO_FLUSH, &compressed_);
  buffer_.clear();
  if (compressed_.size() < kBufferBytes) return absl::OkStatus();
  absl::Status status = WriteBytes(compressed_);
  compressed_.clear();
  return status;
}

absl::Status OutputFile::WriteBytes(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return OutputError(absl::StrCat("write ", name_), errno);
    }
    bytes.remove_prefix(written);
    bytes_written_ += written;
    synced_ = false;
  }
  return absl::OkStatus();
}

absl::Status OutputFile::EndPiece() {
  if (compressor_ == nullptr) return Flush();
  if (!buffer_.empty() || compressor_->in_member()) {
    compressor_->Compress(buffer_, Z_FINISH, &compressed_);
    buffer_.clear();
  }
  absl::Status status = WriteBytes(compressed_);
  compressed_.clear();
  return status;
}

absl::Status OutputFile::Sync() {
  if (synced_) return absl::OkStatus();
  // EINVAL: a file system that cannot sync, which is its user's choice.
  if (fdatasync(fd_) != 0 && errno != EINVAL) {
    return OutputError(absl::StrCat("sync ", name_), errno);
  }
  synced_ = true;
  return absl::OkStatus();
}

absl::Status OutputFile::Restart() {
  buffer_.clear();
  compressed_.clear();
  if (compressor_ != nullptr) compressor_->Reset();
  if (ftruncate(fd_, 0) != 0 || lseek(fd_, 0, SEEK_SET) != 0) {
    return OutputError(absl::StrCat("empty ", name_), errno);
  }
  bytes_written_ = 0;
  synced_ = false;
  return absl::OkStatus();
}

absl::Status OutputFile::Close() {
  if (fd_ < 0) return absl::OkStatus();
  // Nothing at all is no gzip file; an empty member is.
  const bool empty = bytes_written_ == 0 && compressed_.empty() && buffer_.empty();
  if (compressor_ != nullptr && empty && !compressor_->in_member()) {
    compressor_->Compress("", Z_FINISH, &compressed_);
  }
  if (absl::Status status = EndPiece(); !status.ok()) return status;
  if (!owns_fd_) return absl::OkStatus();
  // EINVAL: a file system that cannot sync, which is its user's choice.
  if (fsync(fd_) != 0 && errno != EINVAL) {
    return OutputError(absl::StrCat("sync ", name_), errno);
  }
  const int fd = std::exchange(fd_, -1);
  // Network file systems report a full disk here. EINTR: closed all the same.
  if (close(fd) != 0 && errno != EINTR) return OutputError(absl::StrCat("close ", name_), errno);
  return absl::OkStatus();
}

}  // namespace intercom_extractor
