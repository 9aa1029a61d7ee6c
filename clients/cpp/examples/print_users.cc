#include <iostream>

#include "clients/cpp/client.h"
#include "clients/cpp/extraction.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

using intercom_extractor::Client;
using intercom_extractor::Extraction;
namespace v1 = intercom_extractor::v1;

int main(int argc, char** argv) {
  const auto client = Client::Connect({argc > 1 ? argv[1] : "localhost:50051"});
  v1::ExtractRequest request;
  request.add_tables("users");
  // value() ends the program where that was no address.
  Extraction extraction(client.value(), request);
  while (const v1::ExtractResponse* event = extraction.Next()) {
    for (const v1::User& user : event->row_batch().users()) {
      std::cout << user.id() << " " << user.email() << "\n";
    }
  }
  std::cerr << extraction.status() << "\n";
  return extraction.status().ok() ? 0 : 1;
}
