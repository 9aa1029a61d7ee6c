#ifndef EXTRACTOR_PIPELINE_CONTACT_WALK_H_
#define EXTRACTOR_PIPELINE_CONTACT_WALK_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/pipeline/contact_children.h"
#include "extractor/pipeline/contact_plan.h"
#include "extractor/pipeline/role_resolver.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/walk.h"
#include "extractor/pipeline/windowed_list.h"
#include "extractor/tables/record_converter.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// Reads contacts: users, leads and all their child tables. One page of contacts
// feeds the tables that are embedded in it; lists that are longer than what
// Intercom embeds, segments, notes and event summaries are sub-resources, asked
// for only where they are needed.
//
// The plain list is one chain of pages; many contacts are read in windows of days
// of creation instead (WindowedList).
class ContactWalk : public Walk {
 public:
  // What windows depend on.
  struct Workspace {
    // As GET /me names it; may be empty.
    std::string time_zone;
    // When the extraction began, on Intercom's clock.
    absl::Time start;
    // As WindowedList::Options says.
    size_t max_remembered = WindowedList::Options().max_remembered;
  };

  // `roles` may be null; else it hears the role of each contact. Both pointers
  // must outlive the walk.
  ContactWalk(Run* run, const std::vector<const TableInfo*>& wanted, RoleResolver* roles,
              Workspace workspace);

  void Start(std::function<void()> done) override;
  void Save(resume::State* state) const override;
  void Restore(const resume::State& state) override;

  // Whether any of the tables comes from contacts.
  static TableSet TablesOf(const std::vector<const TableInfo*>& wanted);

 private:
  // A sub-resource that is to be read.
  struct Missing {
    ContactChildren::Missing list;
    // The rows of the beginning that is embedded in the contact; they serve when
    // the sub-resource is gone with its contact.
    std::shared_ptr<UnitRows> embedded;
  };
  // A contact whose sub-resources are to be read.
  struct Contact {
    std::string id;
    v1::ContactRole role = v1::CONTACT_ROLE_UNSPECIFIED;
    std::vector<Missing> missing;
  };
  Run::Reading MakeReading();
  WindowedList::Options ListOptions();
  void OnContact(const RecordValues& values, UnitRows* unit);
  // Rows of contacts were committed: reads what lies below them.
  void OnCommit();
  void OnListPage(const PageInfo& info, std::function<void()> next);
  void ShareOutTotal();
  void WhenIdle(std::function<void()> begin_anew);
  void FetchSubResource(const std::shared_ptr<Contact>& contact, const Missing& missing);
  void OnSubResourceEnd();
  void MaybeEnd();

  Run* const run_;
  RoleResolver* const roles_;
  const Workspace workspace_;
  const TableSet tables_;
  RecordConverter converter_;
  ValueRef id_;
  ValueRef role_;
  ValueRef created_at_;
  ValueRef updated_at_;
  const ContactChildren children_;
  PageReader reader_;
  RequestPlan::Line* const list_line_;
  RequestPlan::Line* const windows_line_;
  ContactPlan plan_;
  WindowedList list_;

  std::function<void()> done_;
  // Contacts of the page that is being read, not committed yet.
  std::vector<Contact> page_;
  // Sub-resources that are not read to their end.
  size_t pending_ = 0;
  // Asks for the next page, kept while too many are pending.
  std::function<void()> paused_;
  // Begins the tables anew, kept until none is pending.
  std::function<void()> begin_anew_;
  // The most sub-resources that one page brought.
  size_t largest_page_ = 0;
  int64_t contacts_seen_ = 0;
  // As the list counts them.
  std::optional<int64_t> total_;
  bool list_ended_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONTACT_WALK_H_
