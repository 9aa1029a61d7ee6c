#include "extractor/pipeline/resume_point.h"

#include <memory>
#include <string>
#include <vector>

#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/tables/privacy_rules.h"
#include "extractor/tables/request_tables.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1700000000);

class FakeWalk : public Walk {
 public:
  void Start(std::function<void()>) override {}
  void Save(resume::State* state) const override { state->mutable_tables(0)->set_lists_done(7); }
  void Restore(const resume::State&) override {}
};

// Saves more than a token may hold.
class GreedyWalk : public FakeWalk {
 public:
  void Save(resume::State* state) const override {
    state->mutable_tables(0)->mutable_list()->set_parameter(std::string(size_t{64} << 10, 'x'));
  }
};

class ResumePointTest : public testing::Test {
 protected:
  ResumePointTest() {
    connection_.access_token = "secret";
    report_.AddRows(tags_.index, 3, 300);
  }

  absl::StatusOr<ResumePoint> Create(absl::Time now = kNoon) const {
    const std::vector<std::string> columns(request_.columns().begin(), request_.columns().end());
    const auto tables = RequestTables::Create({&tags_, &users_}, columns, rules_);
    return ResumePoint::Create(request_, tables->tables(), *IncrementalOf(request_, now),
                               connection_, caller_, now);
  }

  std::string MakeToken(const Walk& walk = FakeWalk()) const {
    return Create()->MakeToken(5, kNoon - absl::Hours(1), kNoon, report_, {&walk});
  }

  std::string ReasonFor(const std::string& token, absl::Time now = kNoon) {
    request_.set_resume_token(token);
    const auto point = Create(now);
    return point.ok() ? "OK" : ReasonOf(point.status());
  }

  const TableInfo& tags_ = *TableCatalog::Get().Find("tags");
  const TableInfo& users_ = *TableCatalog::Get().Find("users");
  v1::ExtractRequest request_;
  Connection connection_;
  std::string caller_;
  std::shared_ptr<PrivacyRules> rules_;
  RunReport report_{{&tags_, &users_}, kNoon};
};

TEST_F(ResumePointTest, WithoutATokenAStreamBeginsAtTheBeginning) {
  const auto point = Create();
  ASSERT_TRUE(point.ok());
  EXPECT_FALSE(point->earlier().has_value());
  EXPECT_FALSE(point->start().has_value());
  EXPECT_EQ(point->number(), 0);
}

TEST_F(ResumePointTest, ATokenHoldsWhereReportAndWalksStand) {
  request_.set_resume_token(MakeToken());
  const auto point = Create();
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_EQ(point->number(), 5);
  EXPECT_EQ(*point->start(), kNoon - absl::Hours(1));
  EXPECT_EQ(point->earlier()->tables(0).rows(), 3);
  EXPECT_EQ(point->earlier()->tables(0).lists_done(), 7);
}

TEST_F(ResumePointTest, ATokenOfAnotherConnectionOrBodyFormatIsRefused) {
  const std::string token = MakeToken();
  EXPECT_EQ(ReasonFor(token), "OK");
  connection_.name = "other";
  EXPECT_EQ(ReasonFor(token), "RESUME_TOKEN_MISMATCH");
  connection_.name = "default";
  request_.set_body_format(v1::BODY_FORMAT_PLAINTEXT);
  EXPECT_EQ(ReasonFor(token), "OK");
  request_.set_body_format(v1::BODY_FORMAT_HTML);
  EXPECT_EQ(ReasonFor(token), "RESUME_TOKEN_MISMATCH");
}

TEST_F(ResumePointTest, ATokenOfAnotherCallerIsRefused) {
  const std::string of_nobody = MakeToken();
  caller_ = "nightly";
  const std::string of_nightly = MakeToken();
  EXPECT_EQ(ReasonFor(of_nightly), "OK");
  EXPECT_EQ(ReasonFor(of_nobody), "RESUME_TOKEN_MISMATCH");
  caller_ = "other";
  EXPECT_EQ(ReasonFor(of_nightly), "RESUME_TOKEN_MISMATCH");
  caller_ = "";
  EXPECT_EQ(ReasonFor(of_nightly), "RESUME_TOKEN_MISMATCH");
  EXPECT_EQ(ReasonFor(of_nobody), "OK");
}

TEST_F(ResumePointTest, ATokenOfOtherColumnsIsRefused) {
  const std::string of_all = MakeToken();
  request_.add_columns("name");
  const std::string of_names = MakeToken();
  EXPECT_EQ(ReasonFor(of_names), "OK");
  EXPECT_EQ(ReasonFor(of_all), "RESUME_TOKEN_MISMATCH");
  request_.add_columns("users.email");
  EXPECT_EQ(ReasonFor(of_names), "RESUME_TOKEN_MISMATCH");
  // The same columns, said otherwise.
  request_.clear_columns();
  for (const char* column : {"tags.name", "users.name"}) request_.add_columns(column);
  EXPECT_EQ(ReasonFor(of_names), "OK");
  request_.clear_columns();
  EXPECT_EQ(ReasonFor(of_names), "RESUME_TOKEN_MISMATCH");
  EXPECT_EQ(ReasonFor(of_all), "OK");
}

TEST_F(ResumePointTest, ATokenFromBeforePrivacyRulesChangedIsRefused) {
  const std::string of_none = MakeToken();
  rules_ = std::make_shared<PrivacyRules>();
  ASSERT_TRUE(rules_->AddColumn("users.email", v1::PRIVACY_ACTION_HASH).ok());
  rules_->set_hash_key("a key of 16 bytes and more");
  const std::string of_hashes = MakeToken();
  EXPECT_EQ(ReasonFor(of_hashes), "OK");
  EXPECT_EQ(ReasonFor(of_none), "RESUME_TOKEN_MISMATCH");
  request_.set_resume_token(of_none);
  EXPECT_NE(Create().status().message().find("privacy rules or its hash key have changed"),
            absl::string_view::npos);
  // Rules that are not about these tables change nothing in them.
  ASSERT_TRUE(rules_->AddColumn("leads.email", v1::PRIVACY_ACTION_MASK).ok());
  EXPECT_EQ(ReasonFor(of_hashes), "OK");
  rules_->set_hash_key("another key of 16 bytes");
  EXPECT_EQ(ReasonFor(of_hashes), "RESUME_TOKEN_MISMATCH");
  rules_ = nullptr;
  EXPECT_EQ(ReasonFor(of_hashes), "RESUME_TOKEN_MISMATCH");
  EXPECT_EQ(ReasonFor(of_none), "OK");
}

TEST_F(ResumePointTest, ATokenIsGoodForThirtyDays) {
  const std::string token = MakeToken();
  EXPECT_EQ(ReasonFor(token, kNoon + absl::Hours(24 * 30)), "OK");
  EXPECT_EQ(ReasonFor(token, kNoon + absl::Hours(24 * 30 + 1)), "RESUME_TOKEN_EXPIRED");
}

TEST_F(ResumePointTest, ThereIsNoTokenLargerThanClientsHaveToBear) {
  EXPECT_TRUE(MakeToken(GreedyWalk()).empty());
}

}  // namespace
}  // namespace intercom_extractor
