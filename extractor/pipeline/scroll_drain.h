#ifndef EXTRACTOR_PIPELINE_SCROLL_DRAIN_H_
#define EXTRACTOR_PIPELINE_SCROLL_DRAIN_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/scroll_spill.h"
#include "extractor/sync/mutex.h"
#include "extractor/sync/strand.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_converter.h"
#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {

// Reads the company scroll at full speed, whatever the consumer does: it is one
// per workspace, gone after a minute without a request, ended by an empty page
// only. Answers wait in a spill until somebody takes them. A scroll that breaks
// begins anew; one that another app keeps open is waited for.
//
// Works on a thread of its own. Thread-safe.
class ScrollDrain {
 public:
  struct Options {
    ScrollSpill::Options spill;
    // How long another app's scroll is waited for before the drain gives up with
    // SCROLL_BUSY.
    absl::Duration patience = absl::Minutes(10);
    // How long to wait before asking again after having `waited` for so long.
    std::function<absl::Duration(absl::Duration waited)> pause_before_poll = PauseBeforePoll;
    // How long Intercom keeps a scroll that nobody uses.
    absl::Duration scroll_life = absl::Minutes(1);
  };

  // Every 5 s at most while the other scroll may be our own from before a crash,
  // which expires within a minute; then every 15 s, as each poll costs a request.
  static absl::Duration PauseBeforePoll(absl::Duration waited);

  struct Event {
    enum class Kind {
      // The next answer, which holds companies.
      kPage,
      // Another scroll is open: waiting, as `message` says.
      kBusy,
      // The spill is full: no further page is asked for until some are taken.
      kPaused,
      // All pages before are void; `message` says why.
      kRestarted,
      // The last event. `status`: OK after the empty page, else why the rest
      // cannot be had, ReasonOf() SCROLL_BUSY when patience ended.
      kEnded,
    };
    Kind kind = Kind::kEnded;
    // Its body is only set once it is taken.
    ApiAnswer page;
    // The page holds malformed records that will not get better.
    bool salvage = false;
    std::string message;
    absl::Status status;
  };

  // Reads with the requests of `group`. `on_event` is called, on the drain's
  // thread, when there is something to take after Take() had returned nothing;
  // it must not block. All must outlive the drain.
  ScrollDrain(IntercomClient* client, IntercomClient::GroupId group, const TableInfo* table,
              const Options& options, std::function<void()> on_event);
  // Stops, waits for the thread and frees the scroll for others.
  ~ScrollDrain();
  ScrollDrain(const ScrollDrain&) = delete;
  ScrollDrain& operator=(const ScrollDrain&) = delete;

  void Start();

  // The next event, if there is one.
  std::optional<Event> Take() ABSL_LOCKS_EXCLUDED(mu_);

  // Requests since the last call.
  int64_t TakeRequests() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // On the drain's thread.
  void Begin();
  void Ask();
  void OnAnswer(ApiAnswer answer);
  void OnError(absl::Status status);
  absl::StatusOr<PageInfo> Scan(ResponseBody* body, bool salvage);
  void WaitForOtherScroll(absl::Status status);
  void Pause();
  void GoOn();
  void OnSpillLost(const absl::Status& status);
  void Broken(absl::Status status);
  void BeginAnew(const std::string& reason);
  void LeaveTurn();
  void End(absl::Status status);
  // True when the spill is full now: then Take() lets the drain go on, unless
  // this page is the `last`. Fails when the spill is lost.
  absl::StatusOr<bool> PushPage(ApiAnswer answer, bool salvage, bool last) ABSL_LOCKS_EXCLUDED(mu_);
  void Push(Event event) ABSL_LOCKS_EXCLUDED(mu_);

  // True when `on_event_` must be called.
  bool Add(Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Forgets the pages that wait and that they were the last.
  void DropPages() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  IntercomClient* const client_;
  const IntercomClient::GroupId group_;
  const Options options_;
  const std::function<void()> on_event_;
  const std::shared_ptr<Strand> strand_;

  // On the drain's thread. Pages are read as they will be for their rows, so that
  // a malformed one is known while the scroll can still begin anew.
  RecordConverter converter_;
  const ValueRef id_;
  PageReader reader_;
  ProgressWatch watch_;
  std::string scroll_param_;
  int64_t page_ = 1;
  int restarts_ = 0;
  bool has_turn_ = false;
  bool paused_said_ = false;
  absl::Time waiting_since_ = absl::InfiniteFuture();
  // Counts up when what was asked for or waited for is no longer wanted.
  int64_t attempt_ = 0;

  Mutex mu_;
  ScrollSpill spill_ ABSL_GUARDED_BY(mu_);
  std::deque<Event> events_ ABSL_GUARDED_BY(mu_);
  int64_t requests_ ABSL_GUARDED_BY(mu_) = 0;
  // Take() found nothing, so that somebody must be told of the next event.
  bool awaited_ ABSL_GUARDED_BY(mu_) = true;
  // Until the spill has room.
  bool paused_ ABSL_GUARDED_BY(mu_) = false;
  // The spill cannot be read back: what comes is void until the scroll begins anew.
  bool lost_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SCROLL_DRAIN_H_
