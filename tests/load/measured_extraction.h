#ifndef TESTS_LOAD_MEASURED_EXTRACTION_H_
#define TESTS_LOAD_MEASURED_EXTRACTION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/quota.h"
#include "tests/fake_intercom/stats.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {

// One whole extraction as a client and the fake Intercom saw it.
struct MeasuredExtraction {
  // Empty, or what went wrong: not every table is complete.
  std::string error;
  // From its start to its last event.
  absl::Duration wall;
  // Of this process, the fake's part included.
  absl::Duration cpu;
  // By table; counted from the batches.
  std::map<std::string, int64_t> rows;
  // Of all rows of all tables, whatever their order.
  uint64_t rows_hash = 0;
  v1::Summary summary;
  // The fake's own log.
  fake::Stats::Snapshot asked;
  std::vector<fake::Quota::WindowUse> windows;
};

// Extracts these tables (all when none is named) from a fake of its own, which
// leaves `reserve` of the quota to others. `prepare` sees the fake before its first
// request. Blocks until the extraction has ended.
MeasuredExtraction Measure(const std::shared_ptr<const fake::Workspace>& workspace,
                           const fake::FakeIntercomOptions& options, double reserve,
                           const std::vector<std::string>& tables = {},
                           const std::function<void(fake::FakeIntercom*)>& prepare = nullptr);

// What the extractor may use of a window of so many requests.
int UsableQuota(int limit, double reserve);

}  // namespace intercom_extractor

#endif  // TESTS_LOAD_MEASURED_EXTRACTION_H_
