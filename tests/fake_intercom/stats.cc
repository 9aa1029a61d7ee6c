#include "tests/fake_intercom/stats.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace intercom_extractor::fake {
namespace {

constexpr size_t kMaxDuplicatesListed = 20;

bool IsWord(std::string_view segment) {
  static constexpr std::array<std::string_view, 20> kWords = {
      "me",       "contacts", "companies", "conversations", "admins", "teams", "tags",
      "segments", "events",   "notes",     "search",        "scroll", "list",  "deleted",
      "parts",    "merge",    "oauth",     "auth",          "eagle",  "token"};
  return std::find(kWords.begin(), kWords.end(), segment) != kWords.end();
}

}  // namespace

void Stats::Begin(const std::string& route) {
  const std::lock_guard<std::mutex> lock(mu_);
  ++counts_.total;
  ++counts_.by_route[route];
  ++counts_.in_flight;
  counts_.max_in_flight = std::max(counts_.max_in_flight, counts_.in_flight);
}

void Stats::End() {
  const std::lock_guard<std::mutex> lock(mu_);
  --counts_.in_flight;
}

void Stats::Answered(int status, size_t bytes, bool answered_well, const std::string& key) {
  const std::lock_guard<std::mutex> lock(mu_);
  ++counts_.by_status[status];
  counts_.bytes_sent += static_cast<int64_t>(bytes);
  if (status == 429) ++counts_.rate_limited;
  if (!answered_well) return;
  if (answered_keys_.emplace(std::hash<std::string>()(key), true).second) return;
  ++counts_.duplicates;
  if (counts_.duplicate_list.size() < kMaxDuplicatesListed) counts_.duplicate_list.push_back(key);
}

Stats::Snapshot Stats::snapshot() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return counts_;
}

void Stats::Reset() {
  const std::lock_guard<std::mutex> lock(mu_);
  const int in_flight = counts_.in_flight;
  counts_ = Snapshot();
  counts_.in_flight = in_flight;
  counts_.max_in_flight = in_flight;
  answered_keys_.clear();
}

std::string RouteOf(const std::string& method, const std::string& path) {
  std::string route = method + " ";
  std::string_view rest = path;
  while (!rest.empty() && rest.front() == '/') {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    route += '/';
    // What is no word of the API is an id, so that the list of routes stays short.
    route += IsWord(segment) ? std::string(segment) : "{id}";
    rest.remove_prefix(segment.size());
  }
  return route;
}

}  // namespace intercom_extractor::fake
