#include "extractor/pipeline/contact_segments.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/checkpoint/packed_ids.h"
#include "extractor/pipeline/paged_list.h"

namespace intercom_extractor {
namespace {

// Intercom speaks of a few minutes until a contact can be found.
constexpr absl::Duration kIndexDelay = absl::Minutes(10);
// New contacts that a resume token names; beyond, a resume asks all contacts.
constexpr size_t kMaxNew = 300;

constexpr char kIncomplete[] = "its rows came from searches that turned out incomplete";

ContactFilter::Role RoleFor(const ContactChild& child) {
  if (child.lead_tables.none()) return ContactFilter::Role::kUser;
  if (child.user_tables.none()) return ContactFilter::Role::kNotUser;
  return ContactFilter::Role::kAny;
}

}  // namespace

ContactSegments::ContactSegments(Run* run, Options options)
    : run_(run),
      options_(std::move(options)),
      tables_(options_.child->user_tables | options_.child->lead_tables),
      choice_(options_.child->user_tables.any(), options_.child->lead_tables.any()),
      created_until_(absl::ToUnixSeconds(options_.start - kIndexDelay)),
      segments_line_(run->plan().AddLine(SegmentList::kOperation, v1::READ_WAY_LIST, tables_)),
      search_line_(run->plan().AddLine("POST /contacts/search", v1::READ_WAY_PER_SEGMENT, tables_)),
      list_line_(run->plan().AddLine("GET /contacts", v1::READ_WAY_LIST, tables_)),
      id_(shape_.AddValue(-1, "id")),
      role_(shape_.AddValue(-1, "role")),
      reader_({"data"}, "", &shape_) {
  segments_line_->Explain("counts the members of each segment");
  search_line_->Explain("fewer requests than one for each contact");
  list_line_->Explain("names the contacts to ask, as the search could not be relied on");
  list_line_->End();
}

bool ContactSegments::Asks(std::optional<int64_t> created_at) const {
  switch (asking_) {
    case Asking::kUnknown:
    case Asking::kAllContacts:
      return true;
    case Asking::kNewContacts:
      return created_at.value_or(0) > created_until_;
    case Asking::kListedAgain:
      break;
  }
  return false;
}

void ContactSegments::OnFirstPage(const SegmentChoice::Contacts& contacts) {
  if (!choice_.IsOpen(contacts)) {
    Decide(Asking::kAllContacts);
    return;
  }
  if (!options_.list->watched()) options_.list->Ask(run_, segments_line_);
  segments_line_->End();
  options_.list->Await([this, contacts] {
    if (asking_ == Asking::kUnknown) Choose(contacts);
  });
}

void ContactSegments::OnListFailed() {
  if (asking_ == Asking::kUnknown) {
    Decide(Asking::kAllContacts);
  } else if (asking_ == Asking::kNewContacts && !ended_) {
    // There is none while the segments are being counted.
    if (!searches_.empty()) searches_.back()->Stop();
    ended_ = true;
  }
}

void ContactSegments::OnAsked(const std::string& id, v1::ContactRole role) {
  if (asking_ != Asking::kNewContacts || ended_) return;
  if (new_users_.size() + new_leads_.size() >= kMaxNew) {
    more_new_ = true;
  } else {
    (role == v1::CONTACT_ROLE_USER ? new_users_ : new_leads_).push_back(id);
  }
}

void ContactSegments::Save(resume::ContactSegments* state) const {
  state->set_asking(static_cast<int>(asking_));
  state->set_ended(ended_);
  if (asking_ != Asking::kNewContacts || ended_) return;
  state->set_new_users(PackIds(new_users_));
  state->set_new_leads(PackIds(new_leads_));
  state->set_more_new(more_new_);
}

bool ContactSegments::KeepsPending(const resume::ContactSegments& state) {
  return state.ended() || static_cast<Asking>(state.asking()) == Asking::kUnknown;
}

void ContactSegments::Resume(const resume::ContactSegments& state) {
  const auto asking = static_cast<Asking>(state.asking());
  // The first page is gone that the choice depends on.
  if (asking == Asking::kUnknown || asking == Asking::kAllContacts) {
    Decide(Asking::kAllContacts);
    return;
  }
  segments_line_->End();
  search_line_->End();
  asking_ = asking;
  ended_ = state.ended();
  options_.on_change();
  if (ended_) return;
  const std::string why = "searches by segment cannot be continued after an interruption";
  if (asking == Asking::kListedAgain || state.more_new()) {
    ListAgain(why);
    return;
  }
  RestartTables(why);
  for (const auto& [ids, role] : {std::pair(state.new_users(), v1::CONTACT_ROLE_USER),
                                  std::pair(state.new_leads(), v1::CONTACT_ROLE_LEAD)}) {
    const absl::StatusOr<std::vector<std::string>> asked = UnpackIds(ids);
    if (!asked.ok()) continue;
    for (const std::string& id : *asked) {
      OnAsked(id, role);
      options_.ask(id, role);
    }
  }
  CountAndSearch();
}

void ContactSegments::CountAndSearch() {
  if (!options_.list->watched()) options_.list->Ask(run_, segments_line_);
  options_.list->Await([this, generation = generation_] {
    if (ended_ || generation != generation_ || asking_ != Asking::kNewContacts) return;
    if (options_.list->complete()) {
      Search();
    } else {
      ListAgain(kIncomplete);
    }
  });
}

void ContactSegments::BeginAnew() {
  new_users_.clear();
  new_leads_.clear();
  more_new_ = false;
  if (asking_ == Asking::kListedAgain) {
    // The list names all contacts as well.
    ++generation_;
    list_line_->End();
    Decide(Asking::kAllContacts);
  } else if (asking_ == Asking::kNewContacts) {
    if (!searches_.empty()) searches_.back()->Stop();
    ended_ = false;
    CountAndSearch();
  }
}

void ContactSegments::Choose(const SegmentChoice::Contacts& contacts) {
  std::vector<std::optional<int64_t>> members;
  for (const SegmentList::Segment& segment : options_.list->segments()) {
    members.push_back(segment.members);
  }
  if (options_.list->complete() && choice_.SearchIsCheaper(contacts, members)) {
    Decide(Asking::kNewContacts);
    Search();
  } else {
    Decide(Asking::kAllContacts);
  }
}

void ContactSegments::Decide(Asking asking) {
  asking_ = asking;
  if (asking == Asking::kAllContacts) {
    segments_line_->End();
    search_line_->End();
    ended_ = true;
  }
  options_.on_change();
}

void ContactSegments::Search() {
  SegmentSearch::Options options;
  options.time_zone = options_.time_zone;
  options.start = options_.start;
  options.created_until = created_until_;
  options.role = RoleFor(*options_.child);
  options.child = options_.child;
  options.tables = tables_;
  options.line = search_line_;
  options.on_end = [this](const absl::Status& status, int64_t members, int64_t missing) {
    OnSearchEnd(status, members, missing);
  };
  // The searches plan their parts themselves.
  search_line_->End();
  searches_.push_back(
      std::make_unique<SegmentSearch>(run_, options_.list->segments(), std::move(options)));
  searches_.back()->Start();
}

void ContactSegments::OnSearchEnd(const absl::Status& status, int64_t members, int64_t missing) {
  if (!status.ok()) {
    run_->NotifyOnce(
        tables_, v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH, v1::SEVERITY_INFO,
        absl::StrCat("each contact is asked for its segments, as POST /contacts/search by "
                     "segment cannot be relied on: ",
                     status.message()));
    ListAgain(kIncomplete);
    return;
  }
  if (missing > 0) {
    run_->NotifyOnce(
        tables_, v1::NOTICE_CODE_COUNT_DIFFERS, v1::SEVERITY_WARNING,
        absl::StrCat("POST /contacts/search gave ", missing, " fewer than the ", members,
                     " members of segments that it counted; they changed during the run"));
  }
  End();
}

void ContactSegments::RestartTables(const std::string& why) {
  ++generation_;
  run_->RestartTables(tables_, why);
}

void ContactSegments::ListAgain(const std::string& why) {
  RestartTables(why);
  asking_ = Asking::kListedAgain;
  options_.on_change();

  PagedList::Options options;
  options.operation = "GET /contacts";
  options.path = "/contacts";
  options.per_page = static_cast<int>(SegmentChoice::kPageSize);
  options.by_cursor = true;
  options.plan_pages = true;
  options.id = id_;
  options.reading.reader = &reader_;
  options.reading.tables = tables_;
  options.reading.line = list_line_;
  options.reading.begin = [this] { page_.clear(); };
  options.reading.on_record = [this](const PageReader::Record& record, UnitRows* /*unit*/) {
    const std::string_view role = record.values->Get(shape_, role_, 0).text;
    page_.push_back({std::string(record.values->Get(shape_, id_, 0).text),
                     ContactRoleOf(absl::string_view(role.data(), role.size()))});
  };
  const auto is_void = [this, generation = generation_] { return generation_ != generation; };
  options.reading.on_commit = [this, is_void] {
    if (is_void()) return;
    listed_ += static_cast<int64_t>(page_.size());
    for (const Contact& contact : std::exchange(page_, {})) {
      if (contact.role == v1::CONTACT_ROLE_UNSPECIFIED) continue;
      if (options_.child->TablesFor(contact.role).any()) options_.ask(contact.id, contact.role);
    }
  };
  options.on_page = [this, is_void](const PageInfo& info, std::function<void()> next) {
    if (is_void()) return;
    options_.per_contact->Expect(
        Estimate::Exactly(std::max<int64_t>(0, info.total_count.value_or(0) - listed_)));
    options_.await_room(std::move(next));
  };
  options.on_end = [this, is_void](const absl::Status& status) {
    if (is_void()) return;
    if (!status.ok()) run_->FailTables(tables_, status);
    list_line_->End();
    End();
  };
  PagedList::Walk(run_, &shape_, std::move(options));
}

void ContactSegments::End() {
  ended_ = true;
  options_.on_end();
}

}  // namespace intercom_extractor
