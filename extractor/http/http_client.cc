#include "extractor/http/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>

#include <atomic>
#include <map>
#include <memory>
#include <thread>
#include <unordered_map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {
namespace {

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListCleanup {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyCleanup>;
using HeaderList = std::unique_ptr<curl_slist, ListCleanup>;

struct Transfer;
using Transfers = std::unordered_map<HttpClient::TransferId, std::unique_ptr<Transfer>>;

struct Transfer {
  HttpClient::TransferId id = 0;
  // All of the loop, this one among them.
  const Transfers* all = nullptr;
  // It was about to share a connection of HTTP/1 with another one; nothing was sent.
  bool crowded = false;
  HttpRequest request;
  HttpClient::Done done;
  HttpResponse response;
  size_t max_body = 0;
  // Why our own callbacks stopped the transfer, if they did.
  absl::Status local_error;
  HeaderList headers;
  char error_text[CURL_ERROR_SIZE] = {};
  // Last: the handle refers to the members above.
  Easy easy;
};

size_t OnBody(char* data, size_t /*size*/, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  if (transfer->response.body.size() + count > transfer->max_body) {
    transfer->local_error = absl::ResourceExhaustedError(
        absl::StrCat("the answer exceeds ", transfer->max_body, " bytes"));
    return 0;
  }
  transfer->local_error = transfer->response.body.Append(data, count);
  return transfer->local_error.ok() ? count : 0;
}

size_t OnHeader(char* data, size_t /*size*/, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const absl::string_view line = absl::StripAsciiWhitespace(absl::string_view(data, count));
  if (absl::StartsWith(line, "HTTP/")) {
    // Another answer begins (100 Continue, a proxy's CONNECT): forget the last.
    transfer->response.headers.clear();
    return count;
  }
  const size_t colon = line.find(':');
  if (colon != absl::string_view::npos) {
    transfer->response.headers.emplace_back(
        absl::AsciiStrToLower(line.substr(0, colon)),
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1))));
  }
  return count;
}

bool MaySend(const HttpRequest& request) { return !request.may_send || request.may_send(); }

absl::Status NotPermitted() { return absl::CancelledError("the request may no longer be sent"); }

// The TLS connection that a transfer uses at present; null for none.
SSL* TlsOf(const Transfer& transfer) {
  curl_tlssessioninfo* info = nullptr;
  if (curl_easy_getinfo(transfer.easy.get(), CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK ||
      info == nullptr || info->backend != CURLSSLBACKEND_OPENSSL) {
    return nullptr;
  }
  return static_cast<SSL*>(info->internals);
}

bool SpeaksHttp2(const SSL* tls) {
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(tls, &protocol, &length);
  return absl::string_view(reinterpret_cast<const char*>(protocol), length) == "h2";
}

// Whether a transfer that is about to send would do so behind another one's back. Where a
// host spoke HTTP/2, curl 7.88 takes its next connection for one that can be shared as
// well, even if that speaks HTTP/1, as when servers are replaced: then each of the
// transfers takes whatever answer comes first for its own.
bool IsCrowded(const Transfer& transfer) {
  SSL* const tls = TlsOf(transfer);
  if (tls == nullptr || SpeaksHttp2(tls)) return false;
  for (const auto& [id, other] : *transfer.all) {
    if (other.get() != &transfer && TlsOf(*other) == tls) return true;
  }
  return false;
}

int BeforeRequest(void* user, char* /*to*/, char* /*from*/, int /*to_port*/, int /*from_port*/) {
  auto* transfer = static_cast<Transfer*>(user);
  transfer->crowded = IsCrowded(*transfer);
  if (transfer->crowded) return CURL_PREREQFUNC_ABORT;
  if (MaySend(transfer->request)) return CURL_PREREQFUNC_OK;
  transfer->local_error = NotPermitted();
  return CURL_PREREQFUNC_ABORT;
}

absl::Status StatusOf(CURLcode code, const Transfer& transfer) {
  if (code == CURLE_OK) return absl::OkStatus();
  if (!transfer.local_error.ok()) return transfer.local_error;
  const char* detail =
      transfer.error_text[0] != '\0' ? transfer.error_text : curl_easy_strerror(code);
  long request_size = 0;  // NOLINT(google-runtime-int)
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_REQUEST_SIZE, &request_size);
  if (code == CURLE_UNSUPPORTED_PROTOCOL && request_size > 0) {
    // The URL was good: what came back is no HTTP/1 or 2.
    return absl::UnavailableError(detail);
  }
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(detail);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return absl::FailedPreconditionError(detail);
    case CURLE_OUT_OF_MEMORY:
      return absl::ResourceExhaustedError(detail);
    default:
      return absl::UnavailableError(detail);
  }
}

bool IsLoopbackUrl(const std::string& url) {
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  char* host = nullptr;
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
    return false;
  }
  const std::string name(host);
  curl_free(host);
  // Not by its beginning: "127.0.0.1.example.com" is anybody's.
  in_addr address;
  return name == "localhost" || name == "[::1]" ||
         (inet_pton(AF_INET, name.c_str(), &address) == 1 &&
          ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET);
}

}  // namespace

std::string HttpResponse::Header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

// Everything below `thread_` belongs to the loop's thread; other threads only
// add to `posted_` and wake it.
class HttpClient::Loop {
 public:
  explicit Loop(const Options& options) : options_(options) {
    static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)global;
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                      static_cast<long>(options.max_connections));  // NOLINT(google-runtime-int)
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS,
                      static_cast<long>(options.max_connections));  // NOLINT(google-runtime-int)
    thread_ = std::thread([this] { Run(); });
  }

  ~Loop() {
    {
      MutexLock lock(&mu_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }

  TransferId Start(HttpRequest request, Done done) {
    const TransferId id = ++last_id_;
    Post([this, id, request = std::move(request), done = std::move(done)]() mutable {
      Begin(id, std::move(request), std::move(done));
    });
    return id;
  }

  void Cancel(TransferId id) {
    Post([this, id] { Abort(id); });
  }

  void Post(absl::AnyInvocable<void() &&> work) {
    bool wake = false;
    {
      MutexLock lock(&mu_);
      // Else it was woken already, or looks before it waits for the network.
      wake = posted_.empty() && std::this_thread::get_id() != thread_.get_id();
      posted_.push_back(std::move(work));
    }
    if (wake) curl_multi_wakeup(multi_);
  }

  void PostAfter(absl::Duration delay, absl::AnyInvocable<void() &&> work) {
    Post([this, at = clock_.Now() + delay, work = std::move(work)]() mutable {
      timers_.emplace(at, std::move(work));
    });
  }

 private:
  void Run() {
    while (RunPosted()) {
      RunTimers();
      int running = 0;
      curl_multi_perform(multi_, &running);
      Collect();
      curl_multi_poll(multi_, nullptr, 0, PollTimeoutMs(), nullptr);
    }
    // What was posted before the end still runs, and what that or a `done` posts,
    // so that each `done` is called.
    while (true) {
      std::vector<absl::AnyInvocable<void() &&>> work;
      {
        MutexLock lock(&mu_);
        work.swap(posted_);
      }
      if (work.empty() && transfers_.empty()) return;
      for (auto& item : work) std::move(item)();
      while (!transfers_.empty()) Abort(transfers_.begin()->first);
    }
  }

  // False when the client ends.
  bool RunPosted() {
    std::vector<absl::AnyInvocable<void() &&>> work;
    {
      MutexLock lock(&mu_);
      if (stopping_) return false;
      work.swap(posted_);
    }
    for (auto& item : work) std::move(item)();
    return true;
  }

  void RunTimers() {
    while (!timers_.empty() && timers_.begin()->first <= clock_.Now()) {
      auto work = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      std::move(work)();
    }
  }

  int PollTimeoutMs() {
    {
      // Work posted by the callbacks above must not wait for the network.
      MutexLock lock(&mu_);
      if (!posted_.empty()) return 0;
    }
    absl::Duration wait = absl::Seconds(1);
    if (!timers_.empty()) wait = std::min(wait, timers_.begin()->first - clock_.Now());
    // Rounded up: waking a little early would spin.
    return std::max(0, static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1);
  }

  void Begin(TransferId id, HttpRequest request, Done done) {
    auto transfer = std::make_unique<Transfer>();
    transfer->id = id;
    transfer->all = &transfers_;
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    transfer->max_body = options_.max_body;
    transfer->response.body = ResponseBody(options_.max_body_in_memory, budget_);
    transfer->easy = TakeEasy();
    Configure(transfer.get());
    CURL* easy = transfer->easy.get();
    const bool may_send = MaySend(transfer->request);
    transfers_.emplace(id, std::move(transfer));
    // No connection is made either.
    if (!may_send) return Complete(id, NotPermitted());
    if (const CURLMcode code = curl_multi_add_handle(multi_, easy); code != CURLM_OK) {
      Complete(id, absl::ResourceExhaustedError(curl_multi_strerror(code)));
    }
  }

  // Making a handle costs more than setting it back.
  Easy TakeEasy() {
    if (idle_.empty()) return Easy(curl_easy_init());
    Easy easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }
  void GiveEasy(Easy easy) {
    constexpr size_t kMostIdle = 32;
    if (idle_.size() >= kMostIdle) return;
    curl_easy_reset(easy.get());
    idle_.push_back(std::move(easy));
  }

  void Configure(Transfer* transfer) {
    CURL* easy = transfer->easy.get();
    const HttpRequest& request = transfer->request;
    using Long = long;  // NOLINT(google-runtime-int): curl's varargs want it.
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, Long{0});
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, Long{1});
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error_text);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
    // Empty: every encoding that this curl can decode.
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, Long{CURL_HTTP_VERSION_2TLS});
    // One HTTP/2 connection with many streams rather than many connections.
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, Long{1});
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, Long{1});
    // By default a dead address would be called for a minute, longer than we try.
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, Long{1});
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     Long{absl::ToInt64Milliseconds(options_.connect_timeout)});
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     Long{absl::ToInt64Milliseconds(options_.transfer_timeout)});
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, Long{1});
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     Long{absl::ToInt64Seconds(options_.low_speed_timeout)});
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    }
    if (!request.repeatable) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, Long{1});
    if (IsLoopbackUrl(request.url)) curl_easy_setopt(easy, CURLOPT_PROXY, "");

    curl_slist* headers = nullptr;
    for (const std::string& header : request.headers) {
      headers = curl_slist_append(headers, header.c_str());
    }
    // curl would wait a second for "100 Continue" that nobody sends.
    headers = curl_slist_append(headers, "Expect:");
    transfer->headers.reset(headers);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    // Our headers hold the token: a proxy has no business with them.
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, Long{CURLHEADER_SEPARATE});

    if (request.method == "POST") {
      curl_easy_setopt(easy, CURLOPT_POST, Long{1});
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, BeforeRequest);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  }

  void Collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      if (transfer->crowded) {
        StartAlone(transfer);
      } else {
        Complete(transfer->id, StatusOf(message->data.result, *transfer));
      }
    }
  }

  // Once more, in a way in which curl shares no connection.
  void StartAlone(Transfer* transfer) {
    CURL* easy = transfer->easy.get();
    curl_multi_remove_handle(multi_, easy);
    transfer->crowded = false;
    transfer->error_text[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});  // NOLINT
    if (const CURLMcode code = curl_multi_add_handle(multi_, easy); code != CURLM_OK) {
      Complete(transfer->id, absl::ResourceExhaustedError(curl_multi_strerror(code)));
    }
  }

  void Abort(TransferId id) {
    if (transfers_.count(id) != 0) Complete(id, absl::CancelledError("cancelled"));
  }

  void Complete(TransferId id, absl::Status status) {
    auto it = transfers_.find(id);
    std::unique_ptr<Transfer> transfer = std::move(it->second);
    transfers_.erase(it);
    CURL* easy = transfer->easy.get();
    long code = 0;  // NOLINT(google-runtime-int)
    curl_off_t total_us = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total_us);
    long request_size = 0;  // NOLINT(google-runtime-int)
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_size);
    curl_multi_remove_handle(multi_, easy);
    HttpResponse response = std::move(transfer->response);
    response.status = std::move(status);
    response.status_code = static_cast<int>(code);
    response.sent = request_size > 0;
    response.latency = absl::Microseconds(total_us);
    Done done = std::move(transfer->done);
    GiveEasy(std::move(transfer->easy));
    transfer.reset();
    std::move(done)(std::move(response));
  }

  const Options options_;
  const std::shared_ptr<BodyBudget> budget_ =
      std::make_shared<BodyBudget>(options_.max_bodies_in_memory);
  const SteadyClock clock_;
  CURLM* multi_ = nullptr;
  // Handed out on any thread.
  std::atomic<TransferId> last_id_{0};

  Mutex mu_;
  std::vector<absl::AnyInvocable<void() &&>> posted_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;
  Transfers transfers_;
  // Handles that have served.
  std::vector<Easy> idle_;
  std::multimap<absl::Time, absl::AnyInvocable<void() &&>> timers_;
};

HttpClient::HttpClient(const Options& options) : loop_(std::make_unique<Loop>(options)) {}
HttpClient::~HttpClient() = default;

HttpClient::TransferId HttpClient::Start(HttpRequest request, Done done) {
  return loop_->Start(std::move(request), std::move(done));
}
void HttpClient::Cancel(TransferId id) { loop_->Cancel(id); }
void HttpClient::Post(absl::AnyInvocable<void() &&> work) { loop_->Post(std::move(work)); }
void HttpClient::PostAfter(absl::Duration delay, absl::AnyInvocable<void() &&> work) {
  loop_->PostAfter(delay, std::move(work));
}

}  // namespace intercom_extractor
