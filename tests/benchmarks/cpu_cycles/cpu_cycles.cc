#include "tests/benchmarks/cpu_cycles/cpu_cycles.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace intercom_extractor {

CpuCycles::CpuCycles() {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = PERF_COUNT_HW_CPU_CYCLES;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  constexpr int kThisThread = 0;
  constexpr int kAnyCpu = -1;
  constexpr int kNoGroup = -1;
  file_ = static_cast<int>(syscall(SYS_perf_event_open, &attributes, kThisThread, kAnyCpu, kNoGroup,
                                   PERF_FLAG_FD_CLOEXEC));
}

CpuCycles::~CpuCycles() {
  if (file_ >= 0) close(file_);
}

std::optional<uint64_t> CpuCycles::Read() const {
  uint64_t cycles = 0;
  if (file_ < 0 || read(file_, &cycles, sizeof(cycles)) != sizeof(cycles)) return std::nullopt;
  return cycles;
}

}  // namespace intercom_extractor
