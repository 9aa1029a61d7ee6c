#ifndef TESTS_BENCHMARKS_CPU_CYCLES_CPU_CYCLES_H_
#define TESTS_BENCHMARKS_CPU_CYCLES_CPU_CYCLES_H_

#include <cstdint>
#include <optional>

namespace intercom_extractor {

// Counts the cycles that this thread spends outside the kernel. Not thread-safe.
class CpuCycles {
 public:
  CpuCycles();
  ~CpuCycles();
  CpuCycles(const CpuCycles&) = delete;
  CpuCycles& operator=(const CpuCycles&) = delete;

  // Cycles so far; nothing where the machine does not let us count, as most
  // containers and virtual machines do not.
  std::optional<uint64_t> Read() const;

 private:
  int file_ = -1;
};

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_CPU_CYCLES_CPU_CYCLES_H_
