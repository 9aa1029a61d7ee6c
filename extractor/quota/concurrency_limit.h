#ifndef EXTRACTOR_QUOTA_CONCURRENCY_LIMIT_H_
#define EXTRACTOR_QUOTA_CONCURRENCY_LIMIT_H_

#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace intercom_extractor {

// How many requests may be in flight. Two caps, the lower wins:
//  - Little's law: more than rate x latency in flight cannot go faster than the
//    quota, only queue up at Intercom;
//  - what Intercom bears: grows while answers are healthy, shrinks when they fail
//    (5xx, timeouts) or take much longer than that operation usually does.
//
// Not thread-safe: belongs to the one who sends.
class ConcurrencyLimit {
 public:
  struct Options {
    int min = 4;
    int start = 16;
    int max = 256;
    // Room above rate x latency, for answers that vary.
    double headroom = 1.5;
  };

  explicit ConcurrencyLimit(const Options& options) : options_(options), bearable_(options.start) {}

  // `quota_rate`: the requests per second that the quota allows, if it is known.
  int Limit(std::optional<double> quota_rate) const;

  // An answer to a request of `operation` ("GET /contacts"), of which there are a
  // few dozen. `failed`: Intercom or the way to it could not cope.
  void OnAnswer(const std::string& operation, absl::Duration latency, bool failed, absl::Time now);

 private:
  // Of the operation's answers, slowly moving averages.
  struct Usual {
    absl::Duration latency;
    int answers = 0;
  };

  void Shrink(double factor, absl::Time now);

  const Options options_;
  double bearable_;
  // Growth by one for each answer, until the first sign that it is too much.
  bool probing_ = true;
  std::optional<absl::Duration> latency_;
  std::map<std::string, Usual> usual_;
  absl::Time shrunk_at_ = absl::InfinitePast();
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_QUOTA_CONCURRENCY_LIMIT_H_
