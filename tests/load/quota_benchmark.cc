// How much of the quota a client uses that always has work, and how many 429s that
// costs, in a row of a table per case. Windows last 2 s instead of Intercom's 10 s,
// and latencies are a fifth of what the case's name says: the rates are five times
// those of the real thing.
//
// Counters, over the windows in which work was queued throughout:
//   used_min, used_median   percent of (limit - reserve - what other apps used)
//   rejected                percent of our requests that were answered with 429
//   others_rejected         the same of the other app's
//   windows_to_adapt        until a window was used to 90 %, without a 429 when the
//                           limit had been cut
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/quota.h"

namespace intercom_extractor {
namespace {

using fake::Quota;

constexpr absl::Duration kWindow = absl::Seconds(2);
constexpr int kScale = 5;
constexpr int kQueued = 600;
// Before the client has learned the quota, and the last, which is cut short.
constexpr size_t kFirstWindows = 2;

// Brief runs show that the benchmark works, not what the client can do.
int Windows() { return std::getenv("BENCHMARK_BRIEF") == nullptr ? 23 : 4; }

struct Case {
  int limit = 1666;
  int latency_ms = 100;
  double reserve = 0;
  // What the server's clock is ahead.
  absl::Duration skew;
  // Another app takes 0 to 90 % of each window, at random.
  bool other_app = false;
  // In the middle.
  double limit_factor = 1;
};

// Keeps `kQueued` requests with the client until it is destroyed.
class Load {
 public:
  explicit Load(IntercomClient* client) : client_(client), group_(client->NewGroup()) {
    for (int i = 0; i < kQueued; ++i) Send();
  }
  ~Load() {
    stopping_ = true;
    client_->CancelGroup(group_);
    MutexLock lock(&mu_);
    while (pending_ > 0) changed_.Wait(&mu_);
  }

 private:
  void Send() {
    {
      MutexLock lock(&mu_);
      ++pending_;
    }
    ApiRequest request;
    request.operation = "GET /load";
    request.path_and_query = "/load";
    client_->Fetch(group_, std::move(request), [this](ApiAnswer) {
      if (!stopping_) Send();
      MutexLock lock(&mu_);
      if (--pending_ == 0) changed_.SignalAll();
    });
  }

  IntercomClient* const client_;
  const IntercomClient::GroupId group_;
  std::atomic<bool> stopping_{false};
  Mutex mu_;
  CondVar changed_;
  int pending_ ABSL_GUARDED_BY(mu_) = 0;
};

// Shares our count; takes its requests at random moments of each window.
class OtherApp {
 public:
  OtherApp(Quota* quota, int limit, absl::Duration skew)
      : quota_(quota), limit_(limit), skew_(skew), thread_([this] { Run(); }) {}
  ~OtherApp() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void Run() {
    std::mt19937 random(7);
    while (!stopping_) {
      const absl::Duration since_epoch = absl::Now() + skew_ - absl::UnixEpoch();
      const absl::Time end =
          absl::Now() + kWindow - (since_epoch - absl::Floor(since_epoch, kWindow));
      const int count = static_cast<int>(std::uniform_real_distribution<>(0, 0.9)(random) * limit_);
      const absl::Time begin = absl::Now();
      for (int taken = 0; absl::Now() < end && !stopping_;) {
        // Evenly over nine tenths of the window.
        const double part = absl::FDivDuration(absl::Now() - begin, 0.9 * (end - begin));
        for (; taken < std::min(1.0, part) * count; ++taken) quota_->Take(Quota::Who::kOtherApp);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  }

  Quota* const quota_;
  const int limit_;
  const absl::Duration skew_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

double UsedPercent(const Quota::WindowUse& window, double reserve) {
  const double ours = window.limit - std::ceil(window.limit * reserve) - window.used_by_other_apps;
  return ours <= 0 ? 100 : 100.0 * window.used / ours;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

void WaitForWindows(const Quota& quota, size_t count) {
  while (quota.History().size() < count) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Run(benchmark::State& state, const Case& test) {
  for (auto iteration : state) {
    fake::FakeIntercomOptions options;
    options.quota = {test.limit, kWindow};
    options.latency = std::chrono::milliseconds(test.latency_ms) / kScale;
    options.clock = [skew = test.skew] { return absl::Now() + skew; };
    fake::FakeIntercom intercom(options,
                                std::make_shared<fake::FixedWorkspace>(fake::FixedRecords()));
    intercom.SetHandler("GET", "/load", [](const fake::Request&, fake::Response* response) {
      response->status = 200;
      response->body = "{}";
      return true;
    });
    Quota& quota = intercom.quota();

    const SteadyClock clock;
    HttpClient http{HttpClient::Options()};
    Connection connection;
    connection.name = "benchmark";
    connection.base_url = intercom.base_url();
    connection.access_token = options.access_token;
    connection.quota_reserve = test.reserve;
    IntercomClient client(connection, &http, &clock);
    std::vector<Quota::WindowUse> windows;
    size_t changed_at = 0;
    {
      std::unique_ptr<OtherApp> other_app;
      if (test.other_app) {
        other_app = std::make_unique<OtherApp>(&quota, test.limit, test.skew);
        WaitForWindows(quota, 1);
      }
      const Load load(&client);
      const auto count = static_cast<size_t>(Windows());
      if (test.limit_factor != 1) {
        WaitForWindows(quota, count / 2);
        changed_at = quota.History().size();
        quota.SetLimit(static_cast<int>(test.limit * test.limit_factor));
      }
      WaitForWindows(quota, count);
      windows = quota.History();
    }

    std::vector<double> used;
    int64_t ours = 0;
    int64_t rejected = 0;
    int64_t others = 0;
    int64_t others_rejected = 0;
    int64_t windows_to_adapt = 0;
    for (size_t i = kFirstWindows; i + 1 < windows.size(); ++i) {
      const Quota::WindowUse& window = windows[i];
      ours += window.used + window.rejected;
      rejected += window.rejected;
      others += window.used_by_other_apps + window.rejected_of_other_apps;
      others_rejected += window.rejected_of_other_apps;
      const double percent = UsedPercent(window, test.reserve);
      // The window of the change and those after it until the right rate is found.
      if (changed_at > 0 && i + 1 >= changed_at && windows_to_adapt == 0) {
        if (i + 1 > changed_at && percent >= 90 && window.rejected == 0) {
          windows_to_adapt = static_cast<int64_t>(i + 1 - changed_at);
        }
        continue;
      }
      used.push_back(percent);
    }
    state.counters["used_min"] = used.empty() ? 0 : *std::min_element(used.begin(), used.end());
    state.counters["used_median"] = Median(used);
    state.counters["windows"] = static_cast<double>(used.size());
    state.counters["rejected"] = 100.0 * static_cast<double>(rejected) / static_cast<double>(ours);
    if (others > 0) {
      state.counters["others_rejected"] =
          100.0 * static_cast<double>(others_rejected) / static_cast<double>(others);
    }
    if (changed_at > 0) state.counters["windows_to_adapt"] = static_cast<double>(windows_to_adapt);
  }
}

void Register(const std::string& name, const Case& test) {
  benchmark::RegisterBenchmark(name.c_str(), [test](benchmark::State& state) { Run(state, test); })
      ->Iterations(1)
      ->UseRealTime()
      ->Unit(benchmark::kSecond);
}

void RegisterAll() {
  const bool brief = std::getenv("BENCHMARK_BRIEF") != nullptr;
  for (const int limit : {83, 166, 1666, 4166}) {
    for (const int latency_ms : {20, 100, 500}) {
      for (const double reserve : {0.0, 0.1}) {
        if (brief && !(limit == 166 && latency_ms == 20 && reserve == 0)) continue;
        Case test;
        test.limit = limit;
        test.latency_ms = latency_ms;
        test.reserve = reserve;
        Register(absl::StrCat("quota:", limit, "/latency:", latency_ms, "ms/reserve:", reserve),
                 test);
      }
    }
  }
  if (brief) return;
  Case test;
  test.other_app = true;
  Register("quota:1666/other_app", test);
  test.reserve = 0.1;
  Register("quota:1666/other_app/reserve:0.1", test);
  test = Case();
  test.limit_factor = 0.1;
  Register("quota:1666/cut_to_a_tenth", test);
  test.limit = 166;
  test.limit_factor = 10;
  Register("quota:166/raised_tenfold", test);
  for (const int minutes : {-5, 5}) {
    test = Case();
    test.skew = absl::Minutes(minutes);
    Register(absl::StrCat("quota:1666/server_clock:", minutes, "min"), test);
  }
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  intercom_extractor::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
