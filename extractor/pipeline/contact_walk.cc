#include "extractor/pipeline/contact_walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/checkpoint/packed_ids.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/parent_rows.h"
#include "extractor/pipeline/segment_choice.h"
#include "extractor/tables/record_reader.h"
#include "extractor/tables/wire.h"

namespace intercom_extractor {
namespace {

// The most that Intercom gives; its documents disagree on the default.
constexpr int kContactsPerPage = 150;
// Listing pauses while this many sub-resources are not read.
constexpr size_t kMaxPending = 1500;

absl::string_view Abs(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

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
      child_tables_(ParentRows::ChildrenAmong(wanted, tables_)),
      converter_(v1::SOURCE_RECORD_CONTACT, wanted),
      id_(converter_.shape()->AddValue(-1, "id")),
      role_(converter_.shape()->AddValue(-1, "role")),
      created_at_(converter_.shape()->AddValue(-1, "created_at")),
      updated_at_(converter_.shape()->AddValue(-1, "updated_at")),
      children_(wanted, converter_.shape()),
      reader_({"data"}, "", converter_.shape()),
      list_line_(run->plan().AddLine("GET /contacts", v1::READ_WAY_LIST, tables_)),
      windows_line_(run->plan().AddLine("POST /contacts/search", v1::READ_WAY_WINDOWS, tables_)),
      plan_(&children_, &run->plan(), /*all=*/!workspace_.incremental.since.has_value()),
      list_(run, converter_.shape(), ListOptions()) {
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
    Expect(*contact, *child);
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
  const size_t undecided = std::exchange(largest_undecided_, 0);
  if (asked == ContactPlan::Asked::kAll) largest_page_ += undecided;
  for (const auto& [contact, missing] : std::exchange(undecided_, {})) {
    if (segments_->Asks(contact->created_at)) {
      plan_.AddLists({missing.list});
      segments_->OnAsked(contact->id, contact->role);
      FetchSubResource(contact, missing);
    } else {
      OnListRead(*contact, *missing.list.child);
    }
  }
  plan_.Update();
  MaybeEnd();
}

void ContactWalk::Save(resume::State* state) const {
  *state->mutable_contacts() = list_.Save();
  state->set_contacts_seen(contacts_seen_);
  if (segments_ != nullptr) segments_->Save(state->mutable_segments());
  // Contacts with the same lists share an entry.
  std::map<std::string, std::pair<v1::ContactRole, uint32_t>> lists;
  for (const auto& [key, pending] : pending_lists_) {
    const auto& [id, kind] = key;
    lists[id].first = pending.role;
    lists[id].second |= 1U << static_cast<uint32_t>(kind);
    if (pending.position.parameter().empty()) continue;
    resume::PendingList* list = state->add_pending_lists();
    list->set_contact_id(id);
    list->set_list(static_cast<int>(kind));
    *list->mutable_position() = pending.position;
  }
  std::map<std::pair<v1::ContactRole, uint32_t>, std::vector<std::string>> contacts;
  for (const auto& [id, what] : lists) contacts[what].push_back(id);
  for (auto& [what, ids] : contacts) {
    resume::PendingContacts* entry = state->add_pending_contacts();
    entry->set_role(what.first);
    entry->set_lists(what.second);
    entry->set_ids(PackIds(std::move(ids)));
  }
}

void ContactWalk::Restore(const resume::State& state) { earlier_ = state; }

void ContactWalk::Start(std::function<void()> done) {
  done_ = std::move(done);
  const resume::RecordList::Way way = earlier_.contacts().way();
  const bool resumes =
      way != resume::RecordList::WAY_UNSPECIFIED && way != resume::RecordList::WAY_ANEW;
  if (resumes) {
    Resume(earlier_);
  } else if (segments_ != nullptr && workspace_.incremental.since.has_value()) {
    segments_->AskAllContacts();
  }
  list_.Start(earlier_.contacts());
}

void ContactWalk::Resume(const resume::State& earlier) {
  // What was on it decides nothing any more.
  first_page_ = false;
  contacts_seen_ = earlier.contacts_seen();
  std::map<std::pair<std::string, int>, const resume::ListPosition*> positions;
  for (const resume::PendingList& list : earlier.pending_lists()) {
    positions[{list.contact_id(), list.list()}] = &list.position();
  }
  for (const resume::PendingContacts& entry : earlier.pending_contacts()) {
    const absl::StatusOr<std::vector<std::string>> ids = UnpackIds(entry.ids());
    if (!ids.ok()) continue;
    for (const auto& child : children_.kinds()) {
      const bool segments = child->kind == ContactChild::Kind::kSegments;
      if ((entry.lists() & 1U << static_cast<uint32_t>(child->kind)) == 0 ||
          (segments && !ContactSegments::KeepsPending(earlier.segments()))) {
        continue;
      }
      for (const std::string& id : *ids) {
        auto contact = std::make_shared<Contact>();
        contact->id = id;
        contact->role = static_cast<v1::ContactRole>(entry.role());
        Expect(*contact, *child);
        const auto found = positions.find({id, static_cast<int>(child->kind)});
        const resume::ListPosition from =
            found == positions.end() ? resume::ListPosition() : *found->second;
        pending_lists_[{id, child->kind}].position = from;
        // The rows that the contact embedded are gone with the earlier stream; they
        // only serve when the contact is gone as well.
        FetchSubResource(contact, {{child.get(), 1}, nullptr}, from);
      }
    }
  }
  if (segments_ != nullptr) segments_->Resume(earlier.segments());
}

Run::Reading ContactWalk::MakeReading() {
  Run::Reading reading;
  reading.reader = &reader_;
  reading.tables = tables_;
  reading.begin = [this] { page_.Clear(); };
  reading.on_record = [this](const PageReader::Record& record, UnitRows* unit) {
    OnContact(*record.values, unit);
  };
  reading.on_commit = [this] { OnCommit(); };
  return reading;
}

WindowedList::Options ContactWalk::ListOptions() {
  WindowedList::Options options;
  options.records = "contacts";
  options.start = absl::ToUnixSeconds(workspace_.start);
  options.tables = tables_;
  options.max_remembered = workspace_.max_remembered;
  options.incremental = workspace_.incremental;
  options.reads_all = FindsDeleted();
  options.on_unchanged = [this](const PageReader::Record& record, UnitRows* unit) {
    OnUnchanged(*record.values, unit);
  };
  options.on_total = [this](int64_t total) { OnTotal(total); };
  options.prepare = [this](Run::Reading* reading) {
    if (first_page_ && segments_ != nullptr) NoteRoles(reading);
  };

  PagedList::Options& list = options.list;
  list.operation = "GET /contacts";
  list.path = "/contacts";
  list.per_page = kContactsPerPage;
  list.by_cursor = true;
  list.plan_pages = true;
  list.id = id_;
  list.reading = MakeReading();
  list.reading.line = list_line_;
  list.on_page = [this](const PageInfo& /*info*/, std::function<void()> next) {
    OnListPage(std::move(next));
  };

  SearchWindows::Options& windows = options.windows;
  windows.search = SearchWindows::Search::Contacts(workspace_.time_zone, workspace_.start);
  windows.reading = MakeReading();
  windows.reading.line = windows_line_;
  windows.id = id_;
  windows.created_at = created_at_;
  windows.updated_at = updated_at_;
  windows.has_room = [this](size_t in_flight) {
    const size_t page = largest_page_ + largest_undecided_;
    return in_flight + pending_ == 0 || pending_ + (in_flight + 1) * page <= kMaxPending;
  };

  options.when_idle = [this](std::function<void()> begin_anew) { WhenIdle(std::move(begin_anew)); };
  options.on_end = [this](const absl::Status& status) {
    list_ended_ = true;
    if (!status.ok()) {
      run_->FailTables(tables_, status);
      if (segments_ != nullptr) segments_->OnListFailed();
    }
    MaybeEnd();
  };
  return options;
}

void ContactWalk::NoteRoles(Run::Reading* reading) {
  // Not when rows are made: this page makes none when windows read its contacts. By
  // id, as a page that is damaged is read more than once.
  reading->before = [this](const PageReader::Record& record) {
    const JsonValue& role = record.values->Get(*converter_.shape(), role_, 0);
    first_roles_[IdOf(*record.values)] = ContactRoleOf(Abs(role.text));
  };
  reading->after = [](const std::function<void()>& go_on) { go_on(); };
}

void ContactWalk::WhenIdle(std::function<void()> begin_anew) {
  auto all = [this, begin_anew = std::move(begin_anew)] {
    contacts_seen_ = 0;
    if (segments_ != nullptr) segments_->BeginAnew();
    begin_anew();
  };
  if (pending_ > 0) {
    begin_anew_ = std::move(all);
  } else {
    all();
  }
}

void ContactWalk::OnTotal(int64_t total) {
  total_ = total;
  plan_.SetTotal(total);
  plan_.Update();
  ShareOutTotal();
}

void ContactWalk::OnListPage(std::function<void()> next) {
  if (std::exchange(first_page_, false) && segments_ != nullptr) {
    SegmentChoice::Contacts contacts;
    contacts.total = total_;
    for (const auto& [id, role] : std::exchange(first_roles_, {})) contacts.Add(role);
    segments_->OnFirstPage(contacts);
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

void ContactWalk::OnContact(const RecordValues& values, UnitRows* unit) {
  const Shape& shape = *converter_.shape();
  const absl::string_view id = IdOf(values);
  const absl::string_view role_name = Abs(values.Get(shape, role_, 0).text);
  const v1::ContactRole role = ContactRoleOf(role_name);
  if (role == v1::CONTACT_ROLE_UNSPECIFIED) {
    for (const TableInfo* table : run_->report().tables()) {
      if (!tables_.test(table->index)) continue;
      // One notice, at the first table that the contact could have been in.
      unit->notices().push_back({table->index, v1::NOTICE_CODE_ROLE_UNKNOWN, std::string(id),
                                 absl::StrCat("the contact's role is \"", role_name.substr(0, 40),
                                              "\", neither user nor lead; it is in no table")});
      break;
    }
    page_.others.push_back(role);
    return;
  }
  if (roles_ != nullptr) roles_->Remember(id, role_name);
  const auto created_at = [&] { return IntegerOf(values.Get(shape, created_at_, 0)); };

  RecordContext context;
  std::vector<Missing> all_missing;
  for (const ContactChildren::Missing& list : children_.MissingIn(values, role)) {
    if (list.child->kind == ContactChild::Kind::kSegments && !segments_->Asks(created_at())) {
      continue;
    }
    const TableSet tables = list.child->TablesFor(role);
    context.skip |= tables;
    Missing missing{list, nullptr};
    if (list.child->IsEmbedded()) {
      RecordContext embedded_only;
      embedded_only.skip = ~tables;
      missing.embedded = std::make_shared<UnitRows>(TableCatalog::Get().tables().size());
      converter_.Convert(values, embedded_only, missing.embedded.get());
    }
    all_missing.push_back(std::move(missing));
  }
  MakeRows(values, role, context, unit);
  if (all_missing.empty()) {
    page_.others.push_back(role);
  } else {
    page_.contacts.push_back({std::string(id), role, created_at(),
                              IntegerOf(values.Get(shape, updated_at_, 0)),
                              std::move(all_missing)});
  }
}

absl::string_view ContactWalk::IdOf(const RecordValues& values) {
  return Abs(values.Get(*converter_.shape(), id_, 0).text);
}

void ContactWalk::MakeRows(const RecordValues& values, v1::ContactRole role,
                           const RecordContext& context, UnitRows* unit) {
  if (!run_->with_parents()) {
    converter_.Convert(values, context, unit);
    return;
  }
  ParentRows rows;
  rows.Begin(*unit);
  converter_.Convert(values, context, unit);
  rows.End(*unit);
  TableSet complete;
  for (const TableInfo* table : run_->report().tables()) {
    const v1::ContactRole wanted = table->description.table().role();
    const bool of_role = wanted == v1::CONTACT_ROLE_UNSPECIFIED || wanted == role;
    if (child_tables_.test(table->index) && of_role) complete.set(table->index);
  }
  // Searches by segment say nothing of a single contact.
  if (segments_ != nullptr) complete &= ~segments_->child().TablesFor(role);
  rows.AppendTo(complete & ~context.skip, IdOf(values),
                IntegerOf(values.Get(*converter_.shape(), updated_at_, 0)), unit);
}

void ContactWalk::OnUnchanged(const RecordValues& values, UnitRows* unit) {
  const absl::string_view id = IdOf(values);
  const absl::string_view role_name = Abs(values.Get(*converter_.shape(), role_, 0).text);
  const v1::ContactRole role = ContactRoleOf(role_name);
  if (role != v1::CONTACT_ROLE_UNSPECIFIED) {
    if (roles_ != nullptr) roles_->Remember(id, role_name);
    const char* const name = role == v1::CONTACT_ROLE_USER ? "users" : "leads";
    if (FindsDeleted() && Wants(name)) {
      const int table = TableCatalog::Get().Find(name)->index;
      AppendBytesField(v1::LivingRecords::kIdsFieldNumber, {id.data(), id.size()},
                       &unit->tables()[table].living);
    }
  }
  page_.others.push_back(role);
}

bool ContactWalk::FindsDeleted() const {
  return workspace_.incremental.find_deleted && (Wants("users") || Wants("leads"));
}

bool ContactWalk::Wants(absl::string_view name) const {
  return tables_.test(TableCatalog::Get().Find(name)->index);
}

void ContactWalk::OnCommit() {
  contacts_seen_ += static_cast<int64_t>(page_.size());
  ShareOutTotal();
  size_t page = 0;
  size_t undecided = 0;
  for (const v1::ContactRole role : page_.others) plan_.AddContact(role, {});
  for (Contact& contact : page_.contacts) {
    auto shared = std::make_shared<Contact>(std::move(contact));
    std::vector<ContactChildren::Missing> lists;
    lists.reserve(shared->missing.size());
    for (const Missing& missing : shared->missing) {
      Expect(*shared, *missing.list.child);
      if (missing.list.child->kind == ContactChild::Kind::kSegments &&
          segments_->asking() == ContactSegments::Asking::kUnknown) {
        ++undecided;
        undecided_.emplace_back(shared, missing);
      } else {
        ++page;
        lists.push_back(missing.list);
        if (missing.list.child->kind == ContactChild::Kind::kSegments) {
          segments_->OnAsked(shared->id, shared->role);
        }
        FetchSubResource(shared, missing);
      }
    }
    plan_.AddContact(shared->role, lists);
  }
  page_.Clear();
  largest_page_ = std::max(largest_page_, page);
  largest_undecided_ = std::max(largest_undecided_, undecided);
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

void ContactWalk::Expect(const Contact& contact, const ContactChild& child) {
  PendingList& pending = pending_lists_[{contact.id, child.kind}];
  pending.role = contact.role;
  pending.position.Clear();
  ++pending.readings;
  ++pending_;
}

void ContactWalk::FetchSubResource(const std::shared_ptr<Contact>& contact, const Missing& missing,
                                   const resume::ListPosition& from) {
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
    run_->After(absl::ZeroDuration(), [this, contact, child] { OnListRead(*contact, *child); });
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
  // Of all pages, and of the one that is being read.
  auto rows = std::make_shared<ParentRows>();
  auto page = std::make_shared<ParentRows>();
  // Their tables may begin anew meanwhile.
  const bool segments = child->kind == ContactChild::Kind::kSegments;
  const auto is_void = [this, segments, generation = segments ? segments_->generation() : 0] {
    return segments && segments_->generation() != generation;
  };
  options.reading.begin = [page] { page->Clear(); };
  options.reading.on_record = [contact, child, page, is_void](const PageReader::Record& record,
                                                              UnitRows* unit) {
    if (is_void()) return;
    RecordContext context;
    context.parent_id = contact->id;
    context.parent_role = contact->role;
    page->Begin(*unit);
    child->converter.Convert(*record.values, context, unit);
    page->End(*unit);
  };
  options.reading.on_commit = [rows, page] { rows->Add(std::exchange(*page, ParentRows())); };
  if (!from.parameter().empty()) {
    options.from = from;
    rows->Add(tables, from.records());
  }
  options.on_position = [this, contact, child, is_void](const resume::ListPosition& position) {
    if (!is_void()) pending_lists_[{contact->id, child->kind}].position = position;
  };
  options.on_end = [this, contact, child, tables, rows, is_void,
                    embedded = missing.embedded](const absl::Status& status) {
    if (!status.ok() && !is_void()) {
      if (embedded != nullptr && !rows->any()) run_->AddRows(embedded.get());
      run_->FailDetail(tables, contact->id, status);
    } else if (!is_void() && run_->with_parents()) {
      UnitRows unit(TableCatalog::Get().tables().size());
      rows->AppendTo(tables, contact->id, contact->updated_at, &unit);
      run_->AddRows(&unit);
    }
    OnListRead(*contact, *child);
  };
  PagedList::Walk(run_, child->converter.shape(), std::move(options));
}

void ContactWalk::OnListRead(const Contact& contact, const ContactChild& child) {
  const auto pending = pending_lists_.find({contact.id, child.kind});
  if (--pending->second.readings == 0) pending_lists_.erase(pending);
  --pending_;
  if (pending_ < kMaxPending) {
    for (const auto& next : std::exchange(paused_, {})) next();
  }
  if (begin_anew_ && pending_ == 0) std::exchange(begin_anew_, nullptr)();
  list_.Pump();
  MaybeEnd();
}

void ContactWalk::MaybeEnd() {
  if (!list_ended_ || pending_ > 0 || done_ == nullptr) return;
  if (segments_ != nullptr && !segments_->ended()) return;
  plan_.End();
  std::exchange(done_, nullptr)();
}

}  // namespace intercom_extractor
