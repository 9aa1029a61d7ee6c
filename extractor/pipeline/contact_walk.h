#ifndef EXTRACTOR_PIPELINE_CONTACT_WALK_H_
#define EXTRACTOR_PIPELINE_CONTACT_WALK_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/pipeline/contact_children.h"
#include "extractor/pipeline/contact_plan.h"
#include "extractor/pipeline/contact_segments.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/pipeline/role_resolver.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/segment_list.h"
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
// of creation instead (WindowedList). Whether contacts are asked for their segments
// is up to ContactSegments; those of an incremental run always are, as what searches
// by segment would find are the members among all contacts.
class ContactWalk : public Walk {
 public:
  // What windows depend on.
  struct Workspace {
    // As GET /me names it; may be empty.
    std::string time_zone;
    // When the extraction began, on Intercom's clock.
    absl::Time start;
    Incremental incremental;
    // As WindowedList::Options says.
    size_t max_remembered = WindowedList::Options().max_remembered;
  };

  // `roles` may be null; else it hears the role of each contact. `segments` is asked
  // for when nobody else does and segments of contacts are wanted. All pointers must
  // outlive the walk.
  ContactWalk(Run* run, const std::vector<const TableInfo*>& wanted, RoleResolver* roles,
              SegmentList* segments, Workspace workspace);

  void Start(std::function<void()> done) override;
  void Save(resume::State* state) const override;
  void Restore(const resume::State& state) override;
  bool BeginsAnew() const override { return segments_ != nullptr && segments_->BeginsAnew(); }

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
    std::optional<int64_t> created_at;
    std::optional<int64_t> updated_at;
    std::vector<Missing> missing;
  };
  bool Wants(absl::string_view table) const;
  // Whether all contacts are listed, so that the reader can tell which are gone.
  bool FindsDeleted() const;
  Run::Reading MakeReading();
  WindowedList::Options ListOptions();
  void OnContact(const RecordValues& values, UnitRows* unit);
  absl::string_view IdOf(const RecordValues& values);
  // Makes the rows of all tables but those to skip.
  void MakeRows(const RecordValues& values, v1::ContactRole role, const RecordContext& context,
                UnitRows* unit);
  // It makes no rows.
  void OnUnchanged(const RecordValues& values, UnitRows* unit);
  // Rows of contacts were committed: reads what lies below them.
  void OnCommit();
  void OnTotal(int64_t total);
  void OnListPage(std::function<void()> next);
  void ShareOutTotal();
  // Has the roles of the contacts on the list's first page noted.
  void NoteRoles(Run::Reading* reading);
  void WhenIdle(std::function<void()> begin_anew);
  void MakeSegments(SegmentList* list);
  // Whom to ask for segments is decided, or decided anew.
  void OnSegmentsChange();
  // Calls `next` once there is room for what another page brings.
  void AwaitRoom(std::function<void()> next);
  // A list of the contact is to be read: until OnListRead() it is pending.
  void Expect(const Contact& contact, const ContactChild& child);
  void FetchSubResource(const std::shared_ptr<Contact>& contact, const Missing& missing,
                        const resume::ListPosition& from = resume::ListPosition());
  void OnListRead(const Contact& contact, const ContactChild& child);
  void Resume(const resume::State& earlier);
  void MaybeEnd();

  Run* const run_;
  RoleResolver* const roles_;
  const Workspace workspace_;
  const TableSet tables_;
  // Of these: tables below a contact.
  const TableSet child_tables_;
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
  // Null when no segments of contacts are wanted.
  std::unique_ptr<ContactSegments> segments_;
  // Contacts that may have to be asked for their segments, while that is not decided.
  std::vector<std::pair<std::shared_ptr<Contact>, Missing>> undecided_;
  // By contact, until that page is read.
  absl::flat_hash_map<std::string, v1::ContactRole> first_roles_;
  bool first_page_ = true;

  std::function<void()> done_;
  // The page that is being read, not committed yet.
  struct Page {
    std::vector<Contact> contacts;
    // Of contacts that nothing more is to be read of, which are nearly all.
    std::vector<v1::ContactRole> others;

    size_t size() const { return contacts.size() + others.size(); }
    void Clear() {
      contacts.clear();
      others.clear();
    }
  };
  Page page_;
  // Lists of contacts that are not read to their end, by contact and kind.
  struct PendingList {
    v1::ContactRole role = v1::CONTACT_ROLE_UNSPECIFIED;
    // Times that it is being read: more than once after its table began anew.
    int readings = 0;
    // Nothing while its first page is not read.
    resume::ListPosition position;
  };
  std::map<std::pair<std::string, ContactChild::Kind>, PendingList> pending_lists_;
  // Readings of all of them.
  size_t pending_ = 0;
  // Where an earlier stream stood.
  resume::State earlier_;
  // Ask for the next page of a list, kept while too many are pending.
  std::vector<std::function<void()>> paused_;
  // Begins the tables anew, kept until none is pending.
  std::function<void()> begin_anew_;
  // The most sub-resources that one page brought, and the most that it may have.
  size_t largest_page_ = 0;
  size_t largest_undecided_ = 0;
  int64_t contacts_seen_ = 0;
  // As the list counts them.
  std::optional<int64_t> total_;
  bool list_ended_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONTACT_WALK_H_
