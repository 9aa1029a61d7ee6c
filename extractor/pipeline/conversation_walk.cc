#include "extractor/pipeline/conversation_walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/checkpoint/packed_ids.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/search_windows.h"
#include "extractor/tables/json_number.h"
#include "extractor/tables/record_reader.h"

namespace intercom_extractor {
namespace {

constexpr int kConversationsPerPage = 150;
// Intercom gives the newest 500 parts of a conversation and no way to the others.
constexpr int64_t kPartsLimit = 500;
// Listing pauses while this many conversations are not read.
constexpr size_t kMaxPending = 1500;
// Pages that are on their way, or here and wait for the roles of their contacts:
// as much memory, and far more than a quota lets through.
constexpr size_t kMaxPages = 32;
constexpr char kPartsPath[] = "conversation_parts.conversation_parts";

bool Wants(const std::vector<const TableInfo*>& wanted, absl::string_view name) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [name](const TableInfo* table) { return table->name() == name; });
}

}  // namespace

TableSet ConversationWalk::TablesOf(const std::vector<const TableInfo*>& wanted) {
  TableSet tables;
  for (const TableInfo* table : wanted) {
    for (const v1::TableSource& source : table->description.table().sources()) {
      if (source.record() == v1::SOURCE_RECORD_CONVERSATION) tables.set(table->index);
    }
  }
  return tables;
}

bool ConversationWalk::NeedsDetails(const std::vector<const TableInfo*>& wanted,
                                    v1::BodyFormat body_format) {
  return Wants(wanted, "conversation_parts") || Wants(wanted, "conversation_parts_attachments") ||
         (body_format != v1::BODY_FORMAT_HTML && Wants(wanted, "conversations"));
}

ConversationWalk::ConversationWalk(Run* run, const std::vector<const TableInfo*>& wanted,
                                   RoleResolver* roles, v1::BodyFormat body_format,
                                   absl::Time start, const Incremental& incremental)
    : run_(run),
      resolver_(roles),
      tables_(TablesOf(wanted)),
      child_tables_(ParentRows::ChildrenAmong(wanted, tables_)),
      plain_text_(body_format != v1::BODY_FORMAT_HTML),
      details_(NeedsDetails(wanted, body_format)),
      list_line_(run->plan().AddLine("GET /conversations", v1::READ_WAY_LIST, tables_)),
      windows_line_(
          run->plan().AddLine("POST /conversations/search", v1::READ_WAY_WINDOWS, tables_)),
      detail_line_(
          run->plan().AddLine("GET /conversations/{id}", v1::READ_WAY_PER_RECORD, tables_)),
      converter_(v1::SOURCE_RECORD_CONVERSATION, wanted),
      id_(converter_.shape()->AddValue(-1, "id")),
      created_at_(converter_.shape()->AddValue(-1, "created_at")),
      updated_at_(converter_.shape()->AddValue(-1, "updated_at")),
      author_id_(converter_.shape()->AddValue(-1, "source.author.id")),
      author_type_(converter_.shape()->AddValue(-1, "source.author.type")),
      parts_(converter_.shape()->AddList(-1, kPartsPath)),
      parts_total_(converter_.shape()->AddValue(-1, "conversation_parts.total_count")),
      parts_counted_(converter_.shape()->AddValue(-1, "statistics.count_conversation_parts")),
      list_reader_({"conversations", "data"}, "", converter_.shape()),
      detail_reader_({}, kPartsPath, converter_.shape()),
      list_(run, converter_.shape(), ListOptions(start, incremental)) {
  windows_line_->Explain("seconds of creation, many pages at once");
  windows_line_->End();
  for (const char* path : {"contacts.contacts", "contacts"}) {
    const int list = converter_.shape()->AddList(-1, path);
    contacts_.push_back({list, converter_.shape()->AddValue(list, "id")});
  }
  for (const TableInfo* table : wanted) {
    if (incremental.find_deleted && table->name() == "conversations") {
      deleted_ = std::make_unique<DeletedConversations>(run, table, *incremental.since);
    }
  }
}

void ConversationWalk::Save(resume::State* state) const {
  *state->mutable_conversations() = list_.Save();
  state->set_pending_conversations(PackIds({pending_.begin(), pending_.end()}));
  state->set_conversations_done(read_);
  state->set_deleted_listed(deleted_ != nullptr && deleted_->ended());
}

void ConversationWalk::Restore(const resume::State& state) { earlier_ = state; }

void ConversationWalk::Start(std::function<void()> done) {
  done_ = std::move(done);
  const resume::RecordList& list = earlier_.conversations();
  auto page = std::make_shared<Page>();
  if (list.way() != resume::RecordList::WAY_ANEW) {
    read_ = read_before_ = earlier_.conversations_done();
    page->ids = UnpackIds(earlier_.pending_conversations()).value_or(std::vector<std::string>());
  }
  if (deleted_ != nullptr) {
    if (earlier_.deleted_listed()) {
      deleted_->SetEnded();
    } else {
      deleted_->Start([this] { MaybeEnd(); });
    }
  }
  FetchDetails(page);
  list_.Start(list);
}

WindowedList::Options ConversationWalk::ListOptions(absl::Time start,
                                                    const Incremental& incremental) {
  WindowedList::Options options;
  options.records = "conversations";
  options.start = absl::ToUnixSeconds(start);
  options.tables = tables_;
  // Intercom lists the deleted ones: the others need not be listed.
  options.incremental = incremental;
  options.on_total = [this](int64_t total) { SetTotal(total); };
  options.prepare = [this](Run::Reading* reading) { Prepare(reading); };

  Run::Reading reading;
  reading.reader = &list_reader_;
  reading.tables = tables_;

  PagedList::Options& list = options.list;
  list.operation = "GET /conversations";
  list.path = "/conversations";
  list.per_page = kConversationsPerPage;
  list.by_cursor = true;
  list.plan_pages = true;
  list.id = id_;
  list.reading = reading;
  list.reading.line = list_line_;
  list.on_page = [this](const PageInfo& /*info*/, std::function<void()> next) {
    OnListPage(std::move(next));
  };

  SearchWindows::Options& windows = options.windows;
  windows.search = SearchWindows::Search::Conversations(start);
  if (details_) windows.plan.max_open = kWindowsWithDetails;
  windows.reading = reading;
  windows.reading.line = windows_line_;
  windows.id = id_;
  windows.created_at = created_at_;
  windows.updated_at = updated_at_;
  windows.has_room = [this](size_t in_flight) {
    if (!details_) return in_flight < kMaxPages;
    return in_flight + pending_.size() == 0 ||
           pending_.size() + (in_flight + 1) * kConversationsPerPage <= kMaxPending;
  };

  options.when_idle = [this](std::function<void()> begin_anew) { WhenIdle(std::move(begin_anew)); };
  options.on_end = [this](const absl::Status& status) {
    if (!status.ok()) run_->FailTables(tables_, status);
    list_ended_ = true;
    MaybeEnd();
  };
  return options;
}

void ConversationWalk::Prepare(Run::Reading* reading) {
  auto page = std::make_shared<Page>();
  if (details_) {
    reading->begin = [page] { *page = Page(); };
    reading->on_record = [this, page](const PageReader::Record& record, UnitRows* /*unit*/) {
      page->ids.emplace_back(record.values->Get(*converter_.shape(), id_, 0).text);
      AddContacts(*record.values, &page->contacts);
    };
    reading->on_commit = [this, page] {
      OnListed(static_cast<int64_t>(page->ids.size()));
      FetchDetails(std::make_shared<Page>(std::exchange(*page, Page())));
    };
    return;
  }
  reading->before = [this, page](const PageReader::Record& record) {
    AddContacts(*record.values, &page->contacts);
  };
  reading->after = [this, page](std::function<void()> go_on) {
    resolver_->Resolve(std::exchange(page->contacts, {}), page->roles, std::move(go_on));
  };
  auto records = std::make_shared<int64_t>(0);
  reading->begin = [records] { *records = 0; };
  reading->on_record = [this, page, records](const PageReader::Record& record, UnitRows* unit) {
    ++*records;
    ParentRows rows;
    rows.Begin(*unit);
    MakeRows(record, *page->roles, /*is_detail=*/false, unit);
    rows.End(*unit);
    if (!run_->with_parents()) return;
    const Shape& shape = *converter_.shape();
    const std::string_view id = record.values->Get(shape, id_, 0).text;
    rows.AppendTo(child_tables_, absl::string_view(id.data(), id.size()),
                  IntegerOf(record.values->Get(shape, updated_at_, 0)), unit);
  };
  reading->on_commit = [this, records] { OnListed(std::exchange(*records, 0)); };
}

void ConversationWalk::AddContacts(const RecordValues& values, std::vector<std::string>* contacts) {
  for (const Contacts& list : contacts_) {
    AppendUnknownRoles(*converter_.shape(), values, list.list, list.id, author_id_, author_type_,
                       contacts);
  }
}

std::optional<bool> ConversationWalk::AuditParts(const PageReader::Record& record, UnitRows* unit) {
  const Shape& shape = *converter_.shape();
  const auto got = static_cast<int64_t>(record.part == 0 ? record.values->lists[parts_].count
                                                         : record.split_count);
  const auto total = ParseInt64(record.values->Get(shape, parts_total_, 0).text);
  const auto statistics = ParseInt64(record.values->Get(shape, parts_counted_, 0).text);
  const bool cut = got >= kPartsLimit;
  if (!total.has_value() && !statistics.has_value()) {
    return cut ? std::nullopt : std::optional<bool>(false);
  }
  // The statistics count the message that began the conversation as a part.
  const int64_t counted = std::max(total.value_or(0), statistics.value_or(1) - 1);
  if (counted <= got) return false;
  for (const TableInfo* table : run_->report().tables()) {
    if (table->name() != "conversation_parts") continue;
    const std::string id(record.values->Get(shape, id_, 0).text);
    if (cut) {
      unit->notices().push_back(
          {table->index, v1::NOTICE_CODE_PARTS_TRUNCATED, id,
           "Intercom gives the newest 500 parts only; older ones are missing, and the "
           "conversation's parts_truncated is true"});
    } else {
      unit->notices().push_back({table->index, v1::NOTICE_CODE_PARTS_DIFFER, id,
                                 absl::StrCat("Intercom gave ", got, " parts and counts ", counted,
                                              "; others may have been deleted or redacted")});
    }
  }
  return cut;
}

void ConversationWalk::MakeRows(const PageReader::Record& record, const RoleMap& roles,
                                bool is_detail, UnitRows* unit) {
  RecordContext context;
  context.roles = &roles;
  if (is_detail && record.part < 2) context.parts_truncated = AuditParts(record, unit);
  using Part = RecordConverter::Part;
  const Part part = record.part == 0   ? Part::kWhole
                    : record.part == 1 ? Part::kWithoutList
                                       : Part::kListOnly;
  converter_.Convert(*record.values, context, unit, part, parts_);
}

void ConversationWalk::OnListPage(std::function<void()> next) {
  if (pending_.size() >= kMaxPending) {
    paused_ = std::move(next);
  } else {
    next();
  }
}

void ConversationWalk::SetTotal(int64_t conversations) {
  total_ = conversations;
  for (const TableInfo* table : run_->report().tables()) {
    if (table->name() == "conversations") run_->report().SetExpected(table->index, conversations);
  }
}

void ConversationWalk::OnListed(int64_t conversations) {
  ++pages_;
  listed_ += conversations;
  const int64_t total = std::max(listed_, total_.value_or(listed_));
  // Those that are listed but not asked for yet count as well.
  detail_line_->Expect(Estimate::Exactly(
      details_ ? std::max<int64_t>(0, total - read_before_ - detail_line_->asked()) : 0));
  const int64_t pages_left = (total - listed_ + kConversationsPerPage - 1) / kConversationsPerPage;
  const int64_t lookups = resolver_->line()->asked();
  resolver_->line()->Expect(
      {0, pages_left * lookups / pages_, pages_left * std::max<int64_t>(1, lookups / pages_)});
}

void ConversationWalk::FetchDetails(const std::shared_ptr<Page>& page) {
  pending_.insert(page->ids.begin(), page->ids.end());
  resolver_->Resolve(std::move(page->contacts), page->roles, [this, page] {
    for (const std::string& id : page->ids) FetchDetail(id, page->roles);
  });
}

void ConversationWalk::WhenIdle(std::function<void()> begin_anew) {
  listed_ = 0;
  pages_ = 0;
  read_before_ = 0;
  if (!pending_.empty()) {
    begin_anew_ = std::move(begin_anew);
  } else {
    begin_anew();
  }
}

void ConversationWalk::FetchDetail(const std::string& id, const std::shared_ptr<RoleMap>& roles) {
  const auto failed = [this](const TableInfo* table) {
    return !tables_.test(table->index) || run_->report().Failed(table->index);
  };
  const auto& tables = run_->report().tables();
  if (std::all_of(tables.begin(), tables.end(), failed)) {
    // The scope is missing, say: no need to ask for each conversation.
    run_->After(absl::ZeroDuration(), [this, id] { OnDetailEnd(id); });
    return;
  }
  ApiRequest request;
  request.operation = "GET /conversations/{id}";
  request.path_and_query =
      absl::StrCat("/conversations/", UrlEncode(id), plain_text_ ? "?display_as=plaintext" : "");
  Run::Reading reading;
  reading.operation = request.operation;
  reading.reader = &detail_reader_;
  reading.tables = tables_;
  reading.line = detail_line_;
  auto contacts = std::make_shared<std::vector<std::string>>();
  reading.before = [this, contacts](const PageReader::Record& record) {
    if (record.part < 2) AddContacts(*record.values, contacts.get());
  };
  reading.after = [this, contacts, roles](std::function<void()> go_on) {
    // Nearly always known from the list.
    resolver_->Resolve(std::exchange(*contacts, {}), roles, std::move(go_on));
  };
  auto detail = std::make_shared<Detail>();
  reading.begin = [detail] { *detail = Detail(); };
  reading.on_record = [this, roles, detail](const PageReader::Record& record, UnitRows* unit) {
    detail->rows.Begin(*unit);
    MakeRows(record, *roles, /*is_detail=*/true, unit);
    detail->rows.End(*unit);
    if (record.part < 2) {
      detail->updated_at = IntegerOf(record.values->Get(*converter_.shape(), updated_at_, 0));
    }
  };
  run_->FetchRows(request, reading, [this, id, detail](const absl::StatusOr<PageInfo>& info) {
    if (!info.ok()) {
      run_->FailDetail(tables_, id, info.status());
    } else if (run_->with_parents() && info->malformed == 0) {
      UnitRows unit(TableCatalog::Get().tables().size());
      detail->rows.AppendTo(child_tables_, id, detail->updated_at, &unit);
      run_->AddRows(&unit);
    }
    OnDetailEnd(id);
  });
}

void ConversationWalk::OnDetailEnd(const std::string& id) {
  pending_.erase(id);
  ++read_;
  if (paused_ && pending_.size() < kMaxPending) std::exchange(paused_, nullptr)();
  if (begin_anew_ && pending_.empty()) {
    read_ = 0;
    std::exchange(begin_anew_, nullptr)();
  }
  list_.Pump();
  MaybeEnd();
}

void ConversationWalk::MaybeEnd() {
  if (!list_ended_ || !pending_.empty() || (deleted_ != nullptr && !deleted_->ended())) return;
  detail_line_->End();
  resolver_->line()->End();
  done_();
}

}  // namespace intercom_extractor
