#ifndef TESTS_FAKE_INTERCOM_FAULT_RULE_H_
#define TESTS_FAKE_INTERCOM_FAULT_RULE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {

// Which of the requests, or connections, that match: the first is 1.
struct FaultTurns {
  // Only these, where not empty.
  std::set<int64_t> nth;
  int64_t every = 1;
  int64_t from = 1;
  std::optional<int64_t> to;

  bool Has(int64_t turn) const {
    return turn >= from && turn <= to.value_or(turn) && turn % every == 0 &&
           (nth.empty() || nth.count(turn) > 0);
  }
};

// Which requests a rule is for.
struct FaultMatch {
  std::string method;  // Empty: any.
  // What the path begins with; with '*', which stands for any text, the whole path.
  std::string path;
  // Stands in the target or the body.
  std::string contains;
  // Of cursor lists, only requests for more records than this; no look-ups by id.
  std::optional<int64_t> page_above;
  // Requests of any kind that come before the first that counts.
  int64_t after = 0;
  // Otherwise only what was not tried before: same method, target and body.
  bool retries_too = false;
  FaultTurns turns;
};

// What happens to one request. Of several actions those given last win; delays add up.
struct FaultAction {
  enum class Gzip { kNone, kGood, kDamaged, kUntrue };
  struct Cut {
    size_t bytes = 0;
    double share = 0;  // Of the body, where `bytes` is 0.
  };
  struct Drip {
    size_t bytes = 0;
    std::chrono::microseconds every{0};
  };

  // Before the answer. `status` and `reset` strike before the request is carried out unless
  // `carried_out`: then Intercom did its part, so that a scroll has moved on.
  std::chrono::microseconds delay{0};
  std::optional<int> status;
  std::string code;  // Of the error; the status's own where empty.
  bool reset = false;
  bool carried_out = false;
  std::chrono::microseconds refuse{0};

  // To the answer.
  std::optional<std::string> body;
  bool malformed = false;
  std::vector<std::pair<std::string, std::string>> replace;
  // Without a value: removed. A name that ends in '*' removes all that begin so.
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  // Of what the answer says about time: Date and X-RateLimit-Reset.
  std::chrono::seconds clock{0};
  Gzip gzip = Gzip::kNone;

  // On the way.
  std::optional<Cut> cut;
  std::optional<Drip> drip;
  int64_t length_error = 0;
  Delivery::Framing framing = Delivery::Framing::kLength;
  std::optional<Delivery::End> end;
  std::optional<std::string> raw;

  void Add(const FaultAction& other);
  // Whether what is sent is what Intercom would have answered.
  bool Harmless() const;
};

struct FaultRule {
  FaultMatch match;
  FaultAction action;
};

struct ConnectionRule {
  FaultTurns turns;
  ConnectionFault fault = ConnectionFault::kNone;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_FAULT_RULE_H_
