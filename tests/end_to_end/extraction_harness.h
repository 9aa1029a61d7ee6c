#ifndef TESTS_END_TO_END_EXTRACTION_HARNESS_H_
#define TESTS_END_TO_END_EXTRACTION_HARNESS_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "extractor/pipeline/scroll_drain.h"
#include "extractor/sync/clock.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {

// What one extraction gave, as a client would see it.
struct Extracted {
  // The rows of all batches in one message; those of earlier generations gone.
  v1::RowBatch rows;
  std::vector<v1::Notice> notices;
  std::vector<v1::TableRestarted> restarts;
  // By table: when each deleted record was deleted, in Unix seconds (0: not said),
  // and the ids of living records as often as they came; those of earlier
  // generations gone.
  std::map<std::string, std::map<std::string, int64_t>> deleted;
  std::map<std::string, std::multiset<std::string>> living;
  v1::Summary summary;
  absl::Status status;
  // Bytes of the largest event.
  size_t largest_event = 0;

  const v1::TableSummary& Table(const std::string& name) const;
  std::vector<v1::Notice> Notices(v1::NoticeCode code) const;
};

// A contact, conversation and so on with only what tests need; `more` are further
// JSON members such as R"(,"name":"x")".
std::string ContactJson(const std::string& id, const std::string& role,
                        const std::string& more = "");
std::string ConversationJson(const std::string& id, const std::string& parts,
                             const std::string& more = "");
std::string PartJson(const std::string& id, const std::string& body);

// An extraction under way: nobody takes its events before Read().
class RunningExtraction {
 public:
  virtual ~RunningExtraction() = default;

  // Takes all events, to the end. `on_event` sees each before the next is taken.
  virtual Extracted Read(
      const std::function<void(const v1::ExtractResponse&)>& on_event = nullptr) = 0;
  virtual void Cancel() = 0;
  virtual void Drain() = 0;
  // Returns once the extraction stands still because nobody takes its events.
  virtual void AwaitStalled() = 0;
};

// Runs the extractor library against a fake Intercom, without gRPC.
class ExtractionHarness {
 public:
  explicit ExtractionHarness(fake::FixedRecords records, const std::string& faults = "");
  ExtractionHarness(fake::FixedRecords records, const fake::FakeIntercomOptions& options);
  ExtractionHarness(std::shared_ptr<const fake::Workspace> workspace,
                    const fake::FakeIntercomOptions& options);
  // Against a server of the test's own.
  explicit ExtractionHarness(const std::string& base_url) : base_url(base_url) {}

  fake::FakeIntercom& intercom() { return *intercom_; }
  // Before the first Run().
  HttpClient::Options& http_options() { return http_options_; }

  // Extracts these tables, or all when none is named. `on_event` sees each event
  // before the next is taken from the queue.
  Extracted Run(const std::vector<std::string>& tables = {},
                const std::function<void(const v1::ExtractResponse&)>& on_event = nullptr);

  // Goes on from a checkpoint of an earlier extraction of the same tables. Notices,
  // rows and restarts are those of this one alone.
  Extracted Resume(const std::string& token, const std::vector<std::string>& tables = {},
                   const std::function<void(const v1::ExtractResponse&)>& on_event = nullptr);

  // The same as Run(), but without reading. The harness must outlive the extraction.
  std::unique_ptr<RunningExtraction> Start(const std::vector<std::string>& tables,
                                           const std::string& resume_token = "");

  // Plans the extraction of these tables, or of all when none is named.
  absl::StatusOr<v1::PlanExtractionResponse> Plan(const std::vector<std::string>& tables = {});

  // For the next runs.
  std::string access_token = "fake-access-token";
  std::string base_url;
  std::string api_version = Connection().api_version;
  double quota_reserve = Connection().quota_reserve;
  v1::BodyFormat body_format = v1::BODY_FORMAT_PLAINTEXT;
  // Unix seconds: incremental runs and plans.
  std::optional<int64_t> updated_since;
  bool find_deleted = false;
  bool with_parents = false;
  // False: rows are only seen by `on_event`.
  bool keep_rows = true;
  // How far the extraction may be ahead of its reader.
  size_t queue_bytes = size_t{4} << 20;
  ScrollDrain::Options scroll;
  // All runs of the harness share one client, as a server's do.
  bool share_client = false;
  // The extractor's; must outlive the harness.
  const Clock* clock = &steady_clock_;

 private:
  struct Client;
  std::shared_ptr<Client> Connect();

  const SteadyClock steady_clock_;
  HttpClient::Options http_options_;
  std::shared_ptr<Client> shared_client_;
  std::unique_ptr<fake::FakeIntercom> intercom_;
};

}  // namespace intercom_extractor

#endif  // TESTS_END_TO_END_EXTRACTION_HARNESS_H_
