#ifndef CLIENTS_CLI_CHECKPOINT_KEEPER_H_
#define CLIENTS_CLI_CHECKPOINT_KEEPER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "clients/cli/bookmarks.h"
#include "clients/cli/key_lists.h"
#include "clients/cli/run_state.h"
#include "clients/cli/table_outputs.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Keeps a run's state file in step with its files: the state on the disk never
// counts a row that is not on the disk, too. The rows of each checkpoint are
// written out when it comes; they are synced, and the state is written, at most
// once a second, so that a slow disk costs little. A process that is killed thus
// loses the checkpoints of its last second.
//
// For one thread. Errors are those of OutputError().
class CheckpointKeeper {
 public:
  // Goes on from `state`, which is new or was read from `path`; writes nothing
  // yet. `outputs` and `keys` write to one directory and must outlive the keeper.
  CheckpointKeeper(std::string path, RunState state, TableOutputs* outputs, KeyLists* keys,
                   std::function<absl::Time()> now);

  // The rows so far are covered by a token. `saw_warning` as in RunState.
  absl::Status OnCheckpoint(const v1::Checkpoint& checkpoint, bool saw_warning);

  // Call at each other event: saves what has waited for a second.
  absl::Status OnTime();

  // A table begins anew. Saves first, so that its rows stay until a checkpoint
  // covers the new ones.
  absl::Status OnRestart(const v1::TableRestarted& restarted);

  // Saves the last checkpoint, if that has not been done.
  absl::Status Save();

  // Saves, then throws away the rows after the last checkpoint, of which there is
  // one.
  absl::Status RollBack();

  // What a run comes to beside its tables' files.
  struct Ending {
    int exit_code = 0;
    Bookmarks bookmarks;                  // How far all runs have read by now.
    std::vector<std::string> also_moved;  // Closed and synced files, as in RunState.
  };

  // The stream has ended: closes the files, moves the whole ones into place and
  // saves that this is so, with how the run ended. Killed in between, the state
  // says that the moving is to be finished.
  absl::Status Complete(const v1::Summary& summary, Ending ending);

  // Whether the run can be continued.
  bool has_checkpoint() const { return state_.checkpoint > 0; }

  // As of the last checkpoint.
  const RunState& state() const { return state_; }

 private:
  absl::Status Write();

  const std::string path_;
  TableOutputs* const outputs_;
  KeyLists* const keys_;
  const std::function<absl::Time()> now_;
  RunState state_;
  bool pending_ = false;  // Whether `state_` is newer than the file.
  absl::Time next_save_ = absl::InfinitePast();
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_CHECKPOINT_KEEPER_H_
