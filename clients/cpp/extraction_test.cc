#include "clients/cpp/extraction.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/scripted_extractor.h"
#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

grpc::Status Lost() { return {grpc::StatusCode::UNAVAILABLE, "Socket closed"}; }

// Words for what an event says.
void Describe(const v1::ExtractResponse& event, std::vector<std::string>* words) {
  for (const v1::Tag& tag : event.row_batch().tags()) words->push_back(tag.name());
  if (event.has_table_restarted()) words->push_back("restarted");
  if (event.has_progress()) words->push_back("progress");
  if (event.has_living_records()) words->push_back("living");
  if (event.has_checkpoint()) words->push_back(event.checkpoint().resume_token());
  if (event.has_summary()) words->push_back("summary");
}

class ExtractionTest : public ::testing::Test {
 protected:
  ExtractionTest() {
    request_.add_tables("tags");
    options_.timing.now = [this] { return now_; };
    options_.timing.random = [] { return 0.0; };
    options_.timing.wait = [this](absl::Duration duration) {
      now_ += duration;
      waits_.push_back(absl::ToInt64Seconds(duration));
      if (on_wait_) on_wait_();
      return false;
    };
  }

  // Reads to the end.
  absl::Status ReadAll(Delivery delivery = Delivery::kOnce) {
    seen_.clear();
    options_.delivery = delivery;
    Extraction extraction(server_.NewClient(), request_, options_);
    while (const v1::ExtractResponse* event = extraction.Next()) Describe(*event, &seen_);
    EXPECT_EQ(extraction.Next(), nullptr);
    token_ = extraction.resume_token();
    reconnects_ = extraction.reconnects();
    return extraction.status();
  }

  // A call that is lost with rows on their way, and the one that goes on.
  void ScriptLostCall() {
    server_.AddTags({"a", "b"});
    server_.AddCheckpoint(1, {{"tags", 2}});
    server_.AddTags({"late"});
    server_.status = Lost();
    server_.NextCall();
    server_.AddTags({"late", "last"});
    server_.AddCheckpoint(2, {{"tags", 2}});
    server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 4);
  }

  std::vector<std::string> Tokens() const {
    std::vector<std::string> tokens;
    for (const auto& request : server_.requests) tokens.push_back(request.resume_token());
    return tokens;
  }

  ScriptedExtractor server_;
  v1::ExtractRequest request_;
  ExtractionOptions options_;
  absl::Time now_ = absl::UnixEpoch();
  std::vector<int64_t> waits_;
  std::function<void()> on_wait_;
  std::vector<std::string> seen_;
  std::string token_;
  int reconnects_ = 0;
};

TEST_F(ExtractionTest, EventsComeInOrderToTheSummary) {
  server_.AddTags({"a"});
  server_.AddTags({"b"});
  server_.AddCheckpoint(1, {{"tags", 2}});
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 2);
  for (const Delivery delivery : {Delivery::kOnce, Delivery::kAtLeastOnce, Delivery::kRollBack}) {
    const absl::Status status = ReadAll(delivery);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_THAT(seen_, ElementsAre("a", "b", "token 1", "summary"));
    EXPECT_EQ(token_, "token 1");
  }
  EXPECT_EQ(server_.authorization, "Bearer caller-secret");
}

TEST_F(ExtractionTest, SerializedRowsComeOnceAndInOrderToo) {
  ScriptLostCall();
  options_.serialized_rows = true;
  Extraction extraction(server_.NewClient(), request_, options_);
  std::vector<std::string> names;
  while (const v1::ExtractResponse* event = extraction.Next()) {
    EXPECT_EQ(event->row_batch().tags_size(), 0);
    for (const absl::string_view row : extraction.serialized_rows()) {
      v1::Tag tag;
      ASSERT_TRUE(tag.ParseFromArray(row.data(), static_cast<int>(row.size())));
      names.push_back(tag.name());
    }
  }
  EXPECT_TRUE(extraction.status().ok()) << extraction.status();
  EXPECT_THAT(names, ElementsAre("a", "b", "late", "last"));
}

TEST_F(ExtractionTest, RowsComeOnceWhenTheConnectionIsLost) {
  ScriptLostCall();
  const absl::Status status = ReadAll();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(seen_, ElementsAre("a", "b", "token 1", "late", "last", "token 2", "summary"));
  EXPECT_THAT(Tokens(), ElementsAre("", "token 1"));
  EXPECT_THAT(waits_, ElementsAre(1));
  EXPECT_EQ(reconnects_, 1);
}

TEST_F(ExtractionTest, AtLeastOnceRepeatsRowsSinceTheCheckpoint) {
  ScriptLostCall();
  EXPECT_TRUE(ReadAll(Delivery::kAtLeastOnce).ok());
  EXPECT_THAT(seen_,
              ElementsAre("a", "b", "token 1", "late", "late", "last", "token 2", "summary"));
}

TEST_F(ExtractionTest, WhoRollsBackIsToldOfEachLossBeforeRowsComeAgain) {
  ScriptLostCall();
  std::vector<std::string> told;
  options_.on_reconnect = [&](const Reconnect& reconnect) {
    seen_.push_back("rolled back");
    told.push_back(absl::StrCat(reconnect.checkpoint, " ", absl::FormatDuration(reconnect.wait),
                                " ", reconnect.attempt, " ", reconnect.cause.message()));
    return true;
  };
  EXPECT_TRUE(ReadAll(Delivery::kRollBack).ok());
  EXPECT_THAT(seen_, ElementsAre("a", "b", "token 1", "late", "rolled back", "late", "last",
                                 "token 2", "summary"));
  EXPECT_THAT(told, ElementsAre("1 1s 1 Socket closed"));
}

TEST_F(ExtractionTest, WhoDoesNotWantToGoOnGetsTheCause) {
  ScriptLostCall();
  options_.on_reconnect = [](const Reconnect&) { return false; };
  const absl::Status status = ReadAll();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(waits_, IsEmpty());
  EXPECT_EQ(token_, "token 1");
}

TEST_F(ExtractionTest, FiveTriesWithoutACheckpointAreEnough) {
  server_.AddTags({"a"});
  server_.status = Lost();
  EXPECT_TRUE(absl::IsUnavailable(ReadAll()));
  EXPECT_THAT(waits_, ElementsAre(1, 2, 4, 8, 16));
  EXPECT_EQ(server_.requests.size(), 6u);
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(ExtractionTest, CheckpointGivesAllTriesBack) {
  for (int number = 1; number <= 7; ++number) {
    server_.AddTags({"a"});
    server_.AddCheckpoint(number, {{"tags", 1}});
    server_.status = Lost();
    server_.NextCall();
  }
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 7);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(waits_, ElementsAre(1, 1, 1, 1, 1, 1, 1));
}

TEST_F(ExtractionTest, ServerThatSaidNothingIsNotCalledAgain) {
  server_.status = Lost();
  EXPECT_TRUE(absl::IsUnavailable(ReadAll()));
  EXPECT_EQ(server_.requests.size(), 1u);
}

TEST_F(ExtractionTest, ServerIsCalledAgainByWhoGoesOnFromAKeptPosition) {
  request_.set_resume_token("token 7");
  options_.position.emplace();
  options_.position->checkpoint = 7;
  options_.position->generations["tags"] = 2;
  server_.status = Lost();
  server_.NextCall();
  server_.AddTags({"a"}, 2);
  server_.AddCheckpoint(8, {{"tags", 1}}, 2);
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  const absl::Status status = ReadAll();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(Tokens(), ElementsAre("token 7", "token 7"));
  EXPECT_EQ(token_, "token 8");
}

TEST_F(ExtractionTest, TokenAloneGoesOnInWhateverGenerationTheTablesAre) {
  request_.set_resume_token("token 7");
  server_.AddTags({"a"}, 3);
  server_.AddCheckpoint(8, {{"tags", 1}}, 3);
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_TRUE(ReadAll().ok());
}

TEST_F(ExtractionTest, RestartDropsWhatIsHeldBackAndWaitsForItsCheckpoint) {
  server_.AddTags({"a"});
  server_.Add()->mutable_progress();
  server_.AddLivingUsers({"1"});
  server_.AddRestart("tags", 2);
  server_.AddTags({"b"}, 2);
  server_.AddCheckpoint(1, {{"tags", 1}}, 2);
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(seen_, ElementsAre("progress", "living", "restarted", "b", "token 1", "summary"));
  EXPECT_TRUE(ReadAll(Delivery::kAtLeastOnce).ok());
  EXPECT_THAT(seen_,
              ElementsAre("a", "progress", "living", "restarted", "b", "token 1", "summary"));
}

TEST_F(ExtractionTest, RestartThatNoCheckpointCoversHasNotHappened) {
  for (const Delivery delivery : {Delivery::kOnce, Delivery::kAtLeastOnce}) {
    server_.Forget();
    server_.AddTags({"a"});
    server_.AddCheckpoint(1, {{"tags", 1}});
    server_.AddRestart("tags", 2);
    server_.AddTags({"void"}, 2);
    server_.status = Lost();
    server_.NextCall();
    server_.AddTags({"b"});
    server_.AddCheckpoint(2, {{"tags", 1}});
    server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 2);
    EXPECT_TRUE(ReadAll(delivery).ok());
    EXPECT_THAT(seen_, ElementsAre("a", "token 1", "b", "token 2", "summary"));
  }
}

TEST_F(ExtractionTest, BrokenPromiseEndsTheCall) {
  server_.AddTags({"a"}, 2);
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  const absl::Status status = ReadAll();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the server's stream is broken: rows of"));
}

TEST_F(ExtractionTest, ErrorAfterTheSummaryIsTheCallers) {
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  server_.status = Lost();
  EXPECT_TRUE(absl::IsUnavailable(ReadAll()));
  EXPECT_EQ(server_.requests.size(), 1u);
}

TEST_F(ExtractionTest, DeadlineLeavesNoTimeToTryAgain) {
  ScriptLostCall();
  // Far away for gRPC, which has a clock of its own.
  options_.deadline = absl::Now() + absl::Hours(1);
  now_ = options_.deadline - absl::Seconds(1);
  EXPECT_TRUE(absl::IsDeadlineExceeded(ReadAll()));
  EXPECT_THAT(waits_, IsEmpty());
  EXPECT_EQ(token_, "token 1");
}

TEST_F(ExtractionTest, DeadlineReachesTheServer) {
  server_.AddTags({"a"});
  server_.after_events = [](grpc::ServerContext* context) {
    while (!context->IsCancelled()) {
    }
  };
  options_.timing = {};
  options_.deadline = absl::Now() + absl::Milliseconds(200);
  EXPECT_TRUE(absl::IsDeadlineExceeded(ReadAll()));
}

TEST_F(ExtractionTest, CancelBetweenTwoCallsEndsTheWait) {
  ScriptLostCall();
  options_.timing = {};
  options_.timing.random = [] { return 0.0; };
  std::promise<void> waits;
  options_.on_reconnect = [&](const Reconnect&) {
    waits.set_value();
    return true;
  };
  Extraction extraction(server_.NewClient(), request_, options_);
  const auto cancels = std::async(std::launch::async, [&] {
    waits.get_future().wait();
    extraction.Cancel();
  });
  while (extraction.Next() != nullptr) {
  }
  EXPECT_TRUE(absl::IsCancelled(extraction.status()));
  EXPECT_EQ(server_.requests.size(), 1u);
}

TEST_F(ExtractionTest, CancellationOfManyCallsEndsThisOne) {
  Cancellation cancellation;
  options_.cancellation = &cancellation;
  server_.AddTags({"a"});
  server_.AddCheckpoint(1, {{"tags", 1}});
  server_.after_events = [&](grpc::ServerContext* context) {
    cancellation.Cancel();
    while (!context->IsCancelled()) {
    }
  };
  EXPECT_TRUE(absl::IsCancelled(ReadAll()));
}

TEST_F(ExtractionTest, DroppedExtractionCancelsTheCall) {
  server_.Add()->mutable_progress();
  bool cancelled = false;
  server_.after_events = [&](grpc::ServerContext* context) {
    while (!context->IsCancelled()) {
    }
    cancelled = true;
  };
  {
    Extraction extraction(server_.NewClient(), request_, options_);
    ASSERT_NE(extraction.Next(), nullptr);
  }
  server_.Stop();
  EXPECT_TRUE(cancelled);
}

TEST_F(ExtractionTest, AcceptsARowOfManyMegabytes) {
  server_.AddTags({std::string(size_t{40} << 20, 'x')});
  server_.AddCheckpoint(1, {{"tags", 1}});
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_TRUE(ReadAll().ok());
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_EQ(seen_[0].size(), size_t{40} << 20);
}

TEST_F(ExtractionTest, EventsOfANewerServerArePassedOver) {
  server_.Add();
  server_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(seen_, ElementsAre("summary"));
}

}  // namespace
}  // namespace intercom_extractor
