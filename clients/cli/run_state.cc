#include "clients/cli/run_state.h"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace intercom_extractor {
namespace {

using Json = nlohmann::ordered_json;

// What tells our file from any other JSON, and the version of its format.
constexpr char kFormatKey[] = "intercom_extract_state";
constexpr int64_t kFormatVersion = 2;
// Of the version that knew no incremental runs.
constexpr int64_t kFullRunsOnly = 1;
constexpr char kChecksumKey[] = "crc32";

constexpr char kTables[] = "--tables";

std::string PhaseName(RunState::Phase phase) {
  switch (phase) {
    case RunState::Phase::kRunning:
      return "running";
    case RunState::Phase::kMoving:
      return "moving";
    case RunState::Phase::kComplete:
      break;
  }
  return "complete";
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
}

Json OptionalTime(const std::optional<absl::Time>& time) {
  return time.has_value() ? Json(TimeText(*time)) : Json(nullptr);
}

Json FormatBookmarks(const Bookmarks& bookmarks) {
  Json json = Json::array();
  for (const auto& [table, bookmark] : bookmarks) {
    json.push_back({{"table", table},
                    {"read_until", OptionalTime(bookmark.read_until)},
                    {"delta_since", OptionalTime(bookmark.delta_since)}});
  }
  return json;
}

int64_t Checksum(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return static_cast<int64_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

// Reads members of an object; remembers when one was missing or of another type.
class Members {
 public:
  Members(const Json& object, bool* good) : object_(object), good_(good) {
    if (!object.is_object()) *good_ = false;
  }

  std::string String(const char* key) {
    const Json* value = Find(key);
    return Check(value != nullptr && value->is_string()) ? value->get<std::string>() : "";
  }
  int64_t Int(const char* key, int64_t min) {
    const Json* value = Find(key);
    if (!Check(value != nullptr && value->is_number_integer())) return 0;
    const auto number = value->get<int64_t>();
    return Check(number >= min) ? number : 0;
  }
  bool Bool(const char* key) {
    const Json* value = Find(key);
    return Check(value != nullptr && value->is_boolean()) && value->get<bool>();
  }
  absl::Time Time(const char* key) {
    absl::Time time;
    std::string error;
    Check(absl::ParseTime(absl::RFC3339_full, String(key), &time, &error));
    return time;
  }
  std::optional<absl::Time> OptionalTime(const char* key) {
    if (IsNull(key)) return std::nullopt;
    return Time(key);
  }
  std::optional<int64_t> OptionalInt(const char* key, int64_t min) {
    if (IsNull(key)) return std::nullopt;
    return Int(key, min);
  }
  // Empty where there is none of that kind.
  Json Container(const char* key, Json::value_t type) {
    const Json* value = Find(key);
    return Check(value != nullptr && value->type() == type) ? *value : Json(type);
  }

  bool Check(bool good) {
    *good_ = *good_ && good;
    return good;
  }

 private:
  bool IsNull(const char* key) const {
    const Json* value = Find(key);
    return value != nullptr && value->is_null();
  }

  const Json* Find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  const Json& object_;
  bool* const good_;
};

Bookmarks ParseBookmarks(const Json& json, bool* good) {
  Bookmarks bookmarks;
  for (const Json& entry : json) {
    Members members(entry, good);
    Bookmark& bookmark = bookmarks[members.String("table")];
    bookmark.read_until = members.OptionalTime("read_until");
    bookmark.delta_since = members.OptionalTime("delta_since");
  }
  return bookmarks;
}

// What the version before this one did not know, and so did not do.
void AddLaterFlags(RunFlags* flags) {
  for (const char* flag : {"--updated-since", "--overlap", "--find-deleted"}) {
    flags->emplace_back(flag, "not given");
  }
}

// Whether the name, which is to be moved from one directory to another, is one.
bool IsFileName(const std::string& name) {
  return !name.empty() && name[0] != '.' && name.find('/') == std::string::npos;
}

// "users came in, tags is gone": 22 names, twice, would hide the difference.
std::string TablesDifference(const std::string& before, const std::string& now) {
  const std::set<std::string> old_names = absl::StrSplit(before, ',');
  const std::set<std::string> new_names = absl::StrSplit(now, ',');
  std::vector<std::string> added, gone;
  std::set_difference(new_names.begin(), new_names.end(), old_names.begin(), old_names.end(),
                      std::back_inserter(added));
  std::set_difference(old_names.begin(), old_names.end(), new_names.begin(), new_names.end(),
                      std::back_inserter(gone));
  return absl::StrCat("--template and --tables mean other tables now:",
                      added.empty() ? "" : absl::StrCat(" with ", absl::StrJoin(added, ", ")),
                      gone.empty() ? "" : absl::StrCat(" without ", absl::StrJoin(gone, ", ")));
}

}  // namespace

int64_t RunState::rows() const {
  int64_t rows = 0;
  for (const TableMark& table : tables) rows += table.rows;
  return rows;
}

void SetComplete(RunState* state) {
  state->phase = RunState::Phase::kComplete;
  state->bookmarks = std::move(state->next_bookmarks);
  state->next_bookmarks.clear();
  state->also_moved.clear();
}

std::string FormatRunState(const RunState& state) {
  Json json;
  json[kFormatKey] = kFormatVersion;
  json["phase"] = PhaseName(state.phase);
  json["exit_code"] = state.exit_code;
  json["started"] = TimeText(state.started);
  json["updated"] = TimeText(state.updated);
  json["output"] = state.output;
  Json flags = Json::object();
  for (const auto& [flag, value] : state.flags) flags[flag] = value;
  json["flags"] = flags;
  json["saw_warning"] = state.saw_warning;
  json["checkpoint"] = state.checkpoint;
  Json tables = Json::array();
  for (const TableMark& table : state.tables) {
    tables.push_back(
        {{"table", table.table},
         {"file", table.file},
         {"rows", table.rows},
         {"bytes", table.bytes},
         {"generation", table.generation},
         {"whole", table.whole},
         {"key_bytes", table.key_bytes.has_value() ? Json(*table.key_bytes) : Json(nullptr)}});
  }
  json["tables"] = tables;
  json["updated_since"] = OptionalTime(state.updated_since);
  json["bookmarks"] = FormatBookmarks(state.bookmarks);
  json["next_bookmarks"] = FormatBookmarks(state.next_bookmarks);
  json["also_moved"] = state.also_moved;
  json["resume_token"] = absl::Base64Escape(state.resume_token);
  json[kChecksumKey] = Checksum(json);
  return absl::StrCat(json.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
}

absl::StatusOr<RunState> ParseRunState(absl::string_view text) {
  const absl::Status damaged = absl::DataLossError("is damaged, or no state of this program");
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) return damaged;
  bool good = true;
  Members members(json, &good);
  const int64_t version = members.Int(kFormatKey, 1);
  if (!good) return damaged;
  if (version > kFormatVersion) {
    return absl::UnimplementedError("was written by a newer version of this program");
  }
  const int64_t checksum = members.Int(kChecksumKey, 0);
  json.erase(kChecksumKey);
  if (!good || checksum != Checksum(json)) return damaged;

  RunState state;
  const std::string phase = members.String("phase");
  for (const auto each :
       {RunState::Phase::kRunning, RunState::Phase::kMoving, RunState::Phase::kComplete}) {
    if (phase == PhaseName(each)) state.phase = each;
  }
  members.Check(phase == PhaseName(state.phase));
  state.exit_code = static_cast<int>(members.Int("exit_code", 0));
  state.started = members.Time("started");
  state.updated = members.Time("updated");
  state.output = members.String("output");
  const Json flags = members.Container("flags", Json::value_t::object);
  for (const auto& [flag, value] : flags.items()) {
    if (members.Check(value.is_string())) state.flags.emplace_back(flag, value.get<std::string>());
  }
  state.saw_warning = members.Bool("saw_warning");
  state.checkpoint = members.Int("checkpoint", 0);
  const Json tables = members.Container("tables", Json::value_t::array);
  for (const Json& entry : tables) {
    Members of_table(entry, &good);
    TableMark& table = state.tables.emplace_back();
    table.table = of_table.String("table");
    table.file = of_table.String("file");
    of_table.Check(table.file.find('/') == std::string::npos);
    table.rows = of_table.Int("rows", 0);
    table.bytes = of_table.Int("bytes", 0);
    table.generation = static_cast<uint32_t>(of_table.Int("generation", 1));
    table.whole = of_table.Bool("whole");
    if (version > kFullRunsOnly) table.key_bytes = of_table.OptionalInt("key_bytes", 0);
  }
  if (version > kFullRunsOnly) {
    state.updated_since = members.OptionalTime("updated_since");
    const auto array = Json::value_t::array;
    state.bookmarks = ParseBookmarks(members.Container("bookmarks", array), &good);
    state.next_bookmarks = ParseBookmarks(members.Container("next_bookmarks", array), &good);
    const Json moved = members.Container("also_moved", array);
    for (const Json& name : moved) {
      if (!members.Check(name.is_string())) break;
      members.Check(IsFileName(state.also_moved.emplace_back(name.get<std::string>())));
    }
  } else {
    AddLaterFlags(&state.flags);
  }
  members.Check(absl::Base64Unescape(members.String("resume_token"), &state.resume_token));
  if (!good) return damaged;
  return state;
}

std::string DifferingFlag(const RunFlags& before, const RunFlags& now) {
  const std::map<std::string, std::string> known(before.begin(), before.end());
  for (const auto& [flag, value] : now) {
    const auto found = known.find(flag);
    const std::string old_value = found == known.end() ? "not known" : found->second;
    if (old_value == value) continue;
    if (flag == kTables) return TablesDifference(old_value, value);
    return absl::StrCat(flag, " was ", old_value, " and is ", value, " now");
  }
  return "";
}

}  // namespace intercom_extractor
