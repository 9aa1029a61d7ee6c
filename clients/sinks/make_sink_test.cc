#include "clients/sinks/make_sink.h"

#include <string>

#include "absl/status/status.h"
#include "clients/cli/test_tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MakeSinkTest, TheSchemeTellsTheKind) {
  EXPECT_EQ(*DescribeSink("postgresql://etl@db/crm"), "postgresql://etl@db/crm, schema intercom");
  EXPECT_EQ(*DescribeSink("kafka://k1:9092,k2"), "kafka://k1:9092,k2, topics intercom.*");
  EXPECT_EQ(*DescribeSink("redis://h"), "redis://h:6379/0, keys intercom:*");
  const auto tables = DescribeAllTables();
  const std::vector<v1::TableDescription> all(tables.tables().begin(), tables.tables().end());
  for (const char* url :
       {"postgresql://etl@db/crm", "kafka://k1:9092,k2", "redis://h", "nats://h"}) {
    const auto sink = MakeSink({url, "id", ""}, all, all);
    ASSERT_TRUE(sink.ok()) << sink.status();
    EXPECT_EQ((*sink)->name(), *DescribeSink(url));
  }
}

TEST(MakeSinkTest, AnUnknownSchemeNamesThoseThatThereAreAndQuotesNothing) {
  for (const char* url : {"mysql://etl:hunter2@db", "hunter2", "", "kafka:hunter2"}) {
    const absl::Status described = DescribeSink(url).status();
    const absl::Status made = MakeSink({url, "id", ""}, {}, {}).status();
    for (const absl::Status& status : {described, made}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
      EXPECT_THAT(std::string(status.message()),
                  AllOf(HasSubstr("postgresql://"), HasSubstr("kafka://"), HasSubstr("redis://"),
                        HasSubstr("nats://"), Not(HasSubstr("ter2"))));
    }
  }
}

}  // namespace
}  // namespace intercom_extractor
