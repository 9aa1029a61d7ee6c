#include "tests/fake_intercom/fault_effects.h"

#include <zlib.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace intercom_extractor::fake {
namespace {

constexpr char kDateFormat[] = "%a, %d %b %Y %H:%M:%S GMT";

std::string Gzipped(const std::string& text) {
  z_stream stream = {};
  // 16: with gzip's header.
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::runtime_error("zlib cannot begin");
  }
  std::string gzip(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(gzip.data());
  stream.avail_out = static_cast<uInt>(gzip.size());
  deflate(&stream, Z_FINISH);
  gzip.resize(stream.total_out);
  deflateEnd(&stream);
  return gzip;
}

bool Names(absl::string_view pattern, absl::string_view name) {
  if (!pattern.empty() && pattern.back() == '*') {
    return absl::StartsWithIgnoreCase(name, pattern.substr(0, pattern.size() - 1));
  }
  return absl::EqualsIgnoreCase(name, pattern);
}

void Shift(std::chrono::seconds by, std::pair<std::string, std::string>* header) {
  auto& [name, value] = *header;
  int64_t seconds = 0;
  absl::Time date;
  std::string error;
  if (name == "X-RateLimit-Reset" && absl::SimpleAtoi(value, &seconds)) {
    value = absl::StrCat(seconds + by.count());
  } else if (name == "Date" && absl::ParseTime(kDateFormat, value, &date, &error)) {
    value = absl::FormatTime(kDateFormat, date + absl::FromChrono(by), absl::UTCTimeZone());
  }
}

}  // namespace

void ChangeBody(const FaultAction& action, Response* response) {
  std::string& body = response->body;
  if (action.body) body = *action.body;
  for (const auto& [from, to] : action.replace) body = absl::StrReplaceAll(body, {{from, to}});
  if (action.malformed) {
    // Cut within, so that the beginning of the text is fine.
    body.resize(body.size() * 3 / 4);
    body += "\x01}}";
  }
  if (action.gzip != FaultAction::Gzip::kNone) {
    response->headers.emplace_back("Content-Encoding", "gzip");
    if (action.gzip != FaultAction::Gzip::kUntrue) body = Gzipped(body);
    if (action.gzip == FaultAction::Gzip::kDamaged) {
      // In the middle: the beginning can be unpacked.
      for (size_t i = body.size() / 2; i < body.size(); ++i) body[i] = '\xff';
    }
  }

  Delivery& delivery = response->delivery;
  delivery.raw = action.raw;
  delivery.framing = action.framing;
  delivery.length_error = action.length_error;
  delivery.refuse = action.refuse;
  if (action.drip) {
    delivery.drip_bytes = action.drip->bytes;
    delivery.drip_interval = action.drip->every;
  }
  if (action.cut) {
    const auto share = static_cast<size_t>(static_cast<double>(body.size()) * action.cut->share);
    delivery.body_bytes = action.cut->bytes > 0 ? action.cut->bytes : share;
  }
  if (action.end) {
    delivery.end = *action.end;
  } else if (action.cut || action.raw) {
    delivery.end = Delivery::End::kAbrupt;
  } else if (action.framing == Delivery::Framing::kUntilClose) {
    delivery.end = Delivery::End::kClose;
  }
}

void ChangeHeaders(const FaultAction& action, Response* response) {
  auto& headers = response->headers;
  if (action.clock.count() != 0) {
    for (auto& header : headers) Shift(action.clock, &header);
  }
  for (const auto& [name, value] : action.headers) {
    if (Names(name, "Content-Type")) {
      response->content_type = value.value_or("");
      continue;
    }
    headers.erase(
        std::remove_if(headers.begin(), headers.end(),
                       [&name = name](const auto& header) { return Names(name, header.first); }),
        headers.end());
    if (value) headers.emplace_back(name, *value);
  }
}

}  // namespace intercom_extractor::fake
