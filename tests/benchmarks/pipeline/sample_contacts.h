#ifndef TESTS_BENCHMARKS_PIPELINE_SAMPLE_CONTACTS_H_
#define TESTS_BENCHMARKS_PIPELINE_SAMPLE_CONTACTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace intercom_extractor {

// Contacts of about 2.8 KB, each a function of its number: a template of which ids and
// times are filled in. So ten million need no memory, and a page costs whoever sends it
// little more than a copy. Numbers ascend with `created_at`, a day holds whole pages of
// 150: pages of windows that begin at midnight (UTC) are the same pages whatever the
// windows are. No list is cut, so no contact needs a request of its own.
//
// Immutable, thread-safe.
class SampleContacts {
 public:
  explicit SampleContacts(int64_t count);

  int64_t count() const { return count_; }
  // Unix seconds, the same as `updated_at`.
  int64_t CreatedAt(int64_t contact) const;
  // The number of the first contact created at `second` or later; count() for none.
  int64_t FirstSince(int64_t second) const;
  bool IsUser(int64_t contact) const;
  void Append(int64_t contact, std::string* out) const;
  // What a correct extraction gives, by table.
  std::map<std::string, int64_t> Rows() const;

 private:
  struct Template {
    std::string text;
    // Where ids and times stand in it.
    std::vector<size_t> ids;
    std::vector<size_t> times;
  };

  const int64_t count_;
  const int64_t per_day_;
  // Between two contacts of a day.
  const int64_t seconds_;
  std::vector<Template> templates_;
};

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_PIPELINE_SAMPLE_CONTACTS_H_
