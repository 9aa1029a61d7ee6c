#ifndef CLIENTS_CPP_ACCEPTANCE_RESULT_H_
#define CLIENTS_CPP_ACCEPTANCE_RESULT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// proto3 JSON with the names of the .proto file.
absl::StatusOr<std::string> AsJson(const google::protobuf::Message& message);

// Writes a file whole, then renames it into place. kInternal: it cannot be written.
absl::Status WriteWhole(const std::string& path, const std::string& content);

// What a scenario came to, as tests/clients/README.md says.
class Result {
 public:
  // To be called where it happens.
  void OnResponse(const google::protobuf::Message& response) { Set("response", response); }
  void OnRow(const std::string& table) { ++rows_[table]; }
  void OnCheckpoint() { ++checkpoints_; }
  void OnRestart(const v1::TableRestarted& restarted);
  void OnNotice(const v1::Notice& notice);
  void OnProgress() { ++progress_; }
  void OnSummary(const v1::Summary& summary) { Set("summary", summary); }

  // At the end. `error` may be OK, `resume_token` empty.
  void OnEnd(const absl::Status& error, const std::string& resume_token, int reconnects);

  int64_t checkpoints() const { return checkpoints_; }

  // kInternal: it cannot be written.
  absl::Status Write(const std::string& path) const;

 private:
  void Set(const std::string& name, const google::protobuf::Message& message);

  google::protobuf::Struct said_;
  std::map<std::string, int64_t> rows_;
  int64_t checkpoints_ = 0;
  int64_t progress_ = 0;
  google::protobuf::ListValue restarts_;
  google::protobuf::ListValue notices_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_ACCEPTANCE_RESULT_H_
