#ifndef TESTS_BENCHMARKS_PIPELINE_SAMPLE_API_H_
#define TESTS_BENCHMARKS_PIPELINE_SAMPLE_API_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "tests/benchmarks/pipeline/gzip_cache.h"
#include "tests/benchmarks/pipeline/sample_contacts.h"
#include "tests/fake_intercom/http_server.h"
#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor {

// The part of Intercom's API that reads contacts, over SampleContacts: `/me`,
// `GET /contacts`, `POST /contacts/search` by days of creation, role and `updated_at`.
// Knows no quota, no token and no bad request: whoever measures asks what the extractor
// asks. The fake Intercom does all that, and costs more than what is measured here.
//
// Besides: `POST /__record` begins to note requests for contacts, `GET /__record` ends
// that and answers them, one a line: method, target and body, tabs between. `GET
// /__rows` answers SampleContacts::Rows().
//
// Thread-safe.
class SampleApi {
 public:
  struct Options {
    int64_t contacts = 0;
    // What each answer waits.
    std::chrono::milliseconds latency{0};
    // Answers of contacts are compressed; once for each page, so that it costs nothing
    // from the second time on.
    bool gzip = false;
  };

  explicit SampleApi(const Options& options);

  void Answer(const fake::Request& request, fake::Response* response);

 private:
  // What a search selects: the contacts of a range, some of them where a role is given.
  struct Selection {
    int64_t begin = 0;
    int64_t end = 0;
    std::optional<bool> users;
  };

  Selection Select(const fake::JsonValue& search) const;
  int64_t Count(const Selection& selection) const;
  void AnswerContacts(const Selection& selection, int64_t per_page, int64_t offset,
                      fake::Response* response);
  // The answer up to its last record.
  std::string Records(const Selection& selection, int64_t offset, int64_t records) const;
  void Note(const fake::Request& request);

  const Options options_;
  const SampleContacts contacts_;

  std::atomic<bool> recording_{false};
  std::mutex mu_;
  std::string recorded_;  // Guarded by mu_.
  GzipCache compressed_;
};

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_PIPELINE_SAMPLE_API_H_
