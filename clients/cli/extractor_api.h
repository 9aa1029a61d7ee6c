#ifndef CLIENTS_CLI_EXTRACTOR_API_H_
#define CLIENTS_CLI_EXTRACTOR_API_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/client.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// The server as commands call it: with this program's deadlines, until the user wants to
// stop. Thread-safe.
class ExtractorApi {
 public:
  // `interrupt` must outlive the object.
  ExtractorApi(Client client, Cancellation* interrupt)
      : client_(std::move(client)), interrupt_(interrupt) {}

  // Errors are those of the client.
  // With what happens to the values of `connection`, if one is named.
  absl::StatusOr<v1::ListTablesResponse> ListTables(const std::string& connection = "");
  absl::StatusOr<v1::CheckConnectionResponse> CheckConnection(
      const v1::CheckConnectionRequest& request);
  absl::StatusOr<v1::PlanExtractionResponse> PlanExtraction(
      const v1::PlanExtractionRequest& request);

  absl::StatusOr<v1::ListExtractionsResponse> ListExtractions(
      const v1::ListExtractionsRequest& request);

  const Client& client() const { return client_; }
  Cancellation* interrupt() { return interrupt_; }

 private:
  const Client client_;
  Cancellation* const interrupt_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_EXTRACTOR_API_H_
