#ifndef TESTS_FUZZ_PYTHON_READER_H_
#define TESTS_FUZZ_PYTHON_READER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace intercom_extractor::fuzz {

// A Python that runs tests/fuzz/file_reader.py, which says what it answers; it ends with this
// process. Started from the root of the checkout or of a test's files.
class PythonReader {
 public:
  // The one of this process.
  static PythonReader& Get();

  // `form` is 'c' for CSV, 'j' for JSON Lines. Ends the program when Python has gone.
  std::string Read(char form, absl::string_view text);

 private:
  PythonReader();

  int requests_ = -1;
  int answers_ = -1;
};

}  // namespace intercom_extractor::fuzz

#endif  // TESTS_FUZZ_PYTHON_READER_H_
