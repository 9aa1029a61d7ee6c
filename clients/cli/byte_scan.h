#ifndef CLIENTS_CLI_BYTE_SCAN_H_
#define CLIENTS_CLI_BYTE_SCAN_H_

#include <cstdint>
#include <cstring>

namespace intercom_extractor {

// Looks at eight bytes of text at once. The functions set the high bit of each
// byte that matches; a byte above (in significance) a matching one may be set
// wrongly, so only `Any` is to be asked.
class ByteScan {
 public:
  explicit ByteScan(const char* eight_bytes) { std::memcpy(&word_, eight_bytes, sizeof(word_)); }

  uint64_t Equal(uint8_t byte) const {
    const uint64_t difference = word_ ^ (kOnes * byte);
    return (difference - kOnes) & ~difference;
  }

  // `limit` is at most 0x80. Bytes of multi-byte UTF-8 characters never match.
  uint64_t Below(uint8_t limit) const { return (word_ - kOnes * limit) & ~word_; }

  // Whether any byte matched in the or-ed results of the functions above.
  static bool Any(uint64_t matches) { return (matches & kHighBits) != 0; }

 private:
  static constexpr uint64_t kOnes = 0x0101010101010101u;
  static constexpr uint64_t kHighBits = 0x8080808080808080u;

  uint64_t word_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_BYTE_SCAN_H_
