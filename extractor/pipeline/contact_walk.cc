#include "extractor/pipeline/contact_walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/paged_list.h"

namespace intercom_extractor {
namespace {

// The most that Intercom gives; its documents disagree on the default.
constexpr int kContactsPerPage = 150;
// Listing pauses while this many sub-resources are not read.
constexpr size_t kMaxPending = 1500;
// Twenty pages: fewer are read sooner by the list, which splits nothing.
constexpr int64_t kMinContactsForWindows = 3000;
// The list serves when more than a thousandth is missing.
constexpr int64_t kToleratedPart = 1000;

absl::string_view Abs(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

bool ContactWalk::ReadsWindows(int64_t contacts) { return contacts >= kMinContactsForWindows; }

TableSet ContactWalk::TablesOf(const std::vector<const TableInfo*>& wanted) {
  TableSet tables;
  for (const TableInfo* table : wanted) {
    for (const v1::TableSource& source : table->description.table().sources()) {
      switch (source.record()) {
        case v1::SOURCE_RECORD_CONTACT:
        case v1::SOURCE_RECORD_CONTACT_TAG:
        case v1::SOURCE_RECORD_CONTACT_SEGMENT:
        case v1::SOURCE_RECORD_CONTACT_COMPANY:
        case v1::SOURCE_RECORD_NOTE:
        case v1::SOURCE_RECORD_EVENT_SUMMARY:
          tables.set(table->index);
          break;
        default:
          break;
      }
    }
  }
  return tables;
}

ContactWalk::ContactWalk(Run* run, const std::vector<const TableInfo*>& wanted, RoleResolver* roles,
                         SegmentList* segments, Workspace workspace)
    : run_(run),
      roles_(roles),
      workspace_(std::move(workspace)),
      tables_(TablesOf(wanted)),
      converter_(v1::SOURCE_RECORD_CONTACT, wanted),
      id_(converter_.shape()->AddValue(-1, "id")),
      role_(converter_.shape()->AddValue(-1, "role")),
      created_at_(converter_.shape()->AddValue(-1, "created_at")),
      updated_at_(converter_.shape()->AddValue(-1, "updated_at")),
      children_(wanted, converter_.shape()),
      reader_({"data"}, "", converter_.shape()),
      list_line_(run->plan().AddLine("GET /contacts", v1::READ_WAY_LIST, tables_)),
      windows_line_(run->plan().AddLine("POST /contacts/search", v1::READ_WAY_WINDOWS, tables_)),
      plan_(&children_, &run->plan()) {
  windows_line_->Explain("days of creation, many pages at once");
  windows_line_->End();
  MakeSegments(segments);
}

void ContactWalk::MakeSegments(SegmentList* list) {
  const ContactChild* child = children_.Find(ContactChild::Kind::kSegments);
  if (child == nullptr) return;
  plan_.SetAsked(*child, ContactPlan::Asked::kNotPlanned);
  ContactSegments::Options options;
  options.time_zone = workspace_.time_zone;
  options.start = workspace_.start;
  options.child = child;
  options.per_contact = plan_.line(*child);
  options.list = list;
  options.on_change = [this] { OnSegmentsChange(); };
  options.ask = [this, child](const std::string& id, v1::ContactRole role) {
    auto contact = std::make_shared<Contact>();
    contact->id = id;
    contact->role = role;
    ++pending_;
    FetchSubResource(contact, {{child, 1}, nullptr});
  };
  options.await_room = [this](std::function<void()> next) { AwaitRoom(std::move(next)); };
  options.on_end = [this] { MaybeEnd(); };
  segments_ = std::make_unique<ContactSegments>(run_, std::move(options));
}

void ContactWalk::OnSegmentsChange() {
  ContactPlan::Asked asked = ContactPlan::Asked::kNotPlanned;
  if (segments_->asking() == ContactSegments::Asking::kAllContacts) {
    asked = ContactPlan::Asked::kAll;
  } else if (segments_->asking() == ContactSegments::Asking::kNewContacts) {
    asked = ContactPlan::Asked::kGiven;
  }
  plan_.SetAsked(segments_->child(), asked);
  for (const auto& [contact, missing] : std::exchange(undecided_, {})) {
    if (segments_->Asks(contact->created_at)) {
      plan_.AddLists({missing.list});
      FetchSubResource(contact, missing);
    } else {
      OnSubResourceEnd();
    }
  }
  plan_.Update();
  MaybeEnd();
}

void ContactWalk::Start(std::function<void()> done) {
  done_ = std::move(done);
  ReadList();
}

Run::Reading ContactWalk::MakeReading() {
  Run::Reading reading;
  reading.reader = &reader_;
  reading.tables = tables_;
  reading.begin = [this] {
    page_.clear();
    page_ids_.clear();
  };
  reading.on_record = [this](const PageReader::Record& record, UnitRows* unit) {
    OnContact(*record.values, unit);
  };
  reading.on_commit = [this] { OnCommit(); };
  return reading;
}

void ContactWalk::ReadList() {
  PagedList::Options options;
  options.operation = "GET /contacts";
  options.path = "/contacts";
  options.per_page = kContactsPerPage;
  options.by_cursor = true;
  options.plan_pages = true;
  options.id = id_;
  options.reading = MakeReading();
  options.reading.line = list_line_;
  options.on_page = [this](const PageInfo& info, std::function<void()> next) {
    OnListPage(info, std::move(next));
  };
  options.on_end = [this](const absl::Status& status) {
    list_line_->End();
    list_ended_ = true;
    if (!status.ok()) {
      run_->FailTables(tables_, status);
      if (segments_ != nullptr) segments_->OnListFailed();
    }
    MaybeEnd();
  };
  PagedList::Walk(run_, converter_.shape(), std::move(options));
}

void ContactWalk::OnListPage(const PageInfo& info, std::function<void()> next) {
  if (info.total_count.has_value()) {
    total_ = info.total_count;
    plan_.SetTotal(*total_);
    plan_.Update();
  }
  ShareOutTotal();
  if (std::exchange(first_page_, false)) {
    first_contacts_.total = total_;
    if (segments_ != nullptr) segments_->OnFirstPage(first_contacts_);
    if (info.next_starting_after.has_value() && ReadsWindows(total_.value_or(0))) {
      ReadWindows();
      return;
    }
    page_ids_.clear();
  }
  AwaitRoom(std::move(next));
}

void ContactWalk::AwaitRoom(std::function<void()> next) {
  if (pending_ >= kMaxPending) {
    paused_.push_back(std::move(next));
  } else {
    next();
  }
}

void ContactWalk::ReadWindows() {
  list_line_->End();
  seen_ = std::make_unique<ContactIds>();
  for (const std::string& id : page_ids_) seen_->Insert(id);
  ContactWindows::Options options;
  options.reading = MakeReading();
  options.reading.line = windows_line_;
  options.time_zone = workspace_.time_zone;
  options.start = workspace_.start;
  options.id = id_;
  options.created_at = created_at_;
  options.updated_at = updated_at_;
  options.has_room = [this](size_t in_flight) {
    return in_flight + pending_ == 0 || pending_ + (in_flight + 1) * largest_page_ <= kMaxPending;
  };
  options.on_total = [listed = total_.value_or(0)](int64_t total) {
    if (listed - total <= listed / kToleratedPart) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat("it finds ", total, " contacts, the list has ", listed));
  };
  options.on_end = [this](const absl::Status& status, int64_t shortfall) {
    OnWindowsEnd(status, shortfall);
  };
  windows_ = ContactWindows::Create(run_, converter_.shape(), std::move(options));
  windows_->Start();
}

void ContactWalk::OnWindowsEnd(const absl::Status& status, int64_t shortfall) {
  const int64_t total = total_.value_or(0);
  const int64_t missing =
      std::max({int64_t{0}, shortfall, total - static_cast<int64_t>(seen_->size())});
  if (!status.ok() || missing > total / kToleratedPart) {
    Notify(v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH, v1::SEVERITY_INFO,
           absl::StrCat("contacts come from the plain list, one page after the other, as "
                        "POST /contacts/search cannot be relied on: ",
                        status.ok() ? absl::StrCat(missing, " of ", total, " contacts are missing")
                                    : std::string(status.message())));
    // From its start: a cursor may have expired meanwhile.
    ReadList();
    return;
  }
  if (missing > 0) {
    Notify(v1::NOTICE_CODE_COUNT_DIFFERS, v1::SEVERITY_WARNING,
           absl::StrCat("POST /contacts/search gave ", missing, " fewer than the ", total,
                        " contacts that Intercom counted; they are too new for its index, or "
                        "changed during the run"));
  }
  list_ended_ = true;
  MaybeEnd();
}

void ContactWalk::Notify(v1::NoticeCode code, v1::Severity severity, const std::string& message) {
  for (const TableInfo* table : run_->report().tables()) {
    if (!tables_.test(table->index)) continue;
    // One is enough for all tables that contacts feed.
    run_->Notify(table->index, code, severity, "", message);
    return;
  }
}

void ContactWalk::OnContact(const RecordValues& values, UnitRows* unit) {
  const Shape& shape = *converter_.shape();
  Contact contact;
  contact.id = std::string(values.Get(shape, id_, 0).text);
  if (seen_ != nullptr || first_page_) {
    const bool fresh = page_ids_.insert(contact.id).second;
    if (seen_ != nullptr && (!fresh || seen_->Contains(contact.id))) return;
  }
  const std::string_view role = values.Get(shape, role_, 0).text;
  contact.role = ContactRoleOf(Abs(role));
  if (contact.role == v1::CONTACT_ROLE_UNSPECIFIED) {
    for (const TableInfo* table : run_->report().tables()) {
      if (!tables_.test(table->index)) continue;
      // One notice, at the first table that the contact could have been in.
      unit->notices().push_back({table->index, v1::NOTICE_CODE_ROLE_UNKNOWN, contact.id,
                                 absl::StrCat("the contact's role is \"", Abs(role).substr(0, 40),
                                              "\", neither user nor lead; it is in no table")});
      break;
    }
    page_.push_back(std::move(contact));
    return;
  }
  if (roles_ != nullptr) roles_->Remember(contact.id, Abs(role));
  contact.created_at = SegmentSearch::CreatedAt(values.Get(shape, created_at_, 0));

  RecordContext context;
  for (const ContactChildren::Missing& list : children_.MissingIn(values, contact.role)) {
    if (list.child->kind == ContactChild::Kind::kSegments && !segments_->Asks(contact.created_at)) {
      continue;
    }
    const TableSet tables = list.child->TablesFor(contact.role);
    context.skip |= tables;
    Missing missing{list, nullptr};
    if (list.child->IsEmbedded()) {
      RecordContext embedded_only;
      embedded_only.skip = ~tables;
      missing.embedded = std::make_shared<UnitRows>(TableCatalog::Get().tables().size());
      converter_.Convert(values, embedded_only, missing.embedded.get());
    }
    contact.missing.push_back(std::move(missing));
  }
  converter_.Convert(values, context, unit);
  page_.push_back(std::move(contact));
}

void ContactWalk::OnCommit() {
  if (seen_ != nullptr) {
    for (const std::string& id : page_ids_) seen_->Insert(id);
    page_ids_.clear();
  }
  contacts_seen_ += static_cast<int64_t>(page_.size());
  ShareOutTotal();
  size_t missing_lists = 0;
  for (Contact& contact : std::exchange(page_, {})) {
    if (first_page_) first_contacts_.Add(contact.role);
    auto shared = std::make_shared<Contact>(std::move(contact));
    std::vector<ContactChildren::Missing> lists;
    lists.reserve(shared->missing.size());
    for (const Missing& missing : shared->missing) {
      ++pending_;
      ++missing_lists;
      if (missing.list.child->kind == ContactChild::Kind::kSegments &&
          segments_->asking() == ContactSegments::Asking::kUnknown) {
        undecided_.emplace_back(shared, missing);
      } else {
        lists.push_back(missing.list);
        FetchSubResource(shared, missing);
      }
    }
    plan_.AddContact(shared->role, lists);
  }
  largest_page_ = std::max(largest_page_, missing_lists);
  plan_.Update();
}

void ContactWalk::ShareOutTotal() {
  if (!total_.has_value() || contacts_seen_ == 0) return;
  // The total counts users and leads together: shared out as seen so far.
  for (const char* name : {"users", "leads"}) {
    const int table = TableCatalog::Get().Find(name)->index;
    run_->report().SetExpected(table, run_->report().Rows(table) * *total_ / contacts_seen_);
  }
}

void ContactWalk::FetchSubResource(const std::shared_ptr<Contact>& contact,
                                   const Missing& missing) {
  const ContactChild* child = missing.list.child;
  TableSet tables;
  for (const TableInfo* table : run_->report().tables()) {
    if (child->TablesFor(contact->role).test(table->index) &&
        !run_->report().Failed(table->index)) {
      tables.set(table->index);
    }
  }
  if (tables.none()) {
    // Its scope is missing, say: no need to ask for each contact.
    run_->After(absl::ZeroDuration(), [this] { OnSubResourceEnd(); });
    return;
  }
  PagedList::Options options;
  options.operation = child->operation;
  options.path = child->Path(contact->id);
  options.per_page = child->per_page;
  options.priority = Priority::kDetail;
  options.reading.reader = &child->reader;
  options.reading.line = plan_.line(*child);
  options.reading.tables = tables;
  if (child->kind != ContactChild::Kind::kEvents) options.id = child->id;
  auto any_rows = std::make_shared<bool>(false);
  // Their tables may begin anew meanwhile.
  const bool segments = child->kind == ContactChild::Kind::kSegments;
  const auto is_void = [this, segments, generation = segments ? segments_->generation() : 0] {
    return segments && segments_->generation() != generation;
  };
  options.reading.on_record = [contact, child, any_rows, is_void](const PageReader::Record& record,
                                                                  UnitRows* unit) {
    if (is_void()) return;
    *any_rows = true;
    RecordContext context;
    context.parent_id = contact->id;
    context.parent_role = contact->role;
    child->converter.Convert(*record.values, context, unit);
  };
  options.on_end = [this, contact, tables, any_rows, is_void,
                    embedded = missing.embedded](const absl::Status& status) {
    if (!status.ok() && !is_void()) {
      if (embedded != nullptr && !*any_rows) run_->AddRows(embedded.get());
      run_->FailDetail(tables, contact->id, status);
    }
    OnSubResourceEnd();
  };
  PagedList::Walk(run_, child->converter.shape(), std::move(options));
}

void ContactWalk::OnSubResourceEnd() {
  --pending_;
  if (pending_ < kMaxPending) {
    for (const auto& next : std::exchange(paused_, {})) next();
  }
  if (windows_ != nullptr) windows_->Pump();
  MaybeEnd();
}

void ContactWalk::MaybeEnd() {
  if (!list_ended_ || pending_ > 0 || done_ == nullptr) return;
  if (segments_ != nullptr && !segments_->ended()) return;
  plan_.End();
  std::exchange(done_, nullptr)();
}

}  // namespace intercom_extractor
