#ifndef TESTS_BENCHMARKS_PIPELINE_GZIP_CACHE_H_
#define TESTS_BENCHMARKS_PIPELINE_GZIP_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace intercom_extractor {

// Texts in gzip format whose long beginnings are compressed only once, so that from the
// second time on they cost no more than a copy. Thread-safe.
class GzipCache {
 public:
  // Which records a beginning holds: the first one's number, and how many.
  using Key = std::pair<int64_t, int64_t>;

  // `beginning()`, which is the same whenever `key` is, and `rest`, of at most 65,535
  // bytes.
  std::string Get(const Key& key, const std::function<std::string()>& beginning,
                  std::string_view rest);

 private:
  struct Beginning {
    // Ends at a whole byte and can be gone on with.
    std::string deflated;
    uint32_t crc = 0;
    size_t size = 0;
  };
  static Beginning Compress(const std::string& text);

  std::mutex mu_;
  std::map<Key, Beginning> beginnings_;  // Guarded by mu_; elements stay where they are.
};

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_PIPELINE_GZIP_CACHE_H_
