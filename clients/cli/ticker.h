#ifndef CLIENTS_CLI_TICKER_H_
#define CLIENTS_CLI_TICKER_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace intercom_extractor {

// Calls a function on a thread of its own, every so often, until destroyed.
class Ticker {
 public:
  // `tick` must be callable from another thread until the destructor returns.
  Ticker(std::chrono::milliseconds interval, std::function<void()> tick)
      : thread_([this, interval, tick = std::move(tick)] {
          std::unique_lock<std::mutex> lock(mutex_);
          while (!stopped_.wait_for(lock, interval, [this] { return stop_; })) tick();
        }) {}

  ~Ticker() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    stopped_.notify_one();
    thread_.join();
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;   // Guarded by `mutex_`.
  std::thread thread_;  // Last: it uses what stands above.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TICKER_H_
