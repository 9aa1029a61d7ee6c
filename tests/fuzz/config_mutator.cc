// Changes configurations line by line, beside their bytes: most that is worth reading is
// YAML, and nearly right.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

// Byte 1 is a secret.
constexpr std::array<absl::string_view, 44> kValues = {
    "",          "~",
    "\"\"",      "true",
    "no",        "0",
    "-1",        "1",
    "0.5",       "nan",
    "inf",       "1e999",
    "0x10",      "100000",
    "65536",     "2147483648",
    "90s",       "1m30s",
    "61m",       "1h",
    "0s",        "1e9h",
    "us",        "eu",
    "default",   "users",
    "[]",        "[users, tags]",
    "[[]]",      "{}",
    "{a: b}",    "&a x",
    "*a",        "|",
    "https://x", "http://127.0.0.1:1/",
    "http://x",  "127.0.0.1:1",
    "[::1]:0",   "unix:/x",
    "\1",        "\"2.16\"",
    "é",         "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"};

void ChangeLine(std::mt19937_64* random, std::vector<std::string>* lines) {
  const auto below = [random](size_t bound) { return (*random)() % bound; };
  std::string& line = (*lines)[below(lines->size())];
  std::string& other = (*lines)[below(lines->size())];
  const size_t colon = line.find(": ");
  switch (below(8)) {
    case 0:
      lines->erase(lines->begin() + (&line - lines->data()));
      return;
    case 1:
      std::swap(line, other);
      return;
    case 2:
      lines->insert(lines->begin() + (&other - lines->data()), std::string(line));
      return;
    case 3:  // Another key's value.
      if (colon == std::string::npos || other.find(": ") == std::string::npos) return;
      line = line.substr(0, colon) + other.substr(other.find(": "));
      return;
    case 4:  // Further in, or out.
      line = below(2) == 0 ? absl::StrCat("  ", line) : std::string(absl::StripPrefix(line, "  "));
      return;
    default:
      if (colon == std::string::npos) return;
      line = absl::StrCat(line.substr(0, colon), ": ", kValues[below(kValues.size())]);
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  if (size < 2 || data[0] % 4 != 0 || seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const absl::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::mt19937_64 random(seed);
  for (uint64_t changes = 1 + random() % 3; changes > 0 && !lines.empty(); --changes) {
    ChangeLine(&random, &lines);
  }
  const std::string changed = absl::StrJoin(lines, "\n");
  if (changed.size() + 1 > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data + 1, changed.data(), changed.size());
  return changed.size() + 1;
}
