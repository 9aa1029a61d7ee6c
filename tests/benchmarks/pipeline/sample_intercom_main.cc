// SampleApi as a program: serves until SIGINT or SIGTERM. The first line on stdout is
// "listening on URL".

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>

#include "tests/benchmarks/pipeline/sample_api.h"
#include "tests/fake_intercom/http_server.h"

namespace intercom_extractor {
namespace {

int Run(int argc, char** argv) {
  SampleApi::Options options;
  fake::HttpServer::Options server;
  int64_t latency_ms = 0;
  CLI::App app("Answers requests for contacts at little cost");
  app.add_option("--contacts", options.contacts, "How many there are")->required();
  app.add_option("--latency-ms", latency_ms, "What each answer takes");
  app.add_flag("--gzip", options.gzip, "Compresses answers of contacts");
  app.add_option("--tls-cert", server.tls_cert_file, "PEM file; serves https");
  app.add_option("--tls-key", server.tls_key_file, "PEM file");
  CLI11_PARSE(app, argc, argv);
  options.latency = std::chrono::milliseconds(latency_ms);

  // Before there are threads, which inherit it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  SampleApi api(options);
  const fake::HttpServer http(server,
                              [&api](const fake::Request& request, fake::Response* response) {
                                api.Answer(request, response);
                              });
  std::cout << "listening on " << (server.tls_cert_file.empty() ? "http" : "https")
            << "://127.0.0.1:" << http.port() << std::endl;
  int received = 0;
  sigwait(&signals, &received);
  return 0;
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  try {
    return intercom_extractor::Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "sample-intercom: " << error.what() << "\n";
    return 2;
  }
}
