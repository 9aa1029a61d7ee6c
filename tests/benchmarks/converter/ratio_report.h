#ifndef TESTS_BENCHMARKS_CONVERTER_RATIO_REPORT_H_
#define TESTS_BENCHMARKS_CONVERTER_RATIO_REPORT_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace intercom_extractor {

// The console's usual report, and at its end one line per group of benchmarks
// "group/floor", "group/ordinary" and "group/ours": how fast ours is beside the
// others, by the median of the CPU time of an iteration.
class RatioReport : public benchmark::ConsoleReporter {
 public:
  RatioReport() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  // CPU time of an iteration by the name's last part.
  using Times = std::map<std::string, double>;
  std::map<std::string, Times> times_;
  // In the order in which they were registered.
  std::map<int64_t, std::string> groups_;
};

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_CONVERTER_RATIO_REPORT_H_
