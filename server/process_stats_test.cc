#include "server/process_stats.h"

#include <fcntl.h>
#include <unistd.h>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(ProcessStatsTest, AreThoseOfThisProcess) {
  const ProcessStats before = ReadProcessStats();
  EXPECT_GT(before.resident_bytes, 100'000);
  EXPECT_GT(before.virtual_bytes, before.resident_bytes);
  EXPECT_GT(before.max_fds, before.open_fds);
  EXPECT_LT(before.started_at, absl::Now() + absl::Seconds(2));
  EXPECT_GT(before.started_at, absl::Now() - absl::Hours(1));

  const int fd = open("/dev/null", O_RDONLY);
  EXPECT_EQ(ReadProcessStats().open_fds, before.open_fds + 1);
  close(fd);
}

TEST(ProcessStatsTest, ProcessorTimeGrowsWithWork) {
  const absl::Duration before = ReadProcessStats().cpu;
  volatile uint64_t sum = 0;
  // A tick of the system's is 10 ms.
  while (ReadProcessStats().cpu <= before) {
    for (int i = 0; i < 1'000'000; ++i) sum = sum + static_cast<uint64_t>(i);
  }
  SUCCEED();
}

}  // namespace
}  // namespace intercom_extractor
