#include <iostream>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cpp/client.h"
#include "clients/cpp/errors.h"
#include "clients/cpp/extraction.h"
#include "clients/cpp/rows.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

using namespace intercom_extractor;

int main(int argc, char** argv) {
  const auto client = Client::Connect({argc > 1 ? argv[1] : "localhost:50051"});
  v1::ExtractRequest request;
  request.set_template_(v1::TEMPLATE_BASIC);
  ExtractionOptions options;
  options.deadline = absl::Now() + absl::Hours(1);
  options.on_reconnect = [](const Reconnect& reconnect) {
    std::cerr << reconnect.cause << "; goes on in " << reconnect.wait << "\n";
    return true;
  };
  std::map<std::string, int> stored;
  std::string token;
  Extraction extraction(client.value(), request, options);
  while (const v1::ExtractResponse* event = extraction.Next()) {
    switch (event->event_case()) {
      case v1::ExtractResponse::kRowBatch:
        stored[event->row_batch().table()] += RowCount(event->row_batch());
        break;
      case v1::ExtractResponse::kTableRestarted:
        // Its rows so far are void.
        stored[event->table_restarted().table()] = 0;
        break;
      case v1::ExtractResponse::kCheckpoint:
        // Store it in the transaction of the rows; the next run's request gives it back.
        token = event->checkpoint().resume_token();
        break;
      case v1::ExtractResponse::kNotice:
        std::cerr << event->notice().message() << "\n";
        break;
      default:
        break;
    }
  }
  if (const absl::Status& status = extraction.status(); !status.ok()) {
    const ErrorDetails details = DetailsOf(status);
    std::cerr << status << " " << details.reason << "; try again in "
              << details.retry_delay.value_or(absl::ZeroDuration()) << "\n";
    return 1;
  }
  for (const auto& [table, rows] : stored) std::cout << table << " " << rows << "\n";
  std::cout << "token of " << token.size() << " bytes, " << extraction.reconnects()
            << " reconnects\n";
  return 0;
}
