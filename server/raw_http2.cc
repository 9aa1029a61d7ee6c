#include "server/raw_http2.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr int kSendTimeoutMs = 10'000;
constexpr char kSettings = 0x4;
constexpr size_t kMaxFrame = 16 << 10;

// A length as HPACK writes it, without Huffman coding: 7 bits, then the rest by sevens.
std::string HpackLength(size_t length) {
  std::string bytes;
  if (length < 127) {
    bytes.push_back(static_cast<char>(length));
    return bytes;
  }
  bytes.push_back(127);
  for (length -= 127; length >= 128; length /= 128) {
    bytes.push_back(static_cast<char>(length % 128 + 128));
  }
  bytes.push_back(static_cast<char>(length));
  return bytes;
}

}  // namespace

RawConnection::RawConnection(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
}

RawConnection::~RawConnection() { close(fd_); }

bool RawConnection::Send(absl::string_view bytes) {
  while (!bytes.empty() && !closed_) {
    pollfd ready = {fd_, POLLOUT, 0};
    if (poll(&ready, 1, kSendTimeoutMs) <= 0) return false;
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) continue;
    if (sent < 0) closed_ = true;
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return !closed_;
}

std::string RawConnection::Receive(absl::Duration timeout) {
  pollfd ready = {fd_, POLLIN, 0};
  if (poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout))) <= 0) return "";
  std::string buffer(64 << 10, '\0');
  const ssize_t size = recv(fd_, &buffer[0], buffer.size(), 0);
  if (size <= 0) {
    closed_ = true;
    return "";
  }
  buffer.resize(static_cast<size_t>(size));
  return buffer;
}

bool RawConnection::WaitForClose(absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  while (!closed_ && absl::Now() < end) Receive(end - absl::Now());
  return closed_;
}

std::string Http2SettingsAck() {
  constexpr char kAck = 0x1;
  return Http2Frame(kSettings, kAck, 0, "");
}

std::string Http2Preface() {
  return absl::StrCat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Http2Frame(kSettings, 0, 0, ""));
}

std::string Http2Frame(char type, char flags, unsigned stream, absl::string_view payload) {
  const auto byte = [](size_t value) { return std::string(1, static_cast<char>(value & 0xFF)); };
  return absl::StrCat(byte(payload.size() >> 16), byte(payload.size() >> 8), byte(payload.size()),
                      std::string(1, type), std::string(1, flags), byte(stream >> 24),
                      byte(stream >> 16), byte(stream >> 8), byte(stream), payload);
}

std::string GrpcHeaders(const std::string& path, const std::vector<Http2Header>& more) {
  std::vector<Http2Header> headers = {{":method", "POST"},
                                      {":scheme", "http"},
                                      {":path", path},
                                      {":authority", "localhost"},
                                      {"content-type", "application/grpc"},
                                      {"te", "trailers"}};
  headers.insert(headers.end(), more.begin(), more.end());
  std::string block;
  for (const auto& [name, value] : headers) {
    // A literal that is not to be remembered, with its name.
    block.push_back(0);
    absl::StrAppend(&block, HpackLength(name.size()), name, HpackLength(value.size()), value);
  }
  return block;
}

std::string GrpcCall(unsigned stream, const std::string& path, const std::vector<Http2Header>& more,
                     const std::string& message) {
  const std::string block = GrpcHeaders(path, more);
  std::string frames;
  for (size_t at = 0; at < block.size(); at += kMaxFrame) {
    const bool last = at + kMaxFrame >= block.size();
    frames += Http2Frame(at == 0 ? kHttp2Headers : kHttp2Continuation, last ? kHttp2EndHeaders : 0,
                         stream, absl::string_view(block).substr(at, kMaxFrame));
  }
  // Not compressed, then the length in four bytes; messages of tests are short.
  EXPECT_LT(message.size(), 256u);
  const std::string length(1, static_cast<char>(message.size()));
  return frames + Http2Frame(kHttp2Data, kHttp2EndStream, stream,
                             absl::StrCat(std::string(4, '\0'), length, message));
}

std::vector<std::pair<unsigned, std::string>> FramesOfType(absl::string_view received, char type) {
  constexpr size_t kHeader = 9;
  std::vector<std::pair<unsigned, std::string>> frames;
  while (received.size() >= kHeader) {
    const auto byte = [&](size_t at) {
      return static_cast<size_t>(static_cast<unsigned char>(received[at]));
    };
    const size_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
    if (received.size() < kHeader + length) break;
    if (received[3] == type) {
      const auto stream =
          static_cast<unsigned>(byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8));
      frames.emplace_back(stream, received.substr(kHeader, length));
    }
    received.remove_prefix(kHeader + length);
  }
  return frames;
}

}  // namespace intercom_extractor
