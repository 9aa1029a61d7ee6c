#ifndef TESTS_BENCHMARKS_STREAMING_FINISHED_BATCHES_H_
#define TESTS_BENCHMARKS_STREAMING_FINISHED_BATCHES_H_

#include <cstddef>
#include <string>
#include <vector>

namespace intercom_extractor {

// Serialized `ExtractResponse`s, each a batch of about so many bytes of rows of users
// with a name, dates, a browser and custom attributes: about 520 bytes each. The same in
// every process.
struct FinishedBatches {
  explicit FinishedBatches(size_t bytes);

  // So many, which repeat `events`, each in memory of its own.
  std::vector<std::string> Copies(size_t count) const;

  const size_t bytes_each;
  // Several, so that their memory and contents differ as those of a real stream do.
  std::vector<std::string> events;
  // Of each.
  size_t rows = 0;
};

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_STREAMING_FINISHED_BATCHES_H_
