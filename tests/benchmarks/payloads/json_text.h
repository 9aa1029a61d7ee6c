#ifndef TESTS_BENCHMARKS_PAYLOADS_JSON_TEXT_H_
#define TESTS_BENCHMARKS_PAYLOADS_JSON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace intercom_extractor::payloads {

// The same numbers on every machine: the engine is the standard's, and no
// standard distribution is used, as these differ between libraries.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // Uniform enough in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound) { return engine_() % bound; }
  bool Percent(unsigned percent) { return Below(100) < percent; }

 private:
  std::mt19937_64 engine_;
};

// How a string is written: with the escapes that JSON asks for, or with those
// for "<", ">" and "&" as well, as Ruby on Rails does by default.
enum class Escapes { kNeeded, kHtml };

std::string JsonString(absl::string_view text, Escapes escapes = Escapes::kNeeded);

// The text of a JSON object whose members stand as they are added.
class Object {
 public:
  // `value` is JSON text.
  Object& Add(absl::string_view key, absl::string_view value);
  Object& Text(absl::string_view key, absl::string_view text) { return Add(key, JsonString(text)); }
  Object& Number(absl::string_view key, int64_t number) { return Add(key, std::to_string(number)); }
  Object& Bool(absl::string_view key, bool value) { return Add(key, value ? "true" : "false"); }
  Object& Nulls(const std::vector<const char*>& keys);
  // Puts the members into another order.
  Object& Shuffle(Random* random);
  std::string Done() const;

 private:
  std::vector<std::string> members_;
};

// The text of a JSON array of JSON texts.
std::string Array(const std::vector<std::string>& elements);

// A sentence of about `bytes` bytes, some of them beyond ASCII.
std::string Words(Random* random, size_t bytes);

// An HTML text of about `bytes` bytes as the messenger's editor makes it:
// paragraphs, links, line breaks, quotes, now and then an emoji.
std::string Html(Random* random, size_t bytes);

}  // namespace intercom_extractor::payloads

#endif  // TESTS_BENCHMARKS_PAYLOADS_JSON_TEXT_H_
