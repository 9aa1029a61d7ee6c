#ifndef SERVER_LOG_H_
#define SERVER_LOG_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "spdlog/common.h"

namespace intercom_extractor {

enum class LogFormat { kText, kJson };

// One named value of a log line. Never a token, an e-mail address or a body.
class LogField {
 public:
  LogField(absl::string_view name, absl::string_view value);
  LogField(absl::string_view name, const char* value);
  LogField(absl::string_view name, const std::string& value);
  LogField(absl::string_view name, int64_t value);
  // In seconds.
  LogField(absl::string_view name, absl::Duration value);

  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  bool is_number() const { return is_number_; }

 private:
  std::string name_;
  std::string value_;
  bool is_number_ = false;
};

// Makes Log() write to stderr. Without it Log() does nothing: inside another
// program (the command line's embedded mode) the server says nothing of its own.
// Call once, before other threads log.
void StartLogging(LogFormat format, spdlog::level::level_enum level);

// Writes one line: "message name=value ..." or one JSON object. Thread-safe.
void Log(spdlog::level::level_enum level, absl::string_view message,
         const std::vector<LogField>& fields = {});

// The part of a line that Log() makes, without time and level.
std::string FormatLogLine(LogFormat format, absl::string_view message,
                          const std::vector<LogField>& fields);

}  // namespace intercom_extractor

#endif  // SERVER_LOG_H_
