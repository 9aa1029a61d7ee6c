#include "tests/benchmarks/pipeline/gzip_cache.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace intercom_extractor {
namespace {

// What zlib makes of it, which checks the checksum and the length.
std::string Unzip(std::string text) {
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string plain(size_t{1} << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  plain.resize(plain.size() - stream.avail_out);
  inflateEnd(&stream);
  return plain;
}

TEST(GzipCacheTest, GivesOneTextOfBothParts) {
  GzipCache cache;
  const std::string beginning(100000, 'a');
  const auto make = [&] { return beginning; };
  const std::string zipped = cache.Get({0, 150}, make, "and the rest");
  EXPECT_LT(zipped.size(), 2000U);
  EXPECT_EQ(Unzip(zipped), beginning + "and the rest");
}

TEST(GzipCacheTest, MakesEachBeginningOnceAndTheRestAnew) {
  GzipCache cache;
  int made = 0;
  const auto make = [&] { return "beginning " + std::to_string(made++) + " "; };
  EXPECT_EQ(Unzip(cache.Get({0, 150}, make, "one")), "beginning 0 one");
  EXPECT_EQ(Unzip(cache.Get({0, 150}, make, "two")), "beginning 0 two");
  EXPECT_EQ(Unzip(cache.Get({0, 90}, make, "")), "beginning 1 ");
  EXPECT_EQ(Unzip(cache.Get({150, 150}, make, "three")), "beginning 2 three");
  EXPECT_EQ(made, 3);
}

}  // namespace
}  // namespace intercom_extractor
