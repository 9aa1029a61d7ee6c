#include "tests/fake_intercom/scenario_file.h"

#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "extractor/tables/nearest_name.h"
#include "server/config_section.h"
#include "tests/fake_intercom/fault_list.h"
#include "tests/fake_intercom/http_server.h"
#include "yaml-cpp/yaml.h"

namespace intercom_extractor::fake {
namespace {

constexpr int kMost = std::numeric_limits<int>::max();

// Reads the keys of one section one by one; the first error is kept and ends the reading.
class Reader {
 public:
  Reader(std::string file, const std::string& path, const YAML::Node& node,
         const std::vector<std::string>& known)
      : file_(std::move(file)), path_(path), section_(Open(path, node, known)) {}

  absl::Status status() const { return status_; }
  bool ok() const { return status_.ok(); }
  bool Has(const std::string& key) const { return ok() && section_->Get(key).IsDefined(); }
  YAML::Node Get(const std::string& key) const { return section_->Get(key); }
  std::string PathOf(const std::string& key) const {
    return path_.empty() ? key : absl::StrCat(path_, ".", key);
  }

  void Fail(const std::string& key, absl::string_view what) { Note(section_->Error(key, what)); }
  void Note(const absl::Status& status) {
    if (ok() && !status.ok()) status_ = status;
  }

  // These leave what they read into alone where the key is absent.
  void Text(const std::string& key, std::string* text) {
    if (!Has(key)) return;
    const YAML::Node node = Get(key);
    if (!node.IsScalar()) return Fail(key, "must be a single value");
    *text = node.Scalar();
  }
  void Flag(const std::string& key, bool* flag) {
    if (ok()) Note(section_->Read(key, flag));
  }
  template <typename T>
  void Number(const std::string& key, int min, T* number) {
    if (!Has(key)) return;
    int value = 0;
    Note(section_->Read(key, min, kMost, &value));
    *number = value;
  }
  template <typename T>
  void Time(const std::string& key, T* time) {
    std::string text;
    Text(key, &text);
    if (!ok() || text.empty()) return;
    absl::Duration duration;
    if (!absl::ParseDuration(text, &duration)) {
      return Fail(key, absl::StrCat("\"", text, "\" is not a duration; write 200ms or 1m30s"));
    }
    *time = std::chrono::duration_cast<T>(absl::ToChronoNanoseconds(duration));
  }
  // One of `choices`.
  template <typename T>
  void Choice(const std::string& key, const std::map<std::string, T>& choices, T* choice) {
    std::string text;
    Text(key, &text);
    if (!ok() || text.empty()) return;
    const auto found = choices.find(text);
    if (found != choices.end()) {
      *choice = found->second;
      return;
    }
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) names.push_back(name);
    Fail(key, absl::StrCat("\"", text, "\": ", Suggestion(text, names)));
  }

  // Reads what stands at `key` with another reader.
  Reader Below(const std::string& key, const std::vector<std::string>& known) {
    return Reader(file_, PathOf(key), Get(key), known);
  }
  // Calls `read(path, entry)` for each entry of a list.
  template <typename Read>
  void Each(const std::string& key, Read read) {
    if (!Has(key)) return;
    const YAML::Node list = Get(key);
    if (!list.IsSequence()) return Fail(key, "must be a list");
    for (size_t i = 0; i < list.size() && ok(); ++i) {
      read(absl::StrCat(PathOf(key), "[", i, "]"), list[i]);
    }
  }

 private:
  std::optional<ConfigSection> Open(const std::string& path, const YAML::Node& node,
                                    const std::vector<std::string>& known) {
    auto section = ConfigSection::Open(file_, path, node, known);
    status_ = section.status();
    if (!section.ok()) return std::nullopt;
    return *std::move(section);
  }

  const std::string file_;
  const std::string path_;
  absl::Status status_;
  std::optional<ConfigSection> section_;
};

void ReadTurns(Reader* reader, FaultTurns* turns) {
  if (reader->Has("nth")) {
    const YAML::Node node = reader->Get("nth");
    const auto add = [&](const YAML::Node& entry) {
      int number = 0;
      if (!entry.IsScalar() || !absl::SimpleAtoi(entry.Scalar(), &number) || number < 1) {
        return reader->Fail("nth", "must be a number from 1 on, or a list of such");
      }
      turns->nth.insert(number);
    };
    if (node.IsSequence()) {
      for (const auto& entry : node) add(entry);
    } else {
      add(node);
    }
  }
  reader->Number("every", 1, &turns->every);
  reader->Number("from", 1, &turns->from);
  reader->Number("to", 1, &turns->to);
}

void ReadMatch(Reader on, Reader* above, FaultMatch* match) {
  on.Text("method", &match->method);
  on.Text("path", &match->path);
  if (on.ok() && !match->path.empty() && match->path[0] != '/') {
    on.Fail("path", "must begin with /");
  }
  on.Text("contains", &match->contains);
  on.Number("page_above", 1, &match->page_above);
  on.Number("after", 0, &match->after);
  on.Choice<bool>("tries", {{"first", false}, {"all", true}}, &match->retries_too);
  ReadTurns(&on, &match->turns);
  above->Note(on.status());
}

void ReadHeaders(Reader* reader, FaultAction* action) {
  if (!reader->Has("headers")) return;
  const YAML::Node headers = reader->Get("headers");
  if (!headers.IsMap()) return reader->Fail("headers", "must be a mapping (NAME: VALUE)");
  for (const auto& entry : headers) {
    std::optional<std::string> value;
    if (entry.second.IsScalar()) value = entry.second.Scalar();
    action->headers.emplace_back(entry.first.Scalar(), value);
  }
}

void ReadReplace(Reader* reader, FaultAction* action) {
  if (!reader->Has("replace")) return;
  const YAML::Node texts = reader->Get("replace");
  if (!texts.IsMap()) return reader->Fail("replace", "must be a mapping (TEXT: NEW TEXT)");
  for (const auto& entry : texts) {
    if (!entry.second.IsScalar() || entry.first.Scalar().empty()) {
      return reader->Fail("replace", "must map texts to texts");
    }
    action->replace.emplace_back(entry.first.Scalar(), entry.second.Scalar());
  }
}

// BYTES or SHARE%.
void ReadCut(Reader* reader, FaultAction* action) {
  std::string text;
  reader->Text("cut", &text);
  if (!reader->ok() || text.empty()) return;
  FaultAction::Cut cut;
  int number = 0;
  absl::string_view digits = text;
  const bool percent = absl::ConsumeSuffix(&digits, "%");
  if (!absl::SimpleAtoi(digits, &number) || number < 0 || (percent && number > 100)) {
    return reader->Fail("cut", absl::StrCat("\"", text,
                                            "\" is no number of bytes and no share; "
                                            "write 100 or 50%"));
  }
  if (percent) {
    cut.share = number / 100.0;
  } else {
    cut.bytes = static_cast<size_t>(number);
  }
  action->cut = cut;
}

void ReadDrip(Reader* reader, FaultAction* action) {
  if (!reader->Has("drip")) return;
  Reader drip = reader->Below("drip", {"bytes", "every"});
  FaultAction::Drip read;
  drip.Number("bytes", 1, &read.bytes);
  drip.Time("every", &read.every);
  if (drip.ok() && read.bytes == 0) drip.Fail("bytes", "is missing: how many at a time");
  reader->Note(drip.status());
  action->drip = read;
}

void ReadAction(Reader reader, Reader* above, FaultAction* action) {
  reader.Time("delay", &action->delay);
  reader.Number("status", 100, &action->status);
  if (reader.ok() && action->status.value_or(200) > 599) reader.Fail("status", "is above 599");
  reader.Text("code", &action->code);
  reader.Flag("reset", &action->reset);
  reader.Flag("carried_out", &action->carried_out);
  reader.Time("refuse", &action->refuse);
  std::string text;
  if (reader.Has("body")) {
    reader.Text("body", &text);
    action->body = text;
  }
  reader.Flag("malformed", &action->malformed);
  ReadReplace(&reader, action);
  ReadHeaders(&reader, action);
  reader.Time("clock", &action->clock);
  using Gzip = FaultAction::Gzip;
  reader.Choice<Gzip>(
      "gzip", {{"good", Gzip::kGood}, {"damaged", Gzip::kDamaged}, {"untrue", Gzip::kUntrue}},
      &action->gzip);
  ReadCut(&reader, action);
  ReadDrip(&reader, action);
  if (reader.Has("length")) {
    int error = 0;
    std::string said;
    reader.Text("length", &said);
    if (reader.ok() && (!absl::SimpleAtoi(said, &error) || error == 0)) {
      reader.Fail("length", "must be how many bytes too many (10) or too few (-10) are announced");
    }
    action->length_error = error;
  }
  using Framing = Delivery::Framing;
  reader.Choice<Framing>("framing",
                         {{"length", Framing::kLength},
                          {"chunked", Framing::kChunked},
                          {"until_close", Framing::kUntilClose}},
                         &action->framing);
  using End = Delivery::End;
  End end = End::kKeep;
  reader.Choice<End>("end",
                     {{"keep", End::kKeep},
                      {"close", End::kClose},
                      {"abrupt", End::kAbrupt},
                      {"reset", End::kReset}},
                     &end);
  if (reader.Has("end")) action->end = end;
  if (reader.Has("raw")) {
    reader.Text("raw", &text);
    action->raw = text;
  }
  above->Note(reader.status());
}

FaultRule ReadRule(const std::string& file, const std::string& path, const YAML::Node& node,
                   Reader* above) {
  FaultRule rule;
  Reader reader(file, path, node, {"on", "do"});
  if (reader.Has("on")) {
    ReadMatch(reader.Below("on", {"method", "path", "contains", "page_above", "after", "tries",
                                  "nth", "every", "from", "to"}),
              &reader, &rule.match);
  }
  if (reader.Has("do")) {
    ReadAction(reader.Below("do", {"delay", "status", "code", "reset", "carried_out", "refuse",
                                   "body", "replace", "headers", "clock", "malformed", "gzip",
                                   "cut", "drip", "length", "framing", "end", "raw"}),
               &reader, &rule.action);
  } else if (reader.ok()) {
    reader.Fail("do", "is missing: what happens to the request");
  }
  above->Note(reader.status());
  return rule;
}

ConnectionRule ReadConnection(const std::string& file, const std::string& path,
                              const YAML::Node& node, Reader* above) {
  ConnectionRule rule;
  Reader reader(file, path, node, {"nth", "every", "from", "to", "do"});
  if (reader.ok()) ReadTurns(&reader, &rule.turns);
  reader.Choice<ConnectionFault>("do",
                                 {{"reset", ConnectionFault::kReset},
                                  {"close", ConnectionFault::kClose},
                                  {"silence", ConnectionFault::kSilence},
                                  {"garbage", ConnectionFault::kGarbage},
                                  {"tls_alert", ConnectionFault::kTlsAlert}},
                                 &rule.fault);
  above->Note(reader.status());
  return rule;
}

absl::StatusOr<Scenario> ReadScenario(const std::string& file, const std::string& path,
                                      const YAML::Node& node) {
  Scenario scenario;
  Reader reader(file, path, node,
                {"name", "about", "combine", "faults", "rules", "connections", "http2", "network",
                 "dns", "clock", "run", "expect"});
  reader.Text("name", &scenario.name);
  if (reader.ok() && scenario.name.empty()) reader.Fail("name", "is missing: what it is called");
  reader.Text("faults", &scenario.faults);
  try {
    ParseFaultList(scenario.faults);
  } catch (const std::invalid_argument& error) {
    reader.Fail("faults", error.what());
  }
  reader.Each("rules", [&](const std::string& at, const YAML::Node& rule) {
    scenario.rules.push_back(ReadRule(file, at, rule, &reader));
  });
  reader.Each("connections", [&](const std::string& at, const YAML::Node& rule) {
    scenario.connections.push_back(ReadConnection(file, at, rule, &reader));
  });
  if (!reader.ok()) return reader.status();
  return scenario;
}

}  // namespace

absl::StatusOr<Scenario> LoadScenario(const std::string& file, const std::string& name) {
  YAML::Node document;
  try {
    document = YAML::LoadFile(file);
  } catch (const YAML::ParserException& error) {
    return ConfigError(file, error.mark, "", error.msg);
  } catch (const YAML::BadFile&) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": cannot be read"));
  }
  if (document.IsMap()) return ReadScenario(file, "", document);
  if (!document.IsSequence() || document.size() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": must be a scenario or a list of scenarios"));
  }
  if (name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": holds a list; name one of it with --scenario-name"));
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < document.size(); ++i) {
    const YAML::Node entry = document[i];
    if (!entry.IsMap() || !entry["name"].IsDefined() || !entry["name"].IsScalar()) continue;
    names.push_back(entry["name"].Scalar());
    if (names.back() == name) return ReadScenario(file, absl::StrCat("[", i, "]"), entry);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": no scenario \"", name, "\"; ", Suggestion(name, names)));
}

}  // namespace intercom_extractor::fake
