#ifndef CLIENTS_CLI_SCRIPTED_RUN_H_
#define CLIENTS_CLI_SCRIPTED_RUN_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/extract_command.h"
#include "clients/cli/fake_extractor.h"
#include "clients/cli/run_state.h"
#include "clients/cli/state_file.h"
#include "clients/cli/test_files.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace intercom_extractor {

inline grpc::Status Lost() { return {grpc::StatusCode::UNAVAILABLE, "Socket closed"}; }

// What a server says with a reason.
inline grpc::Status WithReason(grpc::StatusCode code, const std::string& reason) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  details.add_details()->PackFrom(info);
  return {code, "no good", details.SerializeAsString()};
}

// The command against a server with a script: one call after the other, over
// several runs of the command.
class ScriptedRunTest : public ::testing::Test {
 protected:
  ScriptedRunTest() {
    options_.output = directory_.Path("out");
    options_.tables = {"tags"};
    timing_.now = [this] { return absl::UnixEpoch() + absl::Seconds(seconds_.load()); };
    timing_.random = [] { return 0.0; };
    timing_.wait = [this](absl::Duration duration) {
      waits_.push_back(absl::ToInt64Seconds(duration));
      if (on_wait_) on_wait_();
      return fake_.interrupt.cancelled();
    };
  }

  Outcome Run() {
    fake_.err.clear();
    fake_.out.clear();
    return RunExtract(options_, fake_.api.get(), fake_.console, timing_);
  }
  Outcome Resume() {
    options_.resume = true;
    return Run();
  }
  void ConnectRemotely() { options_.connection.server = "extractor:1"; }

  std::string Out(const std::string& name) const { return options_.output + "/" + name; }
  std::string StatePath() const { return Out(".intercom-extract.state"); }
  RunState State() const {
    auto state = ReadStateFile(StatePath());
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() ? *state : RunState();
  }
  std::vector<std::string> Tokens() const {
    std::vector<std::string> tokens;
    for (const v1::ExtractRequest& request : fake_.requests) {
      tokens.push_back(request.resume_token());
    }
    return tokens;
  }

  // A first call that gives two rows, a checkpoint and two rows more, then ends.
  void ScriptInterruptedCall(const grpc::Status& status = Lost()) {
    fake_.AddTags({"a", "b"});
    fake_.AddCheckpoint(1, {{"tags", 2}});
    fake_.AddTags({"late", "later"});
    fake_.status = status;
    fake_.NextCall();
  }

  // The call that continues it to the end.
  void ScriptLastCall() {
    fake_.AddTags({"late", "later", "last"});
    fake_.AddCheckpoint(2, {{"tags", 3}});
    fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 5);
  }

  TestDirectory directory_;
  FakeExtractor fake_;
  ExtractOptions options_;
  ExtractTiming timing_;
  std::atomic<int64_t> seconds_{0};
  std::vector<int64_t> waits_;
  std::function<void()> on_wait_;
};

// The file of all rows of an interrupted call and the last one.
inline constexpr char kAllRows[] = "type,id,name\n,,a\n,,b\n,,late\n,,later\n,,last\n";

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_SCRIPTED_RUN_H_
