#include "extractor/pipeline/scroll_drain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/http/http_client.h"
#include "extractor/http/loopback_server.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/inbox.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Event = ScrollDrain::Event;
using Kind = ScrollDrain::Event::Kind;

TEST(PauseBeforePollTest, SoonWhileItMayBeOurOwnScrollThenEvery15Seconds) {
  EXPECT_EQ(ScrollDrain::PauseBeforePoll(absl::ZeroDuration()), absl::Seconds(1));
  EXPECT_EQ(ScrollDrain::PauseBeforePoll(absl::Seconds(3)), absl::Seconds(3));
  EXPECT_EQ(ScrollDrain::PauseBeforePoll(absl::Seconds(60)), absl::Seconds(5));
  EXPECT_EQ(ScrollDrain::PauseBeforePoll(absl::Seconds(75)), absl::Seconds(15));
  EXPECT_EQ(ScrollDrain::PauseBeforePoll(absl::Minutes(9)), absl::Seconds(15));
}

std::string Page(const std::vector<std::string>& ids) {
  std::string data;
  for (const std::string& id : ids) {
    absl::StrAppend(&data, data.empty() ? "" : ",", R"({"type":"company","id":")", id, R"("})");
  }
  return HttpAnswer(200, absl::StrCat(R"({"data":[)", data, R"(],"scroll_param":"s"})"));
}

std::string Error(int status, const std::string& code) {
  return HttpAnswer(status,
                    absl::StrCat(R"({"type":"error.list","errors":[{"code":")", code, R"("}]})"));
}

// A drain against a server that gives the answers that the test put into
// answers_, one per request; the requests' targets are in requests_.
class ScrollDrainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Connection connection;
    connection.base_url = server_.Url();
    connection.access_token = "token";
    client_ = std::make_unique<IntercomClient>(connection, &http_, &clock_);
    options_.pause_before_poll = [](absl::Duration) { return absl::ZeroDuration(); };
  }

  void Start() {
    drain_ = std::make_unique<ScrollDrain>(client_.get(), client_->NewGroup(),
                                           TableCatalog::Get().Find("companies"), options_,
                                           [this] { told_.Put(true); });
    drain_->Start();
  }

  // Waits for the next event.
  Event Take() {
    while (true) {
      if (std::optional<Event> event = drain_->Take()) return *std::move(event);
      told_.Take();
    }
  }

  std::string TakePage() {
    Event event = Take();
    EXPECT_EQ(event.kind, Kind::kPage) << event.message << event.status;
    return std::string(event.page.body.text());
  }

  const SteadyClock clock_;
  Inbox<std::string> answers_;
  Inbox<std::string> requests_;
  LoopbackServer server_{LoopbackServer::Answering([this](const LoopbackServer::Request& request) {
    requests_.Put(request.target());
    return answers_.Take();
  })};
  HttpClient http_{HttpClient::Options()};
  std::unique_ptr<IntercomClient> client_;
  ScrollDrain::Options options_;
  Inbox<bool> told_;
  std::unique_ptr<ScrollDrain> drain_;
};

TEST_F(ScrollDrainTest, ReadsToTheEndBeforeAnythingIsTaken) {
  for (const char* id : {"1", "2", "3"}) answers_.Put(Page({id}));
  answers_.Put(Page({}));
  Start();
  EXPECT_EQ(requests_.Take(), "/companies/scroll");
  for (int page = 2; page <= 4; ++page) {
    EXPECT_EQ(requests_.Take(), "/companies/scroll?scroll_param=s");
  }
  for (const char* id : {"1", "2", "3"}) {
    EXPECT_THAT(TakePage(), HasSubstr(absl::StrCat("\"", id, "\"")));
  }
  const Event end = Take();
  EXPECT_EQ(end.kind, Kind::kEnded);
  EXPECT_TRUE(end.status.ok()) << end.status;
  EXPECT_EQ(drain_->TakeRequests(), 4);
  EXPECT_EQ(drain_->TakeRequests(), 0);
}

TEST_F(ScrollDrainTest, PagesOfABrokenScrollAreNotGivenAnyMore) {
  answers_.Put(Page({"1"}));
  answers_.Put(Error(404, "not_found"));
  answers_.Put(Page({"2"}));
  answers_.Put(Page({}));
  Start();
  for (int request = 0; request < 4; ++request) requests_.Take();
  EXPECT_EQ(Take().kind, Kind::kRestarted);
  EXPECT_THAT(TakePage(), HasSubstr("\"2\""));
  EXPECT_EQ(Take().kind, Kind::kEnded);
}

TEST_F(ScrollDrainTest, AsksForNothingMoreWhileTheSpillIsFull) {
  options_.spill.quota = 1;
  constexpr int kPages = 20;
  for (int page = 0; page < kPages; ++page) answers_.Put(Page({absl::StrCat(page)}));
  answers_.Put(Page({}));
  Start();
  std::vector<Kind> kinds;
  for (int page = 0; page < kPages; ++page) {
    requests_.Take();
    do {
      // What is asked for next is asked for once this page has gone.
      EXPECT_EQ(requests_.size(), 0u);
      kinds.push_back(Take().kind);
    } while (kinds.back() != Kind::kPage);
  }
  EXPECT_EQ(Take().kind, Kind::kEnded);
  EXPECT_THAT(kinds, SizeIs(kPages + 1));
  EXPECT_EQ(kinds[1], Kind::kPaused) << "said once, after the first page";
}

TEST_F(ScrollDrainTest, PauseThatOutlastsTheScrollLetsOthersScroll) {
  options_.spill.quota = 1;
  options_.scroll_life = absl::ZeroDuration();
  answers_.Put(Page({"1"}));
  Start();
  requests_.Take();
  Inbox<bool> granted;
  constexpr uint64_t kOther = 1000;
  if (!client_->scroll_turn().Enter(kOther, [&] { granted.Put(true); })) granted.Take();
  TakePage();
  std::vector<Kind> kinds;
  while (kinds.empty() || kinds.back() != Kind::kBusy) kinds.push_back(Take().kind);
  EXPECT_THAT(kinds, ElementsAre(Kind::kPaused, Kind::kRestarted, Kind::kBusy));
  EXPECT_EQ(requests_.size(), 0u);
  answers_.Put(Page({}));
  client_->scroll_turn().Leave(kOther);
  EXPECT_EQ(requests_.Take(), "/companies/scroll");
  EXPECT_EQ(Take().kind, Kind::kEnded);
}

TEST_F(ScrollDrainTest, GivesUpOnAnotherScrollWhenPatienceEnds) {
  options_.patience = absl::ZeroDuration();
  answers_.Put(Error(400, "scroll_exists"));
  Start();
  EXPECT_EQ(Take().kind, Kind::kBusy);
  const Event end = Take();
  EXPECT_EQ(end.kind, Kind::kEnded);
  EXPECT_EQ(ReasonOf(end.status), "SCROLL_BUSY");
}

TEST_F(ScrollDrainTest, EndFreesTheTurnAlsoInMidScroll) {
  answers_.Put(Page({"1"}));
  Start();
  requests_.Take();
  requests_.Take();
  drain_.reset();
  EXPECT_TRUE(client_->scroll_turn().Enter(1000, [] {}));
  answers_.Put(Page({}));
}

TEST_F(ScrollDrainTest, SpillWithoutRoomFailsWithWhatToDoAboutIt) {
  options_.spill.max_in_memory = 0;
  const char* before = std::getenv("TMPDIR");
  const std::string restore = before == nullptr ? "" : before;
  setenv("TMPDIR", "/nonexistent/folder", 1);
  for (int page = 0; page < 6; ++page) answers_.Put(Page({"1"}));
  Start();
  int restarts = 0;
  Event event = Take();
  for (; event.kind == Kind::kRestarted; event = Take()) ++restarts;
  EXPECT_EQ(restarts, 5);
  EXPECT_EQ(event.kind, Kind::kEnded);
  EXPECT_EQ(ReasonOf(event.status), "LOCAL_RESOURCES");
  EXPECT_THAT(std::string(event.status.message()), HasSubstr("TMPDIR"));
  if (before == nullptr) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", restore.c_str(), 1);
  }
}

}  // namespace
}  // namespace intercom_extractor
