#ifndef EXTRACTOR_QUOTA_PAGE_SIZE_H_
#define EXTRACTOR_QUOTA_PAGE_SIZE_H_

#include "absl/time/time.h"

namespace intercom_extractor {

// How many records a page of one operation asks for. Halves when Intercom takes too
// long to make a page, and grows back step by step. Growth is tried with one request
// while the others stay at what works, so that a workspace that never bears more
// pays one failed request for each attempt, and these become rare.
//
// Not thread-safe: belongs to the one who sends.
class PageSize {
 public:
  struct Options {
    // The most that Intercom gives.
    int max = 150;
    // What Intercom itself gives in a page of contacts when it is not asked for a
    // number: no page that fails even so fails for its size. With less, a list would
    // cost a good part of what a request for each record does.
    int min = 10;
    // Growth follows so many pages of the present size, ...
    int pages = 5;
    // ... and so much time without trouble. Doubles with each growth that fails.
    absl::Duration first_wait = absl::Seconds(30);
    absl::Duration longest_wait = absl::Minutes(32);
  };

  explicit PageSize(const Options& options)
      : options_(options), present_(options.max), wait_(options.first_wait) {}

  int min() const { return options_.min; }

  // What works, as far as it is known: for what is tried again.
  int Present() const { return present_; }

  // For a page that has not been asked for yet: now and then one that tries whether
  // more than Present() works as well.
  int Next(absl::Time now);

  // A page of `asked` records came, or Intercom did not manage to make it. Nothing
  // is to be said of failures that have other causes.
  void OnSuccess(int asked, absl::Time now);
  void OnTrouble(int asked, absl::Time now);

 private:
  // From here on it takes good pages and time until growth.
  void Settle(absl::Time now);
  void WaitLonger();

  const Options options_;
  int present_;
  // The larger size that one request tries; 0 for none.
  int tried_ = 0;
  // Whether nothing has failed since the last growth.
  bool grown_ = false;
  int good_pages_ = 0;
  absl::Time settled_at_ = absl::InfinitePast();
  absl::Duration wait_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_QUOTA_PAGE_SIZE_H_
