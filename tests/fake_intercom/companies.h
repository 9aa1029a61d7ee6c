#ifndef TESTS_FAKE_INTERCOM_COMPANIES_H_
#define TESTS_FAKE_INTERCOM_COMPANIES_H_

#include <optional>
#include <string>
#include <string_view>

#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor::fake {

// Writes generated companies; each record is a function of its number.
// Thread-safe. Every tenth company has no users.
class Companies {
 public:
  explicit Companies(const GeneratorOptions& options) : options_(options) {}

  size_t count() const { return options_.companies; }
  std::string Id(size_t company) const;
  bool HasUsers(size_t company) const { return company % 10 != 9; }
  // How many have users, and the number of one of these (any `position`).
  size_t populated_count() const;
  size_t Populated(size_t position) const;
  int64_t LastRequestAt(size_t company) const;
  void Append(size_t company, std::string* out) const;

 private:
  const GeneratorOptions options_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_COMPANIES_H_
