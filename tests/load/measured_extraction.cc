#include "tests/load/measured_extraction.h"

#include <sys/resource.h>

#include <cmath>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/end_to_end/extraction_harness.h"

namespace intercom_extractor {
namespace {

absl::Duration CpuUsed() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

void Count(const v1::RowBatch& batch, MeasuredExtraction* result) {
  const google::protobuf::Reflection& reflection = *batch.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(batch, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (!field->is_repeated() || field->message_type() == nullptr) continue;
    if (field->name() != batch.table()) continue;
    const int count = reflection.FieldSize(batch, field);
    result->rows[batch.table()] += count;
    for (int i = 0; i < count; ++i) {
      const std::string row = reflection.GetRepeatedMessage(batch, field, i).SerializeAsString();
      // A sum, so that the order does not matter.
      result->rows_hash += std::hash<std::string>()(absl::StrCat(batch.table(), " ", row));
    }
  }
}

}  // namespace

MeasuredExtraction Measure(const std::shared_ptr<const fake::Workspace>& workspace,
                           const fake::FakeIntercomOptions& options, double reserve,
                           const std::vector<std::string>& tables,
                           const std::function<void(fake::FakeIntercom*)>& prepare) {
  MeasuredExtraction result;
  ExtractionHarness harness(workspace, options);
  if (prepare) prepare(&harness.intercom());
  harness.quota_reserve = reserve;
  harness.keep_rows = false;
  const absl::Duration cpu_before = CpuUsed();
  const absl::Time start = absl::Now();
  const Extracted got = harness.Run(tables, [&result](const v1::ExtractResponse& event) {
    if (event.has_row_batch()) Count(event.row_batch(), &result);
  });
  result.wall = absl::Now() - start;
  result.cpu = CpuUsed() - cpu_before;
  result.summary = got.summary;
  result.asked = harness.intercom().stats();
  result.windows = harness.intercom().quota().History();
  if (!got.status.ok()) result.error = got.status.ToString();
  if (!got.restarts.empty()) {
    absl::StrAppend(&result.error, " ", got.restarts.size(), " tables began anew");
  }
  for (const v1::TableSummary& table : got.summary.tables()) {
    if (table.status() != v1::TABLE_STATUS_COMPLETE) {
      absl::StrAppend(&result.error, " ", table.table(), " is not complete");
    }
  }
  return result;
}

int UsableQuota(int limit, double reserve) {
  return limit - static_cast<int>(std::ceil(limit * reserve));
}

}  // namespace intercom_extractor
