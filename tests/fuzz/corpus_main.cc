// Runs the inputs of a fuzzer that are stored, each file of the folders named: an
// ordinary test, with any compiler.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;

class CorpusTest : public testing::Test {
 public:
  explicit CorpusTest(fs::path file) : file_(std::move(file)) {}

  // Passes, or ends the program at what is wrong, after the file's name.
  void TestBody() override {
    std::ifstream in(file_, std::ios::binary);
    ASSERT_TRUE(in) << "cannot read " << file_;
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    // Memory of just that size: what is read behind it is seen.
    const std::vector<uint8_t> input(bytes.begin(), bytes.end());
    EXPECT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0);
  }

 private:
  const fs::path file_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::set<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : fs::directory_iterator(argv[i])) files.insert(entry.path());
  }
  for (const fs::path& file : files) {
    testing::RegisterTest("Corpus", file.filename().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [file]() -> testing::Test* { return new CorpusTest(file); });
  }
  // An empty folder would pass.
  if (files.empty()) return 1;
  return RUN_ALL_TESTS();
}
