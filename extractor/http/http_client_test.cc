#include "extractor/http/http_client.h"

#include <zlib.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/http/loopback_server.h"
#include "extractor/sync/inbox.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using Peer = LoopbackServer::Peer;
using Request = LoopbackServer::Request;

HttpRequest Get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

HttpResponse Fetch(HttpClient* client, HttpRequest request) {
  Inbox<HttpResponse> responses;
  client->Start(std::move(request),
                [&responses](HttpResponse response) { responses.Put(std::move(response)); });
  return responses.Take();
}

std::string Content(const HttpResponse& response) {
  std::string content(response.body.size(), '\0');
  EXPECT_EQ(response.body.Read(0, content.data(), content.size()).value_or(0), content.size());
  return content;
}

// Bytes that compress a little and show any that is lost or out of place.
std::string Pattern(size_t size) {
  std::string result;
  result.reserve(size + 16);
  for (int i = 0; result.size() < size; ++i) absl::StrAppend(&result, i, ",");
  result.resize(size);
  return result;
}

std::string Gzip(const std::string& content) {
  constexpr int kGzip = 16;
  z_stream stream = {};
  EXPECT_EQ(
      deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + kGzip, 8, Z_DEFAULT_STRATEGY),
      Z_OK);
  std::string result(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

// Sets variables of the environment while it lives. To be made before a client.
class Environment {
 public:
  ~Environment() {
    for (auto& [name, value] : before_) {
      if (value.has_value()) {
        setenv(name.c_str(), value->c_str(), 1);
      } else {
        unsetenv(name.c_str());
      }
    }
  }
  void Set(const std::string& name, const std::optional<std::string>& value) {
    const char* present = std::getenv(name.c_str());
    before_.emplace_back(name,
                         present == nullptr ? std::nullopt : std::optional<std::string>(present));
    if (value.has_value()) {
      setenv(name.c_str(), value->c_str(), 1);
    } else {
      unsetenv(name.c_str());
    }
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

TEST(HttpClientTest, GivesStatusHeadersAndBody) {
  LoopbackServer server(LoopbackServer::Answering([](const Request&) {
    return HttpAnswer(200, "{}", "X-Request-Id:  abc \r\nSet-Cookie: 1\r\nset-cookie: 2\r\n");
  }));
  HttpClient client({});
  HttpResponse response = Fetch(&client, Get(server.Url("/me")));
  EXPECT_EQ(response.status, absl::OkStatus());
  EXPECT_EQ(response.status_code, 200);
  EXPECT_EQ(response.Header("x-request-id"), "abc");
  EXPECT_EQ(response.Header("set-cookie"), "1") << "the first counts";
  EXPECT_EQ(response.Header("missing"), "");
  EXPECT_EQ(response.body.text(), "{}");
  EXPECT_TRUE(response.sent);
  EXPECT_GT(response.latency, absl::ZeroDuration());
}

TEST(HttpClientTest, SendsMethodHeadersAndBody) {
  Inbox<Request> requests;
  LoopbackServer server(LoopbackServer::Answering([&requests](const Request& request) {
    requests.Put(request);
    return HttpAnswer(200, "{}");
  }));
  HttpClient client({});
  HttpRequest request;
  request.method = "POST";
  request.url = server.Url("/contacts/search?a=1&b=%2F");
  request.headers = {"Authorization: Bearer abc", "Content-Type: application/json"};
  // Large enough for curl to ask for "100 Continue" if it were let.
  request.body = Pattern(size_t{2} << 20);
  const std::string body = request.body;
  ASSERT_EQ(Fetch(&client, std::move(request)).status, absl::OkStatus());
  const Request seen = requests.Take();
  EXPECT_EQ(seen.line, "POST /contacts/search?a=1&b=%2F HTTP/1.1");
  EXPECT_EQ(seen.Header("Authorization"), "Bearer abc");
  EXPECT_EQ(seen.Header("Content-Type"), "application/json");
  EXPECT_EQ(seen.Header("User-Agent"), "intercom-extractor");
  EXPECT_EQ(seen.Header("Expect"), "");
  EXPECT_EQ(seen.body, body);

  ASSERT_EQ(Fetch(&client, Get(server.Url("/me"))).status, absl::OkStatus());
  const Request get = requests.Take();
  EXPECT_EQ(get.line, "GET /me HTTP/1.1");
  EXPECT_TRUE(absl::StrContains(get.Header("Accept-Encoding"), "gzip"));
}

// Transfers use the handles of those before them.
TEST(HttpClientTest, ATransferTakesNothingOverFromTheOneBefore) {
  LoopbackServer server([](Peer& peer) {
    while (const std::optional<Request> request = peer.Read()) {
      if (request->target() == "/cut") return;
      peer.Write(HttpAnswer(200, absl::StrCat(request->head, request->body)));
    }
  });
  HttpClient client({});
  HttpRequest post = Get(server.Url("/first"));
  post.method = "POST";
  post.headers = {"X-Of-The-First: yes"};
  post.body = "of the first";
  post.repeatable = false;
  int asked = 0;
  post.may_send = [&asked] { return ++asked > 0; };
  EXPECT_TRUE(absl::StrContains(Content(Fetch(&client, post)), "of the first"));
  const int asked_for_the_first = asked;
  EXPECT_EQ(Fetch(&client, Get(server.Url("/cut"))).status.code(), absl::StatusCode::kUnavailable);

  const HttpResponse response = Fetch(&client, Get(server.Url("/last")));
  EXPECT_EQ(response.status, absl::OkStatus());
  const std::string sent = Content(response);
  EXPECT_TRUE(absl::StartsWith(sent, "GET /last HTTP/1.1\r\n")) << sent;
  EXPECT_FALSE(absl::StrContains(sent, "X-Of-The-First")) << sent;
  EXPECT_FALSE(absl::StrContains(absl::AsciiStrToLower(sent), "content-")) << sent;
  EXPECT_TRUE(absl::EndsWith(sent, "\r\n")) << sent;
  EXPECT_EQ(asked, asked_for_the_first);
}

TEST(HttpClientTest, AnyStatusIsAnAnswer) {
  LoopbackServer server(LoopbackServer::Answering([](const Request& request) {
    return HttpAnswer(std::atoi(request.target().c_str() + 1), "why", "Location: /elsewhere\r\n");
  }));
  HttpClient client({});
  for (const int status : {200, 204, 301, 400, 401, 404, 429, 500, 503, 599}) {
    HttpResponse response = Fetch(&client, Get(server.Url(absl::StrCat("/", status))));
    EXPECT_EQ(response.status_code, status);
    if (status == 204) continue;  // Has no body, so the server breaks HTTP here.
    EXPECT_EQ(response.status, absl::OkStatus()) << status;
    EXPECT_EQ(response.body.text(), "why");
  }
}

TEST(HttpClientTest, OnlyTheFinalAnswersHeadersCount) {
  LoopbackServer server(LoopbackServer::Answering([](const Request&) {
    return absl::StrCat("HTTP/1.1 103 Early Hints\r\nX-Request-Id: early\r\n\r\n",
                        HttpAnswer(200, "{}", "X-Request-Id: final\r\n"));
  }));
  HttpClient client({});
  const HttpResponse response = Fetch(&client, Get(server.Url()));
  EXPECT_EQ(response.status_code, 200);
  EXPECT_EQ(response.Header("x-request-id"), "final");
}

TEST(HttpClientTest, OneTransferAfterAnotherUsesOneConnection) {
  LoopbackServer server(
      LoopbackServer::Answering([](const Request&) { return HttpAnswer(200, "{}"); }));
  HttpClient client({});
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(Fetch(&client, Get(server.Url())).status, absl::OkStatus());
  }
  EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpClientTest, ManyTransfersInFlightReuseAFewConnections) {
  constexpr int kTransfers = 300;
  LoopbackServer server(LoopbackServer::Answering(
      [](const Request& request) { return HttpAnswer(200, request.target()); }));
  HttpClient::Options options;
  options.max_connections = 4;
  HttpClient client(options);
  Inbox<std::pair<std::string, HttpResponse>> responses;
  for (int i = 0; i < kTransfers; ++i) {
    const std::string target = absl::StrCat("/", i);
    client.Start(Get(server.Url(target)), [&responses, target](HttpResponse response) {
      responses.Put({target, std::move(response)});
    });
  }
  for (int i = 0; i < kTransfers; ++i) {
    auto [target, response] = responses.Take();
    ASSERT_EQ(response.status, absl::OkStatus());
    EXPECT_EQ(response.body.text(), target) << "answers must not be mixed up";
  }
  EXPECT_LE(server.connections(), 4u);
}

TEST(HttpClientTest, GzipIsDecoded) {
  const std::string content = Pattern(300000);
  LoopbackServer server(LoopbackServer::Answering([&content](const Request&) {
    return HttpAnswer(200, Gzip(content), "Content-Encoding: gzip\r\n");
  }));
  HttpClient client({});
  HttpResponse response = Fetch(&client, Get(server.Url()));
  ASSERT_EQ(response.status, absl::OkStatus());
  EXPECT_EQ(response.body.text(), content);
}

TEST(HttpClientTest, CutGzipIsUnavailable) {
  std::string zipped = Gzip(Pattern(300000));
  zipped.resize(zipped.size() / 2);
  LoopbackServer server([&zipped](Peer& peer) {
    peer.Read();
    peer.Write(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ",
                            2 * zipped.size(), "\r\n\r\n", zipped));
  });
  HttpClient client({});
  EXPECT_EQ(Fetch(&client, Get(server.Url())).status.code(), absl::StatusCode::kUnavailable);
}

TEST(HttpClientTest, WhatIsNoGzipIsUnavailable) {
  LoopbackServer server(LoopbackServer::Answering([](const Request&) {
    return HttpAnswer(200, "{\"plain\":1}", "Content-Encoding: gzip\r\n");
  }));
  HttpClient client({});
  EXPECT_EQ(Fetch(&client, Get(server.Url())).status.code(), absl::StatusCode::kUnavailable);
}

TEST(HttpClientTest, ChunksArePutTogetherAndACutChunkIsUnavailable) {
  for (const bool cut : {false, true}) {
    LoopbackServer server([cut](Peer& peer) {
      peer.Read();
      peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n");
      if (!cut) peer.Write("2\r\n1}\r\n0\r\n\r\n");
    });
    HttpClient client({});
    HttpResponse response = Fetch(&client, Get(server.Url()));
    EXPECT_EQ(response.status.code(), cut ? absl::StatusCode::kUnavailable : absl::StatusCode::kOk);
    EXPECT_EQ(response.body.text(), cut ? "{\"a\":" : "{\"a\":1}");
  }
}

TEST(HttpClientTest, PartialBodyIsUnavailable) {
  LoopbackServer server([](Peer& peer) {
    peer.Read();
    peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"data\":[");
  });
  HttpClient client({});
  const HttpResponse response = Fetch(&client, Get(server.Url()));
  EXPECT_EQ(response.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(response.status_code, 200);
  EXPECT_TRUE(response.sent);
}

TEST(HttpClientTest, ContentLengthShorterThanTheBodyDoesNotSpoilTheNextAnswer) {
  LoopbackServer server(LoopbackServer::Answering([](const Request& request) {
    return request.target() == "/first"
               ? std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}and more")
               : HttpAnswer(200, "{\"next\":1}");
  }));
  HttpClient client({});
  HttpResponse first = Fetch(&client, Get(server.Url("/first")));
  EXPECT_EQ(first.status, absl::OkStatus());
  EXPECT_EQ(first.body.text(), "{}");
  HttpResponse next = Fetch(&client, Get(server.Url("/next")));
  EXPECT_EQ(next.status, absl::OkStatus());
  EXPECT_EQ(next.body.text(), "{\"next\":1}");
}

TEST(HttpClientTest, ClosingWithoutAnAnswerIsUnavailable) {
  for (const char* bytes : {"", "HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Type: text"}) {
    LoopbackServer server([bytes](Peer& peer) {
      peer.Read();
      peer.Write(bytes);
    });
    HttpClient client({});
    const HttpResponse response = Fetch(&client, Get(server.Url()));
    // An answer that breaks off in its head may still count as one without a body.
    EXPECT_TRUE(response.status.code() == absl::StatusCode::kUnavailable ||
                response.body.size() == 0)
        << bytes;
    if (*bytes == '\0') {
      EXPECT_EQ(response.status.code(), absl::StatusCode::kUnavailable);
      EXPECT_TRUE(response.sent) << "the server may have acted";
    }
  }
}

// It used to be kFailedPrecondition, which is final.
TEST(HttpClientTest, GarbageIsUnavailable) {
  for (const char* garbage : {"\x16\x03\x01 no HTTP at all\r\n\r\n", "<html>502</html>\r\n\r\n",
                              "HTTP/1.1 abc\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"}) {
    LoopbackServer server([garbage](Peer& peer) {
      peer.Read();
      peer.Write(garbage);
    });
    HttpClient client({});
    EXPECT_EQ(Fetch(&client, Get(server.Url())).status.code(), absl::StatusCode::kUnavailable)
        << garbage;
  }
}

TEST(HttpClientTest, BodyAboveTheMemoryBoundGoesToAFileAndReadsBackEqual) {
  const std::string content = Pattern(size_t{3} << 20);
  LoopbackServer server(
      LoopbackServer::Answering([&content](const Request&) { return HttpAnswer(200, content); }));
  HttpClient::Options options;
  options.max_body_in_memory = 100000;
  HttpClient client(options);
  const HttpResponse response = Fetch(&client, Get(server.Url()));
  ASSERT_EQ(response.status, absl::OkStatus());
  EXPECT_TRUE(response.body.in_file());
  EXPECT_EQ(Content(response), content);
}

TEST(HttpClientTest, BodyAboveTheLargestSizeFails) {
  const std::string content = Pattern(100001);
  LoopbackServer server(LoopbackServer::Answering([&content](const Request& request) {
    if (request.target() == "/fits") return HttpAnswer(200, content.substr(1));
    if (request.target() == "/gzip") {
      return HttpAnswer(200, Gzip(content), "Content-Encoding: gzip\r\n");
    }
    return HttpAnswer(200, content);
  }));
  HttpClient::Options options;
  options.max_body = 100000;
  HttpClient client(options);
  EXPECT_EQ(Fetch(&client, Get(server.Url("/fits"))).status, absl::OkStatus());
  for (const char* target : {"/plain", "/gzip"}) {
    const HttpResponse response = Fetch(&client, Get(server.Url(target)));
    EXPECT_EQ(response.status.code(), absl::StatusCode::kResourceExhausted) << target;
    EXPECT_TRUE(absl::StrContains(response.status.message(), "100000")) << response.status;
  }
}

TEST(HttpClientTest, NoRoomForATemporaryFileIsResourceExhausted) {
  Environment environment;
  environment.Set("TMPDIR", "/nonexistent/folder");
  LoopbackServer server(
      LoopbackServer::Answering([](const Request&) { return HttpAnswer(200, Pattern(1000)); }));
  HttpClient::Options options;
  options.max_body_in_memory = 10;
  HttpClient client(options);
  const HttpResponse response = Fetch(&client, Get(server.Url()));
  EXPECT_EQ(response.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(response.status.message(), "TMPDIR")) << response.status;
}

TEST(HttpClientTest, RefusedConnectionIsUnavailable) {
  std::string url;
  {
    const LoopbackServer gone([](Peer&) {});
    url = gone.Url();
  }
  HttpClient client({});
  const HttpResponse response = Fetch(&client, Get(url));
  EXPECT_EQ(response.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(response.status_code, 0);
  EXPECT_FALSE(response.sent);
}

TEST(HttpClientTest, UnknownHostIsUnavailable) {
  Environment environment;
  environment.Set("https_proxy", std::nullopt);
  environment.Set("HTTPS_PROXY", std::nullopt);
  environment.Set("all_proxy", std::nullopt);
  environment.Set("ALL_PROXY", std::nullopt);
  HttpClient client({});
  // A label above 63 characters: the resolver gives up without asking anybody.
  const HttpResponse response =
      Fetch(&client, Get(absl::StrCat("https://", std::string(64, 'a'), ".invalid/")));
  EXPECT_EQ(response.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(response.sent);
}

TEST(HttpClientTest, UnusableUrlIsFailedPrecondition) {
  HttpClient client({});
  for (const char* url : {"", "http://", "http://[::1", "ftp://127.0.0.1/", "file:///etc/passwd",
                          "http://127.0.0.1:99999/"}) {
    EXPECT_EQ(Fetch(&client, Get(url)).status.code(), absl::StatusCode::kFailedPrecondition) << url;
  }
}

// The one real wait of these tests, of one to two seconds.
TEST(HttpClientTest, StalledAnswerIsGivenUp) {
  LoopbackServer server([](Peer& peer) {
    peer.Read();
    peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    peer.WaitForEnd();
  });
  HttpClient::Options options;
  options.low_speed_timeout = absl::Seconds(1);
  HttpClient client(options);
  EXPECT_EQ(Fetch(&client, Get(server.Url())).status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(HttpClientTest, TransferTimeoutBoundsAnAnswerThatNeverComes) {
  LoopbackServer server([](Peer& peer) { peer.WaitForEnd(); });
  HttpClient::Options options;
  options.transfer_timeout = absl::Milliseconds(20);
  HttpClient client(options);
  EXPECT_EQ(Fetch(&client, Get(server.Url())).status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(HttpClientTest, LoopbackIgnoresTheProxyVariables) {
  Environment environment;
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
    environment.Set(name, "http://127.0.0.1:1");
  }
  environment.Set("no_proxy", std::nullopt);
  environment.Set("NO_PROXY", std::nullopt);
  LoopbackServer server(
      LoopbackServer::Answering([](const Request&) { return HttpAnswer(200, "{}"); }));
  HttpClient client({});
  EXPECT_EQ(Fetch(&client, Get(server.Url())).status, absl::OkStatus());
  EXPECT_EQ(Fetch(&client, Get(absl::StrCat("http://localhost:", server.port()))).status,
            absl::OkStatus());
}

// Asks `url` with a token while `https_proxy` names a proxy that refuses, and
// returns what the proxy heard.
std::string HeardByProxy(const std::string& url, HttpResponse* response) {
  Inbox<Request> requests;
  LoopbackServer proxy(LoopbackServer::Answering([&requests](const Request& request) {
    requests.Put(request);
    return HttpAnswer(502, "no");
  }));
  Environment environment;
  environment.Set("https_proxy", proxy.Url());
  environment.Set("no_proxy", std::nullopt);
  environment.Set("NO_PROXY", std::nullopt);
  HttpClient client({});
  HttpRequest request = Get(url);
  request.headers = {"Authorization: Bearer sesame", "Intercom-Version: 2.16"};
  *response = Fetch(&client, std::move(request));
  std::string heard;
  while (requests.size() > 0) heard += requests.Take().head;
  return heard;
}

TEST(HttpClientTest, HttpsGoesThroughTheProxyThatNeverSeesTheToken) {
  HttpResponse response;
  const std::string heard = HeardByProxy("https://api.intercom.invalid/me", &response);
  EXPECT_EQ(response.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StartsWith(heard, "CONNECT api.intercom.invalid:443 HTTP/1.1\r\n")) << heard;
  EXPECT_FALSE(absl::StrContains(heard, "Authorization")) << heard;
  EXPECT_FALSE(absl::StrContains(heard, "sesame")) << heard;
  EXPECT_FALSE(absl::StrContains(heard, "Intercom-Version")) << heard;
}

// Its first characters alone made it pass for the loopback.
TEST(HttpClientTest, AHostThatOnlyBeginsLikeTheLoopbackUsesTheProxy) {
  HttpResponse response;
  const std::string heard = HeardByProxy("https://127.0.0.1.example.invalid/", &response);
  EXPECT_TRUE(absl::StartsWith(heard, "CONNECT 127.0.0.1.example.invalid:443 ")) << heard;
}

TEST(HttpClientTest, UnknownProxyIsFailedPrecondition) {
  Environment environment;
  environment.Set("https_proxy", absl::StrCat("http://", std::string(64, 'a'), ".invalid:3128"));
  environment.Set("no_proxy", std::nullopt);
  environment.Set("NO_PROXY", std::nullopt);
  HttpClient client({});
  EXPECT_EQ(Fetch(&client, Get("https://api.intercom.invalid/")).status.code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(HttpClientTest, CancelEndsATransferInFlight) {
  Inbox<bool> asked;
  LoopbackServer server([&asked](Peer& peer) {
    peer.Read();
    asked.Put(true);
    peer.WaitForEnd();
  });
  HttpClient client({});
  Inbox<HttpResponse> responses;
  const HttpClient::TransferId id =
      client.Start(Get(server.Url()),
                   [&responses](HttpResponse response) { responses.Put(std::move(response)); });
  asked.Take();
  client.Cancel(id);
  EXPECT_EQ(responses.Take().status.code(), absl::StatusCode::kCancelled);
  client.Cancel(id);  // Too late, and no harm.
  client.Cancel(12345);
  Inbox<bool> done;
  client.Post([&done] { done.Put(true); });
  done.Take();
  EXPECT_EQ(responses.size(), 0u) << "`done` is called once";
}

TEST(HttpClientTest, CancelRightAfterStartEndsTheTransfer) {
  LoopbackServer server([](Peer& peer) { peer.WaitForEnd(); });
  HttpClient client({});
  Inbox<HttpResponse> responses;
  client.Cancel(client.Start(Get(server.Url()), [&responses](HttpResponse response) {
    responses.Put(std::move(response));
  }));
  EXPECT_EQ(responses.Take().status.code(), absl::StatusCode::kCancelled);
}

TEST(HttpClientTest, DestructorCallsEveryDone) {
  constexpr int kTransfers = 50;
  Inbox<bool> asked;
  LoopbackServer server([&asked](Peer& peer) {
    peer.Read();
    asked.Put(true);
    peer.WaitForEnd();
  });
  Inbox<absl::StatusCode> ends;
  {
    HttpClient::Options options;
    options.max_connections = 2;
    HttpClient client(options);
    for (int i = 0; i < kTransfers; ++i) {
      client.Start(Get(server.Url()),
                   [&ends](const HttpResponse& response) { ends.Put(response.status.code()); });
      // Some on the wire, some behind them, some not even begun.
      if (i == 10) asked.Take();
    }
  }
  ASSERT_EQ(ends.size(), static_cast<size_t>(kTransfers));
  for (int i = 0; i < kTransfers; ++i) EXPECT_EQ(ends.Take(), absl::StatusCode::kCancelled);
}

// What a `done` began while the client ended was never heard of again.
TEST(HttpClientTest, DestructorCallsTheDoneOfWhatADoneBegan) {
  Inbox<bool> asked;
  LoopbackServer server([&asked](Peer& peer) {
    peer.Read();
    asked.Put(true);
    peer.WaitForEnd();
  });
  Inbox<absl::StatusCode> ends;
  auto client = std::make_unique<HttpClient>(HttpClient::Options());
  HttpClient* const loop = client.get();
  client->Start(Get(server.Url()), [&, loop](const HttpResponse& first) {
    ends.Put(first.status.code());
    loop->Start(Get(server.Url()),
                [&ends](const HttpResponse& second) { ends.Put(second.status.code()); });
  });
  asked.Take();
  client.reset();
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends.Take(), absl::StatusCode::kCancelled);
  EXPECT_EQ(ends.Take(), absl::StatusCode::kCancelled);
}

TEST(HttpClientTest, PostedWorkRunsInOrderOnTheLoopsThread) {
  LoopbackServer server(
      LoopbackServer::Answering([](const Request&) { return HttpAnswer(200, "{}"); }));
  HttpClient client({});
  Inbox<std::pair<int, std::thread::id>> ran;
  for (int i = 0; i < 100; ++i) {
    client.Post([&ran, i] { ran.Put({i, std::this_thread::get_id()}); });
  }
  client.Start(Get(server.Url()),
               [&ran](const HttpResponse&) { ran.Put({100, std::this_thread::get_id()}); });
  std::thread::id loop;
  for (int i = 0; i <= 100; ++i) {
    const auto [number, thread] = ran.Take();
    EXPECT_EQ(number, i);
    if (i == 0) loop = thread;
    EXPECT_EQ(thread, loop);
  }
  EXPECT_NE(loop, std::this_thread::get_id());
}

TEST(HttpClientTest, DelayedWorkRunsInOrderOfItsTime) {
  HttpClient client({});
  Inbox<int> ran;
  // All timers are there before the first is looked at.
  client.Post([&] {
    client.PostAfter(absl::Milliseconds(2), [&ran] { ran.Put(2); });
    client.PostAfter(absl::ZeroDuration(), [&ran] { ran.Put(1); });
    client.PostAfter(absl::Milliseconds(4), [&ran] { ran.Put(3); });
  });
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(ran.Take(), i);
}

TEST(HttpClientTest, DelayedWorkIsDroppedAtTheEnd) {
  auto owned = std::make_shared<int>(1);
  bool ran = false;
  {
    HttpClient client({});
    client.PostAfter(absl::Hours(1), [&ran, owned] { ran = true; });
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(HttpClientTest, RequestThatMayNotBeSentMakesNoConnection) {
  LoopbackServer server(
      LoopbackServer::Answering([](const Request&) { return HttpAnswer(200, "{}"); }));
  HttpClient client({});
  Inbox<HttpResponse> answers;
  HttpRequest request = Get(server.Url());
  request.may_send = [] { return false; };
  client.Start(std::move(request),
               [&answers](HttpResponse response) { answers.Put(std::move(response)); });
  const HttpResponse response = answers.Take();
  EXPECT_TRUE(absl::IsCancelled(response.status)) << response.status;
  EXPECT_FALSE(response.sent);
  EXPECT_EQ(server.connections(), 0U);
}

// As of a process that was frozen while it connected.
TEST(HttpClientTest, RightToSendThatEndsWhileConnectingSendsNothing) {
  std::atomic<int> requests{0};
  LoopbackServer server(LoopbackServer::Answering([&requests](const Request&) {
    ++requests;
    return HttpAnswer(200, "{}");
  }));
  for (const bool reused : {false, true}) {
    HttpClient client({});
    Inbox<HttpResponse> answers;
    if (reused) {
      client.Start(Get(server.Url()),
                   [&answers](HttpResponse response) { answers.Put(std::move(response)); });
      ASSERT_TRUE(answers.Take().status.ok());
    }
    const int before = requests;
    HttpRequest request = Get(server.Url());
    int asked = 0;  // On the loop's thread.
    request.may_send = [&asked] { return ++asked == 1; };
    client.Start(std::move(request),
                 [&answers](HttpResponse response) { answers.Put(std::move(response)); });
    const HttpResponse response = answers.Take();
    EXPECT_TRUE(absl::IsCancelled(response.status)) << response.status;
    EXPECT_FALSE(response.sent);
    EXPECT_EQ(requests, before) << "reused: " << reused;
  }
}

TEST(HttpClientTest, TakesTransfersFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  LoopbackServer server(
      LoopbackServer::Answering([](const Request&) { return HttpAnswer(200, "{}"); }));
  HttpClient client({});
  Inbox<absl::StatusCode> ends;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        client.Start(Get(server.Url()),
                     [&ends](const HttpResponse& response) { ends.Put(response.status.code()); });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kThreads * kEach; ++i) EXPECT_EQ(ends.Take(), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace intercom_extractor
