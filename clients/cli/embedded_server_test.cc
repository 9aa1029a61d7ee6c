#include "clients/cli/embedded_server.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/time/time.h"
#include "clients/cli/command_line.h"
#include "clients/cli/test_files.h"
#include "gtest/gtest.h"
#include "server/server_config.h"

namespace intercom_extractor {
namespace {

TEST(EmbeddedServerTest, WhatAFileSaysOfPortsAndCallersIsForOthers) {
  setenv("EMBEDDED_SERVER_TEST_TOKEN", "token", 1);
  const TestDirectory directory;
  ConnectionOptions options;
  options.config = directory.Path("server.yaml");
  std::ofstream(options.config) << "listen: 0.0.0.0:50051\n"
                                   "tls: {cert_file: a, key_file: b, client_ca_file: c}\n"
                                   "max_streams: 1\n"
                                   "max_connection_age: 1m\n"
                                   "connections:\n"
                                   "  - name: default\n"
                                   "    access_token_env: EMBEDDED_SERVER_TEST_TOKEN\n"
                                   "callers:\n"
                                   "  - name: nightly\n"
                                   "    client_certificate: etl.example\n"
                                   "    connections: default\n";
  const auto config = EmbeddedServerConfig(options, /*needs_token=*/true);
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->connections.size(), 1u);
  EXPECT_EQ(config->listen, "");
  EXPECT_EQ(config->tls_cert_file + config->tls_key_file + config->tls_client_ca_file, "");
  EXPECT_TRUE(config->callers.empty());
  EXPECT_EQ(config->max_streams, 0);
  EXPECT_EQ(config->max_connection_age, absl::InfiniteDuration());
}

}  // namespace
}  // namespace intercom_extractor
