#include "extractor/pipeline/extraction_planner.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "extractor/pipeline/company_walk.h"
#include "extractor/pipeline/contact_children.h"
#include "extractor/pipeline/contact_plan.h"
#include "extractor/pipeline/contact_walk.h"
#include "extractor/pipeline/conversation_walk.h"
#include "extractor/pipeline/deleted_conversations.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/pipeline/list_walk.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/proto_duration.h"
#include "extractor/pipeline/search_windows.h"
#include "extractor/pipeline/segment_list.h"
#include "extractor/pipeline/segments_plan.h"
#include "extractor/pipeline/window_plan.h"
#include "extractor/pipeline/workspace.h"
#include "extractor/plan/request_plan.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_reader.h"

namespace intercom_extractor {
namespace {

using Done = absl::AnyInvocable<void(absl::StatusOr<v1::PlanExtractionResponse>) &&>;

constexpr int kAttempts = 3;
constexpr int64_t kPageSize = 150;

// Contacts of other times than those on the list's first page: its ends may hold
// what is typical of no other.
constexpr char kOldestUsers[] =
    R"({"query":{"field":"role","operator":"=","value":"user"},)"
    R"("sort":{"field":"created_at","order":"ascending"},"pagination":{"per_page":150}})";
constexpr char kNewestUsers[] =
    R"({"query":{"field":"role","operator":"=","value":"user"},)"
    R"("sort":{"field":"created_at","order":"descending"},"pagination":{"per_page":150}})";
constexpr char kNewestLeads[] =
    R"({"query":{"field":"role","operator":"=","value":"lead"},)"
    R"("sort":{"field":"created_at","order":"descending"},"pagination":{"per_page":150}})";

// Keeps itself alive until `done_` has been called. Lives on the HTTP loop's
// thread.
class Planner : public std::enable_shared_from_this<Planner> {
 public:
  Planner(std::vector<const TableInfo*> tables, v1::BodyFormat body_format,
          const Incremental& incremental, IntercomClient* client, Done done)
      : tables_(std::move(tables)),
        body_format_(body_format),
        incremental_(incremental),
        client_(client),
        group_(client->NewGroup()),
        done_(std::move(done)),
        plan_(tables_),
        role_(shape_.AddValue(-1, "role")),
        id_(shape_.AddValue(-1, "id")),
        count_(shape_.AddValue(-1, "count")),
        children_(tables_, &shape_),
        reader_({"data", "conversations", "companies", "segments"}, "", &shape_) {}

  void Start() {
    RequestPlan::Line* me = plan_.AddLine("GET /me", v1::READ_WAY_LIST, TableSet());
    me->Explain("says what workspace it is, its time zone and the quota");
    me->Expect(Estimate::Exactly(1));
    Fetch(Get("GET /me", "/me"), [self = shared_from_this()](ApiAnswer answer) {
      const std::string reason = ReasonOf(answer.status);
      if (reason == "TOKEN_INVALID" || reason == "INTERCOM_UNREACHABLE") {
        self->Finish(answer.status);
        return;
      }
      if (answer.status.ok()) *self->response_.mutable_workspace() = ReadWorkspace(&answer.body);
      // One more, so that the plan is not finished before all are asked for.
      ++self->left_;
      self->PlanTables();
      self->EndCount();
    });
  }

 private:
  static ApiRequest Get(const std::string& operation, const std::string& path) {
    ApiRequest request;
    request.operation = operation;
    request.path_and_query = path;
    request.priority = Priority::kPage;
    request.max_attempts = kAttempts;
    return request;
  }

  void Fetch(ApiRequest request, std::function<void(ApiAnswer)> done) {
    client_->Fetch(group_, std::move(request),
                   [done = std::move(done)](ApiAnswer answer) { done(std::move(answer)); });
  }

  void PlanTables() {
    for (const TableInfo* table : tables_) {
      for (const ListWalk::List& list : ListWalk::ListsOf(*table)) {
        plan_.AddLine(list.operation, v1::READ_WAY_LIST, TableSet().set(table->index))
            ->Expect(Estimate::Exactly(1));
      }
      if (table->name() == "companies") PlanCompanies(TableSet().set(table->index));
    }
    if (ContactWalk::TablesOf(tables_).any()) {
      if (incremental_.since.has_value()) {
        PlanChangedContacts();
      } else {
        PlanContacts();
      }
    }
    if (ConversationWalk::TablesOf(tables_).any()) PlanConversations();
  }

  using OnRecord = std::function<void(const RecordValues&)>;

  // Fetches a page. `on_record` may be empty.
  void ReadPage(ApiRequest request, OnRecord on_record,
                std::function<void(const absl::StatusOr<PageInfo>&)> done) {
    ++left_;
    const absl::Time asked = client_->clock()->Now();
    Fetch(std::move(request), [self = shared_from_this(), on_record = std::move(on_record), asked,
                               done = std::move(done)](ApiAnswer answer) {
      if (answer.status.ok()) {
        self->latency_ = std::max(self->latency_, answer.received_at - asked);
        done(self->reader_.Read(&answer.body, [&](const PageReader::Record& record) {
          if (on_record) on_record(*record.values);
          return absl::OkStatus();
        }));
      } else {
        done(answer.status);
      }
      self->EndCount();
    });
  }

  v1::ContactRole RoleOf(const RecordValues& values) const {
    const std::string_view role = values.Get(shape_, role_, 0).text;
    return ContactRoleOf(absl::string_view(role.data(), role.size()));
  }

  void NoteContact(const RecordValues& values) {
    if (!sampled_.insert(std::string(values.Get(shape_, id_, 0).text)).second) return;
    const v1::ContactRole role = RoleOf(values);
    contacts_->AddContact(role, children_.MissingIn(values, role));
  }

  void PlanContacts() {
    const TableSet tables = ContactWalk::TablesOf(tables_);
    RequestPlan::Line* list = plan_.AddLine("GET /contacts", v1::READ_WAY_LIST, tables);
    RequestPlan::Line* windows =
        plan_.AddLine("POST /contacts/search", v1::READ_WAY_WINDOWS, tables);
    contacts_ = std::make_unique<ContactPlan>(&children_, &plan_);
    ApiRequest first = Get("GET /contacts", "/contacts");
    first.set_page_size = [](int page_size, ApiRequest* page) {
      page->path_and_query = absl::StrCat("/contacts?per_page=", page_size);
    };
    segments_ =
        std::make_unique<SegmentsPlan>(children_, Wants("segments"), contacts_.get(), &plan_);
    const auto note = [this](const RecordValues& values) {
      NoteContact(values);
      segments_->AddContact(RoleOf(values));
    };
    ReadPage(std::move(first), note, [this, list, windows](const absl::StatusOr<PageInfo>& info) {
      windows->End();
      if (!info.ok() || !info->total_count.has_value()) {
        Unknown(list, info.status());
        contacts_->End();
        return;
      }
      const int64_t total = *info->total_count;
      total_contacts_ = total;
      contacts_->SetTotal(total);
      PlanSegments(total);
      PlanContactPages(total, list, windows);
      // The page may have held fewer than it was asked for at first.
      if (total > static_cast<int64_t>(info->records + info->malformed)) SampleContacts();
    });
  }

  void PlanContactPages(int64_t total, RequestPlan::Line* list, RequestPlan::Line* windows) {
    if (WindowPlan::IsWorthwhile(total)) {
      list->Expect(Estimate::Exactly(1));
      list->Explain("its first page counts the contacts");
      windows->Expect(WindowPlan::PagesFor(total, kPageSize));
      windows->Explain("days of creation, many pages at once");
    } else {
      list->Expect(Estimate::Exactly(PagesOf(total, kPageSize)));
      chain_ = std::max(chain_, PagesOf(total, kPageSize));
    }
  }

  // Asks for the first page of what changed.
  ApiRequest SearchChanges(const SearchWindows::Search& search, int per_page) const {
    WindowFilter filter;
    filter.created_before = search.axis->NextCut(search.end);
    filter.updated_from = search.axis->LastCut(*incremental_.since);
    ApiRequest request = Get(search.operation, search.path);
    request.method = "POST";
    request.body = search.body(filter, per_page, "");
    return request;
  }

  // Pages of a search for `total` records that changed.
  static void PlanChangePages(int64_t total, RequestPlan::Line* windows) {
    windows->Expect(WindowPlan::IsWorthwhile(total) ? WindowPlan::PagesFor(total, kPageSize)
                                                    : Estimate::Exactly(PagesOf(total, kPageSize)));
  }

  void PlanChangedContacts() {
    const TableSet tables = ContactWalk::TablesOf(tables_);
    RequestPlan::Line* list = plan_.AddLine("GET /contacts", v1::READ_WAY_LIST, tables);
    RequestPlan::Line* windows =
        plan_.AddLine("POST /contacts/search", v1::READ_WAY_WINDOWS, tables);
    contacts_ = std::make_unique<ContactPlan>(&children_, &plan_);
    const bool reads_all = incremental_.find_deleted && (Wants("users") || Wants("leads"));
    list->End();
    windows->End();
    const SearchWindows::Search search =
        SearchWindows::Search::Contacts(response_.workspace().time_zone(), client_->clock()->Now());
    ReadPage(
        SearchChanges(search, static_cast<int>(kPageSize)),
        [this](const RecordValues& values) { NoteContact(values); },
        [this, reads_all, windows](const absl::StatusOr<PageInfo>& info) {
          if (!info.ok() || !info->total_count.has_value()) {
            Unknown(windows, info.status());
            contacts_->End();
            return;
          }
          total_contacts_ = info->total_count;
          contacts_->SetTotal(*total_contacts_);
          if (!reads_all) {
            PlanChangePages(*total_contacts_, windows);
            windows->Explain("contacts that changed");
          }
        });
    if (!reads_all) return;
    ReadPage(Get("GET /contacts", "/contacts?per_page=1"), nullptr,
             [this, list, windows](const absl::StatusOr<PageInfo>& info) {
               if (!info.ok() || !info->total_count.has_value()) {
                 Unknown(list, info.status());
                 return;
               }
               PlanContactPages(*info->total_count, list, windows);
               RequestPlan::Line* const all =
                   WindowPlan::IsWorthwhile(*info->total_count) ? windows : list;
               all->Explain("all contacts, to find out which are gone");
             });
  }

  bool Wants(absl::string_view name) const {
    return std::any_of(tables_.begin(), tables_.end(),
                       [name](const TableInfo* table) { return table->name() == name; });
  }

  // Contacts were counted.
  void PlanSegments(int64_t total) {
    if (!segments_->NeedsCounts(total)) return;
    const auto note = [this](const RecordValues& values) {
      segments_->AddSegment(SegmentMembers(values.Get(shape_, count_, 0)));
    };
    ReadPage(Get(SegmentList::kOperation, SegmentList::kPath), note,
             [this](const absl::StatusOr<PageInfo>& info) {
               segments_->OnCounts(info.ok() && NextPageParameter(*info, 1).empty());
             });
  }

  void SampleContacts() {
    for (const char* body : {kOldestUsers, kNewestUsers, kNewestLeads}) {
      ApiRequest request = Get("POST /contacts/search", "/contacts/search");
      request.method = "POST";
      request.body = body;
      ReadPage(
          std::move(request), [this](const RecordValues& values) { NoteContact(values); },
          [this, leads = body == kNewestLeads](const absl::StatusOr<PageInfo>& info) {
            // Without the search the first page stands for all.
            if (!info.ok() || !info->total_count.has_value() || leads) return;
            users_ = info->total_count;
            contacts_->SetUsers(*users_);
          });
    }
  }

  void PlanCompanies(TableSet tables) {
    RequestPlan::Line* count = plan_.AddLine("GET /companies", v1::READ_WAY_LIST, tables);
    count->Explain("counts the companies; the scroll does not say how many there are");
    count->Expect(Estimate::Exactly(1));
    RequestPlan::Line* scroll = plan_.AddLine("GET /companies/scroll", v1::READ_WAY_SCROLL, tables);
    ReadPage(Get("GET /companies", "/companies?per_page=1"), nullptr,
             [this, scroll](const absl::StatusOr<PageInfo>& info) {
               if (!info.ok() || !info->total_count.has_value()) {
                 Unknown(scroll, info.status());
                 return;
               }
               companies_ = info->total_count;
               scroll->Expect(ScrollPages(*companies_));
               scroll->Explain("Intercom's count leaves out companies without users");
               chain_ = std::max(chain_, ScrollPages(*companies_).likely);
             });
  }

  void PlanConversations() {
    const TableSet tables = ConversationWalk::TablesOf(tables_);
    RequestPlan::Line* list = plan_.AddLine("GET /conversations", v1::READ_WAY_LIST, tables);
    RequestPlan::Line* windows =
        plan_.AddLine("POST /conversations/search", v1::READ_WAY_WINDOWS, tables);
    RequestPlan::Line* details =
        plan_.AddLine("GET /conversations/{id}", v1::READ_WAY_PER_RECORD, tables);
    RequestPlan::Line* roles =
        plan_.AddLine("POST /contacts/search", v1::READ_WAY_LOOKUP, TableSet());
    roles->Explain("roles of the contacts in conversations, 150 at a time");
    const bool changes = incremental_.since.has_value();
    if (incremental_.find_deleted && Wants("conversations")) PlanDeletedConversations();
    ReadPage(changes
                 ? SearchChanges(SearchWindows::Search::Conversations(client_->clock()->Now()), 1)
                 : Get("GET /conversations", "/conversations?per_page=1"),
             nullptr,
             [this, changes, list, windows, details, roles](const absl::StatusOr<PageInfo>& info) {
               list->End();
               windows->End();
               details->End();
               roles->End();
               if (!info.ok() || !info->total_count.has_value()) {
                 Unknown(changes ? windows : list, info.status());
                 return;
               }
               const int64_t total = *info->total_count;
               conversations_ = total;
               const int64_t pages = PagesOf(total, kPageSize);
               const bool each = ConversationWalk::NeedsDetails(tables_, body_format_);
               if (changes) {
                 PlanChangePages(total, windows);
                 windows->Explain("conversations that changed");
               } else if (WindowPlan::IsWorthwhile(total)) {
                 list->Expect(Estimate::Exactly(1));
                 list->Explain("its first page counts the conversations");
                 windows->Expect(WindowPlan::PagesFor(total, kPageSize));
                 windows->Explain("seconds of creation, many pages at once");
                 if (each) chain_ = std::max(chain_, pages / ConversationWalk::kWindowsWithDetails);
               } else {
                 list->Expect(Estimate::Exactly(pages));
                 chain_ = std::max(chain_, pages);
               }
               // At most one contact that nobody has read yet per conversation, say.
               roles->Expect({0, total == 0 ? 0 : pages, pages});
               if (!each) return;
               details->Expect(Estimate::Exactly(total));
               details->Explain("parts and plain text are only in a conversation's own answer");
             });
  }

  void PlanDeletedConversations() {
    RequestPlan::Line* line =
        plan_.AddLine(DeletedConversations::kOperation, v1::READ_WAY_LIST,
                      TableSet().set(TableCatalog::Get().Find("conversations")->index));
    ReadPage(Get(DeletedConversations::kOperation,
                 absl::StrCat(DeletedConversations::kPath, "&per_page=1")),
             nullptr, [line](const absl::StatusOr<PageInfo>& info) {
               const int64_t total = info.ok() ? info->total_count.value_or(0) : 0;
               const int64_t pages = PagesOf(total, DeletedConversations::kPerPage);
               line->Expect({1, 1, pages});
               line->Explain("newest first, until they are older than updated_since");
             });
  }

  static void Unknown(RequestPlan::Line* line, const absl::Status& why) {
    line->Expect(Estimate::Exactly(1));
    line->Explain(why.ok() ? "Intercom does not say how many there are"
                           : absl::StrCat("cannot be counted: ", why.message()));
  }

  void EndCount() {
    if (--left_ > 0) return;
    if (contacts_ != nullptr && total_contacts_.has_value()) contacts_->UpdateFromSample();
    v1::ExtractionPlan* plan = response_.mutable_plan();
    plan_.Fill(plan);
    for (v1::TablePlan& table : *plan->mutable_tables()) FillRows(&table);
    FillDuration(plan);
    Finish(absl::OkStatus());
  }

  void FillRows(v1::TablePlan* table) const {
    std::optional<Estimate> rows;
    if (table->table() == "users" && users_.has_value()) {
      rows = Estimate::Exactly(*users_);
    } else if (table->table() == "leads" && users_.has_value()) {
      rows = Estimate::Exactly(total_contacts_.value_or(*users_) - *users_);
    } else if (table->table() == "conversations" && conversations_.has_value()) {
      rows = Estimate::Exactly(*conversations_);
    } else if (table->table() == "companies" && companies_.has_value()) {
      rows = {*companies_, *companies_, 2 * *companies_};
    }
    if (rows.has_value()) rows->Fill(table->mutable_rows());
  }

  // The quota's time, or that of the longest list that is read one page after the
  // other.
  void FillDuration(v1::ExtractionPlan* plan) {
    const auto quota = client_->Quota();
    if (!quota.has_value()) return;
    const Estimate total = plan_.Total();
    const auto time = [&](int64_t requests) {
      return ToProto(std::max(quota->TimeFor(requests), latency_ * chain_));
    };
    *plan->mutable_duration()->mutable_min() = time(total.min);
    *plan->mutable_duration()->mutable_likely() = time(total.likely);
    *plan->mutable_duration()->mutable_max() = time(total.max);
  }

  void Finish(const absl::Status& status) {
    const RequestCounters counters = client_->Counters(group_);
    client_->CancelGroup(group_);
    if (!status.ok()) {
      std::move(done_)(status);
      return;
    }
    v1::RequestCounts* requests = response_.mutable_requests();
    requests->set_sent(counters.sent);
    requests->set_retries(counters.retries);
    requests->set_rate_limited(counters.rate_limited);
    requests->set_bytes_received(counters.bytes_received);
    if (const auto quota = client_->Quota()) {
      response_.mutable_quota()->set_limit(quota->limit);
      response_.mutable_quota()->set_remaining(quota->remaining);
    }
    std::move(done_)(std::move(response_));
  }

  const std::vector<const TableInfo*> tables_;
  const v1::BodyFormat body_format_;
  const Incremental incremental_;
  IntercomClient* const client_;
  const IntercomClient::GroupId group_;
  Done done_;
  RequestPlan plan_;
  Shape shape_;
  const ValueRef role_;
  const ValueRef id_;
  const ValueRef count_;
  const ContactChildren children_;
  PageReader reader_;
  std::unique_ptr<ContactPlan> contacts_;
  std::unique_ptr<SegmentsPlan> segments_;
  absl::flat_hash_set<std::string> sampled_;
  std::optional<int64_t> total_contacts_;
  std::optional<int64_t> users_;
  std::optional<int64_t> companies_;
  std::optional<int64_t> conversations_;
  // The longest list that is read one page after the other.
  int64_t chain_ = 0;
  absl::Duration latency_;
  int left_ = 0;
  v1::PlanExtractionResponse response_;
};

}  // namespace

void PlanExtraction(const v1::PlanExtractionRequest& request, IntercomClient* client, Done done) {
  auto tables = TableCatalog::Get().Select(request.template_(),
                                           {request.tables().begin(), request.tables().end()});
  if (!tables.ok()) {
    std::move(done)(
        StatusWithReason(tables.status().code(), "BAD_REQUEST", tables.status().message()));
    return;
  }
  const absl::StatusOr<Incremental> incremental = IncrementalOf(request, client->clock()->Now());
  if (!incremental.ok()) {
    std::move(done)(incremental.status());
    return;
  }
  std::make_shared<Planner>(*std::move(tables), request.body_format(), *incremental, client,
                            std::move(done))
      ->Start();
}

}  // namespace intercom_extractor
