#ifndef EXTRACTOR_PIPELINE_CONTACT_SEGMENTS_H_
#define EXTRACTOR_PIPELINE_CONTACT_SEGMENTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/pipeline/contact_children.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/segment_choice.h"
#include "extractor/pipeline/segment_list.h"
#include "extractor/pipeline/segment_search.h"
#include "extractor/plan/request_plan.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/shape.h"
#include "extractor/tables/table_catalog.h"
#include "proto/v1.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// How rows of users_segments and leads_segments come: by one request per contact, or
// by one search per segment (SegmentSearch) where that takes fewer. Decides it once
// the contacts and the segments' members are counted. What is read by search leaves
// out contacts created within the ten minutes before the extraction: the search index
// may lag, so these are asked one by one all the same.
//
// A search that fails or leaves members out makes both tables begin anew, and every
// contact of the plain list is asked. Lives on the extraction's strand.
class ContactSegments {
 public:
  // Whom to ask for his segments.
  enum class Asking {
    // Not decided yet.
    kUnknown,
    kAllContacts,
    kNewContacts,
    // All contacts of a list that is read for this alone; whoever lists contacts for
    // another reason asks none.
    kListedAgain,
  };

  struct Options {
    // Of the workspace, as GET /me names it; may be empty.
    std::string time_zone;
    // When the extraction began, on Intercom's clock.
    absl::Time start;
    // Contacts' segments, with the tables they feed.
    const ContactChild* child = nullptr;
    // Where requests for one contact are planned; this object plans only those of
    // kListedAgain.
    RequestPlan::Line* per_contact = nullptr;
    SegmentList* list = nullptr;
    // Called when `asking` changes.
    std::function<void()> on_change;
    // Of kListedAgain: asks one contact.
    std::function<void(const std::string& id, v1::ContactRole role)> ask;
    // Calls `next` once there is room for another page of contacts to be asked.
    std::function<void(std::function<void()> next)> await_room;
    // Called once: everything but contacts that are being asked is read.
    std::function<void()> on_end;
  };

  // `run` and what `options` points to must outlive this object, which must live as
  // long as the strand.
  ContactSegments(Run* run, Options options);

  // The list's first page was read. To be called once.
  void OnFirstPage(const SegmentChoice::Contacts& contacts);
  // Whatever that page may say; instead of OnFirstPage().
  void AskAllContacts() { Decide(Asking::kAllContacts); }
  // There will be no first page, or no more contacts at all: nothing is worth reading.
  void OnListFailed();
  // All tables and the list of contacts begin anew, while no contact is being asked.
  void BeginAnew();

  const ContactChild& child() const { return *options_.child; }
  Asking asking() const { return asking_; }
  // Notes a contact that is asked as it is too new for the search.
  void OnAsked(const std::string& id, v1::ContactRole role);

  void Save(resume::ContactSegments* state) const;
  // Goes on from there, once the list of contacts has begun; to be called instead of
  // OnFirstPage(). What searches gave cannot be told apart: where they had not ended,
  // both tables begin anew.
  void Resume(const resume::ContactSegments& state);
  // Whether lists of segments that were pending in such a state are still wanted:
  // else Resume() asks these contacts again.
  static bool KeepsPending(const resume::ContactSegments& state);

  // Whether to ask a contact that was created then; also while it is not decided.
  bool Asks(std::optional<int64_t> created_at) const;
  bool ended() const { return ended_; }
  // Changes when rows of contacts that were asked before are void.
  int generation() const { return generation_; }

 private:
  void Choose(const SegmentChoice::Contacts& contacts);
  void Decide(Asking asking);
  void Search();
  // Counts the segments anew before it searches, when this stream has not.
  void CountAndSearch();
  void RestartTables(const std::string& why);
  void OnSearchEnd(const absl::Status& status, int64_t members, int64_t missing);
  void ListAgain(const std::string& why);
  void End();

  Run* const run_;
  const Options options_;
  const TableSet tables_;
  const SegmentChoice choice_;
  const int64_t created_until_;
  RequestPlan::Line* const segments_line_;
  RequestPlan::Line* const search_line_;
  RequestPlan::Line* const list_line_;
  // The last is the one that serves; pages of the others may still arrive.
  std::vector<std::unique_ptr<SegmentSearch>> searches_;
  // Contacts too new for the search, while it goes on; by role.
  std::vector<std::string> new_users_;
  std::vector<std::string> new_leads_;
  bool more_new_ = false;

  // Of the list that is read again.
  struct Contact {
    std::string id;
    v1::ContactRole role;
  };
  Shape shape_;
  const ValueRef id_;
  const ValueRef role_;
  PageReader reader_;
  std::vector<Contact> page_;
  int64_t listed_ = 0;

  Asking asking_ = Asking::kUnknown;
  int generation_ = 0;
  bool ended_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONTACT_SEGMENTS_H_
