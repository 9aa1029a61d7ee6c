#ifndef TESTS_LOAD_CALL_LOG_H_
#define TESTS_LOAD_CALL_LOG_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/http_server.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {

// Which tables the requests were for that a fake Intercom admitted. Thread-safe.
class CallLog {
 public:
  // Both must outlive the fake's last request.
  explicit CallLog(const fake::Workspace* workspace) : workspace_(*workspace) {}

  // From now on.
  void Watch(fake::FakeIntercom* intercom);

  // By table. A request that feeds several tables counts for each.
  std::map<std::string, int64_t> calls() const;
  int64_t total() const;

 private:
  std::vector<std::string> TablesOf(const fake::Request& request) const;
  std::vector<std::string> TablesOfSubList(const std::string& path) const;

  const fake::Workspace& workspace_;
  mutable std::mutex mu_;
  // Guarded by mu_.
  std::map<std::string, int64_t> calls_;
  int64_t total_ = 0;
};

}  // namespace intercom_extractor

#endif  // TESTS_LOAD_CALL_LOG_H_
