#include "tests/benchmarks/converter/ratio_report.h"

#include "absl/strings/str_format.h"

namespace intercom_extractor {
namespace {

std::string Ratio(double other, double ours) {
  return other == 0 || ours == 0 ? "-" : absl::StrFormat("%.2f", other / ours);
}

}  // namespace

void RatioReport::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    const std::string& name = run.run_name.function_name;
    const size_t slash = name.rfind('/');
    // A single repetition has no median.
    const bool counts = run.run_type == Run::RT_Iteration || run.aggregate_name == "median";
    if (!counts || run.error_occurred || slash == std::string::npos) continue;
    const std::string group = name.substr(0, slash);
    times_[group][name.substr(slash + 1)] = run.GetAdjustedCPUTime();
    groups_.emplace(run.family_index, group);
  }
  ConsoleReporter::ReportRuns(runs);
}

void RatioReport::Finalize() {
  ConsoleReporter::Finalize();
  GetOutputStream() << absl::StrFormat("\n%-44s %11s %14s\n", "medians", "ours/floor",
                                       "ours/ordinary");
  std::string last;
  for (const auto& [index, group] : groups_) {
    if (group == last) continue;
    last = group;
    Times& times = times_[group];
    GetOutputStream() << absl::StrFormat("%-44s %11s %14s\n", group,
                                         Ratio(times["floor"], times["ours"]),
                                         Ratio(times["ordinary"], times["ours"]));
  }
}

}  // namespace intercom_extractor
