#ifndef CLIENTS_CPP_ACCEPTANCE_SCENARIO_H_
#define CLIENTS_CPP_ACCEPTANCE_SCENARIO_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cpp/channel.h"
#include "clients/cpp/extraction.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What the suite asks for, as tests/clients/README.md says.
struct Scenario {
  struct Pause {
    int64_t after_rows = 0;
    absl::Duration duration;
  };
  struct File {
    std::string message;
    std::string bytes;
    std::string json;
  };

  std::string action;
  std::string result;
  ConnectOptions connect;
  v1::ExtractRequest request;
  Delivery delivery = Delivery::kOnce;
  std::string output;
  absl::Time deadline = absl::InfiniteFuture();
  std::optional<int64_t> stop_after_rows;
  std::optional<int64_t> stop_after_checkpoints;
  std::optional<Pause> pause;
  std::vector<File> files;
};

// A file's content. kNotFound.
absl::StatusOr<std::string> ReadWhole(const std::string& path);

// kInvalidArgument: it is no scenario.
absl::StatusOr<Scenario> ReadScenario(const std::string& path);

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_ACCEPTANCE_SCENARIO_H_
