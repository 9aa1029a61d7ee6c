#ifndef CLIENTS_CLI_TEST_FILES_H_
#define CLIENTS_CLI_TEST_FILES_H_

#include <sys/stat.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace intercom_extractor {

// A new directory that is removed with all that is in it.
class TestDirectory {
 public:
  TestDirectory() {
    std::string name = ::testing::TempDir() + "/cli_XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline bool Exists(const std::string& path) { return std::filesystem::exists(path); }

// Empty for a file that is not there.
inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// What a gzip file holds, read by zlib's own reader.
inline std::string Gunzip(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  std::string content;
  char buffer[4096];
  int read;
  while ((read = gzread(file, buffer, sizeof(buffer))) > 0) content.append(buffer, read);
  EXPECT_EQ(read, 0) << "not a whole gzip file";
  gzclose(file);
  return content;
}

inline void WriteAll(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TEST_FILES_H_
