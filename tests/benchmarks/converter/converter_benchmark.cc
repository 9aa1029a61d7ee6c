// How fast answers become the bytes of rows, for every kind of answer:
//   floor     one On-Demand pass over the same text that takes each record's (of a
//             detail, each element's) text and reads nothing in it
//   ordinary  the same rows through generated messages, see ordinary_converter.h
//   ours      PageReader and RecordConverter, all tables, from text to UnitRows
//   salvage   ours in pieces, as a body too large for memory is read
// The three take turns at random, so that what disturbs the machine disturbs all.
// BENCHMARK_BRIEF=1: only shows that it works.

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/http/response_body.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_converter.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"
#include "google/protobuf/util/message_differencer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/benchmarks/converter/ordinary_converter.h"
#include "tests/benchmarks/converter/ratio_report.h"
#include "tests/benchmarks/cpu_cycles/cpu_cycles.h"
#include "tests/benchmarks/payloads/answers.h"

namespace intercom_extractor {
namespace {

namespace ondemand = simdjson::ondemand;
using payloads::Answer;

constexpr uint64_t kSeed = 1;

// Whether some benchmark found something wrong; the library only prints that.
bool something_is_wrong = false;

void Fail(benchmark::State& state, const char* why) {
  something_is_wrong = true;
  state.SkipWithError(why);
}

// As the real directory once the roles have been looked up.
class EverybodyIsAUser : public RoleDirectory {
 public:
  std::optional<absl::string_view> Role(absl::string_view) const override { return "user"; }
};

// Where a detail has its longest list.
std::string LongestList(const Answer& answer) {
  if (answer.record != v1::SOURCE_RECORD_CONVERSATION || !answer.items.empty()) return "";
  return "conversation_parts.conversation_parts";
}

// Ours, for one kind of answer.
class Converted {
 public:
  explicit Converted(const Answer& answer)
      : converter_(answer.record, AllTables()),
        reader_(answer.items.empty() ? std::vector<std::string>() : std::vector{answer.items},
                LongestList(answer), converter_.shape()),
        body_(ResponseBody::FromString(answer.text)),
        unit_(TableCatalog::Get().tables().size()) {
    context_.parent_id = answer.parent_id;
    context_.parent_role = answer.parent_role;
    context_.roles = &roles_;
  }

  // Records read; 0 when something is wrong.
  size_t Read() {
    unit_.Clear();
    const auto info = reader_.Read(&body_, [this](const PageReader::Record& record) {
      converter_.Convert(*record.values, context_, &unit_);
      return absl::OkStatus();
    });
    return info.ok() && unit_.notices().empty() ? info->records : 0;
  }

  size_t Salvage() {
    unit_.Clear();
    const auto info = reader_.Salvage(
        &body_,
        [this](const PageReader::Record& record) {
          using Part = RecordConverter::Part;
          converter_.Convert(*record.values, context_, &unit_,
                             record.part == 0   ? Part::kWhole
                             : record.part == 1 ? Part::kWithoutList
                                                : Part::kListOnly,
                             reader_.split_list());
          return absl::OkStatus();
        },
        [](const std::string&) {});
    return info.ok() && info->malformed == 0 ? info->records : 0;
  }

  size_t rows() const {
    size_t rows = 0;
    for (const UnitRows::TableRows& table : unit_.tables()) rows += table.ends.size();
    return rows;
  }

  std::string bytes() const {
    std::string bytes;
    for (const UnitRows::TableRows& table : unit_.tables()) {
      bytes.append(table.bytes.data(), table.bytes.size());
    }
    return bytes;
  }

 private:
  static std::vector<const TableInfo*> AllTables() {
    std::vector<const TableInfo*> tables;
    for (const TableInfo& table : TableCatalog::Get().tables()) tables.push_back(&table);
    return tables;
  }

  const EverybodyIsAUser roles_;
  RecordContext context_;
  RecordConverter converter_;
  PageReader reader_;
  ResponseBody body_;
  UnitRows unit_;
};

// Runs `convert`, which returns whether all went well, and reports its speed.
template <typename Convert>
void Measure(benchmark::State& state, const Answer& answer, size_t rows, Convert convert) {
  CpuCycles counter;
  const std::optional<uint64_t> start = counter.Read();
  for (auto _ : state) {
    if (!convert()) {
      return Fail(state, "the answer is not read");
    }
  }
  const std::optional<uint64_t> end = counter.Read();
  const auto iterations = static_cast<double>(state.iterations());
  const auto records = static_cast<double>(answer.records);
  state.SetItemsProcessed(static_cast<int64_t>(iterations * records));
  state.SetBytesProcessed(
      static_cast<int64_t>(iterations * static_cast<double>(answer.text.size())));
  state.counters["rows_per_second"] =
      benchmark::Counter(iterations * static_cast<double>(rows), benchmark::Counter::kIsRate);
  state.counters["bytes_per_record"] = static_cast<double>(answer.text.size()) / records;
  if (start.has_value() && end.has_value()) {
    state.counters["cycles_per_record"] =
        static_cast<double>(*end - *start) / (iterations * records);
  }
}

size_t SliceElements(ondemand::array array) {
  size_t bytes = 0;
  for (auto element : array) {
    std::string_view json;
    ondemand::object object;
    if (element.get_object().get(object) || object.raw_json().get(json)) return 0;
    bytes += json.size();
  }
  return bytes;
}

// Bytes of the records, or of a detail's elements; 0 when something is wrong.
size_t Slice(ondemand::parser* parser, const Answer& answer, const simdjson::padded_string& text) {
  ondemand::document document;
  if (parser->iterate(text).get(document)) return 0;
  ondemand::array array;
  if (!answer.items.empty()) {
    return document[answer.items].get_array().get(array) ? 0 : SliceElements(array);
  }
  if (answer.record == v1::SOURCE_RECORD_EVENT_SUMMARY) {
    return document["events"].get_array().get(array) ? 0 : SliceElements(array);
  }
  ondemand::object parts;
  if (document["conversation_parts"].get_object().get(parts)) return 0;
  return parts["conversation_parts"].get_array().get(array) ? 0 : SliceElements(array);
}

void RegisterFloor(const std::string& group, std::shared_ptr<const Answer> answer, size_t rows) {
  benchmark::RegisterBenchmark(absl::StrCat(group, "/floor").c_str(),
                               [answer, rows](benchmark::State& state) {
                                 const simdjson::padded_string text(answer->text);
                                 ondemand::parser parser;
                                 Measure(state, *answer, rows, [&] {
                                   const size_t bytes = Slice(&parser, *answer, text);
                                   benchmark::DoNotOptimize(bytes);
                                   return bytes > 0;
                                 });
                               });
}

void RegisterOrdinary(const std::string& group, std::shared_ptr<const Answer> answer, size_t rows,
                      std::shared_ptr<const std::string> expected) {
  benchmark::RegisterBenchmark(
      absl::StrCat(group, "/ordinary").c_str(), [answer, rows, expected](benchmark::State& state) {
        const simdjson::padded_string text(answer->text);
        OrdinaryConverter converter;
        // What makes other rows is no measure of ours.
        v1::RowBatch ours;
        v1::RowBatch ordinary;
        if (converter.Convert(answer->record, answer->items, text) != simdjson::SUCCESS ||
            !ours.ParseFromString(*expected) || !ordinary.ParseFromString(converter.bytes()) ||
            !google::protobuf::util::MessageDifferencer::Equals(ours, ordinary)) {
          return Fail(state, "the ordinary rows differ from ours");
        }
        Measure(state, *answer, rows, [&] {
          return converter.Convert(answer->record, answer->items, text) == simdjson::SUCCESS;
        });
      });
}

void RegisterOurs(const std::string& group, std::shared_ptr<const Answer> answer, size_t rows) {
  benchmark::RegisterBenchmark(
      absl::StrCat(group, "/ours").c_str(), [answer, rows](benchmark::State& state) {
        Converted converted(*answer);
        Measure(state, *answer, rows, [&] { return converted.Read() == answer->records; });
      });
}

void RegisterSalvage(const std::string& group, std::shared_ptr<const Answer> answer, size_t rows) {
  benchmark::RegisterBenchmark(
      absl::StrCat(group, "/salvage").c_str(), [answer, rows](benchmark::State& state) {
        Converted converted(*answer);
        Measure(state, *answer, rows, [&] { return converted.Salvage() == answer->records; });
      });
}

void RegisterAll() {
  for (Answer& made : payloads::AllAnswers(kSeed)) {
    const auto answer = std::make_shared<const Answer>(std::move(made));
    const std::string group = absl::StrCat("converter/", answer->name);
    Converted converted(*answer);
    converted.Read();
    const size_t rows = converted.rows();
    RegisterFloor(group, answer, rows);
    if (OrdinaryConverter::Knows(answer->record)) {
      RegisterOrdinary(group, answer, rows, std::make_shared<const std::string>(converted.bytes()));
    }
    RegisterOurs(group, answer, rows);
    if (answer->name == "contacts_3KB" || answer->name == "conversation_500_parts") {
      RegisterSalvage(group, answer, rows);
    }
  }
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  const bool brief = std::getenv("BENCHMARK_BRIEF") != nullptr;
  std::vector<std::string> flags = {argv[0]};
  // Before those of the caller, who may want others.
  flags.emplace_back("--benchmark_repetitions=9");
  flags.emplace_back("--benchmark_min_time=0.05");
  flags.emplace_back("--benchmark_enable_random_interleaving=true");
  flags.emplace_back("--benchmark_display_aggregates_only=true");
  flags.insert(flags.end(), argv + 1, argv + argc);
  if (brief) {
    flags.emplace_back("--benchmark_repetitions=1");
    flags.emplace_back("--benchmark_min_time=0.0001");
  }
  std::vector<char*> arguments;
  for (std::string& flag : flags) arguments.push_back(flag.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  intercom_extractor::RegisterAll();
  intercom_extractor::RatioReport report;
  benchmark::RunSpecifiedBenchmarks(&report);
  return intercom_extractor::something_is_wrong ? 1 : 0;
}
