#include "extractor/pipeline/connection_check.h"

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/workspace.h"
#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {
namespace {

using Done = absl::AnyInvocable<void(absl::StatusOr<v1::CheckConnectionResponse>) &&>;

constexpr int kAttempts = 3;

// A request that shows whether some tables may be read.
struct Probe {
  std::string operation;
  std::string path;
  std::vector<v1::SourceRecord> records;
};

// Keeps itself alive until `done_` has been called. Lives on the HTTP loop's
// thread.
class Check : public std::enable_shared_from_this<Check> {
 public:
  Check(IntercomClient* client, Done done)
      : client_(client), group_(client->NewGroup()), done_(std::move(done)) {}

  void Start() {
    Fetch("GET /me", "/me", [self = shared_from_this()](ApiAnswer answer) {
      const std::string reason = ReasonOf(answer.status);
      if (reason == "TOKEN_INVALID" || reason == "INTERCOM_UNREACHABLE") {
        self->Finish(answer.status);
        return;
      }
      if (answer.status.ok()) *self->response_.mutable_workspace() = ReadWorkspace(&answer.body);
      self->ProbeLists();
    });
  }

 private:
  void Fetch(const std::string& operation, const std::string& path,
             std::function<void(ApiAnswer)> done) {
    ApiRequest request;
    request.operation = operation;
    request.path_and_query = path;
    request.priority = Priority::kPage;
    request.max_attempts = kAttempts;
    client_->Fetch(group_, std::move(request),
                   [done = std::move(done)](ApiAnswer answer) { done(std::move(answer)); });
  }

  void ProbeLists() {
    const std::vector<Probe> probes = {
        {"GET /contacts", "/contacts?per_page=1", {v1::SOURCE_RECORD_CONTACT}},
        // Not the scroll: opening one would keep the next extraction waiting.
        {"GET /companies", "/companies?per_page=1", {v1::SOURCE_RECORD_COMPANY}},
        {"GET /admins", "/admins", {v1::SOURCE_RECORD_ADMIN}},
        {"GET /teams", "/teams", {v1::SOURCE_RECORD_TEAM}},
        {"GET /tags", "/tags", {v1::SOURCE_RECORD_TAG}},
        {"GET /segments", "/segments", {v1::SOURCE_RECORD_SEGMENT}},
        {"GET /conversations", "/conversations?per_page=1", {v1::SOURCE_RECORD_CONVERSATION}},
    };
    left_ = probes.size();
    for (const Probe& probe : probes) {
      Fetch(probe.operation, probe.path, [self = shared_from_this(), probe](ApiAnswer answer) {
        self->Note(probe, answer.status);
        if (probe.records.front() == v1::SOURCE_RECORD_CONTACT) {
          self->ProbeContact(answer.status, FirstId(&answer));
        }
        self->EndProbe();
      });
    }
  }

  static std::string FirstId(ApiAnswer* answer) {
    if (!answer->status.ok() || answer->body.in_file()) return "";
    const absl::string_view text = answer->body.text();
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    std::string_view id;
    if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS ||
        document["data"].at(0)["id"].get(id) != simdjson::SUCCESS) {
      return "";
    }
    return std::string(id);
  }

  // What lies below contacts shows with one contact; an empty workspace has
  // nothing there that could be forbidden.
  void ProbeContact(const absl::Status& contacts, const std::string& id) {
    const std::string path = absl::StrCat("/contacts/", UrlEncode(id));
    const std::vector<Probe> probes = {
        {"GET /contacts/{id}/tags", path + "/tags", {v1::SOURCE_RECORD_CONTACT_TAG}},
        {"GET /contacts/{id}/segments", path + "/segments", {v1::SOURCE_RECORD_CONTACT_SEGMENT}},
        {"GET /contacts/{id}/companies", path + "/companies", {v1::SOURCE_RECORD_CONTACT_COMPANY}},
        {"GET /contacts/{id}/notes", path + "/notes", {v1::SOURCE_RECORD_NOTE}},
        {"GET /events",
         absl::StrCat("/events?type=user&intercom_user_id=", UrlEncode(id), "&summary=true"),
         {v1::SOURCE_RECORD_EVENT_SUMMARY}},
    };
    for (const Probe& probe : probes) {
      if (id.empty()) {
        Note(probe, contacts);
        continue;
      }
      ++left_;
      Fetch(probe.operation, probe.path, [self = shared_from_this(), probe](ApiAnswer answer) {
        self->Note(probe, answer.status);
        self->EndProbe();
      });
    }
  }

  void Note(const Probe& probe, const absl::Status& status) {
    for (const v1::SourceRecord record : probe.records) findings_.push_back({record, status});
  }

  void EndProbe() {
    if (--left_ > 0) return;
    for (const TableInfo& table : TableCatalog::Get().tables()) {
      v1::TableCheck* check = response_.add_tables();
      check->set_table(table.name());
      check->set_access(v1::TABLE_ACCESS_OK);
      for (const v1::TableSource& source : table.description.table().sources()) {
        for (const auto& [record, status] : findings_) {
          if (record == source.record()) AddFinding(status, check);
        }
      }
    }
    Finish(absl::OkStatus());
  }

  static void AddFinding(const absl::Status& status, v1::TableCheck* check) {
    // Other answers show that the token was let through.
    if (status.ok() || absl::IsNotFound(status) || absl::IsInvalidArgument(status)) return;
    if (check->access() != v1::TABLE_ACCESS_OK) return;
    const std::string reason = ReasonOf(status);
    const std::string said(status.message());
    if (reason == "SCOPE_MISSING") {
      check->set_access(v1::TABLE_ACCESS_MISSING_SCOPE);
      check->set_message(
          absl::StrCat(said, "; give the token's app this permission in Intercom's Developer Hub"));
    } else if (reason == "PLAN_RESTRICTED") {
      check->set_access(v1::TABLE_ACCESS_NOT_ON_PLAN);
      check->set_message(absl::StrCat(said, "; the workspace's plan does not include it"));
    } else {
      check->set_access(v1::TABLE_ACCESS_UNKNOWN);
      check->set_message(absl::StrCat(said, "; check again later"));
    }
  }

  void Finish(const absl::Status& status) {
    client_->CancelGroup(group_);
    if (!status.ok()) {
      std::move(done_)(status);
      return;
    }
    response_.set_api_version(client_->connection().api_version);
    if (const auto quota = client_->Quota()) {
      response_.mutable_quota()->set_limit(quota->limit);
      response_.mutable_quota()->set_remaining(quota->remaining);
    }
    std::move(done_)(std::move(response_));
  }

  IntercomClient* const client_;
  const IntercomClient::GroupId group_;
  Done done_;
  v1::CheckConnectionResponse response_;
  std::vector<std::pair<v1::SourceRecord, absl::Status>> findings_;
  size_t left_ = 0;
};

}  // namespace

void CheckConnection(IntercomClient* client, Done done) {
  std::make_shared<Check>(client, std::move(done))->Start();
}

}  // namespace intercom_extractor
