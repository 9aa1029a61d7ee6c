#include "extractor/intercom/intercom_client.h"

#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "extractor/intercom/answer_status.h"
#include "extractor/intercom/request_queue.h"
#include "extractor/quota/concurrency_limit.h"
#include "extractor/quota/pacer.h"
#include "extractor/quota/page_size.h"
#include "extractor/quota/quota_governor.h"
#include "extractor/quota/retry_policy.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {
namespace {

// A quota that stays spent for this long is somebody else's doing.
constexpr absl::Duration kRateLimitPatience = absl::Minutes(15);

constexpr char kReasonUrl[] = "intercom-extractor/reason";
constexpr char kRequestIdUrl[] = "intercom-extractor/request-id";

// Whether Intercom may have done what was asked although the answer is of no use: a 200, and
// what only a gateway in between says, whose word on what stands behind it is a guess.
bool IsAnswerLost(int http_status) {
  return http_status == 200 || http_status == 502 || http_status == 504;
}

std::string PayloadOf(const absl::Status& status, absl::string_view url) {
  const auto payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace

std::string ReasonOf(const absl::Status& status) { return PayloadOf(status, kReasonUrl); }

std::string RequestIdOf(const absl::Status& status) { return PayloadOf(status, kRequestIdUrl); }

absl::Status StatusWithReason(absl::StatusCode code, absl::string_view reason,
                              absl::string_view message) {
  absl::Status status(code, message);
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  return status;
}

// Lives on the HTTP loop's thread, except for the counters. Shared with the
// callbacks that it leaves with the HTTP client.
class IntercomClient::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(const Connection& connection, HttpClient* http, const Clock* clock)
      : connection_(connection),
        http_(http),
        clock_(clock),
        governor_({connection.quota_reserve}, clock, [this] { return Random(); }),
        concurrency_({}),
        retry_policy_({}, [this] { return Random(); }),
        retry_budget_({}, clock),
        totals_{RequestCounters(), clock->Now()} {}

  GroupId NewGroup() {
    MutexLock lock(&mu_);
    groups_.emplace(++last_group_, Group{RequestCounters(), clock_->Now()});
    return last_group_;
  }

  void Enqueue(GroupId group, ApiRequest request, Done done) {
    {
      MutexLock lock(&mu_);
      ++unfinished_;
      ++totals_.counters.pending;
      // Of an ended group nothing is counted any more.
      if (auto it = groups_.find(group); it != groups_.end()) ++it->second.counters.pending;
    }
    http_->Post([self = shared_from_this(), group, request = std::move(request),
                 done = std::move(done)]() mutable {
      auto call = std::make_unique<Call>();
      call->group = group;
      call->request = std::move(request);
      call->done = std::move(done);
      if (self->closed_ || self->IsCancelled(group)) {
        self->Finish(std::move(call), Cancelled());
        return;
      }
      self->Queue(std::move(call));
      self->Pump();
    });
  }

  void CancelGroup(GroupId group) {
    http_->Post([self = shared_from_this(), group] {
      {
        MutexLock lock(&self->mu_);
        self->groups_.erase(group);
      }
      self->CancelWhere([group](const Call& call) { return call.group == group; });
    });
  }

  // Returns when no `done` is left that could call the client again.
  void Close() {
    http_->Post([self = shared_from_this()] {
      self->closed_ = true;
      self->CancelWhere([](const Call&) { return true; });
    });
    MutexLock lock(&mu_);
    while (unfinished_ > 0) all_finished_.Wait(&mu_);
  }

  RequestCounters Counters(GroupId group) {
    MutexLock lock(&mu_);
    const auto it = groups_.find(group);
    return it == groups_.end() ? RequestCounters() : Settled(&it->second);
  }

  RequestCounters Totals() {
    MutexLock lock(&mu_);
    return Settled(&totals_);
  }

  EndpointTraffics Endpoints() {
    MutexLock lock(&mu_);
    return endpoints_;
  }

  std::optional<QuotaGovernor::State> Quota() const { return governor_.Stated(); }

 private:
  struct Call {
    GroupId group = 0;
    ApiRequest request;
    Done done;
    int attempts = 0;
    // Of the present try.
    bool is_retry = false;
    // Records that the present try asks for; 0 where the size is not ours to choose.
    int page_size = 0;
    // What further tries may ask for.
    int largest_page = std::numeric_limits<int>::max();
    absl::Time first_rate_limited = absl::InfiniteFuture();
    // Which of the group's waiting counters it stands in.
    int64_t RequestCounters::* waiting = nullptr;
  };
  using CallPtr = std::unique_ptr<Call>;

  struct Group {
    RequestCounters counters;
    // Up to when `counters.held_by_quota_for` is counted.
    absl::Time settled_at;
  };

  static ApiAnswer Cancelled() {
    ApiAnswer answer;
    answer.status = absl::CancelledError("the extraction was cancelled");
    return answer;
  }

  absl::Status GivenUp(const Call& call, const absl::Status& why) {
    std::string message = absl::StrCat(why.message(), "; gave up after ", call.attempts,
                                       call.attempts == 1 ? " try" : " tries");
    if (call.page_size > 0 && call.page_size <= PageSizeOf(call).min()) {
      absl::StrAppend(&message, ", even for a page of ", call.page_size, " records");
    }
    return StatusWithReason(why.code(), ReasonOf(why), message);
  }

  double Random() { return absl::Uniform(bits_, 0.0, 1.0); }

  void SetWaiting(Call* call, int64_t RequestCounters::* waiting) {
    if (call->waiting == waiting) return;
    Count(call->group, [&](RequestCounters* counters) {
      if (call->waiting != nullptr) --(counters->*(call->waiting));
      if (waiting != nullptr) ++(counters->*waiting);
    });
    call->waiting = waiting;
  }

  void NoteAnswer(const Call& call, int http_status, absl::Duration latency) {
    MutexLock lock(&mu_);
    EndpointTraffic& endpoint = endpoints_[call.request.operation];
    ++endpoint.answers[http_status];
    if (call.is_retry) ++endpoint.retries;
    endpoint.latency.Add(latency);
  }

  bool IsCancelled(GroupId group) {
    MutexLock lock(&mu_);
    return groups_.count(group) == 0;
  }

  template <typename Change>
  void Count(GroupId group, Change change) {
    MutexLock lock(&mu_);
    Settle(&totals_);
    change(&totals_.counters);
    const auto it = groups_.find(group);
    if (it == groups_.end()) return;
    Settle(&it->second);
    change(&it->second.counters);
  }

  void Settle(Group* group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const absl::Time now = clock_->Now();
    if (held_by_quota_ && group->counters.queued > 0) {
      group->counters.held_by_quota_for += now - group->settled_at;
    }
    group->settled_at = now;
  }

  RequestCounters Settled(Group* group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Settle(group);
    RequestCounters counters = group->counters;
    counters.held_by_quota = held_by_quota_ && counters.queued > 0;
    return counters;
  }

  // What holds the queue back, if anything is in it.
  void SetHeldByQuota(bool held) {
    MutexLock lock(&mu_);
    if (held == held_by_quota_) return;
    Settle(&totals_);
    for (auto& [id, group] : groups_) Settle(&group);
    held_by_quota_ = held;
  }

  void Queue(CallPtr call) {
    SetWaiting(call.get(), &RequestCounters::queued);
    queue_.Push(std::move(call));
  }

  // Starts as many waiting requests as quota and concurrency allow.
  void Pump() {
    while (!queue_.empty()) {
      const std::optional<QuotaGovernor::Window> window = governor_.Present();
      if (window.has_value()) {
        quota_rate_ =
            static_cast<double>(window->limit) / absl::ToDoubleSeconds(window->end - window->begin);
      }
      if (static_cast<int>(in_flight_.size()) >= concurrency_.Limit(quota_rate_)) {
        SetHeldByQuota(false);
        return;
      }
      absl::Duration wait;
      if (window.has_value() && !queue_.NextIsScroll()) {
        wait = pacer_.Wait(*window, clock_->Now());
      }
      QuotaGovernor::Ticket ticket = 0;
      if (wait <= absl::ZeroDuration()) wait = governor_.TryAcquire(&ticket);
      if (wait > absl::ZeroDuration()) {
        SetHeldByQuota(true);
        PumpAfter(wait);
        return;
      }
      if (window.has_value()) pacer_.OnSent();
      Send(queue_.Pop(), ticket);
    }
    SetHeldByQuota(false);
  }

  // Infinite: the answer to the first request pumps again.
  void PumpAfter(absl::Duration wait) {
    if (wait == absl::InfiniteDuration()) return;
    const absl::Time at = clock_->Now() + wait;
    if (at >= next_pump_) return;
    next_pump_ = at;
    http_->PostAfter(wait, [self = shared_from_this(), at] {
      if (self->next_pump_ == at) self->next_pump_ = absl::InfiniteFuture();
      self->Pump();
    });
  }

  void Send(CallPtr call, QuotaGovernor::Ticket ticket) {
    SetWaiting(call.get(), &RequestCounters::in_flight);
    call->is_retry = call->attempts > 0 || call->first_rate_limited != absl::InfiniteFuture() ||
                     call->request.is_repeat;
    Count(call->group, [&](RequestCounters* counters) {
      ++counters->sent;
      if (call->is_retry) ++counters->retries;
    });
    if (call->request.set_page_size) SetPageSize(call.get());
    HttpRequest request;
    request.method = call->request.method;
    request.url = absl::StrCat(connection_.base_url, call->request.path_and_query);
    request.body = call->request.body;
    request.repeatable = call->request.repeatable;
    request.may_send = connection_.may_send;
    request.headers = {absl::StrCat("Authorization: Bearer ", connection_.access_token),
                       absl::StrCat("Intercom-Version: ", connection_.api_version),
                       "Accept: application/json"};
    if (request.method == "POST") request.headers.emplace_back("Content-Type: application/json");
    // Known before the transfer may end: both happen on this thread, later.
    const uint64_t key = ++last_call_;
    InFlight& entry = in_flight_[key];
    entry.call = std::move(call);
    entry.ticket = ticket;
    entry.transfer =
        http_->Start(std::move(request), [self = shared_from_this(), key](HttpResponse response) {
          self->OnResponse(key, std::move(response));
        });
  }

  // All requests of an operation share what was learned.
  PageSize& PageSizeOf(const Call& call) {
    return page_sizes_.try_emplace(call.request.operation, PageSize::Options()).first->second;
  }

  void SetPageSize(Call* call) {
    PageSize& size = PageSizeOf(*call);
    // Only the first try may ask for more than what works.
    const int page = call->attempts == 0 ? size.Next(clock_->Now()) : size.Present();
    call->page_size = std::min(page, call->largest_page);
    call->request.set_page_size(call->page_size, &call->request);
  }

  // A page was too much for Intercom. False when it cannot be any smaller.
  bool ShrinkPage(Call* call) {
    PageSize& size = PageSizeOf(*call);
    const int asked = call->page_size;
    size.OnTrouble(asked, clock_->Now());
    if (asked <= size.min()) return false;
    // Half, even if others have made it grow meanwhile: so the smallest is soon
    // reached. The first try may have been one for more than what works.
    call->largest_page = call->attempts == 0 ? size.Present() : std::max(size.min(), asked / 2);
    return true;
  }

  void OnResponse(uint64_t key, HttpResponse response) {
    auto it = in_flight_.find(key);
    CallPtr call = std::move(it->second.call);
    const QuotaGovernor::Ticket ticket = it->second.ticket;
    in_flight_.erase(it);

    const RateLimitHeaders headers = ParseRateLimitHeaders(response.headers);
    ApiAnswer answer;
    answer.received_at = clock_->Now();
    answer.server_time = headers.date;
    answer.http_status = response.status_code;
    answer.request_id = response.Header("x-request-id");
    answer.body = std::move(response.body);
    Verdict verdict = JudgeAnswer(call->request.operation, connection_.access_token,
                                  response.status, response.status_code, &answer);
    if (verdict == Verdict::kRateLimited) {
      governor_.OnRateLimited(ticket, headers);
    } else {
      governor_.OnAnswer(ticket, response.status.ok() ? headers : RateLimitHeaders());
      if (!absl::IsCancelled(response.status)) {
        concurrency_.OnAnswer(call->request.operation, response.latency,
                              IsOverload(response.status, response.status_code), clock_->Now());
      }
    }
    Count(call->group, [&](RequestCounters* counters) {
      counters->bytes_received += static_cast<int64_t>(answer.body.size());
      if (verdict == Verdict::kRateLimited) ++counters->rate_limited;
    });
    if (!absl::IsCancelled(response.status)) {
      NoteAnswer(*call, response.status.ok() ? response.status_code : 0, response.latency);
    }

    const bool may_have_acted =
        response.status.ok() ? IsAnswerLost(response.status_code) : response.sent;
    if (verdict == Verdict::kTransient && !call->request.repeatable && may_have_acted) {
      answer.status =
          StatusWithReason(absl::StatusCode::kAborted, "SCROLL_BROKEN",
                           absl::StrCat("an answer was lost, and the next would skip it: ",
                                        answer.status.message()));
      verdict = Verdict::kFinal;
    }
    const bool may_shrink = call->page_size > 0 &&
                            IsTooSlow(response.status, response.sent, response.status_code) &&
                            ShrinkPage(call.get());
    if (call->page_size > 0 && answer.status.ok()) {
      PageSizeOf(*call).OnSuccess(call->page_size, clock_->Now());
    }
    if (closed_ || IsCancelled(call->group)) {
      Finish(std::move(call), Cancelled());
    } else {
      Decide(verdict, may_shrink, std::move(call), std::move(answer));
    }
    Pump();
  }

  // `may_shrink`: the next try asks for less, so it is worth making in any case.
  void Decide(Verdict verdict, bool may_shrink, CallPtr call, ApiAnswer answer) {
    switch (verdict) {
      case Verdict::kFinal:
        if (answer.status.ok()) retry_budget_.OnSuccess();
        Finish(std::move(call), std::move(answer));
        return;
      case Verdict::kRateLimited:
        call->first_rate_limited = std::min(call->first_rate_limited, clock_->Now());
        if (clock_->Now() - call->first_rate_limited > kRateLimitPatience) {
          Finish(std::move(call), std::move(answer));
          return;
        }
        // The gate at the governor holds it back; no attempt is spent.
        Queue(std::move(call));
        return;
      case Verdict::kTransient:
        ++call->attempts;
        if (call->attempts >= call->request.max_attempts && !may_shrink) {
          answer.status = GivenUp(*call, answer.status);
          Finish(std::move(call), std::move(answer));
          return;
        }
        SetWaiting(call.get(), &RequestCounters::waiting_for_retry);
        const absl::Duration pause = retry_policy_.Pause(call->attempts) + retry_budget_.Take();
        const uint64_t key = ++last_call_;
        pausing_.emplace(key, std::move(call));
        http_->PostAfter(pause, [self = shared_from_this(), key] {
          auto it = self->pausing_.find(key);
          if (it == self->pausing_.end()) return;  // Cancelled meanwhile.
          self->Queue(std::move(it->second));
          self->pausing_.erase(it);
          self->Pump();
        });
        return;
    }
  }

  template <typename Predicate>
  void CancelWhere(Predicate matches) {
    std::vector<CallPtr> cancelled =
        queue_.Remove([&matches](const Call& call) { return matches(call); });
    for (auto it = pausing_.begin(); it != pausing_.end();) {
      if (matches(*it->second)) {
        cancelled.push_back(std::move(it->second));
        it = pausing_.erase(it);
      } else {
        ++it;
      }
    }
    // These come back through OnResponse().
    for (auto& [key, entry] : in_flight_) {
      if (matches(*entry.call)) http_->Cancel(entry.transfer);
    }
    for (CallPtr& call : cancelled) Finish(std::move(call), Cancelled());
  }

  void Finish(CallPtr call, ApiAnswer answer) {
    SetWaiting(call.get(), nullptr);
    Count(call->group, [](RequestCounters* counters) { --counters->pending; });
    if (!answer.status.ok() && !answer.request_id.empty()) {
      answer.status.SetPayload(kRequestIdUrl, absl::Cord(answer.request_id));
    }
    std::move(call->done)(std::move(answer));
    call.reset();
    MutexLock lock(&mu_);
    if (--unfinished_ == 0) all_finished_.SignalAll();
  }

  struct InFlight {
    CallPtr call;
    HttpClient::TransferId transfer = 0;
    QuotaGovernor::Ticket ticket = 0;
  };

  const Connection connection_;
  HttpClient* const http_;
  const Clock* const clock_;
  absl::BitGen bits_;
  QuotaGovernor governor_;
  Pacer pacer_;
  ConcurrencyLimit concurrency_;
  RetryPolicy retry_policy_;
  RetryBudget retry_budget_;
  // By operation.
  std::map<std::string, PageSize> page_sizes_;

  RequestQueue<Call> queue_;
  std::unordered_map<uint64_t, InFlight> in_flight_;
  std::map<uint64_t, CallPtr> pausing_;
  uint64_t last_call_ = 0;
  // Requests per second that the quota allows, once known.
  std::optional<double> quota_rate_;
  absl::Time next_pump_ = absl::InfiniteFuture();
  bool closed_ = false;

  Mutex mu_;
  CondVar all_finished_;
  // Requests whose `done` has not returned.
  int64_t unfinished_ ABSL_GUARDED_BY(mu_) = 0;
  GroupId last_group_ ABSL_GUARDED_BY(mu_) = 0;
  // Those that are not cancelled.
  std::unordered_map<GroupId, Group> groups_ ABSL_GUARDED_BY(mu_);
  Group totals_ ABSL_GUARDED_BY(mu_);
  EndpointTraffics endpoints_ ABSL_GUARDED_BY(mu_);
  bool held_by_quota_ ABSL_GUARDED_BY(mu_) = false;
};

IntercomClient::IntercomClient(Connection connection, HttpClient* http, const Clock* clock)
    : connection_(std::move(connection)),
      clock_(clock),
      core_(std::make_shared<Core>(connection_, http, clock)) {}

IntercomClient::~IntercomClient() { core_->Close(); }

IntercomClient::GroupId IntercomClient::NewGroup() { return core_->NewGroup(); }

void IntercomClient::Fetch(GroupId group, ApiRequest request, Done done) {
  core_->Enqueue(group, std::move(request), std::move(done));
}

void IntercomClient::CancelGroup(GroupId group) { core_->CancelGroup(group); }

RequestCounters IntercomClient::Counters(GroupId group) const { return core_->Counters(group); }

RequestCounters IntercomClient::Totals() const { return core_->Totals(); }

EndpointTraffics IntercomClient::Endpoints() const { return core_->Endpoints(); }

std::optional<QuotaState> IntercomClient::Quota() const {
  const auto stated = core_->Quota();
  if (!stated.has_value()) return std::nullopt;
  return QuotaState{stated->limit, stated->remaining, stated->usable, stated->window};
}

}  // namespace intercom_extractor
