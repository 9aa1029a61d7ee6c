#include "extractor/pipeline/contact_walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/tables/json_number.h"

namespace intercom_extractor {
namespace {

// The most that Intercom gives; its documents disagree on the default.
constexpr int kContactsPerPage = 150;
constexpr int kNotesPerPage = 60;
constexpr int kCompaniesPerPage = 60;
// Lists embedded in a contact are cut here.
constexpr size_t kEmbeddedLimit = 10;
// Listing pauses while this many sub-resources are not read.
constexpr size_t kMaxPending = 1500;
// Twenty pages: fewer are read sooner by the list, which splits nothing.
constexpr int64_t kMinContactsForWindows = 3000;
// The list serves when more than a thousandth is missing.
constexpr int64_t kToleratedPart = 1000;

absl::string_view Abs(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct ContactWalk::SubResource {
  enum class Kind { kTags, kSegments, kCompanies, kNotes, kEvents };

  SubResource(Kind kind, v1::SourceRecord record, std::vector<std::string> items, int per_page,
              std::string operation, const std::vector<const TableInfo*>& wanted)
      : kind(kind),
        converter(record, wanted),
        reader(std::move(items), "", converter.shape()),
        id(converter.shape()->AddValue(-1, "id")),
        per_page(per_page),
        operation(std::move(operation)) {
    for (const TableInfo* table : wanted) {
      for (const v1::TableSource& source : table->description.table().sources()) {
        if (source.record() != record) continue;
        const v1::ContactRole role = table->description.table().role();
        if (role != v1::CONTACT_ROLE_LEAD) user_tables.set(table->index);
        if (role != v1::CONTACT_ROLE_USER) lead_tables.set(table->index);
      }
    }
  }

  TableSet TablesFor(v1::ContactRole role) const {
    return role == v1::CONTACT_ROLE_USER ? user_tables : lead_tables;
  }

  std::string Path(const std::string& contact_id) const {
    const std::string encoded = UrlEncode(contact_id);
    switch (kind) {
      case Kind::kTags:
        return absl::StrCat("/contacts/", encoded, "/tags");
      case Kind::kSegments:
        return absl::StrCat("/contacts/", encoded, "/segments");
      case Kind::kCompanies:
        return absl::StrCat("/contacts/", encoded, "/companies");
      case Kind::kNotes:
        return absl::StrCat("/contacts/", encoded, "/notes");
      case Kind::kEvents:
        return absl::StrCat("/events?type=user&intercom_user_id=", encoded, "&summary=true");
    }
    return "";
  }

  const Kind kind;
  // Mutable within: reading learns the order of keys, converting keeps buffers.
  mutable RecordConverter converter;
  mutable PageReader reader;
  const ValueRef id;
  const int per_page;
  const std::string operation;
  TableSet user_tables;
  TableSet lead_tables;
};

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
                         Workspace workspace)
    : run_(run),
      roles_(roles),
      workspace_(std::move(workspace)),
      tables_(TablesOf(wanted)),
      converter_(v1::SOURCE_RECORD_CONTACT, wanted),
      id_(converter_.shape()->AddValue(-1, "id")),
      role_(converter_.shape()->AddValue(-1, "role")),
      created_at_(converter_.shape()->AddValue(-1, "created_at")),
      updated_at_(converter_.shape()->AddValue(-1, "updated_at")),
      tags_(AddEmbedded("tags")),
      companies_(AddEmbedded("companies")),
      notes_(AddEmbedded("notes")),
      reader_({"data"}, "", converter_.shape()) {
  const auto add = [&](SubResource::Kind kind, v1::SourceRecord record,
                       std::vector<std::string> items, int per_page, const char* operation) {
    auto resource =
        std::make_unique<SubResource>(kind, record, std::move(items), per_page, operation, wanted);
    if (resource->converter.wanted()) resources_.push_back(std::move(resource));
  };
  using Kind = SubResource::Kind;
  add(Kind::kTags, v1::SOURCE_RECORD_CONTACT_TAG, {"data", "tags"}, 0, "GET /contacts/{id}/tags");
  add(Kind::kSegments, v1::SOURCE_RECORD_CONTACT_SEGMENT, {"data", "segments"}, 0,
      "GET /contacts/{id}/segments");
  add(Kind::kCompanies, v1::SOURCE_RECORD_CONTACT_COMPANY, {"data", "companies"}, kCompaniesPerPage,
      "GET /contacts/{id}/companies");
  add(Kind::kNotes, v1::SOURCE_RECORD_NOTE, {"data", "notes"}, kNotesPerPage,
      "GET /contacts/{id}/notes");
  // The answer is one record, which holds the list.
  add(Kind::kEvents, v1::SOURCE_RECORD_EVENT_SUMMARY, {}, 0, "GET /events");
}

ContactWalk::~ContactWalk() = default;

ContactWalk::Embedded ContactWalk::AddEmbedded(const std::string& key) {
  Shape* shape = converter_.shape();
  return {shape->AddList(-1, absl::StrCat(key, ".data")),
          shape->AddValue(-1, absl::StrCat(key, ".has_more")),
          shape->AddValue(-1, absl::StrCat(key, ".total_count"))};
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
  options.id = id_;
  options.reading = MakeReading();
  options.on_page = [this](const PageInfo& info, std::function<void()> next) {
    OnListPage(info, std::move(next));
  };
  options.on_end = [this](const absl::Status& status) {
    if (!status.ok()) run_->FailTables(tables_, status);
    list_ended_ = true;
    MaybeEnd();
  };
  PagedList::Walk(run_, converter_.shape(), std::move(options));
}

void ContactWalk::OnListPage(const PageInfo& info, std::function<void()> next) {
  if (info.total_count.has_value()) total_ = info.total_count;
  ShareOutTotal();
  if (std::exchange(first_page_, false)) {
    if (info.next_starting_after.has_value() && total_.value_or(0) >= kMinContactsForWindows) {
      ReadWindows();
      return;
    }
    page_ids_.clear();
  }
  if (pending_ >= kMaxPending) {
    paused_ = std::move(next);
  } else {
    next();
  }
}

void ContactWalk::ReadWindows() {
  seen_ = std::make_unique<ContactIds>();
  for (const std::string& id : page_ids_) seen_->Insert(id);
  ContactWindows::Options options;
  options.time_zone = workspace_.time_zone;
  options.start = workspace_.start;
  options.reading = MakeReading();
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

bool ContactWalk::IsComplete(const RecordValues& values, const Embedded& embedded) const {
  const size_t count = values.lists[embedded.list].count;
  const Shape& shape = *const_cast<RecordConverter&>(converter_).shape();
  const JsonValue& has_more = values.Get(shape, embedded.has_more, 0);
  if (has_more.kind == JsonValue::Kind::kTrue) return false;
  const JsonValue& total = values.Get(shape, embedded.total_count, 0);
  if (const auto number = ParseInt64(total.text)) {
    return *number <= static_cast<int64_t>(count);
  }
  // Nothing says so: a list as long as the limit may have been cut.
  return has_more.kind == JsonValue::Kind::kFalse || count < kEmbeddedLimit;
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
  if (role == "user") {
    contact.role = v1::CONTACT_ROLE_USER;
  } else if (role == "lead") {
    contact.role = v1::CONTACT_ROLE_LEAD;
  } else {
    for (const TableInfo* table : run_->report().tables()) {
      if (!tables_.test(table->index)) continue;
      // One notice, at the first table that the contact could have been in.
      unit->notices().push_back({table->index, v1::NOTICE_CODE_ROLE_UNKNOWN, contact.id,
                                 absl::StrCat("the contact's role is \"", Abs(role).substr(0, 40),
                                              "\", neither user nor lead; it is in no table")});
      break;
    }
    return;
  }
  if (roles_ != nullptr) roles_->Remember(contact.id, Abs(role));

  RecordContext context;
  for (const auto& resource : resources_) {
    const TableSet tables = resource->TablesFor(contact.role);
    if (tables.none()) continue;
    bool needed = true;
    switch (resource->kind) {
      case SubResource::Kind::kTags:
        needed = !IsComplete(values, tags_);
        break;
      case SubResource::Kind::kCompanies:
        needed = !IsComplete(values, companies_);
        break;
      case SubResource::Kind::kNotes:
        // Embedded notes are ids only.
        needed = values.lists[notes_.list].count > 0 || !IsComplete(values, notes_);
        break;
      case SubResource::Kind::kSegments:
      case SubResource::Kind::kEvents:
        break;
    }
    if (!needed) continue;
    context.skip |= tables;
    Missing missing{resource.get(), nullptr};
    if (resource->kind == SubResource::Kind::kTags ||
        resource->kind == SubResource::Kind::kCompanies) {
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
    if (contact.missing.empty()) continue;
    auto shared = std::make_shared<Contact>(std::move(contact));
    for (const Missing& missing : shared->missing) {
      ++pending_;
      ++missing_lists;
      FetchSubResource(shared, missing);
    }
  }
  largest_page_ = std::max(largest_page_, missing_lists);
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
  const SubResource* resource = missing.resource;
  TableSet tables;
  for (const TableInfo* table : run_->report().tables()) {
    if (resource->TablesFor(contact->role).test(table->index) &&
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
  options.operation = resource->operation;
  options.path = resource->Path(contact->id);
  options.per_page = resource->per_page;
  options.priority = Priority::kDetail;
  options.reading.reader = &resource->reader;
  options.reading.tables = tables;
  if (resource->kind != SubResource::Kind::kEvents) options.id = resource->id;
  auto any_rows = std::make_shared<bool>(false);
  options.reading.on_record = [contact, resource, any_rows](const PageReader::Record& record,
                                                            UnitRows* unit) {
    *any_rows = true;
    RecordContext context;
    context.parent_id = contact->id;
    context.parent_role = contact->role;
    resource->converter.Convert(*record.values, context, unit);
  };
  options.on_end = [this, contact, tables, any_rows,
                    embedded = missing.embedded](const absl::Status& status) {
    if (!status.ok()) {
      if (embedded != nullptr && !*any_rows) run_->AddRows(embedded.get());
      run_->FailDetail(tables, contact->id, status);
    }
    OnSubResourceEnd();
  };
  PagedList::Walk(run_, resource->converter.shape(), std::move(options));
}

void ContactWalk::OnSubResourceEnd() {
  --pending_;
  if (paused_ && pending_ < kMaxPending) std::exchange(paused_, nullptr)();
  if (windows_ != nullptr) windows_->Pump();
  MaybeEnd();
}

void ContactWalk::MaybeEnd() {
  if (!list_ended_ || pending_ > 0) return;
  done_();
}

}  // namespace intercom_extractor
