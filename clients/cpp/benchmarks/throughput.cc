// How fast the client hands out rows, beside a bare loop over the stub that touches the
// same.
//
// Prints JSON: per way of reading the median of rows/s and of CPU seconds per million rows,
// and `ratio`, the median of its rows/s beside those of the bare loop of the same round. A
// server in a process of its own sends the same batches again and again, so that the client
// is what is measured.
//
//   throughput [--rows=N] [--rounds=N]

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "clients/cpp/benchmarks/batch_source.h"
#include "clients/cpp/channel.h"
#include "clients/cpp/client.h"
#include "clients/cpp/extraction.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/benchmarks/streaming/child.h"

namespace intercom_extractor {
namespace {

// Reads a whole stream and says how many rows it saw.
using Way = std::function<int64_t(const std::string& address)>;

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "throughput: " << what << "\n";
  std::exit(1);
}

int64_t Touch(const v1::ExtractResponse& event) {
  int64_t rows = 0;
  for (const v1::User& user : event.row_batch().users()) rows += user.id().empty() ? 0 : 1;
  return rows;
}

// A channel of its own: gRPC shares connections.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  ConnectOptions options;
  options.target = address;
  auto channel = MakeChannel(options);
  if (!channel.ok()) Fail(std::string(channel.status().message()));
  return *std::move(channel);
}

int64_t ReadBare(const std::string& address) {
  const auto stub = v1::ExtractorService::NewStub(NewChannel(address));
  grpc::ClientContext context;
  const auto stream = stub->Extract(&context, v1::ExtractRequest());
  int64_t rows = 0;
  v1::ExtractResponse event;
  while (stream->Read(&event)) rows += Touch(event);
  if (const grpc::Status status = stream->Finish(); !status.ok()) Fail(status.error_message());
  return rows;
}

int64_t ReadClient(const std::string& address, Delivery delivery) {
  ExtractionOptions options;
  options.delivery = delivery;
  Extraction extraction(Client(NewChannel(address), /*caller_token=*/""), v1::ExtractRequest(),
                        std::move(options));
  int64_t rows = 0;
  while (const v1::ExtractResponse* event = extraction.Next()) rows += Touch(*event);
  if (!extraction.status().ok()) Fail(extraction.status().ToString());
  return rows;
}

const std::vector<std::pair<std::string, Way>>& Ways() {
  static const auto& ways = *new std::vector<std::pair<std::string, Way>>{
      {"bare stub", ReadBare},
      {"batches", [](const std::string& address) { return ReadClient(address, Delivery::kOnce); }},
      {"batches, at least once",
       [](const std::string& address) { return ReadClient(address, Delivery::kAtLeastOnce); }},
  };
  return ways;
}

struct Figures {
  std::vector<double> rates;   // Rows/s.
  std::vector<double> costs;   // CPU seconds per million rows.
  std::vector<double> ratios;  // Of rates, to that of the first way.
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<Figures> Measure(const std::string& address, int rounds) {
  // Everybody's first connection.
  ReadBare(address);
  std::vector<Figures> measured(Ways().size());
  // In turn, so that a busy moment of the machine is everybody's.
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < Ways().size(); ++i) {
      const auto start = std::chrono::steady_clock::now();
      const double cpu = OwnCpuSeconds();
      const auto rows = static_cast<double>(Ways()[i].second(address));
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      Figures& figures = measured[i];
      figures.rates.push_back(rows / seconds.count());
      figures.costs.push_back((OwnCpuSeconds() - cpu) / rows * 1e6);
      figures.ratios.push_back(figures.rates.back() / measured[0].rates.back());
    }
  }
  return measured;
}

void Print(const std::vector<Figures>& measured) {
  std::printf("{\n");
  for (size_t i = 0; i < measured.size(); ++i) {
    const Figures& figures = measured[i];
    std::printf(
        " \"%s\": {\n"
        "  \"rows_per_second\": %.0f,\n"
        "  \"cpu_seconds_per_million_rows\": %.2f,\n"
        "  \"ratio\": %.3f\n"
        " }%s\n",
        Ways()[i].first.c_str(), Median(figures.rates), Median(figures.costs),
        Median(figures.ratios), i + 1 < measured.size() ? "," : "");
  }
  std::printf("}\n");
}

int Main(int argc, char** argv) {
  int64_t rows = 1'000'000;
  int rounds = 9;
  bool serves = false;
  for (int i = 1; i < argc; ++i) {
    absl::string_view flag = argv[i];
    if (flag == "--serve") {
      serves = true;
    } else if (!(absl::ConsumePrefix(&flag, "--rows=") && absl::SimpleAtoi(flag, &rows)) &&
               !(absl::ConsumePrefix(&flag, "--rounds=") && absl::SimpleAtoi(flag, &rounds))) {
      Fail(absl::StrCat("what is ", argv[i], "? --rows=N and --rounds=N it knows"));
    }
  }
  if (serves) {
    const BatchSource source(rows);
    Child::Serve(source.address());
    return 0;
  }
  const Child server({"--serve", absl::StrCat("--rows=", rows)});
  Print(Measure(server.line(), rounds));
  return 0;
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) { return intercom_extractor::Main(argc, argv); }
