#include "clients/sinks/postgres/postgres_url.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PostgresUrlTest, ReadsTheSchemaAndLeavesTheRestToLibpq) {
  const auto target = ParsePostgresUrl("postgresql://etl@db:5433/crm?schema=raw&sslmode=require");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->schema, "raw");
  EXPECT_EQ(target->parameters.at("sslmode"), "require");
  EXPECT_EQ(target->parameters.at("port"), "5433");
  EXPECT_EQ(target->name(), "postgresql://etl@db:5433/crm, schema raw");
}

TEST(PostgresUrlTest, TheSchemaIsIntercomWhereNoneIsNamed) {
  const auto target = ParsePostgresUrl("postgres:///crm");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->schema, "intercom");
  EXPECT_EQ(target->name(), "postgresql:///crm, schema intercom");
}

TEST(PostgresUrlTest, NeverShowsThePassword) {
  const auto target = ParsePostgresUrl("postgresql://etl:hunter2@db/crm");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->parameters.at("password"), "hunter2");
  EXPECT_THAT(target->name(), Not(HasSubstr("hunter2")));
  for (const char* url : {"postgresql://etl:hun@ter2@db/crm", "postgresql://etl:hunter2@db:x/%zz",
                          "postgresql://etl:hunter2@db/crm?nonsense=hunter2", "redis://:hunter2@h",
                          "postgresql://etl:hunter2@db/crm?schema="}) {
    const auto status = ParsePostgresUrl(url).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("ter2"))) << url;
  }
}

}  // namespace
}  // namespace intercom_extractor
