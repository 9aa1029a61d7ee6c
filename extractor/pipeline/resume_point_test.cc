#include "extractor/pipeline/resume_point.h"

#include <string>
#include <vector>

#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/incremental.h"
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
    return ResumePoint::Create(request_, {&tags_, &users_}, *IncrementalOf(request_, now),
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
