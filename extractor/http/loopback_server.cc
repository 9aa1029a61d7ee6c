#include "extractor/http/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace intercom_extractor {
namespace {

constexpr absl::string_view kEndOfHead = "\r\n\r\n";

void CheckSocket(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::abort();
}

}  // namespace

std::string LoopbackServer::Request::target() const {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  return words.size() > 1 ? words[1] : "";
}

std::string LoopbackServer::Request::Header(absl::string_view name) const {
  for (absl::string_view each : absl::StrSplit(head, "\r\n")) {
    const size_t colon = each.find(':');
    if (colon != absl::string_view::npos && absl::EqualsIgnoreCase(each.substr(0, colon), name)) {
      return std::string(absl::StripAsciiWhitespace(each.substr(colon + 1)));
    }
  }
  return "";
}

std::optional<LoopbackServer::Request> LoopbackServer::Peer::Read() {
  size_t whole = std::string::npos;
  Request request;
  while (true) {
    const size_t end = received_.find(kEndOfHead.data(), 0, kEndOfHead.size());
    if (end != std::string::npos && whole == std::string::npos) {
      request.head = received_.substr(0, end + kEndOfHead.size());
      request.line = request.head.substr(0, request.head.find("\r\n"));
      size_t length = 0;
      if (!absl::SimpleAtoi(request.Header("Content-Length"), &length)) length = 0;
      whole = request.head.size() + length;
    }
    if (whole != std::string::npos && received_.size() >= whole) break;
    char buffer[4096];
    const ssize_t got = recv(socket_, buffer, sizeof(buffer), 0);
    if (got <= 0) return std::nullopt;
    received_.append(buffer, static_cast<size_t>(got));
  }
  request.body = received_.substr(request.head.size(), whole - request.head.size());
  received_.erase(0, whole);
  return request;
}

bool LoopbackServer::Peer::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void LoopbackServer::Peer::WaitForEnd() {
  char buffer[4096];
  while (recv(socket_, buffer, sizeof(buffer), 0) > 0) {
  }
}

LoopbackServer::LoopbackServer(Serve serve) : serve_(std::move(serve)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CheckSocket(listener_ >= 0, "socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  CheckSocket(bind(listener_, any, size) == 0, "bind");
  CheckSocket(listen(listener_, SOMAXCONN) == 0, "listen");
  CheckSocket(getsockname(listener_, any, &size) == 0, "getsockname");
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

LoopbackServer::~LoopbackServer() {
  shutdown(listener_, SHUT_RDWR);  // Wakes accept().
  accepting_.join();
  std::vector<std::thread> serving;
  {
    MutexLock lock(&mu_);
    ending_ = true;
    for (const int each : sockets_) shutdown(each, SHUT_RDWR);
    serving.swap(serving_);
  }
  for (std::thread& thread : serving) thread.join();
  close(listener_);
  MutexLock lock(&mu_);
  for (const int each : sockets_) close(each);
}

void LoopbackServer::Accept() {
  while (true) {
    const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) return;
    const int on = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    MutexLock lock(&mu_);
    sockets_.push_back(accepted);
    serving_.emplace_back([this, accepted] {
      Peer peer(accepted);
      serve_(peer);
      // Only ended here and closed with the server, so that no number is reused
      // while the destructor still goes through them.
      shutdown(accepted, SHUT_RDWR);
    });
  }
}

LoopbackServer::Serve LoopbackServer::Answering(Answer answer) {
  return [answer = std::move(answer)](Peer& peer) {
    while (const std::optional<Request> request = peer.Read()) {
      if (!peer.Write(answer(*request))) return;
    }
  };
}

std::string LoopbackServer::Url(absl::string_view path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

size_t LoopbackServer::connections() const {
  MutexLock lock(&mu_);
  return sockets_.size();
}

std::string HttpAnswer(int status, absl::string_view body, absl::string_view headers) {
  return absl::StrCat("HTTP/1.1 ", status, " Because\r\n", headers, "Content-Length: ", body.size(),
                      "\r\n\r\n", body);
}

}  // namespace intercom_extractor
