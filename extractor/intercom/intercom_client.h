#ifndef EXTRACTOR_INTERCOM_INTERCOM_CLIENT_H_
#define EXTRACTOR_INTERCOM_INTERCOM_CLIENT_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/http/http_client.h"
#include "extractor/http/response_body.h"
#include "extractor/intercom/connection.h"
#include "extractor/intercom/scroll_turn.h"
#include "extractor/intercom/traffic.h"
#include "extractor/sync/clock.h"

namespace intercom_extractor {

// Which of the waiting requests goes first. A company scroll dies when it idles
// for a minute, pages bring the work for details.
enum class Priority { kScroll = 0, kPage = 1, kDetail = 2 };

struct ApiRequest {
  // What errors call it: "GET /contacts/{id}/notes". No ids, no secrets.
  std::string operation;
  std::string method = "GET";
  // "/contacts?per_page=150"; appended to the connection's base URL.
  std::string path_and_query;
  // JSON text for POST.
  std::string body;
  Priority priority = Priority::kDetail;
  // False for a company scroll: Intercom moves its cursor with each answer, so
  // that asking again after an answer was lost would skip a page. Then only what
  // Intercom itself calls a failure is tried again; a lost answer is kAborted, as is a
  // gateway's 502 or 504: Intercom may have moved on behind it.
  bool repeatable = true;
  // Asks once more for what came damaged: counts as a retry.
  bool is_repeat = false;
  // Tries before a transient failure is final. A page whose size is still to be
  // reduced gets those that this takes beyond.
  int max_attempts = 6;
  // For a page that may hold fewer records: writes into the request how many to ask
  // for. Called before each send, on the HTTP loop's thread, so it must hold copies
  // only. Empty for all others; above all for lists with page numbers, where pages
  // of different sizes would leave records out.
  std::function<void(int page_size, ApiRequest* request)> set_page_size;
};

struct ApiAnswer {
  // OK: a 200 whose body is not empty and has a JSON text's first and last
  // character. Else, with ReasonOf() in brackets:
  //   kUnauthenticated    401 (TOKEN_INVALID)
  //   kPermissionDenied   403, 402 (SCOPE_MISSING, PLAN_RESTRICTED)
  //   kNotFound           404, 410 (RECORD_GONE)
  //   kAborted            the company scroll must begin anew (SCROLL_BROKEN)
  //   kAlreadyExists      another company scroll is open (SCROLL_BUSY)
  //   kInvalidArgument    other 4xx (REQUEST_REJECTED)
  //   kResourceExhausted  429 outlasted our patience (RATE_LIMITED)
  //   kUnavailable        5xx (INTERCOM_FAILING), or no answer
  //                       (INTERCOM_UNREACHABLE), after all tries
  //   kDataLoss           200 without JSON after all tries (ANSWER_MALFORMED)
  //   kFailedPrecondition TLS or proxy trouble (INTERCOM_UNREACHABLE)
  //   kCancelled          Cancel() or the client's end came first
  absl::Status status;
  int http_status = 0;
  ResponseBody body;
  // Intercom's id of the request, where it gave one.
  std::string request_id;
  absl::Time received_at;
  // Intercom's clock when it answered, in whole seconds, where it said so.
  std::optional<absl::Time> server_time;
};

// What one group of requests has cost so far.
struct RequestCounters {
  int64_t sent = 0;
  int64_t retries = 0;
  int64_t rate_limited = 0;
  int64_t pending = 0;
  int64_t bytes_received = 0;
  // Of `pending`: on the wire, waiting for their turn, waiting to be tried again.
  int64_t in_flight = 0;
  int64_t queued = 0;
  int64_t waiting_for_retry = 0;
  // Whether it is the quota that keeps `queued` waiting, not what Intercom bears at
  // a time; and for how long it has.
  bool held_by_quota = false;
  absl::Duration held_by_quota_for;
};

// The quota as Intercom last stated it.
struct QuotaState {
  int64_t limit = 0;
  int64_t remaining = 0;
  // Of the limit: what the reserve for other apps leaves.
  int64_t usable = 0;
  absl::Duration window;

  // At this quota.
  absl::Duration TimeFor(int64_t requests) const {
    return window * static_cast<double>(requests) /
           static_cast<double>(std::max<int64_t>(1, usable));
  }
};

// Sends one connection's requests to Intercom: adds the token and the version,
// lets the quota governor, the concurrency cap and the retry policy decide when,
// asks for smaller pages where Intercom takes too long for large ones, and turns
// answers into statuses. All extractions of a connection share one client, as they
// share the token's quota.
//
// Thread-safe. The destructor ends with kCancelled what is pending and returns
// after the last `done` has; so it must not run on the HTTP loop's thread, and a
// `done` may use the client.
class IntercomClient {
 public:
  using Done = absl::AnyInvocable<void(ApiAnswer) &&>;
  // Requests that are counted and cancelled together: one extraction.
  using GroupId = uint64_t;

  // `http` and `clock` must outlive the client.
  IntercomClient(Connection connection, HttpClient* http, const Clock* clock);
  ~IntercomClient();
  IntercomClient(const IntercomClient&) = delete;
  IntercomClient& operator=(const IntercomClient&) = delete;

  const Connection& connection() const { return connection_; }
  const Clock* clock() const { return clock_; }
  // Whose turn it is to scroll companies, by group. The workspace has one scroll:
  // who asks for `/companies/scroll` must have the turn.
  ScrollTurn& scroll_turn() { return scroll_turn_; }

  GroupId NewGroup();

  // Calls `done` exactly once on the HTTP loop's thread, where it must not block.
  void Fetch(GroupId group, ApiRequest request, Done done);

  // Ends every request of the group with kCancelled; further ones end at once.
  // Also forgets its counters: call it when the group is no longer needed.
  void CancelGroup(GroupId group);

  RequestCounters Counters(GroupId group) const;
  // Of all groups, those that are gone too, since the client was made.
  RequestCounters Totals() const;
  EndpointTraffics Endpoints() const;
  std::optional<QuotaState> Quota() const;

 private:
  class Core;
  const Connection connection_;
  const Clock* const clock_;
  ScrollTurn scroll_turn_;
  std::shared_ptr<Core> core_;
};

// The UPPER_SNAKE reason that a status carries, or an empty string.
std::string ReasonOf(const absl::Status& status);

// Intercom's id of the request that failed, or an empty string.
std::string RequestIdOf(const absl::Status& status);

// A status that carries a reason.
absl::Status StatusWithReason(absl::StatusCode code, absl::string_view reason,
                              absl::string_view message);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_INTERCOM_CLIENT_H_
