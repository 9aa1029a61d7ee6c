#ifndef SERVER_TEST_SOCKET_H_
#define SERVER_TEST_SOCKET_H_

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace intercom_extractor {

// A Unix socket's address in a folder of its own. A socket's path has at most 107 bytes, which
// Bazel's folders for tests are longer than; process ids are the same in each of its sandboxes.
class TestSocket {
 public:
  TestSocket() {
    std::string name = "/tmp/intercom-extractor-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~TestSocket() { std::filesystem::remove_all(folder_); }
  TestSocket(const TestSocket&) = delete;
  TestSocket& operator=(const TestSocket&) = delete;

  std::string address() const { return "unix:" + folder_ + "/socket"; }

 private:
  std::string folder_;
};

}  // namespace intercom_extractor

#endif  // SERVER_TEST_SOCKET_H_
