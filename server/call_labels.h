#ifndef SERVER_CALL_LABELS_H_
#define SERVER_CALL_LABELS_H_

#include <string>
#include <utility>
#include <vector>

#include "server/log.h"

namespace intercom_extractor {

// What the log lines of one call have in common; what is empty stands in none.
struct CallLabels {
  std::string extraction_id;
  std::string connection;
  std::string caller;  // Where the configuration names callers.
  std::string trace_id;

  // These, then `fields`.
  std::vector<LogField> With(std::vector<LogField> fields) const {
    std::vector<LogField> all;
    if (!extraction_id.empty()) all.emplace_back("extraction", extraction_id);
    if (!connection.empty()) all.emplace_back("connection", connection);
    if (!caller.empty()) all.emplace_back("caller", caller);
    if (!trace_id.empty()) all.emplace_back("trace_id", trace_id);
    for (LogField& field : fields) all.push_back(std::move(field));
    return all;
  }
};

}  // namespace intercom_extractor

#endif  // SERVER_CALL_LABELS_H_
