#include "tests/fake_intercom/catalog.h"

#include <array>

#include "tests/fake_intercom/edge_cases.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/json_writer.h"
#include "tests/fake_intercom/random.h"

namespace intercom_extractor::fake {
namespace {

bool ForLeads(size_t segment) { return segment % 3 == 2; }

// Percent of the people of its role that are in a segment.
constexpr std::array<int, kSegmentCount> kSegmentShare = {100, 50, 60, 0,  10, 10,
                                                          3,   1,  5,  20, 2,  30};

bool IsUnquoted(const Overrides* edge, std::string_view field) {
  if (edge == nullptr) return false;
  for (const Override& override : *edge) {
    if (override.field == field && override.token == kUnquoted) return true;
  }
  return false;
}

}  // namespace

std::string AdminId(size_t admin) { return std::to_string(814860 + admin); }

std::string TeamId(size_t team) {
  return team + 1 == kTeamCount ? AdminId(0) : std::to_string(5017690 + team);
}

std::string TagId(size_t tag) { return std::to_string(7000 + 13 * tag); }

std::string SegmentId(uint64_t seed, size_t segment) { return HexId(seed, kSegmentKind, segment); }

std::string TagIdJson(size_t tag) {
  return IsUnquoted(TagEdge(tag), "id") ? TagId(tag) : JsonString(TagId(tag));
}

std::string_view Word(uint64_t number) {
  static constexpr std::array<std::string_view, 32> kWords = {
      "Amber",  "Basalt",  "Cedar",  "Delta",  "Ember", "Fjord",  "Garnet", "Harbor",
      "Indigo", "Juniper", "Kelp",   "Lagoon", "Maple", "Nimbus", "Onyx",   "Prairie",
      "Quartz", "Raven",   "Sierra", "Tundra", "Umber", "Velvet", "Willow", "Xenon",
      "Yarrow", "Zephyr",  "Alpine", "Birch",  "Coral", "Dune",   "Echo",   "Flint"};
  return kWords[number % kWords.size()];
}

std::vector<std::string> AdminRecords() {
  std::vector<std::string> records;
  for (size_t i = 0; i < kAdminCount; ++i) {
    std::string record;
    JsonWriter json(&record, AdminEdge(i));
    json.BeginObject();
    json.Field("type", "admin");
    json.Field("id", AdminId(i));
    json.Field("name", "Admin " + std::string(Word(i)));
    json.Field("email", "admin" + std::to_string(i) + "@example.com");
    json.Field("job_title", "Support");
    json.Field("away_mode_enabled", i % 2 == 1);
    json.Field("away_mode_reassign", false);
    json.Field("has_inbox_seat", true);
    json.RawField("team_ids", "[" + TeamId(i % kTeamCount) + "]");
    json.NullField("avatar");
    json.EndObject();
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<std::string> TeamRecords() {
  std::vector<std::string> records;
  for (size_t i = 0; i < kTeamCount; ++i) {
    std::string record;
    JsonWriter json(&record, TeamEdge(i));
    json.BeginObject();
    json.Field("type", "team");
    json.Field("id", TeamId(i));
    json.Field("name", "Team " + std::string(Word(i + 7)));
    if (i == 1 || i == 2) json.NullField("email");
    json.RawField("admin_ids", "[" + AdminId(i) + "," + AdminId(i + kTeamCount) + "]");
    json.EndObject();
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<std::string> TagRecords() {
  std::vector<std::string> records;
  for (size_t i = 0; i < kTagCount; ++i) {
    std::string record;
    JsonWriter json(&record, TagEdge(i));
    json.BeginObject();
    json.Field("type", "tag");
    json.Field("id", TagId(i));
    json.Field("name", "Tag " + std::string(Word(i)) + " " + std::to_string(i));
    json.EndObject();
    records.push_back(std::move(record));
  }
  return records;
}

std::string SegmentRecord(uint64_t seed, size_t segment, int64_t count) {
  Random random(seed, kCatalogKind, segment);
  const int64_t created_at = random.Between(kGeneratedStart, kGeneratedNow - 86'400);
  std::string record;
  JsonWriter json(&record, SegmentEdge(segment));
  json.BeginObject();
  json.Field("type", "segment");
  json.Field("id", SegmentId(seed, segment));
  json.Field("name", "Segment " + std::string(Word(segment + 11)));
  json.Field("created_at", created_at);
  json.Field("updated_at", random.Between(created_at, kGeneratedNow));
  json.Field("person_type", ForLeads(segment) ? "contact" : "user");
  if (count >= 0) json.Field("count", count);
  json.EndObject();
  return record;
}

std::string AppliedTagRecord(size_t tag, std::string_view contact_id, int64_t applied_at) {
  std::string record;
  JsonWriter json(&record, TagEdge(tag));
  json.BeginObject();
  json.Field("type", "tag");
  json.Field("id", TagId(tag));
  json.Field("name", "Tag " + std::string(Word(tag)) + " " + std::to_string(tag));
  json.Field("applied_at", applied_at);
  json.RawField("applied_by", R"({"type":"contact","id":)" + JsonString(contact_id) + "}");
  json.EndObject();
  return record;
}

uint32_t SegmentMask(uint64_t seed, size_t contact, std::string_view role) {
  if (role != "user" && role != "lead") return 0;
  Random random(seed, kSegmentKind, contact + kSegmentCount);
  uint32_t mask = 0;
  for (size_t i = 0; i < kSegmentCount; ++i) {
    const bool drawn = random.Percent(kSegmentShare[i]);
    if (drawn && ForLeads(i) == (role == "lead")) mask |= uint32_t{1} << i;
  }
  return mask;
}

}  // namespace intercom_extractor::fake
