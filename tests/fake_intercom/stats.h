#ifndef TESTS_FAKE_INTERCOM_STATS_H_
#define TESTS_FAKE_INTERCOM_STATS_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace intercom_extractor::fake {

// What the server was asked. Thread-safe.
class Stats {
 public:
  struct Snapshot {
    int64_t total = 0;                        // Requests, however they were answered.
    std::map<std::string, int64_t> by_route;  // "GET /contacts/{id}/tags"
    std::map<int, int64_t> by_status;         // 0: connection reset.
    int64_t rate_limited = 0;                 // Answers with status 429.
    int64_t duplicates = 0;                   // Requests answered well once more.
    std::vector<std::string> duplicate_list;  // The first 20 of them.
    int in_flight = 0;
    int max_in_flight = 0;
    int64_t bytes_sent = 0;  // Of bodies.
  };

  void Begin(const std::string& route);
  void End();
  // `key` is what makes two requests the same; counted when `answered_well`.
  void Answered(int status, size_t bytes, bool answered_well, const std::string& key);
  Snapshot snapshot() const;
  void Reset();

 private:
  mutable std::mutex mu_;
  // Guarded by mu_. Of the keys only hashes are kept, as there may be millions.
  Snapshot counts_;
  std::unordered_map<size_t, bool> answered_keys_;
};

// The route that a request belongs to, with {id} for ids: "GET /contacts/{id}".
std::string RouteOf(const std::string& method, const std::string& path);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_STATS_H_
