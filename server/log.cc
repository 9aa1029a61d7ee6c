#include "server/log.h"

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spdlog/logger.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace intercom_extractor {
namespace {

struct Logger {
  std::unique_ptr<spdlog::logger> out;
  LogFormat format = LogFormat::kText;
};

// Never destroyed: threads may log until the process ends.
Logger& GlobalLogger() {
  static Logger& logger = *new Logger();
  return logger;
}

// Quotes, with control characters escaped, so that a line stays one line
// whatever a caller sent. The result is valid JSON for valid UTF-8.
std::string Quoted(absl::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&result, "\\", absl::string_view(&c, 1));
    } else if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppendFormat(&result, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      result.push_back(c);
    }
  }
  result.push_back('"');
  return result;
}

bool NeedsQuotes(absl::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c)) || c == '"' || c == '=') return true;
  }
  return false;
}

}  // namespace

LogField::LogField(absl::string_view name, absl::string_view value) : name_(name), value_(value) {}
LogField::LogField(absl::string_view name, const char* value) : name_(name), value_(value) {}
LogField::LogField(absl::string_view name, const std::string& value) : name_(name), value_(value) {}
LogField::LogField(absl::string_view name, int64_t value)
    : name_(name), value_(absl::StrCat(value)), is_number_(true) {}
LogField::LogField(absl::string_view name, absl::Duration value)
    : name_(name),
      value_(absl::StrFormat("%.3f", absl::ToDoubleSeconds(value))),
      is_number_(true) {}

std::string FormatLogLine(LogFormat format, absl::string_view message,
                          const std::vector<LogField>& fields) {
  if (format == LogFormat::kText) {
    std::string line(message);
    for (const LogField& field : fields) {
      absl::StrAppend(&line, " ", field.name(), "=",
                      NeedsQuotes(field.value()) ? Quoted(field.value()) : field.value());
    }
    return line;
  }
  std::string line = absl::StrCat("\"message\":", Quoted(message));
  for (const LogField& field : fields) {
    absl::StrAppend(&line, ",", Quoted(field.name()), ":",
                    field.is_number() ? field.value() : Quoted(field.value()));
  }
  return line;
}

void StartLogging(LogFormat format, spdlog::level::level_enum level) {
  Logger& logger = GlobalLogger();
  logger.format = format;
  logger.out = std::make_unique<spdlog::logger>("intercom-extractor",
                                                std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger.out->set_level(level);
  logger.out->flush_on(spdlog::level::trace);
  logger.out->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      format == LogFormat::kText ? "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v"
                                 : "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v}",
      spdlog::pattern_time_type::utc));
}

void Log(spdlog::level::level_enum level, absl::string_view message,
         const std::vector<LogField>& fields) {
  const Logger& logger = GlobalLogger();
  if (logger.out == nullptr || !logger.out->should_log(level)) return;
  // As a value, never as a format: it may hold braces.
  logger.out->log(level, "{}", FormatLogLine(logger.format, message, fields));
}

}  // namespace intercom_extractor
