#ifndef TESTS_END_TO_END_SEARCH_MISBEHAVIOUR_H_
#define TESTS_END_TO_END_SEARCH_MISBEHAVIOUR_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/fake_intercom/fake_intercom.h"

namespace intercom_extractor {

// What a search may do to its answers, and what the notice says then.
struct Misbehaviour {
  const char* name;
  // The first answers stay as they are.
  int spared;
  std::function<void(fake::Response*)> alter;
  const char* notice;
};

// Those for which the plain list must serve; of some 6,000 records.
const std::vector<Misbehaviour>& Misbehaviours();

// POST `path` behaves like that from now on.
void Misbehave(fake::FakeIntercom* intercom, const std::string& path,
               const Misbehaviour& misbehaviour);

// Of the requests to POST `path` that carry a cursor every `every`th is refused, but
// only three, as if the cursor had expired. Returns how many were refused so far.
std::shared_ptr<std::atomic<int>> RefuseCursors(fake::FakeIntercom* intercom,
                                                const std::string& path, int every);

// Requests to POST `path` whose body holds one of these texts are refused, as if their
// cursors had expired.
void RefuseBodies(fake::FakeIntercom* intercom, const std::string& path,
                  std::vector<std::string> texts);

// POST `path` answers with the records of `json` in pages of 150, under the key
// `items`, whatever is asked; for ever the first page if `repeat` is set.
void AnswerAnyway(fake::FakeIntercom* intercom, const std::string& path, const std::string& items,
                  std::vector<std::string> json, bool repeat);

}  // namespace intercom_extractor

#endif  // TESTS_END_TO_END_SEARCH_MISBEHAVIOUR_H_
