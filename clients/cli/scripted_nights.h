#ifndef CLIENTS_CLI_SCRIPTED_NIGHTS_H_
#define CLIENTS_CLI_SCRIPTED_NIGHTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clients/cli/bookmarks.h"
#include "clients/cli/run_state.h"
#include "clients/cli/scripted_run.h"
#include "clients/cli/test_files.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

inline constexpr int64_t kDay = 86400;
inline constexpr int64_t kFirstNight = 1700000000;

// Runs of several nights into one directory.
class ScriptedNightsTest : public ScriptedRunTest {
 protected:
  ScriptedNightsTest() {
    options_.tables = {"users", "tags"};
    options_.columns = ColumnSelection::kDocumented;
    options_.incremental.overlap = absl::Hours(1);
  }

  // A call that gives these users, and no tag, and began on that night.
  void ScriptNight(int night, const std::vector<std::string>& users,
                   v1::TableStatus status = v1::TABLE_STATUS_COMPLETE) {
    fake_.AddUsers(users);
    ScriptEnd(night, static_cast<int64_t>(users.size()), status);
  }
  void ScriptEnd(int night, int64_t users, v1::TableStatus status = v1::TABLE_STATUS_COMPLETE) {
    fake_.AddSummary("users", status, users);
    fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
    fake_.SetStartedAt(Night(night));
    fake_.NextCall();
  }
  static int64_t Night(int night) { return kFirstNight + (night - 1) * kDay; }

  Outcome RunFull() {
    options_.resume = false;
    options_.incremental.last = false;
    options_.incremental.since.reset();
    return Run();
  }
  Outcome RunLast() {
    options_.resume = false;
    options_.incremental.last = true;
    options_.incremental.since.reset();
    return Run();
  }
  Outcome RunSince(int64_t seconds) {
    options_.resume = false;
    options_.incremental.last = false;
    options_.incremental.since = absl::FromUnixSeconds(seconds);
    return Run();
  }

  // What each call was asked for; 0 for everything.
  std::vector<int64_t> Asked() const {
    std::vector<int64_t> asked;
    for (const v1::ExtractRequest& request : fake_.requests) {
      asked.push_back(request.updated_since().seconds());
    }
    return asked;
  }
  // The ids in a file of users.
  std::string Ids(const std::string& file) const {
    std::string ids;
    const std::string text = ReadAll(Out(file));
    for (size_t at = text.find('\n'); at + 1 < text.size(); at = text.find('\n', at + 1)) {
      const size_t begin = text.find(',', at) + 1;
      absl::StrAppend(&ids, text.substr(begin, text.find(',', begin) - begin), " ");
    }
    return ids;
  }
  std::optional<int64_t> ReadUntil(const std::string& table) const {
    const Bookmarks bookmarks = State().bookmarks;
    const auto found = bookmarks.find(table);
    if (found == bookmarks.end() || !found->second.read_until.has_value()) return std::nullopt;
    return absl::ToUnixSeconds(*found->second.read_until);
  }
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_SCRIPTED_NIGHTS_H_
