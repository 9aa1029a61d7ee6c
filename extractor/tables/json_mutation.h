#ifndef EXTRACTOR_TABLES_JSON_MUTATION_H_
#define EXTRACTOR_TABLES_JSON_MUTATION_H_

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace intercom_extractor {

// Changes JSON objects in ways that Intercom might, and in some that it never
// would: values of other types, sizes and spellings, members gone, renamed,
// moved, or spelled with escapes, lists emptied and grown. What comes out is
// JSON (with broken escapes in strings at worst). The same seed makes the same
// changes on every machine.
class JsonMutation {
 public:
  // `containers`: keys whose values hold others that matter. They are never
  // repeated: what two objects under one key mean is nobody's promise.
  JsonMutation(uint64_t seed, std::set<std::string> containers)
      : engine_(seed), containers_(std::move(containers)) {}

  // `record` with one to four changes.
  std::string Change(const std::string& record);

  // `record`, its lists cut to their first element, with one value exchanged: each
  // that stands under one of `keys` for everything it may be exchanged for.
  static std::vector<std::string> Exchanged(const std::string& record,
                                            const std::set<std::string>& keys);

 private:
  size_t Below(size_t bound) { return engine_() % bound; }
  std::string Value();
  std::string ChangeOnce(const std::string& record);
  std::string RepeatKey(const std::string& record);

  std::mt19937_64 engine_;
  const std::set<std::string> containers_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_JSON_MUTATION_H_
