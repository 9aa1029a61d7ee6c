#ifndef TESTS_BENCHMARKS_STREAMING_BATCH_SERVER_H_
#define TESTS_BENCHMARKS_STREAMING_BATCH_SERVER_H_

#include <cstddef>
#include <string>

#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What a batch server is asked for: so many batches of so many bytes.
struct BatchOrder {
  size_t bytes_each = 0;
  size_t count = 0;

  v1::ExtractRequest ToRequest() const;
  static BatchOrder FromRequest(const v1::ExtractRequest& request);
};

// How finished batches go out.
inline constexpr char kOurs[] = "ours";  // Queue, pump and call of the product.
inline constexpr char kRaw[] = "raw";    // The least that gRPC asks for.

// Serves `Extract` that way on a free port, which is what it says to its parent,
// until that wants its end. The exit code.
int ServeBatches(const std::string& way);

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_STREAMING_BATCH_SERVER_H_
