// Answers of every kind to rows of every table, by the real converter and by the slow and
// plain one: a byte for the kind, one for how it is read, the answer's text.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "extractor/tables/answer_converter.h"
#include "extractor/tables/reference_converter.h"
#include "extractor/tables/reference_json.h"
#include "tests/fuzz/input_bytes.h"
#include "tests/fuzz/json_facts.h"
#include "tests/fuzz/require.h"

namespace intercom_extractor::fuzz {
namespace {

struct Source {
  v1::SourceRecord record;
  const char* items;
};
// Append only: stored inputs count on their places.
constexpr std::array<Source, 13> kSources = {{
    {v1::SOURCE_RECORD_CONTACT, "data"},
    {v1::SOURCE_RECORD_CONTACT_TAG, "data"},
    {v1::SOURCE_RECORD_CONTACT_SEGMENT, "data"},
    {v1::SOURCE_RECORD_CONTACT_COMPANY, "data"},
    {v1::SOURCE_RECORD_NOTE, "data"},
    {v1::SOURCE_RECORD_EVENT_SUMMARY, ""},
    {v1::SOURCE_RECORD_COMPANY, "data"},
    {v1::SOURCE_RECORD_ADMIN, "admins"},
    {v1::SOURCE_RECORD_TEAM, "teams"},
    {v1::SOURCE_RECORD_TAG, "data"},
    {v1::SOURCE_RECORD_SEGMENT, "segments"},
    {v1::SOURCE_RECORD_CONVERSATION, "conversations"},
    {v1::SOURCE_RECORD_CONVERSATION, ""},
}};

AnswerKind KindOf(const Source& source, uint8_t how) {
  AnswerKind kind;
  kind.record = source.record;
  kind.items = source.items;
  kind.context.parent_id = "p";
  kind.context.parent_role = (how & 1) == 0 ? v1::CONTACT_ROLE_USER : v1::CONTACT_ROLE_LEAD;
  kind.context.roles = {{"70", "user"}, {"71", "lead"}, {"7", "lead"}};
  if ((how & 2) != 0) kind.context.parts_truncated = (how & 4) != 0;
  return kind;
}

// The records of an answer, as far as it has those that a reader can expect.
std::optional<std::vector<const ReferenceJson*>> RecordsOf(const ReferenceJson& answer,
                                                           const std::string& items) {
  using Type = ReferenceJson::Type;
  if (answer.type != Type::kObject) return std::nullopt;
  std::vector<const ReferenceJson*> records;
  if (items.empty()) return std::vector<const ReferenceJson*>{&answer};
  for (const ReferenceMember& member : answer.members) {
    if (member.key != items || member.value.type != Type::kArray) continue;
    for (const ReferenceJson& element : member.value.elements) {
      if (element.type != Type::kObject) return std::nullopt;
      records.push_back(&element);
    }
    return records;
  }
  return std::nullopt;
}

// Parts of a conversation that are no objects, which count as damage when it is read in
// pieces.
size_t OddPartsOf(const ReferenceJson& conversation) {
  const ReferenceJson* parts = conversation.Find("conversation_parts");
  if (parts != nullptr) parts = parts->Find("conversation_parts");
  if (parts == nullptr) return 0;
  return static_cast<size_t>(std::count_if(
      parts->elements.begin(), parts->elements.end(),
      [](const ReferenceJson& part) { return part.type != ReferenceJson::Type::kObject; }));
}

// A list within a list that is read in pieces may complain once for each piece.
ReferenceRows OfOneNoticeEach(ReferenceRows rows) {
  std::sort(rows.notices.begin(), rows.notices.end());
  rows.notices.erase(std::unique(rows.notices.begin(), rows.notices.end()), rows.notices.end());
  return rows;
}

void RequireDataLoss(const absl::Status& status) {
  Require(absl::IsDataLoss(status), "what is wrong with an answer is DATA_LOSS", status.ToString());
}

// The front of an answer that was cut: its whole records, each as it would be.
void CheckCut(const std::vector<ReferenceRows>& expected, absl::string_view text,
              AnswerConverter* converter) {
  const auto salvaged = converter->Salvage(text);
  if (!salvaged.ok()) return RequireDataLoss(salvaged.status());
  Require(salvaged->records.size() <= expected.size(), "an answer that is cut has no more records");
  for (size_t i = 0; i < salvaged->records.size(); ++i) {
    Require(Difference(expected[i], salvaged->records[i]).empty(),
            "a record before the cut is as it was", Difference(expected[i], salvaged->records[i]));
  }
}

void Check(const AnswerKind& kind, absl::string_view text, size_t cut) {
  AnswerConverter converter(kind);
  const auto rows = converter.Read(text);
  const auto salvaged = converter.Salvage(text);
  if (!rows.ok()) RequireDataLoss(rows.status());
  if (!salvaged.ok()) RequireDataLoss(salvaged.status());
  if (IsDeep(text) || !IsUtf8(text)) return;
  // Of a broken text some is given, in salvage; what, is for the tests to say.
  const auto json = ReferenceJson::Parse({text.data(), text.size()});
  if (!json.has_value()) return;
  const auto records = RecordsOf(*json, kind.items);
  Require(rows.ok() == records.has_value(), "an answer with records is read, no other",
          rows.status().ToString());
  if (!records.has_value()) return;
  // What two objects under one key mean is nobody's promise.
  if (RepeatsKey(*json, AnnotatedKeys::Get().containers) || RepeatsKey(*json, {kind.items})) {
    return;
  }

  Require(rows->size() == records->size(), "every record is read");
  std::vector<ReferenceRows> expected;
  for (const ReferenceJson* record : *records) {
    expected.push_back(ReferenceConvert(kind.record, *record, kind.context));
  }
  // It has learned the order of keys meanwhile.
  const auto again = converter.Read(text);
  const size_t odd_parts = kind.items.empty() ? OddPartsOf(*json) : 0;
  Require(salvaged.ok() && salvaged->records.size() == records->size() &&
              salvaged->malformed == odd_parts,
          "salvage reads every record, too", salvaged.status().ToString());
  Require(again.ok() && again->size() == records->size(), "as often as it is asked to");
  for (size_t i = 0; i < expected.size(); ++i) {
    Require(Difference(expected[i], (*rows)[i]).empty(), "rows are those of the reference",
            Difference(expected[i], (*rows)[i]));
    Require(Difference(expected[i], (*again)[i]).empty(), "also for a known order of keys",
            Difference(expected[i], (*again)[i]));
    // Notices of their own.
    if (odd_parts > 0) continue;
    const std::string difference =
        Difference(OfOneNoticeEach(expected[i]), OfOneNoticeEach(salvaged->records[i]));
    Require(difference.empty(), "and in pieces", difference);
  }
  if (cut < text.size() && !kind.items.empty()) CheckCut(expected, text.substr(0, cut), &converter);
}

}  // namespace
}  // namespace intercom_extractor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intercom_extractor::fuzz;  // NOLINT(google-build-using-namespace)
  InputBytes input(data, size);
  const Source& source = kSources[input.Below(kSources.size())];
  const uint8_t how = input.Byte();
  // A sixteenth of the text remains, or two, ...; all of it is no cut.
  const size_t cut = (how >> 4) == 0 ? input.rest().size()
                                     : input.rest().size() * (how >> 4) / 16 + ((how >> 3) & 1);
  Check(KindOf(source, how), input.rest(), cut);
  return 0;
}
