// The least that reading contacts can cost: sends given requests through one curl multi
// handle on one thread, keeps each answer in a buffer that is used again, and takes
// each record's text out of it with simdjson On-Demand, reading nothing inside.
//
// Prints one JSON object: wall_seconds, cpu_seconds, peak_rss_kib, records, bytes (of
// the answers' bodies) and record_bytes. Ends with 1 where an answer is no page of
// records.

#include <curl/curl.h>
#include <simdjson.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace intercom_extractor {
namespace {

using Long = long;  // NOLINT(google-runtime-int): curl's varargs want it.

struct Flags {
  std::string base_url;
  std::string requests;
  std::string ca_file;
  int connections = 1;
};

struct Request {
  std::string method;
  std::string url;
  std::string body;
};

// Lines of method, target and body with tabs between.
std::deque<Request> ReadRequests(const Flags& flags) {
  std::ifstream file(flags.requests);
  if (!file) throw std::runtime_error("cannot read " + flags.requests);
  std::deque<Request> requests;
  std::string line;
  while (std::getline(file, line)) {
    const size_t target = line.find('\t') + 1;
    const size_t body = line.find('\t', target) + 1;
    requests.push_back({line.substr(0, target - 1),
                        flags.base_url + line.substr(target, body - 1 - target),
                        line.substr(body)});
  }
  return requests;
}

class Download {
 public:
  explicit Download(const Flags& flags)
      : flags_(flags), requests_(ReadRequests(flags)), multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    headers_ = curl_slist_append(headers_, "Accept: application/json");
    headers_ = curl_slist_append(headers_, "Content-Type: application/json");
    headers_ = curl_slist_append(headers_, "Intercom-Version: 2.16");
    // curl would wait a second for "100 Continue" that nobody sends.
    headers_ = curl_slist_append(headers_, "Expect:");
  }
  ~Download() {
    slots_.clear();
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
  }
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  void Run() {
    for (int i = 0; i < flags_.connections && !requests_.empty(); ++i) {
      slots_.push_back(std::make_unique<Slot>());
      Begin(slots_.back().get());
    }
    int running = 1;
    while (running > 0) {
      curl_multi_perform(multi_, &running);
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        Slot* slot = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
        Finish(slot, message->data.result);
        if (requests_.empty()) continue;
        Begin(slot);
        // The loop's condition does not know of it yet.
        running = 1;
      }
      if (running > 0) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

  int64_t records() const { return records_; }
  int64_t bytes() const { return bytes_; }
  int64_t record_bytes() const { return record_bytes_; }

 private:
  // A transfer at a time; handle and buffer stay.
  struct Slot {
    Slot() : easy(curl_easy_init()) {}
    ~Slot() { curl_easy_cleanup(easy); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    CURL* const easy;
    Request request;
    std::string body;
  };

  static size_t OnBody(char* data, size_t /*size*/, size_t count, void* user) {
    static_cast<Slot*>(user)->body.append(data, count);
    return count;
  }

  void Begin(Slot* slot) {
    slot->request = std::move(requests_.front());
    requests_.pop_front();
    slot->body.clear();
    CURL* const easy = slot->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(easy, CURLOPT_URL, slot->request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, Long{1});
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, Long{CURL_HTTP_VERSION_2TLS});
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, Long{1});
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, "fake-access-token");
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, Long{CURLAUTH_BEARER});
    if (!flags_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, flags_.ca_file.c_str());
    if (slot->request.method == "POST") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<Long>(slot->request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, slot->request.body.c_str());
    } else {
      curl_easy_setopt(easy, CURLOPT_HTTPGET, Long{1});
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
    curl_multi_add_handle(multi_, easy);
  }

  void Finish(Slot* slot, CURLcode code) {
    curl_multi_remove_handle(multi_, slot->easy);
    Long status = 0;
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200) {
      throw std::runtime_error(slot->request.method + " " + slot->request.url + ": status " +
                               std::to_string(status) + ", " + curl_easy_strerror(code));
    }
    bytes_ += static_cast<int64_t>(slot->body.size());
    Slice(&slot->body);
  }

  void Slice(std::string* body) {
    body->reserve(body->size() + simdjson::SIMDJSON_PADDING);
    simdjson::ondemand::document page =
        parser_.iterate(simdjson::padded_string_view(body->data(), body->size(), body->capacity()));
    for (simdjson::ondemand::object record : page["data"].get_array()) {
      record_bytes_ += static_cast<int64_t>(std::string_view(record.raw_json()).size());
      ++records_;
    }
  }

  const Flags flags_;
  std::deque<Request> requests_;
  CURLM* const multi_;
  curl_slist* headers_ = nullptr;
  std::deque<std::unique_ptr<Slot>> slots_;
  simdjson::ondemand::parser parser_;
  int64_t records_ = 0;
  int64_t bytes_ = 0;
  int64_t record_bytes_ = 0;
};

// Not getrusage's, which begins with what the process was before it became this program.
int64_t PeakRssKib() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(line.find(':') + 1));
  }
  return 0;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

int Run(int argc, char** argv) {
  Flags flags;
  CLI::App app("Downloads pages of records and takes each record's text");
  app.add_option("--base-url", flags.base_url, "Where to")->required();
  app.add_option("--requests", flags.requests, "File: method, target and body of each")->required();
  app.add_option("--connections", flags.connections, "Requests in flight");
  app.add_option("--ca-file", flags.ca_file, "PEM file of who to trust");
  CLI11_PARSE(app, argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Download download(flags);

  rusage before = {};
  getrusage(RUSAGE_SELF, &before);
  const auto start = std::chrono::steady_clock::now();
  download.Run();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  rusage after = {};
  getrusage(RUSAGE_SELF, &after);
  std::cout << nlohmann::json{{"wall_seconds", wall.count()},
                              {"cpu_seconds", Seconds(after.ru_utime) + Seconds(after.ru_stime) -
                                                  Seconds(before.ru_utime) -
                                                  Seconds(before.ru_stime)},
                              {"peak_rss_kib", PeakRssKib()},
                              {"records", download.records()},
                              {"bytes", download.bytes()},
                              {"record_bytes", download.record_bytes()}}
            << "\n";
  return 0;
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  try {
    return intercom_extractor::Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bare-download: " << error.what() << "\n";
    return 1;
  }
}
