// An answer far larger than the memory that the process may use.

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/extraction_harness.h"

namespace intercom_extractor {
namespace {

constexpr int kParts = 500;
constexpr size_t kBodyBytes = size_t{1} << 20;
// The design's bound for the whole process. In KiB, as getrusage() counts.
constexpr long kMaxRssKib = 256 << 10;  // NOLINT(google-runtime-int)

// Serves one conversation of 500 parts with bodies of 1 MB, made while it is
// sent. Never returns.
[[noreturn]] void ServeLargeConversation(int port_pipe) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  httplib::Server server;
  // A busy machine, or its disk, may keep the reader for longer than the five seconds of old.
  server.set_write_timeout(std::chrono::minutes(5));
  server.Get("/me", [](const auto&, auto& response) {
    response.set_content(R"({"type":"admin","app":{}})", "application/json");
  });
  server.Get("/conversations", [](const auto&, auto& response) {
    response.set_content(R"({"conversations":[{"id":"1"}],"total_count":1})", "application/json");
  });
  server.Get("/conversations/1", [](const auto&, auto& response) {
    response.set_chunked_content_provider(
        "application/json", [part = -1](size_t, httplib::DataSink& sink) mutable {
          std::string piece;
          if (part < 0) {
            piece = R"({"id":"1","title":"t","conversation_parts":{"conversation_parts":[)";
          } else if (part < kParts) {
            piece = absl::StrCat(part == 0 ? "" : ",", R"({"id":")", part, R"(","body":")",
                                 std::string(kBodyBytes, 'x'), "\"}");
          } else {
            piece = absl::StrCat(R"(],"total_count":)", kParts, R"(},"state":"open"})");
          }
          sink.write(piece.data(), piece.size());
          if (++part > kParts) sink.done();
          return true;
        });
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  if (write(port_pipe, &port, sizeof(port)) == sizeof(port)) server.listen_after_bind();
  _exit(1);
}

TEST(LargeAnswerTest, FiveHundredPartsOfAMegabyteStayWithinTheMemoryBound) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  // A process of its own: its memory is not the extractor's.
  const pid_t server = fork();
  ASSERT_GE(server, 0);
  if (server == 0) ServeLargeConversation(pipe_ends[1]);
  int port = 0;
  ASSERT_EQ(read(pipe_ends[0], &port, sizeof(port)), static_cast<ssize_t>(sizeof(port)));

  ExtractionHarness harness(absl::StrCat("http://127.0.0.1:", port));
  harness.keep_rows = false;
  int parts = 0;
  size_t body_bytes = 0;
  const Extracted got =
      harness.Run({"conversations", "conversation_parts"}, [&](const v1::ExtractResponse& event) {
        for (const auto& part : event.row_batch().conversation_parts()) {
          ++parts;
          body_bytes += part.body().size();
        }
      });
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);

  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(parts, kParts);
  EXPECT_EQ(body_bytes, kParts * kBodyBytes);
  EXPECT_EQ(got.Table("conversations").rows(), 1);
  EXPECT_EQ(got.Table("conversation_parts").status(), v1::TABLE_STATUS_COMPLETE);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, kMaxRssKib);
  RecordProperty("peak_rss_kib", static_cast<int>(usage.ru_maxrss));
}

}  // namespace
}  // namespace intercom_extractor
