#include "tests/benchmarks/pipeline/gzip_cache.h"

#include <zlib.h>

#include <stdexcept>

namespace intercom_extractor {
namespace {

// RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system.
constexpr std::string_view kHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
// RFC 1951: the last block, stored as it is.
constexpr char kLastStored = 1;

void AppendLittleEndian(uint32_t value, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

uint32_t Crc(std::string_view text) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

}  // namespace

GzipCache::Beginning GzipCache::Compress(const std::string& text) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib refuses to begin");
  }
  Beginning result;
  result.crc = Crc(text);
  result.size = text.size();
  // The flush takes some bytes that deflateBound() does not know of.
  result.deflated.resize(deflateBound(&stream, text.size()) + 16);
  // zlib does not write to it; its interface predates that distinction.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.deflated.data());
  stream.avail_out = static_cast<uInt>(result.deflated.size());
  deflate(&stream, Z_SYNC_FLUSH);
  result.deflated.resize(result.deflated.size() - stream.avail_out);
  deflateEnd(&stream);
  return result;
}

std::string GzipCache::Get(const Key& key, const std::function<std::string()>& beginning,
                           std::string_view rest) {
  const Beginning* found = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    const auto place = beginnings_.find(key);
    if (place != beginnings_.end()) found = &place->second;
  }
  if (found == nullptr) {
    Beginning made = Compress(beginning());
    const std::lock_guard<std::mutex> lock(mu_);
    found = &beginnings_.emplace(key, std::move(made)).first->second;
  }
  const auto size = static_cast<uint32_t>(rest.size());
  const uLong crc = crc32_combine(found->crc, Crc(rest), static_cast<z_off_t>(size));
  std::string text;
  text.reserve(found->deflated.size() + rest.size() + 64);
  text += kHeader;
  text += found->deflated;
  text += kLastStored;
  AppendLittleEndian(size, 2, &text);
  AppendLittleEndian(~size, 2, &text);
  text += rest;
  AppendLittleEndian(static_cast<uint32_t>(crc), 4, &text);
  AppendLittleEndian(static_cast<uint32_t>(found->size + size), 4, &text);
  return text;
}

}  // namespace intercom_extractor
