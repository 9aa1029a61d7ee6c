#ifndef EXTRACTOR_PIPELINE_CONVERSATION_WALK_H_
#define EXTRACTOR_PIPELINE_CONVERSATION_WALK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "extractor/pipeline/deleted_conversations.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/pipeline/parent_rows.h"
#include "extractor/pipeline/role_resolver.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/walk.h"
#include "extractor/pipeline/windowed_list.h"
#include "extractor/tables/record_converter.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// Reads conversations: all six tables. The list alone suffices unless parts or
// plain text are wanted; then each conversation is one more request, whose answer
// feeds all six tables as one unit. Many are listed in windows of seconds of
// creation (WindowedList), but only few at a time where each takes a request.
class ConversationWalk : public Walk {
 public:
  // Both pointers must outlive the walk. `start`: when the extraction began, on
  // Intercom's clock.
  ConversationWalk(Run* run, const std::vector<const TableInfo*>& wanted, RoleResolver* roles,
                   v1::BodyFormat body_format, absl::Time start, const Incremental& incremental);

  void Start(std::function<void()> done) override;
  void Save(resume::State* state) const override;
  void Restore(const resume::State& state) override;

  // Windows that are read at a time where each conversation takes a request: these
  // keep the requests coming.
  static constexpr int kWindowsWithDetails = 4;

  // Whether each conversation takes a request of its own.
  static bool NeedsDetails(const std::vector<const TableInfo*>& wanted, v1::BodyFormat body_format);
  static TableSet TablesOf(const std::vector<const TableInfo*>& wanted);

 private:
  // What is known of the conversations of one page before their rows are made.
  struct Page {
    std::vector<std::string> ids;
    std::vector<std::string> contacts;
    std::shared_ptr<RoleMap> roles = std::make_shared<RoleMap>();
  };

  WindowedList::Options ListOptions(absl::Time start, const Incremental& incremental);
  // What a page of either list is read with.
  void Prepare(Run::Reading* reading);
  void FetchDetails(const std::shared_ptr<Page>& page);
  void OnListed(int64_t conversations);
  void SetTotal(int64_t conversations);

  void AddContacts(const RecordValues& values, std::vector<std::string>* contacts);
  void MakeRows(const PageReader::Record& record, const RoleMap& roles, bool is_detail,
                UnitRows* unit);
  // The rows of a detail, in as many pieces as it is read.
  struct Detail {
    ParentRows rows;
    std::optional<int64_t> updated_at;
  };
  // Compares the parts that came with those that Intercom counts, and says so where
  // some are missing. Whether they were cut off; nothing when it does not count them.
  std::optional<bool> AuditParts(const PageReader::Record& record, UnitRows* unit);
  void OnListPage(std::function<void()> next);
  void WhenIdle(std::function<void()> begin_anew);
  void FetchDetail(const std::string& id, const std::shared_ptr<RoleMap>& roles);
  void OnDetailEnd(const std::string& id);
  void MaybeEnd();

  Run* const run_;
  RoleResolver* const resolver_;
  const TableSet tables_;
  // Of these: tables below a conversation.
  const TableSet child_tables_;
  const bool plain_text_;
  const bool details_;
  RequestPlan::Line* const list_line_;
  RequestPlan::Line* const windows_line_;
  RequestPlan::Line* const detail_line_;
  RecordConverter converter_;
  ValueRef id_;
  ValueRef created_at_;
  ValueRef updated_at_;
  ValueRef author_id_;
  ValueRef author_type_;
  // Contacts stand in an object or, in old answers, in a bare array.
  struct Contacts {
    int list;
    ValueRef id;
  };
  std::vector<Contacts> contacts_;
  int parts_;
  ValueRef parts_total_;
  ValueRef parts_counted_;
  PageReader list_reader_;
  PageReader detail_reader_;
  WindowedList list_;
  // Null when nobody asks for them.
  std::unique_ptr<DeletedConversations> deleted_;

  std::function<void()> done_;
  int64_t pages_ = 0;
  int64_t listed_ = 0;
  std::optional<int64_t> total_;
  // Listed, but not read.
  absl::flat_hash_set<std::string> pending_;
  // Read, or found to be gone; and of these, by earlier streams.
  int64_t read_ = 0;
  int64_t read_before_ = 0;
  // Where an earlier stream stood.
  resume::State earlier_;
  std::function<void()> paused_;
  // Begins the tables anew, kept until none is pending.
  std::function<void()> begin_anew_;
  bool list_ended_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONVERSATION_WALK_H_
