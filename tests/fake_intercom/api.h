#ifndef TESTS_FAKE_INTERCOM_API_H_
#define TESTS_FAKE_INTERCOM_API_H_

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "absl/time/time.h"
#include "tests/fake_intercom/faults.h"
#include "tests/fake_intercom/http_server.h"
#include "tests/fake_intercom/scroll.h"
#include "tests/fake_intercom/search.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// Intercom's endpoints over a workspace: paths, parameters, envelopes, pages and
// errors. Knows nothing of tokens, quotas and latency. Thread-safe.
class Api {
 public:
  struct Options {
    std::string timezone = "America/New_York";
    std::string region = "US";
    // The newest contacts that searches do not find yet.
    size_t search_missing_newest = 0;
  };

  // What `options` does not know; all must outlive the Api. Throws
  // std::invalid_argument for an unknown time zone.
  Api(const Options& options, const Workspace* workspace, Scroll* scroll, Faults* faults);

  // Where page-number lists point to, such as "http://127.0.0.1:1234".
  void set_base_url(std::string base_url) { base_url_ = std::move(base_url); }

  // `version` is the Intercom-Version in force.
  void Answer(const Request& request, std::string_view version, Response* response);

 private:
  void Get(const Request& request, const std::vector<std::string>& path, Response* response);
  void AnswerMe(Response* response) const;
  void AnswerContacts(const Request& request, Response* response) const;
  void AnswerContact(const Request& request, const std::vector<std::string>& path,
                     Response* response) const;
  void AnswerEvents(const Request& request, Response* response) const;
  void AnswerScroll(const Request& request, Response* response);
  void AnswerCompanies(const Request& request, bool list_endpoint, Response* response) const;
  void AnswerConversations(const Request& request, Response* response);
  void AnswerConversation(const Request& request, const std::string& id, Response* response) const;
  void AnswerSearch(const Request& request, SearchQuery::Target target, std::string_view version,
                    Response* response);

  // The contact `id`, or nothing after answering why not.
  std::optional<size_t> ExistingContact(const std::string& id, Response* response) const;
  std::unordered_set<size_t> VanishedContacts() const;

  const Options options_;
  const Workspace& workspace_;
  Scroll& scroll_;
  Faults& faults_;
  absl::TimeZone time_zone_;
  std::string base_url_;
  Searcher searcher_;
  // Constant after construction: numbers in the order of the plain list.
  std::vector<uint32_t> listed_companies_;
};

// Whether Intercom knows this value of the header Intercom-Version.
bool IsKnownVersion(std::string_view version);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_API_H_
