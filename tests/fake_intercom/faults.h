#ifndef TESTS_FAKE_INTERCOM_FAULTS_H_
#define TESTS_FAKE_INTERCOM_FAULTS_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/fake_intercom/fault_list.h"
#include "tests/fake_intercom/fault_rule.h"
#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {

// What goes wrong on purpose. Thread-safe; faults may come and go while the server
// runs.
class Faults {
 public:
  // Adds a list as ParseFaultList reads it. Throws std::invalid_argument on a fault it does
  // not know, then nothing is added.
  void Add(const std::string& list);
  void Add(const FaultRule& rule);
  void Add(const ConnectionRule& rule);
  void Clear();

  // What happens to one request. `key` tells a retry from another request; one that asks for a
  // page of another size is a retry.
  FaultAction For(const Request& request, const std::string& key);
  // What becomes of the next connection.
  ConnectionFault ForConnection();

  // Contacts, and conversations, that are listed but gone.
  size_t vanish() const;
  bool no_rate_headers() const;
  // True once after `scroll_500_once` was added.
  bool TakeScroll500();
  // Seconds of a foreign scroll that was asked for since the last call; 0: none.
  double TakeScrollBusySeconds();

 private:
  struct CountedRule {
    FaultRule rule;
    int64_t matched = 0;
  };

  mutable std::mutex mu_;
  // Guarded by mu_.
  std::vector<CountedRule> rules_;
  std::vector<ConnectionRule> connection_rules_;
  std::unordered_set<size_t> tried_;  // Hashes of keys.
  int64_t requests_ = 0;
  int64_t connections_ = 0;
  WorkspaceFaults workspace_;
};

// Spreads `vanish` numbers over [0, count).
std::vector<size_t> VanishedRecords(size_t count, size_t vanish);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_FAULTS_H_
