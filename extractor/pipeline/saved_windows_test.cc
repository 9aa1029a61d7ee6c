#include "extractor/pipeline/saved_windows.h"

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "extractor/pipeline/contact_search.h"
#include "gtest/gtest.h"
#include "resume_state.pb.h"

namespace intercom_extractor {
namespace {

constexpr int64_t kStart = 1750000000;

resume::Windows SomeWindows() {
  resume::Windows state;
  resume::Window* window = state.add_windows();
  window->set_created_from(kStart);
  window->set_created_before(kStart + 86400);
  window->set_before(kStart + 86400);
  window->set_role(2);
  window->set_total(150);
  window->set_read(7);
  window->set_first_second(kStart);
  window->set_last_second(kStart + 5);
  state.set_total(3000);
  return state;
}

TEST(SavedWindowsTest, ComeBackAsTheyWere) {
  const auto saved = FromState(SomeWindows());
  ASSERT_TRUE(saved.ok()) << saved.status();
  const auto again = FromState(ToState(*saved));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(ToState(*again).SerializeAsString(), ToState(*saved).SerializeAsString());
  EXPECT_EQ(again->plan.windows[0].total, 150);
  EXPECT_EQ(again->plan.windows[0].filter.role, ContactFilter::Role::kNotUser);
}

// Sums of them would overflow, or count backwards.
TEST(SavedWindowsTest, NumbersThatNoWindowsHaveAreRefused) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const auto refuses = [](auto set, int64_t number) {
    resume::Windows state = SomeWindows();
    set(&state, number);
    return FromState(state).status().code() == absl::StatusCode::kDataLoss;
  };
  for (const int64_t number : {kMin, kMax, int64_t{-1'000'000}}) {
    EXPECT_TRUE(refuses([](auto* state, int64_t n) { state->set_shortfall(n); }, number));
    EXPECT_TRUE(refuses([](auto* state, int64_t n) { state->set_total(n); }, number));
    EXPECT_TRUE(
        refuses([](auto* state, int64_t n) { state->mutable_windows(0)->set_total(n); }, number));
    EXPECT_TRUE(
        refuses([](auto* state, int64_t n) { state->mutable_windows(0)->set_read(n); }, number));
    EXPECT_TRUE(refuses(
        [](auto* state, int64_t n) { state->mutable_windows(0)->set_last_second(n); }, number));
    EXPECT_TRUE(refuses(
        [](auto* state, int64_t n) { state->mutable_windows(0)->set_created_from(n); }, number));
  }
  EXPECT_TRUE(refuses(
      [](auto* state, int64_t n) { state->mutable_windows(0)->set_role(static_cast<int>(n)); }, 3));
  EXPECT_FALSE(refuses(
      [](auto* state, int64_t n) { state->mutable_windows(0)->set_role(static_cast<int>(n)); }, 1));
}

TEST(SavedWindowsTest, APositionHasItsFirstSecond) {
  resume::Windows state = SomeWindows();
  state.mutable_windows(0)->clear_first_second();
  EXPECT_EQ(FromState(state).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace intercom_extractor
