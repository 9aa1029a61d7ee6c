#include "tests/end_to_end/extraction_harness.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/extraction.h"
#include "extractor/pipeline/extraction_planner.h"
#include "extractor/sync/mutex.h"
#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {
namespace {

// Waits for an event queue as a server's writer does.
class Reader {
 public:
  explicit Reader(EventQueue* events) : events_(events) {
    events->OnReady([this] {
      MutexLock lock(&mu_);
      ready_ = true;
      wake_.SignalAll();
    });
  }

  // The next event; nothing at the end.
  std::optional<std::string> Next() {
    while (true) {
      if (const auto event = events_->Pop()) return event->Flat();
      if (events_->Finished().has_value()) return std::nullopt;
      MutexLock lock(&mu_);
      while (!ready_) wake_.Wait(&mu_);
      ready_ = false;
    }
  }

 private:
  EventQueue* const events_;
  Mutex mu_;
  CondVar wake_;
  bool ready_ ABSL_GUARDED_BY(mu_) = false;
};

class Running : public RunningExtraction {
 public:
  // `owner` keeps `client` alive.
  Running(const v1::ExtractRequest& request, std::shared_ptr<void> owner, IntercomClient* client,
          size_t queue_bytes, const ScrollDrain::Options& scroll, bool keep_rows)
      : keep_rows_(keep_rows),
        owner_(std::move(owner)),
        events_(queue_bytes),
        reader_(&events_),
        extraction_(Extraction::Create(request, client, &events_, /*caller=*/"", scroll)) {
    if (extraction_.ok()) (*extraction_)->Start();
  }

  Extracted Read(const std::function<void(const v1::ExtractResponse&)>& on_event) override {
    Extracted result;
    if (!extraction_.ok()) {
      result.status = extraction_.status();
      return result;
    }
    while (const auto bytes = reader_.Next()) {
      result.largest_event = std::max(result.largest_event, bytes->size());
      v1::ExtractResponse event;
      if (!event.ParseFromString(*bytes)) {
        result.status = absl::InternalError("an event does not parse");
        return result;
      }
      if (on_event) on_event(event);
      Keep(event, &result);
    }
    result.status = *events_.Finished();
    return result;
  }

  void Cancel() override { (*extraction_)->Cancel(); }

  void Drain() override { (*extraction_)->Drain(); }

  void AwaitStalled() override {
    while (!events_.ProducerWaits()) std::this_thread::yield();
  }

 private:
  void Keep(const v1::ExtractResponse& event, Extracted* result) const {
    switch (event.event_case()) {
      case v1::ExtractResponse::kRowBatch:
        if (keep_rows_) result->rows.MergeFrom(event.row_batch());
        break;
      case v1::ExtractResponse::kNotice:
        result->notices.push_back(event.notice());
        break;
      case v1::ExtractResponse::kTableRestarted: {
        result->restarts.push_back(event.table_restarted());
        const TableInfo* table = TableCatalog::Get().Find(event.table_restarted().table());
        result->rows.GetReflection()->ClearField(&result->rows, table->batch_field);
        result->living.erase(event.table_restarted().table());
        break;
      }
      case v1::ExtractResponse::kDeletedRecords:
        for (const auto& record : event.deleted_records().records()) {
          result->deleted[event.deleted_records().table()][record.id()] = record.deleted_at();
        }
        break;
      case v1::ExtractResponse::kLivingRecords: {
        auto& living = result->living[event.living_records().table()];
        living.insert(event.living_records().ids().begin(), event.living_records().ids().end());
        break;
      }
      case v1::ExtractResponse::kSummary:
        result->summary = event.summary();
        break;
      default:
        break;
    }
  }

  const bool keep_rows_;
  const std::shared_ptr<void> owner_;
  EventQueue events_;
  Reader reader_;
  absl::StatusOr<std::unique_ptr<Extraction>> extraction_;
};

// What extractions and plans ask for in the same words.
template <typename Request>
Request RequestFor(const ExtractionHarness& harness, const std::vector<std::string>& tables) {
  Request request;
  if (tables.empty()) request.set_template_(v1::TEMPLATE_ALL);
  for (const std::string& table : tables) request.add_tables(table);
  request.set_body_format(harness.body_format);
  if (harness.updated_since) {
    request.mutable_updated_since()->set_seconds(*harness.updated_since);
  }
  request.set_find_deleted(harness.find_deleted);
  return request;
}

}  // namespace

const v1::TableSummary& Extracted::Table(const std::string& name) const {
  static const v1::TableSummary kNone;
  for (const v1::TableSummary& table : summary.tables()) {
    if (table.table() == name) return table;
  }
  return kNone;
}

std::vector<v1::Notice> Extracted::Notices(v1::NoticeCode code) const {
  std::vector<v1::Notice> result;
  std::copy_if(notices.begin(), notices.end(), std::back_inserter(result),
               [code](const v1::Notice& notice) { return notice.code() == code; });
  return result;
}

std::string ContactJson(const std::string& id, const std::string& role, const std::string& more) {
  return absl::StrCat(R"({"type":"contact","id":")", id, R"(","role":")", role, "\"", more, "}");
}

std::string ConversationJson(const std::string& id, const std::string& parts,
                             const std::string& more) {
  const auto count = std::count(parts.begin(), parts.end(), '\x1e');
  std::string list = parts;
  list.erase(std::remove(list.begin(), list.end(), '\x1e'), list.end());
  return absl::StrCat(R"({"type":"conversation","id":")", id, "\"", more,
                      R"(,"conversation_parts":{"type":"conversation_part.list",)",
                      R"("conversation_parts":[)", list, R"(],"total_count":)", count, "}}");
}

// The record separator lets ConversationJson count the parts; it takes it out.
std::string PartJson(const std::string& id, const std::string& body) {
  return absl::StrCat("\x1e", R"({"type":"conversation_part","id":")", id, R"(","body":")", body,
                      "\"}");
}

ExtractionHarness::ExtractionHarness(fake::FixedRecords records, const std::string& faults)
    : ExtractionHarness(std::move(records), [&faults] {
        fake::FakeIntercomOptions options;
        options.faults = faults;
        return options;
      }()) {}

ExtractionHarness::ExtractionHarness(fake::FixedRecords records,
                                     const fake::FakeIntercomOptions& options)
    : ExtractionHarness(std::make_shared<fake::FixedWorkspace>(std::move(records)), options) {}

ExtractionHarness::ExtractionHarness(std::shared_ptr<const fake::Workspace> workspace,
                                     const fake::FakeIntercomOptions& options) {
  intercom_ = std::make_unique<fake::FakeIntercom>(options, std::move(workspace));
  base_url = intercom_->base_url();
}

struct ExtractionHarness::Client {
  Client(const HttpClient::Options& options, const Connection& connection, const Clock* clock)
      : http(options), intercom(connection, &http, clock) {}

  HttpClient http;
  IntercomClient intercom;
};

std::shared_ptr<ExtractionHarness::Client> ExtractionHarness::Connect() {
  if (share_client && shared_client_ != nullptr) return shared_client_;
  Connection connection;
  connection.base_url = base_url;
  connection.access_token = access_token;
  connection.api_version = api_version;
  connection.quota_reserve = quota_reserve;
  auto client = std::make_shared<Client>(http_options_, connection, clock);
  if (share_client) shared_client_ = client;
  return client;
}

std::unique_ptr<RunningExtraction> ExtractionHarness::Start(const std::vector<std::string>& tables,
                                                            const std::string& resume_token) {
  auto request = RequestFor<v1::ExtractRequest>(*this, tables);
  request.set_with_parents(with_parents);
  request.set_resume_token(resume_token);
  auto client = Connect();
  IntercomClient* const intercom = &client->intercom;
  return std::make_unique<Running>(request, std::move(client), intercom, queue_bytes, scroll,
                                   keep_rows);
}

absl::StatusOr<v1::PlanExtractionResponse> ExtractionHarness::Plan(
    const std::vector<std::string>& tables) {
  const auto request = RequestFor<v1::PlanExtractionRequest>(*this, tables);
  auto client = Connect();
  std::promise<absl::StatusOr<v1::PlanExtractionResponse>> plan;
  PlanExtraction(request, &client->intercom,
                 [&plan](absl::StatusOr<v1::PlanExtractionResponse> answer) {
                   plan.set_value(std::move(answer));
                 });
  return plan.get_future().get();
}

Extracted ExtractionHarness::Run(const std::vector<std::string>& tables,
                                 const std::function<void(const v1::ExtractResponse&)>& on_event) {
  return Start(tables)->Read(on_event);
}

Extracted ExtractionHarness::Resume(
    const std::string& token, const std::vector<std::string>& tables,
    const std::function<void(const v1::ExtractResponse&)>& on_event) {
  return Start(tables, token)->Read(on_event);
}

}  // namespace intercom_extractor
