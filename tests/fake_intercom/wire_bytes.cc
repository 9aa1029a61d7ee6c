#include "tests/fake_intercom/wire_bytes.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace intercom_extractor::fake {
namespace {

constexpr size_t kChunkBytes = 1000;

// In chunks, and the last one where nothing is missing.
std::string Chunked(std::string_view body, bool complete) {
  std::string wire;
  while (!body.empty()) {
    const std::string_view chunk = body.substr(0, kChunkBytes);
    char size[20];
    std::snprintf(size, sizeof(size), "%zx\r\n", chunk.size());
    wire.append(size).append(chunk).append("\r\n");
    body.remove_prefix(chunk.size());
  }
  if (complete) wire += "0\r\n\r\n";
  return wire;
}

}  // namespace

std::string WireBytes(const Response& response) {
  const Delivery& delivery = response.delivery;
  if (delivery.raw) return *delivery.raw;
  // The words after the status are for people only.
  std::string wire = "HTTP/1.1 " + std::to_string(response.status) + " As Told\r\n";
  if (!response.content_type.empty()) wire += "Content-Type: " + response.content_type + "\r\n";
  for (const auto& [name, value] : response.headers) wire += name + ": " + value + "\r\n";
  const size_t sent =
      std::min(delivery.body_bytes.value_or(response.body.size()), response.body.size());
  const std::string_view body = std::string_view(response.body).substr(0, sent);
  switch (delivery.framing) {
    case Delivery::Framing::kLength: {
      const auto length = static_cast<int64_t>(response.body.size()) + delivery.length_error;
      wire += "Content-Length: " + std::to_string(std::max<int64_t>(0, length)) + "\r\n\r\n";
      wire += body;
      break;
    }
    case Delivery::Framing::kChunked:
      wire += "Transfer-Encoding: chunked\r\n\r\n";
      wire += Chunked(body, sent == response.body.size());
      break;
    case Delivery::Framing::kUntilClose:
      wire += "Connection: close\r\n\r\n";
      wire += body;
      break;
  }
  return wire;
}

}  // namespace intercom_extractor::fake
