#include "clients/fleet/lease.h"

#include <memory>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

class LeaseTest : public testing::Test {
 protected:
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::shared_ptr<Lease> lease_ =
      std::make_shared<Lease>([this] { return now_; }, absl::Seconds(3));
};

TEST_F(LeaseTest, IsDeadUntilItBegins) {
  EXPECT_FALSE(lease_->alive());
  EXPECT_FALSE(lease_->Renew());
  lease_->Begin();
  EXPECT_TRUE(lease_->alive());
}

TEST_F(LeaseTest, LivesAsLongAsItIsRenewedInTime) {
  lease_->Begin();
  for (int i = 0; i < 10; ++i) {
    now_ += absl::Seconds(2);
    EXPECT_TRUE(lease_->alive());
    EXPECT_TRUE(lease_->Renew());
  }
}

TEST_F(LeaseTest, ProcessThatWasFrozenForATermCannotRenewIt) {
  lease_->Begin();
  now_ += absl::Seconds(3);
  EXPECT_FALSE(lease_->alive());
  EXPECT_FALSE(lease_->Renew());
  EXPECT_FALSE(lease_->alive());
  lease_->Begin();
  EXPECT_TRUE(lease_->alive());
}

TEST_F(LeaseTest, RightHoldsWhileItIsGivenAndTheLeaseLives) {
  WorkspaceRight right(lease_);
  right.Give();
  EXPECT_FALSE(right.holds());
  lease_->Begin();
  EXPECT_TRUE(right.holds());
  right.Take();
  EXPECT_FALSE(right.holds());
  right.Give();
  lease_->End();
  EXPECT_FALSE(right.holds());
}

}  // namespace
}  // namespace intercom_extractor
