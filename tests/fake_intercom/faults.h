#ifndef TESTS_FAKE_INTERCOM_FAULTS_H_
#define TESTS_FAKE_INTERCOM_FAULTS_H_

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor::fake {

// What goes wrong on purpose. Thread-safe; faults may come and go while the server
// runs. The README lists them.
class Faults {
 public:
  // Adds a comma-separated list of NAME[:PARAM...]. Throws std::invalid_argument
  // on a fault it does not know, then nothing is added.
  void Add(const std::string& list);
  void Clear();

  // What happens to one request.
  struct Plan {
    int status = 0;    // Not 0: answer this status instead.
    std::string code;  // With this error code, where not empty.
    bool html_not_found = false;
    bool reset = false;
    std::chrono::milliseconds slow{0};
    // After the request was carried out:
    bool empty_body = false;
    bool malformed_json = false;
    bool truncate = false;
    bool html_ok = false;
    bool HitsBody() const { return empty_body || malformed_json || truncate || html_ok; }
  };
  // `key` tells a retry from another request.
  Plan For(const Request& request, const std::string& key);

  // Contacts, and conversations, that are listed but gone.
  size_t vanish() const;
  bool no_rate_headers() const;
  // True once after `scroll_500_once` was added.
  bool TakeScroll500();
  // Seconds of a foreign scroll that was asked for since the last call; 0: none.
  double TakeScrollBusySeconds();

 private:
  struct Fault {
    std::string name;
    std::string route;
    int code = 0;
    int milliseconds = 0;
    int every = 1;
    bool always = false;
    int seen = 0;  // Requests that counted towards `every`.
  };
  static Fault Parse(const std::string& text);
  static void Apply(const Fault& fault, Plan* plan);

  mutable std::mutex mu_;
  // Guarded by mu_.
  std::vector<Fault> faults_;
  std::unordered_set<size_t> tried_;  // Hashes of keys.
  size_t vanish_ = 0;
  bool no_rate_headers_ = false;
  bool scroll_500_ = false;
  double scroll_busy_seconds_ = 0;
};

// Spreads `vanish` numbers over [0, count).
std::vector<size_t> VanishedRecords(size_t count, size_t vanish);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_FAULTS_H_
