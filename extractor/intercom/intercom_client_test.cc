#include "extractor/intercom/intercom_client.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/http/http_client.h"
#include "extractor/http/loopback_server.h"
#include "extractor/sync/fake_clock.h"
#include "extractor/sync/inbox.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using Peer = LoopbackServer::Peer;
using Request = LoopbackServer::Request;

constexpr char kToken[] = "dG9rOjEyMzQ1Njc4OTA=";

// Whoever asks it finds that `step` has passed, so that a gate that was closed
// for less is open when next looked at, and no test waits for it.
class HurryingClock : public Clock {
 public:
  explicit HurryingClock(absl::Duration step) : step_(step) {}
  absl::Time Now() const override {
    clock_.Advance(step_);
    return clock_.Now();
  }

 private:
  const absl::Duration step_;
  mutable FakeClock clock_;
};

std::string DateLine(absl::Time time) {
  return absl::StrCat(
      absl::FormatTime("Date: %a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone()), "\r\n");
}

// An answer as Intercom gives it, with plenty of quota.
std::string Plenty(int status = 200, const std::string& body = "{}") {
  const absl::Time now = FakeClock().Now();
  return HttpAnswer(
      status, body,
      absl::StrCat(DateLine(now), "X-RateLimit-Limit: 1666\r\nX-RateLimit-Remaining: 1600\r\n",
                   "X-RateLimit-Reset: ", absl::ToUnixSeconds(now) + 10, "\r\n"));
}

ApiRequest Get(const std::string& path, Priority priority = Priority::kDetail) {
  ApiRequest request;
  request.operation = absl::StrCat("GET ", path);
  request.path_and_query = path;
  request.priority = priority;
  return request;
}

// A client for a server; whatever it asks for is kept in `seen_`.
class IntercomClientTest : public testing::Test {
 protected:
  void Serve(LoopbackServer::Answer answer, const Clock* clock = nullptr) {
    ServeRaw(LoopbackServer::Answering([this, answer = std::move(answer)](const Request& request) {
               seen_.Put(request);
               return answer(request);
             }),
             clock);
  }

  void ServeRaw(LoopbackServer::Serve serve, const Clock* clock = nullptr) {
    server_ = std::make_unique<LoopbackServer>(std::move(serve));
    http_ = std::make_unique<HttpClient>(HttpClient::Options());
    Connection connection;
    connection.base_url = server_->Url();
    connection.access_token = kToken;
    connection.api_version = "2.15";
    connection.may_send = [this] { return may_send_.load(); };
    client_ = std::make_unique<IntercomClient>(connection, http_.get(),
                                               clock != nullptr ? clock : &clock_);
    group_ = client_->NewGroup();
  }

  // Requests arrive, each of which is an entry in `asked_`, and that is all.
  void ServeNoAnswers() {
    ServeRaw([this](Peer& peer) {
      peer.Read();
      asked_.Put(true);
      peer.WaitForEnd();
    });
  }

  void Start(const ApiRequest& request) { Start(request, group_); }
  void Start(const ApiRequest& request, IntercomClient::GroupId group) {
    client_->Fetch(group, request, [this](ApiAnswer answer) { answers_.Put(std::move(answer)); });
  }

  ApiAnswer Fetch(const ApiRequest& request) {
    Start(request);
    return answers_.Take();
  }

  // Whatever was asked of the client before has reached its thread.
  void Settle() {
    Inbox<bool> settled;
    http_->Post([&settled] { settled.Put(true); });
    settled.Take();
  }

  std::vector<std::string> SeenTargets() {
    std::vector<std::string> targets;
    while (seen_.size() > 0) targets.push_back(seen_.Take().target());
    return targets;
  }

  std::atomic<bool> may_send_{true};
  FakeClock clock_;
  Inbox<Request> seen_;
  Inbox<bool> asked_;
  Inbox<ApiAnswer> answers_;
  IntercomClient::GroupId group_ = 0;

 private:
  std::unique_ptr<LoopbackServer> server_;

 protected:
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<IntercomClient> client_;
};

TEST_F(IntercomClientTest, SendsTokenVersionAndAccept) {
  Serve([](const Request&) { return Plenty(); });
  ASSERT_EQ(Fetch(Get("/contacts?per_page=150")).status, absl::OkStatus());
  const Request get = seen_.Take();
  EXPECT_EQ(get.line, "GET /contacts?per_page=150 HTTP/1.1");
  EXPECT_EQ(get.Header("Authorization"), absl::StrCat("Bearer ", kToken));
  EXPECT_EQ(get.Header("Intercom-Version"), "2.15");
  EXPECT_EQ(get.Header("Accept"), "application/json");
  EXPECT_EQ(get.Header("Content-Type"), "");

  ApiRequest search = Get("/contacts/search");
  search.method = "POST";
  search.body = R"({"query":{}})";
  ASSERT_EQ(Fetch(search).status, absl::OkStatus());
  const Request post = seen_.Take();
  EXPECT_EQ(post.line, "POST /contacts/search HTTP/1.1");
  EXPECT_EQ(post.Header("Authorization"), absl::StrCat("Bearer ", kToken));
  EXPECT_EQ(post.Header("Content-Type"), "application/json");
  EXPECT_EQ(post.body, R"({"query":{}})");
}

TEST_F(IntercomClientTest, AnswerHoldsBodyStatusAndRequestId) {
  Serve([this](const Request&) {
    return HttpAnswer(200, R"({"a":1})",
                      absl::StrCat(DateLine(clock_.Now()), "X-Request-Id: req7\r\n"));
  });
  ApiAnswer answer = Fetch(Get("/me"));
  EXPECT_EQ(answer.status, absl::OkStatus());
  EXPECT_EQ(answer.http_status, 200);
  EXPECT_EQ(answer.body.text(), R"({"a":1})");
  EXPECT_EQ(answer.request_id, "req7");
  EXPECT_EQ(answer.received_at, clock_.Now());
}

TEST_F(IntercomClientTest, FailureHoldsTheRequestId) {
  Serve([this](const Request&) {
    return HttpAnswer(404, R"({"request_id":"req8","errors":[{"code":"not_found"}]})",
                      DateLine(clock_.Now()));
  });
  const ApiAnswer answer = Fetch(Get("/me"));
  EXPECT_EQ(ReasonOf(answer.status), "RECORD_GONE");
  EXPECT_EQ(RequestIdOf(answer.status), "req8");
}

// Waits for a retry's pause, of at most a second.
TEST_F(IntercomClientTest, RetriesA503ThenSucceeds) {
  int tries = 0;
  Serve([&tries](const Request&) {
    return ++tries == 1 ? Plenty(503, "busy") : Plenty(200, R"({"a":1})");
  });
  ApiAnswer answer = Fetch(Get("/me"));
  EXPECT_EQ(answer.status, absl::OkStatus());
  EXPECT_EQ(answer.body.text(), R"({"a":1})");
  EXPECT_THAT(SeenTargets(), ElementsAre("/me", "/me"));
  const RequestCounters counters = client_->Counters(group_);
  EXPECT_EQ(counters.sent, 2);
  EXPECT_EQ(counters.retries, 1);
  EXPECT_EQ(counters.rate_limited, 0);
}

TEST_F(IntercomClientTest, GivesUpAfterTheLastTry) {
  Serve([](const Request&) { return Plenty(503, "busy"); });
  ApiRequest request = Get("/me");
  request.max_attempts = 1;
  const ApiAnswer answer = Fetch(request);
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(answer.status), "INTERCOM_FAILING");
  EXPECT_TRUE(absl::StrContains(answer.status.message(), "gave up after 1 try")) << answer.status;
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(IntercomClientTest, DoesNotRetryWhatAnotherTryWillNotChange) {
  Serve([](const Request& request) { return Plenty(std::stoi(request.target().substr(1)), ""); });
  for (const int status : {400, 401, 403, 404, 410, 422}) {
    EXPECT_FALSE(Fetch(Get(absl::StrCat("/", status))).status.ok());
    EXPECT_THAT(SeenTargets(), ElementsAre(absl::StrCat("/", status)));
  }
  EXPECT_EQ(client_->Counters(group_).retries, 0);
}

TEST_F(IntercomClientTest, A429SpendsNoAttempt) {
  const HurryingClock clock(absl::Milliseconds(300));
  int tries = 0;
  Serve(
      [&tries](const Request&) {
        if (++tries > 5) return Plenty();
        const absl::Time now = FakeClock().Now();
        // The window ends right now: only the jitter, of 250 ms, is to be waited for.
        return HttpAnswer(429, "",
                          absl::StrCat(DateLine(now), "X-RateLimit-Limit: 1666\r\n",
                                       "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: ",
                                       absl::ToUnixSeconds(now) - 60, "\r\n"));
      },
      &clock);
  ApiRequest request = Get("/me");
  request.max_attempts = 1;
  EXPECT_EQ(Fetch(request).status, absl::OkStatus());
  EXPECT_EQ(seen_.size(), 6u);
  const RequestCounters counters = client_->Counters(group_);
  EXPECT_EQ(counters.sent, 6);
  EXPECT_EQ(counters.retries, 5);
  EXPECT_EQ(counters.rate_limited, 5);
  EXPECT_EQ(counters.queued, 0);
}

TEST_F(IntercomClientTest, A429ThatOutlastsAllPatienceEnds) {
  // A quarter of an hour passes between its first two looks at the clock.
  const HurryingClock clock(absl::Minutes(16));
  Serve([](const Request&) { return HttpAnswer(429, "", DateLine(FakeClock().Now())); }, &clock);
  const ApiAnswer answer = Fetch(Get("/me"));
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(answer.status), "RATE_LIMITED");
  EXPECT_EQ(client_->Counters(group_).pending, 0);
}

TEST_F(IntercomClientTest, StatesTheQuotaAsIntercomDoes) {
  Serve([](const Request&) { return Plenty(); });
  EXPECT_FALSE(client_->Quota().has_value());
  Fetch(Get("/me"));
  ASSERT_TRUE(client_->Quota().has_value());
  EXPECT_EQ(client_->Quota()->limit, 1666);
  EXPECT_EQ(client_->Quota()->remaining, 1600);
}

TEST_F(IntercomClientTest, ScrollGoesBeforePageBeforeDetailWhenTheGateOpens) {
  Inbox<bool> go_on;
  int64_t window = 0;
  // Each answer opens a window with room for one request beside the reserve.
  Serve([&](const Request& request) {
    if (request.target() == "/first") go_on.Take();
    const absl::Time now = FakeClock().Now();
    return HttpAnswer(200, "{}",
                      absl::StrCat(DateLine(now), "X-RateLimit-Limit: 3\r\n",
                                   "X-RateLimit-Remaining: 2\r\nX-RateLimit-Reset: ",
                                   absl::ToUnixSeconds(now) + 10 * ++window, "\r\n"));
  });
  Start(Get("/first"));
  Start(Get("/detail1", Priority::kDetail));
  Start(Get("/detail2", Priority::kDetail));
  Start(Get("/page", Priority::kPage));
  Start(Get("/scroll", Priority::kScroll));
  Settle();
  go_on.Put(true);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(answers_.Take().status, absl::OkStatus());
  EXPECT_THAT(SeenTargets(), ElementsAre("/first", "/scroll", "/page", "/detail1", "/detail2"));
}

TEST_F(IntercomClientTest, CountersAddUp) {
  Inbox<bool> go_on;
  Serve([&go_on](const Request&) {
    go_on.Take();
    return Plenty(200, R"({"a":12345})");
  });
  for (int i = 0; i < 3; ++i) Start(Get("/me"));
  Settle();
  // The first goes alone, as nobody knows the quota yet.
  RequestCounters counters = client_->Counters(group_);
  EXPECT_EQ(counters.sent, 1);
  EXPECT_EQ(counters.pending, 3);
  EXPECT_EQ(counters.in_flight, 1);
  EXPECT_EQ(counters.queued, 2);
  EXPECT_EQ(counters.waiting_for_retry, 0);
  EXPECT_EQ(counters.bytes_received, 0);

  for (int i = 0; i < 3; ++i) go_on.Put(true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answers_.Take().status, absl::OkStatus());
  counters = client_->Counters(group_);
  EXPECT_EQ(counters.sent, 3);
  EXPECT_EQ(counters.retries, 0);
  EXPECT_EQ(counters.pending, 0);
  EXPECT_EQ(counters.in_flight, 0);
  EXPECT_EQ(counters.queued, 0);
  EXPECT_EQ(counters.bytes_received, 3 * 11);
}

TEST_F(IntercomClientTest, GroupsAreCountedApart) {
  Serve([](const Request&) { return Plenty(); });
  const IntercomClient::GroupId other = client_->NewGroup();
  Fetch(Get("/me"));
  Fetch(Get("/me"));
  Start(Get("/me"), other);
  answers_.Take();
  EXPECT_EQ(client_->Counters(group_).sent, 2);
  EXPECT_EQ(client_->Counters(other).sent, 1);
}

TEST_F(IntercomClientTest, CancelGroupEndsWhatIsQueuedAndInFlight) {
  Inbox<bool> asked;
  ServeRaw([this, &asked](Peer& peer) {
    while (const auto request = peer.Read()) {
      seen_.Put(*request);
      if (request->target() == "/other") {
        peer.Write(Plenty());
      } else {
        asked.Put(true);
        peer.WaitForEnd();
        return;
      }
    }
  });
  for (int i = 0; i < 5; ++i) Start(Get("/hangs"));
  asked.Take();
  client_->CancelGroup(group_);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(answers_.Take().status.code(), absl::StatusCode::kCancelled);
  }
  // Further ones end at once.
  EXPECT_EQ(Fetch(Get("/hangs")).status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(client_->Counters(group_).sent, 0) << "a cancelled group's counters are forgotten";

  // Others go on, and no request of the group has gone out.
  Start(Get("/other"), client_->NewGroup());
  EXPECT_EQ(answers_.Take().status, absl::OkStatus());
  EXPECT_THAT(SeenTargets(), ElementsAre("/hangs", "/other"));
  EXPECT_EQ(answers_.size(), 0u);
}

TEST_F(IntercomClientTest, CancelGroupEndsWhatWaitsForARetry) {
  Serve([](const Request& request) {
    return request.target() == "/fails" ? Plenty(503, "") : Plenty();
  });
  Start(Get("/fails"));
  // Answered after the first, so that this waits for its retry.
  const IntercomClient::GroupId other = client_->NewGroup();
  Start(Get("/works"), other);
  EXPECT_EQ(answers_.Take().status, absl::OkStatus());
  // Of the pause only the bound is known: it may just be over.
  const RequestCounters counters = client_->Counters(group_);
  EXPECT_EQ(counters.pending, 1);
  EXPECT_EQ(counters.waiting_for_retry + counters.in_flight, 1);
  client_->CancelGroup(group_);
  EXPECT_EQ(answers_.Take().status.code(), absl::StatusCode::kCancelled);
}

TEST_F(IntercomClientTest, DestructorEndsWhatIsPending) {
  ServeNoAnswers();
  for (int i = 0; i < 5; ++i) Start(Get("/hangs"));
  asked_.Take();
  client_.reset();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(answers_.Take().status.code(), absl::StatusCode::kCancelled);
  }
}

TEST_F(IntercomClientTest, BothDestructorsInARowEndWhatIsPending) {
  ServeNoAnswers();
  for (int i = 0; i < 5; ++i) Start(Get("/hangs"));
  asked_.Take();
  client_.reset();
  http_.reset();
  ASSERT_EQ(answers_.size(), 5u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(answers_.Take().status.code(), absl::StatusCode::kCancelled);
  }
}

// A check that asked for the next thing when the server was shut down under it
// found its client freed.
TEST_F(IntercomClientTest, DoneMayAskAgainWhileTheClientEnds) {
  ServeNoAnswers();
  IntercomClient* client = client_.get();
  client->Fetch(group_, Get("/hangs"), [this, client](ApiAnswer first) {
    answers_.Put(std::move(first));
    client->Fetch(group_, Get("/next"), [this, client](ApiAnswer second) {
      client->CancelGroup(group_);
      answers_.Put(std::move(second));
    });
  });
  asked_.Take();
  client_.reset();
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_EQ(answers_.Take().status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(answers_.Take().status.code(), absl::StatusCode::kCancelled);
}

// curl asks again by itself when a connection that it reuses closes unanswered.
TEST_F(IntercomClientTest, WhatMustNotBeRepeatedIsNotRepeatedByTheTransportEither) {
  ServeRaw([this](Peer& peer) {
    while (const auto request = peer.Read()) {
      seen_.Put(*request);
      if (request->target() == "/closed" || !peer.Write(Plenty())) return;
    }
  });
  ASSERT_EQ(Fetch(Get("/me")).status, absl::OkStatus());
  ApiRequest request = Get("/closed");
  request.repeatable = false;
  EXPECT_EQ(Fetch(request).status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(SeenTargets(), ElementsAre("/me", "/closed"));
}

TEST_F(IntercomClientTest, LostAnswerOfWhatMustNotBeRepeatedIsAborted) {
  ServeRaw([this](Peer& peer) {
    const auto request = peer.Read();
    if (!request.has_value()) return;
    seen_.Put(*request);
    if (request->target() == "/empty") peer.Write(Plenty(200, ""));
    if (request->target() == "/cut") peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{");
  });
  for (const char* path : {"/empty", "/cut", "/closed"}) {
    ApiRequest request = Get(path);
    request.repeatable = false;
    const ApiAnswer answer = Fetch(request);
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kAborted) << path;
    EXPECT_EQ(ReasonOf(answer.status), "SCROLL_BROKEN") << path;
    EXPECT_THAT(SeenTargets(), ElementsAre(path));
  }
}

// A gateway gives up on who stands behind it, who may have moved the scroll by then.
TEST_F(IntercomClientTest, WhatAGatewayCallsAFailureIsALostAnswer) {
  Serve([](const Request& request) { return Plenty(request.target() == "/502" ? 502 : 504, ""); });
  for (const char* path : {"/502", "/504"}) {
    ApiRequest request = Get(path);
    request.repeatable = false;
    EXPECT_EQ(ReasonOf(Fetch(request).status), "SCROLL_BROKEN") << path;
    EXPECT_THAT(SeenTargets(), ElementsAre(path));
  }
}

// Waits for a retry's pause, of at most a second.
TEST_F(IntercomClientTest, WhatIntercomCallsAFailureIsRepeatedEvenSo) {
  int tries = 0;
  Serve([&tries](const Request&) { return ++tries == 1 ? Plenty(503, "") : Plenty(); });
  ApiRequest request = Get("/companies/scroll");
  request.repeatable = false;
  EXPECT_EQ(Fetch(request).status, absl::OkStatus());
  EXPECT_EQ(seen_.size(), 2u);
}

ApiRequest Page(const std::string& list, const std::string& cursor) {
  ApiRequest request = Get(list, Priority::kPage);
  request.set_page_size = [list, cursor](int page_size, ApiRequest* page) {
    page->path_and_query = absl::StrCat(list, "?per_page=", page_size, "&from=", cursor);
  };
  return request;
}

// Intercom's gateway gives up on pages of `list` with more than `bears` records.
LoopbackServer::Answer BearsUpTo(int bears, const std::string& list = "/") {
  return [bears, list](const Request& request) {
    const std::string target = request.target();
    const size_t size = target.find("per_page=");
    const bool too_large = absl::StartsWith(target, list) && size != std::string::npos &&
                           std::stoi(target.substr(size + 9)) > bears;
    return too_large ? Plenty(504, "<html>504 Gateway Time-out</html>") : Plenty();
  };
}

// Waits for the pauses of two retries, of at most a second and two.
TEST_F(IntercomClientTest, PageThatIsTooMuchIsAskedForInHalvesAndSoAreTheNext) {
  Serve(BearsUpTo(40, "/slow"));
  EXPECT_EQ(Fetch(Page("/slow", "a")).status, absl::OkStatus());
  EXPECT_THAT(SeenTargets(), ElementsAre("/slow?per_page=150&from=a", "/slow?per_page=75&from=a",
                                         "/slow?per_page=37&from=a"));
  EXPECT_EQ(client_->Counters(group_).retries, 2);
  // What was learned is for all extractions of the connection, and for this operation.
  Start(Page("/slow", "b"), client_->NewGroup());
  EXPECT_EQ(answers_.Take().status, absl::OkStatus());
  EXPECT_EQ(Fetch(Page("/quick", "a")).status, absl::OkStatus());
  EXPECT_THAT(SeenTargets(), ElementsAre("/slow?per_page=37&from=b", "/quick?per_page=150&from=a"));
}

// Waits for the pauses of four retries, of at most 15 seconds together.
TEST_F(IntercomClientTest, SmallestPageIsTriedWhateverTheTriesAndItsFailureSaysSo) {
  Serve(BearsUpTo(0));
  ApiRequest request = Page("/list", "a");
  request.max_attempts = 2;
  const ApiAnswer answer = Fetch(request);
  EXPECT_EQ(ReasonOf(answer.status), "INTERCOM_FAILING");
  EXPECT_EQ(answer.status.message(),
            "GET /list: HTTP 504; gave up after 5 tries, even for a page of 10 records");
  EXPECT_THAT(SeenTargets(), ElementsAre("/list?per_page=150&from=a", "/list?per_page=75&from=a",
                                         "/list?per_page=37&from=a", "/list?per_page=18&from=a",
                                         "/list?per_page=10&from=a"));
}

// Waits for a retry's pause, of at most a second.
TEST_F(IntercomClientTest, FailuresThatAreNotForTheSizeLeaveItAndGetNoFurtherTries) {
  Serve([](const Request&) { return Plenty(503, ""); });
  ApiRequest request = Page("/list", "a");
  request.max_attempts = 2;
  EXPECT_EQ(Fetch(request).status.message(), "GET /list: HTTP 503; gave up after 2 tries");
  EXPECT_THAT(SeenTargets(), ElementsAre("/list?per_page=150&from=a", "/list?per_page=150&from=a"));
}

// Waits for a retry's pause, of at most a second; the rest of the time passes on the
// client's clock, with each answer.
TEST_F(IntercomClientTest, PagesGrowBackWhenIntercomBearsMoreAgain) {
  const LoopbackServer::Answer answer = BearsUpTo(100);
  Serve([this, answer, tries = 0](const Request& request) mutable {
    if (++tries > 1) clock_.Advance(absl::Seconds(30));
    return tries == 1 ? answer(request) : Plenty();
  });
  for (int i = 0; i < 14; ++i) ASSERT_EQ(Fetch(Page("/list", "a")).status, absl::OkStatus());
  const std::vector<std::string> targets = SeenTargets();
  EXPECT_EQ(targets[1], "/list?per_page=75&from=a");
  EXPECT_EQ(targets[6], "/list?per_page=112&from=a");
  EXPECT_EQ(targets[12], "/list?per_page=150&from=a");
  EXPECT_EQ(targets.back(), "/list?per_page=150&from=a");
}

TEST_F(IntercomClientTest, NothingIsSentOnceTheRightToTheWorkspaceHasEnded) {
  Serve([](const Request&) { return Plenty(); });
  EXPECT_EQ(Fetch(Get("/me")).status, absl::OkStatus());
  may_send_ = false;
  EXPECT_TRUE(absl::IsCancelled(Fetch(Get("/tags")).status));
  EXPECT_THAT(SeenTargets(), ElementsAre("/me"));
}

TEST_F(IntercomClientTest, TokenIsNotInTheErrorThatEchoesIt) {
  Serve([](const Request& request) {
    return Plenty(401, absl::StrCat(R"({"errors":[{"code":"unauthorized","message":")",
                                    request.Header("Authorization"), R"("}]})"));
  });
  const ApiAnswer answer = Fetch(Get("/me"));
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_FALSE(absl::StrContains(answer.status.ToString(), kToken)) << answer.status;
}

}  // namespace
}  // namespace intercom_extractor
