#ifndef CLIENTS_CLI_FAKE_EXTRACTOR_H_
#define CLIENTS_CLI_FAKE_EXTRACTOR_H_

#include <memory>
#include <mutex>
#include <string>

#include "clients/cli/console.h"
#include "clients/cli/extractor_api.h"
#include "clients/cli/test_tables.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/scripted_extractor.h"

namespace intercom_extractor {

// A scripted extractor, and all that a command under test is given.
class FakeExtractor : public ScriptedExtractor {
 public:
  FakeExtractor() {
    tables = DescribeAllTables();
    api = std::make_unique<ExtractorApi>(NewClient(), &interrupt);
    console.out = [this](absl::string_view text) {
      out.append(text.data(), text.size());
      return out_works;
    };
    console.err = [this](absl::string_view text) {
      std::lock_guard<std::mutex> lock(err_mutex_);
      err.append(text.data(), text.size());
    };
    console.columns = [] { return 80; };
    console.lines = [] { return 24; };
  }

  Cancellation interrupt;
  std::unique_ptr<ExtractorApi> api;
  Console console;
  bool out_works = true;
  std::string out;
  std::string err;

 private:
  std::mutex err_mutex_;  // The ticker writes, too.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_FAKE_EXTRACTOR_H_
