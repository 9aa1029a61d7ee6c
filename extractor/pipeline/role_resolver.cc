#include "extractor/pipeline/role_resolver.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/contact_search.h"

namespace intercom_extractor {
namespace {

// One answer holds at most 150 contacts, so more ids would need more pages.
constexpr size_t kIdsPerSearch = 150;
// About 16 MB of ids; beyond, contacts are looked up again.
constexpr size_t kMaxRemembered = 200000;

}  // namespace

std::optional<absl::string_view> RoleMap::Role(absl::string_view contact_id) const {
  const auto found = roles_.find(contact_id);
  if (found == roles_.end() || found->second.empty()) return std::nullopt;
  return absl::string_view(found->second);
}

void RoleMap::Set(absl::string_view contact_id, absl::string_view role) {
  roles_[std::string(contact_id)] = std::string(role);
}

RoleResolver::RoleResolver(Run* run)
    : run_(run),
      table_(TableCatalog::Get().Find("conversations_customers")->index),
      line_(run->plan().AddLine("POST /contacts/search", v1::READ_WAY_LOOKUP,
                                TableSet().set(table_))),
      id_(shape_.AddValue(-1, "id")),
      role_(shape_.AddValue(-1, "role")),
      reader_({"data"}, "", &shape_) {
  line_->Explain("roles of the contacts in conversations, 150 at a time");
  line_->End();
}

void RoleResolver::Remember(absl::string_view contact_id, absl::string_view role) {
  if (role != "user" && role != "lead") return;
  if (is_user_.size() < kMaxRemembered) is_user_[std::string(contact_id)] = role == "user";
}

void RoleResolver::Resolve(std::vector<std::string> ids, const std::shared_ptr<RoleMap>& roles,
                           std::function<void()> done) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<std::string> unknown;
  // Pages that are read at the same time hold the same contacts.
  std::map<Lookup*, std::vector<std::string>> awaited;
  for (std::string& id : ids) {
    if (roles->LookedUp(id)) continue;
    if (const auto found = is_user_.find(id); found != is_user_.end()) {
      roles->Set(id, found->second ? "user" : "lead");
    } else if (const auto lookup = lookups_.find(id); lookup != lookups_.end()) {
      awaited[lookup->second.get()].push_back(std::move(id));
    } else {
      unknown.push_back(std::move(id));
    }
  }
  if (unknown.empty() && awaited.empty()) {
    done();
    return;
  }
  // Calls `done` when the last of the searches has ended.
  auto left = std::make_shared<size_t>((unknown.size() + kIdsPerSearch - 1) / kIdsPerSearch +
                                       awaited.size());
  auto one_done = [left, done = std::move(done)] {
    if (--*left == 0) done();
  };
  for (auto& [lookup, awaited_ids] : awaited) {
    lookup->waiters.push_back({std::move(awaited_ids), roles, one_done});
  }
  for (size_t i = 0; i < unknown.size(); i += kIdsPerSearch) {
    const auto begin = unknown.begin() + static_cast<ptrdiff_t>(i);
    const auto end =
        unknown.begin() + static_cast<ptrdiff_t>(std::min(i + kIdsPerSearch, unknown.size()));
    Search(std::vector<std::string>(begin, end), roles, one_done);
  }
}

void RoleResolver::Search(const std::vector<std::string>& ids,
                          const std::shared_ptr<RoleMap>& roles, std::function<void()> done) {
  std::string list;
  auto lookup = std::make_shared<Lookup>();
  for (const std::string& id : ids) {
    lookups_[id] = lookup;
    absl::StrAppend(&list, list.empty() ? "" : ",", JsonString(id));
  }
  ApiRequest request;
  request.operation = "POST /contacts/search";
  request.method = "POST";
  request.path_and_query = "/contacts/search";
  request.body = absl::StrCat(R"({"query":{"field":"id","operator":"IN","value":[)", list,
                              R"(]},"pagination":{"per_page":)", kIdsPerSearch, "}}");
  request.priority = Priority::kPage;
  Run::Reading reading;
  reading.operation = request.operation;
  reading.reader = &reader_;
  reading.on_record = [this, roles](const PageReader::Record& record, UnitRows* /*unit*/) {
    const std::string_view id = record.values->Get(shape_, id_, 0).text;
    const std::string_view role = record.values->Get(shape_, role_, 0).text;
    if (role != "user" && role != "lead") return;
    roles->Set(absl::string_view(id.data(), id.size()),
               absl::string_view(role.data(), role.size()));
    Remember(absl::string_view(id.data(), id.size()), absl::string_view(role.data(), role.size()));
  };
  reading.tables.set(table_);
  reading.line = line_;
  run_->FetchRows(
      request, reading,
      [this, ids, roles, lookup, done = std::move(done)](const absl::StatusOr<PageInfo>& info) {
        if (!info.ok()) {
          // The rows are there, with "contact" for the role.
          run_->Notify(table_, v1::NOTICE_CODE_ROLE_NOT_FOUND, v1::SEVERITY_WARNING, "",
                       absl::StrCat("roles could not be looked up: ", info.status().message()));
        }
        for (const std::string& id : ids) {
          // Not before: whoever shares `roles` would take it for the answer.
          if (!roles->LookedUp(id)) roles->Set(id, "");
          lookups_.erase(id);
        }
        for (const Lookup::Waiter& waiter : lookup->waiters) {
          for (const std::string& id : waiter.ids) {
            waiter.roles->Set(id, roles->Role(id).value_or(""));
          }
        }
        done();
        for (const Lookup::Waiter& waiter : lookup->waiters) waiter.done();
      });
}

}  // namespace intercom_extractor
