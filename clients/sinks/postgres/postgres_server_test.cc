// The sink against a real server: what the command line cannot be made to do at will.
// SINK_TEST_URL names a database; tests/sinks/test_postgres.py starts one and runs this.

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clients/cli/test_tables.h"
#include "clients/cpp/rows.h"
#include "clients/sinks/postgres/postgres_connection.h"
#include "clients/sinks/postgres/postgres_sink.h"
#include "clients/sinks/postgres/postgres_url.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {
namespace {

std::string UserRow(const std::string& id, const std::string& name) {
  v1::User user;
  user.set_id(id);
  user.set_name(name);
  return user.SerializeAsString();
}

class PostgresServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const url = std::getenv("SINK_TEST_URL");
    ASSERT_NE(url, nullptr) << "SINK_TEST_URL names no database";
    auto target = ParsePostgresUrl(url);
    ASSERT_TRUE(target.ok()) << target.status();
    target->schema = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    auto connected = PostgresConnection::Connect(*target);
    ASSERT_TRUE(connected.ok()) << connected.status();
    reader_ = *std::move(connected);
    users_ = absl::StrCat("\"", target->schema, "\".users");
    const v1::TableDescription users = DescribeTable(*v1::User::descriptor());
    auto sink = PostgresSink::Make(*target, "test", {users}, {users});
    ASSERT_TRUE(sink.ok()) << sink.status();
    sink_ = *std::move(sink);
    const auto opened = sink_->Open();
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_TRUE(sink_->Begin(v1::ExtractRequest()).ok());
  }

  void Write(const std::vector<std::string>& rows) {
    v1::RowBatch batch;
    batch.set_table("users");
    const absl::Status status = sink_->Write(batch, SerializedRows(rows.begin(), rows.end()));
    ASSERT_TRUE(status.ok()) << status;
  }

  void Commit() {
    sinks::SinkPosition position;
    position.set_checkpoint(++checkpoint_);
    const absl::Status status = sink_->Commit(position);
    ASSERT_TRUE(status.ok()) << status;
  }

  std::string Value(const std::string& sql) {
    const auto result = reader_->Run(absl::StrCat("SELECT ", sql, " FROM ", users_));
    if (!result.ok()) return std::string(result.status().message());
    return result->rows[0][0].value_or("null");
  }

  std::unique_ptr<PostgresConnection> reader_;
  std::unique_ptr<PostgresSink> sink_;
  std::string users_;
  int64_t checkpoint_ = 0;
};

TEST_F(PostgresServerTest, RowThatComesTwiceInOneCommitIsThereOnceAsItCameLast) {
  Write({UserRow("1", "first"), UserRow("2", "other"), UserRow("1", "last")});
  Commit();
  EXPECT_EQ(Value("count(*)"), "2");
  EXPECT_EQ(Value("max(name) FILTER (WHERE id = '1')"), "last");
}

TEST_F(PostgresServerTest, RowThatComesAgainAfterMegabytesOfOneCommitIsThereOnce) {
  Write({UserRow("1", "first")});
  // More than waits in memory: what came is copied ahead of the commit.
  for (int i = 0; i < 6; ++i) {
    Write({UserRow(absl::StrCat("long ", i), std::string(size_t{1} << 20, 'x'))});
  }
  Write({UserRow("1", "last")});
  Commit();
  EXPECT_EQ(Value("count(*)"), "7");
  EXPECT_EQ(Value("max(name) FILTER (WHERE id = '1')"), "last");
}

TEST_F(PostgresServerTest, RowOfALaterCommitReplacesTheOneBefore) {
  Write({UserRow("1", "first")});
  Commit();
  Write({UserRow("1", "last")});
  Commit();
  EXPECT_EQ(Value("count(*)"), "1");
  EXPECT_EQ(Value("max(name)"), "last");
}

}  // namespace
}  // namespace intercom_extractor
