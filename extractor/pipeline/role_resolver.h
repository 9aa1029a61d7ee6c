#ifndef EXTRACTOR_PIPELINE_ROLE_RESOLVER_H_
#define EXTRACTOR_PIPELINE_ROLE_RESOLVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "extractor/pipeline/run.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_converter.h"
#include "extractor/tables/shape.h"

namespace intercom_extractor {

// The roles of some contacts, as looked up for some conversations.
class RoleMap : public RoleDirectory {
 public:
  std::optional<absl::string_view> Role(absl::string_view contact_id) const override;
  // Whether the contact was looked up, found or not.
  bool LookedUp(absl::string_view contact_id) const { return roles_.contains(contact_id); }
  // An empty role: nobody knows it.
  void Set(absl::string_view contact_id, absl::string_view role);

 private:
  absl::flat_hash_map<std::string, std::string> roles_;
};

// Looks roles up in batches: POST /contacts/search, `id IN [...]`, never one
// call per contact. Roles are a function of the workspace: the bounded cache
// only saves calls. Lives on the extraction's strand.
class RoleResolver {
 public:
  // `run` must outlive the resolver.
  explicit RoleResolver(Run* run);

  // Adds the roles of `ids` to `roles`, then calls `done`, at once when all are
  // known. Ids that nobody knows, or that could not be looked up, are set empty.
  void Resolve(std::vector<std::string> ids, const std::shared_ptr<RoleMap>& roles,
               std::function<void()> done);

  // Where the searches are planned.
  RequestPlan::Line* line() const { return line_; }

  // A contact that was read anyhow.
  void Remember(absl::string_view contact_id, absl::string_view role);

 private:
  // A search that is on its way, and who else waits for some of its ids.
  struct Lookup {
    struct Waiter {
      std::vector<std::string> ids;
      std::shared_ptr<RoleMap> roles;
      std::function<void()> done;
    };
    std::vector<Waiter> waiters;
  };

  void Search(const std::vector<std::string>& ids, const std::shared_ptr<RoleMap>& roles,
              std::function<void()> done);

  Run* const run_;
  const int table_;
  RequestPlan::Line* const line_;
  Shape shape_;
  const ValueRef id_;
  const ValueRef role_;
  PageReader reader_;
  absl::flat_hash_map<std::string, bool> is_user_;
  // By the ids that are looked up just now.
  absl::flat_hash_map<std::string, std::shared_ptr<Lookup>> lookups_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_ROLE_RESOLVER_H_
