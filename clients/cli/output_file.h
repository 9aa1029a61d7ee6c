#ifndef CLIENTS_CLI_OUTPUT_FILE_H_
#define CLIENTS_CLI_OUTPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// The status for a failed system call: "cannot <what>: <reason of errno>".
// kCancelled for EPIPE, as then the reader went away and nothing is wrong here;
// else the code that fits best.
absl::Status OutputError(absl::string_view what, int error_number);

// Makes the names in a directory durable. A directory that may be written but not
// read cannot be synced; the files stand all the same.
absl::Status SyncDirectory(const std::string& path);

// One output, buffered and perhaps compressed: a file that is begun anew or
// continued, or an open descriptor such as standard output.
//
// For one thread. Rows are appended to buffer() and go to the disk in large
// writes. After an error the file is spoilt: drop it. Destroying it without
// Close() closes the descriptor and drops what is buffered.
class OutputFile {
 public:
  // Creates or empties the file at `path`.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path, bool gzip);

  // Opens the file at `path` to append behind its first `length` bytes, at which
  // EndPiece() ended; what stands after them is cut off. kDataLoss: there are
  // fewer.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Continue(const std::string& path, bool gzip,
                                                              int64_t length);

  // Writes to `fd`, which the caller keeps open and closes. `name` stands in
  // errors.
  static std::unique_ptr<OutputFile> ForDescriptor(int fd, const std::string& name, bool gzip);

  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Append here, then call WriteIfFull(); the buffer is emptied by it.
  std::string* buffer() { return &buffer_; }

  // Writes the buffer out once it is large.
  absl::Status WriteIfFull() {
    return buffer_.size() < kBufferBytes ? absl::OkStatus() : WriteBuffer();
  }

  // Writes out all that is buffered, so that a reader of a pipe sees it. What the
  // compressor holds back stays there.
  absl::Status Flush();

  // Writes out all that was appended. A file that is cut at bytes_written() now is
  // whole and can be continued: a gzip member ends here (members in a row are a
  // gzip file) unless nothing was appended since the last one.
  absl::Status EndPiece();

  // Makes what was written out durable; free when that is nothing new.
  absl::Status Sync();

  // Throws away what was written, on disk too. Not for descriptors.
  absl::Status Restart();

  // Writes the rest, syncs the file to the disk and closes it. Nothing may be
  // appended afterwards; a second call does nothing.
  absl::Status Close();

  // Bytes in the file by now (compressed ones where gzip was asked for); what is
  // buffered is not counted.
  int64_t bytes_written() const { return bytes_written_; }

 private:
  // Large enough that a write costs little beside its bytes; 22 tables of it fit
  // into memory with ease.
  static constexpr size_t kBufferBytes = size_t{256} << 10;

  class Compressor;

  OutputFile(int fd, bool owns_fd, std::string name, bool gzip);

  absl::Status WriteBuffer();
  absl::Status WriteBytes(absl::string_view bytes);

  const std::string name_;
  const bool owns_fd_;
  int fd_;
  std::string buffer_;
  std::string compressed_;
  std::unique_ptr<Compressor> compressor_;  // Null without gzip.
  int64_t bytes_written_ = 0;
  bool synced_ = true;  // Whether Sync() has nothing to do.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_OUTPUT_FILE_H_
