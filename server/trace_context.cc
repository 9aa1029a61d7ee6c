#include "server/trace_context.h"

#include <algorithm>

namespace intercom_extractor {
namespace {

constexpr size_t kTraceIdBegin = 3;
constexpr size_t kTraceIdSize = 32;
constexpr size_t kSpanIdBegin = 36;
constexpr size_t kSpanIdSize = 16;
constexpr size_t kFlagsBegin = 53;
constexpr size_t kSize = 55;

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

}  // namespace

std::string TraceIdOf(absl::string_view text) {
  if (text.size() < kSize || text[2] != '-' || text[kSpanIdBegin - 1] != '-' ||
      text[kFlagsBegin - 1] != '-') {
    return "";
  }
  const absl::string_view version = text.substr(0, 2);
  const absl::string_view trace_id = text.substr(kTraceIdBegin, kTraceIdSize);
  const absl::string_view span_id = text.substr(kSpanIdBegin, kSpanIdSize);
  if (!IsHex(version) || version == "ff" || !IsHex(trace_id) || IsZero(trace_id) ||
      !IsHex(span_id) || IsZero(span_id) || !IsHex(text.substr(kFlagsBegin, 2))) {
    return "";
  }
  if (text.size() > kSize && (version == "00" || text[kSize] != '-')) return "";
  return std::string(trace_id);
}

std::string TraceIdOf(const grpc::ServerContextBase& context) {
  const auto found = context.client_metadata().find("traceparent");
  if (found == context.client_metadata().end()) return "";
  return TraceIdOf(absl::string_view(found->second.data(), found->second.size()));
}

}  // namespace intercom_extractor
