#include "extractor/pipeline/conversation_walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/tables/json_number.h"

namespace intercom_extractor {
namespace {

constexpr int kConversationsPerPage = 150;
// Intercom gives the newest 500 parts of a conversation and no way to the others.
constexpr int64_t kPartsLimit = 500;
// Listing pauses while this many conversations are not read.
constexpr size_t kMaxPending = 1500;
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
                                   RoleResolver* roles, v1::BodyFormat body_format)
    : run_(run),
      resolver_(roles),
      tables_(TablesOf(wanted)),
      plain_text_(body_format != v1::BODY_FORMAT_HTML),
      details_(NeedsDetails(wanted, body_format)),
      list_line_(run->plan().AddLine("GET /conversations", v1::READ_WAY_LIST, tables_)),
      detail_line_(
          run->plan().AddLine("GET /conversations/{id}", v1::READ_WAY_PER_RECORD, tables_)),
      converter_(v1::SOURCE_RECORD_CONVERSATION, wanted),
      id_(converter_.shape()->AddValue(-1, "id")),
      author_id_(converter_.shape()->AddValue(-1, "source.author.id")),
      author_type_(converter_.shape()->AddValue(-1, "source.author.type")),
      parts_(converter_.shape()->AddList(-1, kPartsPath)),
      parts_total_(converter_.shape()->AddValue(-1, "conversation_parts.total_count")),
      parts_counted_(converter_.shape()->AddValue(-1, "statistics.count_conversation_parts")),
      list_reader_({"conversations", "data"}, "", converter_.shape()),
      detail_reader_({}, kPartsPath, converter_.shape()) {
  for (const char* path : {"contacts.contacts", "contacts"}) {
    const int list = converter_.shape()->AddList(-1, path);
    contacts_.push_back({list, converter_.shape()->AddValue(list, "id")});
  }
}

void ConversationWalk::Save(resume::State* /*state*/) const {}

void ConversationWalk::Restore(const resume::State& /*state*/) {
  for (const TableInfo* table : run_->report().tables()) {
    if (!tables_.test(table->index) || run_->report().Rows(table->index) == 0) continue;
    run_->RestartTable(table->index, "read anew after an interruption");
  }
}

void ConversationWalk::Start(std::function<void()> done) {
  done_ = std::move(done);
  PagedList::Options options;
  options.operation = "GET /conversations";
  options.path = "/conversations";
  options.per_page = kConversationsPerPage;
  options.by_cursor = true;
  options.id = id_;
  options.reading.reader = &list_reader_;
  options.reading.tables = tables_;
  options.reading.line = list_line_;
  options.plan_pages = true;
  if (details_) {
    options.reading.begin = [this] { page_ = std::make_shared<Page>(); };
    options.reading.on_record = [this](const PageReader::Record& record, UnitRows* /*unit*/) {
      page_->ids.emplace_back(record.values->Get(*converter_.shape(), id_, 0).text);
      AddContacts(*record.values, &page_->contacts);
    };
  } else {
    page_ = std::make_shared<Page>();
    options.reading.before = [this](const PageReader::Record& record) {
      AddContacts(*record.values, &page_->contacts);
    };
    options.reading.after = [this](std::function<void()> go_on) {
      resolver_->Resolve(std::exchange(page_->contacts, {}), page_->roles, std::move(go_on));
    };
    options.reading.on_record = [this](const PageReader::Record& record, UnitRows* unit) {
      MakeRows(record, *page_->roles, /*is_detail=*/false, unit);
    };
  }
  options.on_page = [this](const PageInfo& info, std::function<void()> next) {
    OnPage(info, std::move(next));
  };
  options.on_end = [this](const absl::Status& status) {
    if (!status.ok()) run_->FailTables(tables_, status);
    list_ended_ = true;
    list_line_->End();
    MaybeEnd();
  };
  PagedList::Walk(run_, converter_.shape(), std::move(options));
}

void ConversationWalk::AddContacts(const RecordValues& values, std::vector<std::string>* contacts) {
  for (const Contacts& list : contacts_) {
    AppendUnknownRoles(*converter_.shape(), values, list.list, list.id, author_id_, author_type_,
                       contacts);
  }
}

std::optional<bool> ConversationWalk::PartsTruncated(const PageReader::Record& record) {
  const Shape& shape = *converter_.shape();
  const auto got = static_cast<int64_t>(record.part == 0 ? record.values->lists[parts_].count
                                                         : record.split_count);
  if (got < kPartsLimit) return false;
  const auto total = ParseInt64(record.values->Get(shape, parts_total_, 0).text);
  const auto counted = ParseInt64(record.values->Get(shape, parts_counted_, 0).text);
  if (!total.has_value() && !counted.has_value()) return std::nullopt;
  // The statistics count the message that began the conversation as a part.
  return std::max(total.value_or(0), counted.value_or(1) - 1) > got;
}

void ConversationWalk::MakeRows(const PageReader::Record& record, const RoleMap& roles,
                                bool is_detail, UnitRows* unit) {
  RecordContext context;
  context.roles = &roles;
  if (is_detail && record.part < 2) {
    context.parts_truncated = PartsTruncated(record);
    if (context.parts_truncated.value_or(false)) {
      for (const TableInfo* table : run_->report().tables()) {
        if (table->name() != "conversation_parts") continue;
        unit->notices().push_back(
            {table->index, v1::NOTICE_CODE_PARTS_TRUNCATED,
             std::string(record.values->Get(*converter_.shape(), id_, 0).text),
             "Intercom gives the newest 500 parts only; older ones are missing, and the "
             "conversation's parts_truncated is true"});
      }
    }
  }
  using Part = RecordConverter::Part;
  const Part part = record.part == 0   ? Part::kWhole
                    : record.part == 1 ? Part::kWithoutList
                                       : Part::kListOnly;
  converter_.Convert(*record.values, context, unit, part, parts_);
}

void ConversationWalk::OnPage(const PageInfo& info, std::function<void()> next) {
  if (info.total_count.has_value()) {
    for (const TableInfo* table : run_->report().tables()) {
      if (table->name() == "conversations") {
        run_->report().SetExpected(table->index, *info.total_count);
      }
    }
  }
  PlanDetails(info);
  if (!details_) {
    page_ = std::make_shared<Page>();
    next();
    return;
  }
  pending_ += page_->ids.size();
  std::shared_ptr<Page> page = page_;
  resolver_->Resolve(std::move(page->contacts), page->roles, [this, page] {
    for (const std::string& id : page->ids) FetchDetail(id, page->roles);
  });
  if (pending_ >= kMaxPending) {
    paused_ = std::move(next);
  } else {
    next();
  }
}

void ConversationWalk::PlanDetails(const PageInfo& info) {
  ++pages_;
  listed_ += static_cast<int64_t>(info.records + info.malformed);
  const int64_t total = std::max(listed_, info.total_count.value_or(listed_));
  // Those that are listed but not asked for yet count as well.
  detail_line_->Expect(Estimate::Exactly(details_ ? total - detail_line_->asked() : 0));
  const int64_t pages_left = (total - listed_ + kConversationsPerPage - 1) / kConversationsPerPage;
  const int64_t lookups = resolver_->line()->asked();
  resolver_->line()->Expect(
      {0, pages_left * lookups / pages_, pages_left * std::max<int64_t>(1, lookups / pages_)});
}

void ConversationWalk::FetchDetail(const std::string& id, const std::shared_ptr<RoleMap>& roles) {
  const auto failed = [this](const TableInfo* table) {
    return !tables_.test(table->index) || run_->report().Failed(table->index);
  };
  const auto& tables = run_->report().tables();
  if (std::all_of(tables.begin(), tables.end(), failed)) {
    // The scope is missing, say: no need to ask for each conversation.
    run_->After(absl::ZeroDuration(), [this] { OnDetailEnd(); });
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
  reading.on_record = [this, roles](const PageReader::Record& record, UnitRows* unit) {
    MakeRows(record, *roles, /*is_detail=*/true, unit);
  };
  run_->FetchRows(request, reading, [this, id](const absl::StatusOr<PageInfo>& info) {
    if (!info.ok()) run_->FailDetail(tables_, id, info.status());
    OnDetailEnd();
  });
}

void ConversationWalk::OnDetailEnd() {
  --pending_;
  if (paused_ && pending_ < kMaxPending) std::exchange(paused_, nullptr)();
  MaybeEnd();
}

void ConversationWalk::MaybeEnd() {
  if (!list_ended_ || pending_ > 0) return;
  detail_line_->End();
  resolver_->line()->End();
  done_();
}

}  // namespace intercom_extractor
