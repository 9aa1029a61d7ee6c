#include "clients/sinks/one_writer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::MatchesRegex;

TEST(OneWriterTest, AnInstanceHasANameOfItsOwn) {
  EXPECT_THAT(RandomInstance(), MatchesRegex("[0-9a-f]{16}"));
  EXPECT_NE(RandomInstance(), RandomInstance());
}

TEST(OneWriterTest, ErrorsSayWhoAndWhatToDo) {
  EXPECT_EQ(TakenOverError("crm", "redis://h:6379/0", "prefix"),
            absl::AbortedError("a newer run took over sink id crm at redis://h:6379/0; this one "
                               "ends and commits nothing more. Run one at a time, or give each a "
                               "--sink-id and a prefix of its own"));
  EXPECT_EQ(FilledByError("stream users", "redis://h:6379/0", "crm", "prefix"),
            absl::FailedPreconditionError("stream users at redis://h:6379/0 is filled by sink id "
                                          "crm; give that --sink-id, or another prefix"));
}

}  // namespace
}  // namespace intercom_extractor
