// How long whole extractions take beside the least that quota and latency allow,
// and whether they ask for more than they must. Windows last 2 s instead of
// Intercom's 10 s, and latencies are a fifth of what a cell's name says: the rates
// are five times those of the real thing, CPU is not. The fake shares the process
// and its cores.
//
// Cells "quota:...": all 22 tables of a workspace that takes at least 20 windows.
// An answer takes the latency, and 1 ms (a fifth of it) for each record of a list.
//   wall_per_floor  wall time by the floor: the cheapest calls at full use of the
//                   quota less reserve, or the longest chain of requests that
//                   cannot be split, whichever takes longer (the label says). Below
//                   1 where the run began late in a window, all of which it may use
//   calls           requests that the fake logged, without retries
//   beyond_cheapest of these: more than the cheapest permitted walk makes
//   per_contact     what that walk makes if it asks each contact for its segments
//   used_min, used_median   percent of the quota less reserve, without the first
//                   and the last window
//   rejected        percent of requests that were answered with 429
//   duplicates      requests that were answered well once more
//   cpu             cores in use, the fake's part included
// Beneath: where calls differ from the cheapest walk's, and windows that were used less
// than by 97 %, counted from 0.
//
// "requests_per_1000_rows": the same by table: in the fake's log, by the cheapest and
// by a naive walk.
//
// "300000_contacts": users and leads at 300 ms a page and the largest quota, in
// windows of searches and, for comparison, page after page from the plain list.
// Created evenly over five years, on one day, or on five days.
//   list, speed_up  the plain list's time, and how much longer than the windows' it is
//   at_once         most requests in flight
//   by_quota        what the quota alone allows, in seconds
//
// The program ends with 1 when rows are missing or too many, a table is not
// complete, or anything was asked for twice.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "tests/fake_intercom/call_count.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/oracle.h"
#include "tests/fake_intercom/quota.h"
#include "tests/load/call_log.h"
#include "tests/load/measured_extraction.h"

namespace intercom_extractor {
namespace {

using fake::CallCount;
using fake::CallCounter;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr absl::Duration kWindow = absl::Seconds(2);
constexpr int kScale = 5;
constexpr microseconds kPerRecord = milliseconds(1) / kScale;
// One more than is looked at: the first and the last are cut short.
constexpr int kWindows = 22;
// Shows that the benchmark works, not what the extractor can do.
constexpr int kWindowsInBrief = 3;
// Percent of a window.
constexpr double kWellUsed = 97;

bool Brief() { return std::getenv("BENCHMARK_BRIEF") != nullptr; }

bool any_failed = false;

void Fail(benchmark::State& state, const std::string& why) {
  any_failed = true;
  std::printf("FAILED: %s\n", why.c_str());
  state.SkipWithError(why.c_str());
}

fake::GeneratorOptions Sizes(size_t users) {
  fake::GeneratorOptions options;
  options.users = users;
  options.leads = users / 3;
  options.companies = users / 5;
  options.conversations = users / 2;
  return options;
}

// A workspace and what is known of it.
struct Subject {
  explicit Subject(const fake::GeneratorOptions& options)
      : workspace(std::make_shared<fake::GeneratedWorkspace>(options)), counter(*workspace, {}) {
    fake::ExpectedRows(*workspace, {}, [this](size_t table, const fake::OracleRow& /*row*/) {
      ++rows[fake::OracleTables()[table].name];
    });
  }

  std::shared_ptr<const fake::Workspace> workspace;
  CallCounter counter;
  // By table.
  std::map<std::string, int64_t> rows;
};

int64_t CheapestCalls(size_t users) {
  return CallCounter(fake::GeneratedWorkspace(Sizes(users)), {}).Cheapest().Total();
}

// Whose cheapest walk makes about so many calls. Kept until another is asked for.
const Subject& SubjectOf(int64_t calls) {
  static int64_t kept_calls = 0;
  static std::unique_ptr<const Subject> kept;
  if (kept_calls == calls) return *kept;
  // Calls grow evenly with the size.
  constexpr int64_t kFew = 300;
  constexpr int64_t kMany = 3000;
  const int64_t few = CheapestCalls(kFew);
  const int64_t many = CheapestCalls(kMany);
  const int64_t users = kFew + (calls - few) * (kMany - kFew) / (many - few);
  kept.reset();
  kept = std::make_unique<const Subject>(Sizes(static_cast<size_t>(std::max<int64_t>(30, users))));
  kept_calls = calls;
  return *kept;
}

std::string Differences(const std::map<std::string, int64_t>& got,
                        const std::map<std::string, int64_t>& expected) {
  std::map<std::string, int64_t> differences = got;
  for (const auto& [name, count] : expected) differences[name] -= count;
  std::string text;
  for (const auto& [name, difference] : differences) {
    if (difference == 0) continue;
    absl::StrAppendFormat(&text, "%s%s %+d", text.empty() ? "" : ", ", name, difference);
  }
  return text;
}

// Contacts come from the list, or from searches instead, as segments and roles do.
std::string RouteOf(const std::string& operation) {
  if (operation == "GET /contacts" || operation.rfind("POST /contacts/search", 0) == 0) {
    return "contacts listed and searched";
  }
  return operation;
}

std::string CallDifferences(const MeasuredExtraction& measured, const CallCount& cheapest) {
  std::map<std::string, int64_t> made;
  for (const auto& [route, count] : measured.asked.by_route) made[RouteOf(route)] += count;
  std::map<std::string, int64_t> expected;
  for (const CallCount::Line& line : cheapest.lines()) {
    expected[RouteOf(line.operation)] += line.calls;
  }
  return Differences(made, expected);
}

// False when the extraction was not what it should be.
bool Check(benchmark::State& state, const MeasuredExtraction& measured, const Subject& subject) {
  if (!measured.error.empty()) {
    Fail(state, measured.error);
  } else if (const std::string rows = Differences(measured.rows, subject.rows); !rows.empty()) {
    Fail(state, absl::StrCat("rows differ: ", rows));
  } else if (measured.asked.duplicates != 0) {
    Fail(state, absl::StrCat(measured.asked.duplicates, " requests were made twice, the first: ",
                             measured.asked.duplicate_list.front()));
  } else {
    return true;
  }
  return false;
}

struct Cell {
  int limit = 1666;
  int latency_ms = 100;
  double reserve = 0;
};

void AddWindowUse(benchmark::State& state, const std::vector<fake::Quota::WindowUse>& windows,
                  double reserve) {
  std::vector<double> used;
  std::string low;
  for (size_t i = 1; i + 1 < windows.size(); ++i) {
    used.push_back(100.0 * windows[i].used / UsableQuota(windows[i].limit, reserve));
    if (used.back() < kWellUsed) absl::StrAppendFormat(&low, " #%d %.1f %%", i, used.back());
  }
  if (!low.empty()) {
    std::printf("  windows of %d used less:%s\n", static_cast<int>(windows.size()), low.c_str());
  }
  std::sort(used.begin(), used.end());
  state.counters["used_min"] = used.empty() ? 0 : used.front();
  state.counters["used_median"] = used.empty() ? 0 : used[used.size() / 2];
  state.counters["windows"] = static_cast<double>(used.size());
}

void RunCell(benchmark::State& state, const Cell& cell) {
  const int windows = Brief() ? kWindowsInBrief : kWindows;
  const Subject& subject = SubjectOf(int64_t{cell.limit} * windows);
  fake::FakeIntercomOptions options;
  options.quota = {cell.limit, kWindow};
  options.latency = milliseconds(cell.latency_ms) / kScale;
  options.page_latency_per_item = kPerRecord;

  for (auto iteration : state) {
    const MeasuredExtraction measured = Measure(subject.workspace, options, cell.reserve);
    state.SetIterationTime(absl::ToDoubleSeconds(measured.wall));
    if (!Check(state, measured, subject)) return;

    const CallCount cheapest = subject.counter.Cheapest();
    const absl::Duration by_quota =
        kWindow * (static_cast<double>(cheapest.Total()) / UsableQuota(cell.limit, cell.reserve));
    const fake::CallChain chain = subject.counter.LongestChain(options.latency, kPerRecord);
    const absl::Duration by_chain =
        absl::FromChrono(options.latency * chain.requests + kPerRecord * chain.records);
    const absl::Duration floor = std::max(by_quota, by_chain);
    const auto asked = static_cast<double>(measured.asked.total);
    const auto calls = asked - static_cast<double>(measured.summary.requests().retries());
    state.counters["wall_per_floor"] = absl::FDivDuration(measured.wall, floor);
    state.counters["floor"] = absl::ToDoubleSeconds(floor);
    state.counters["calls"] = calls;
    state.counters["beyond_cheapest"] = calls - static_cast<double>(cheapest.Total());
    state.counters["per_contact"] =
        static_cast<double>(subject.counter.Cheapest(CallCounter::Segments::kPerContact).Total());
    state.counters["rejected"] = 100.0 * static_cast<double>(measured.asked.rate_limited) / asked;
    state.counters["duplicates"] = static_cast<double>(measured.asked.duplicates);
    state.counters["cpu"] = absl::FDivDuration(measured.cpu, measured.wall);
    AddWindowUse(state, measured.windows, cell.reserve);
    state.SetLabel(by_chain > by_quota ? absl::StrCat("floor: ", chain.what) : "floor: quota");
    std::printf("  beyond the cheapest calls: %s\n", CallDifferences(measured, cheapest).c_str());
  }
}

void RunRequestsPerRows(benchmark::State& state) {
  const Subject& subject = SubjectOf(Brief() ? 500 : int64_t{1666} * kWindows);
  for (auto iteration : state) {
    CallLog log(subject.workspace.get());
    const MeasuredExtraction measured =
        Measure(subject.workspace, {}, 0, {},
                [&log](fake::FakeIntercom* intercom) { log.Watch(intercom); });
    state.SetIterationTime(absl::ToDoubleSeconds(measured.wall));
    if (!Check(state, measured, subject)) return;
    std::map<std::string, int64_t> made = log.calls();
    const CallCount cheapest = subject.counter.Cheapest();
    const CallCount naive = subject.counter.Naive();
    std::printf("requests per 1,000 rows; one that feeds several tables counts for each\n");
    std::printf("%-32s %10s %10s %10s %10s\n", "table", "rows", "made", "cheapest", "naive");
    for (const fake::OracleTable& table : fake::OracleTables()) {
      const int64_t rows = subject.rows.at(table.name);
      const auto per_1000 = [rows](int64_t calls) {
        return 1000.0 * static_cast<double>(calls) / static_cast<double>(rows);
      };
      std::printf("%-32s %10lld %10.1f %10.1f %10.1f\n", table.name.c_str(),
                  static_cast<long long>(rows), per_1000(made[table.name]),
                  per_1000(cheapest.For(table.name)), per_1000(naive.For(table.name)));
    }
    std::printf("%-32s %10s %10lld %10lld %10lld\n", "requests together", "",
                static_cast<long long>(log.total()), static_cast<long long>(cheapest.Total()),
                static_cast<long long>(naive.Total()));
    state.counters["calls"] = static_cast<double>(log.total());
  }
}

// Contacts only, which one list gives, or searches do at once.
void RunChain(benchmark::State& state, fake::Creation creation) {
  fake::GeneratorOptions sizes;
  sizes.users = Brief() ? 3'000 : 240'000;
  sizes.leads = sizes.users / 4;
  sizes.conversations = 0;
  sizes.creation = creation;
  sizes.record_cache_bytes = size_t{2} << 30;
  const auto workspace = std::make_shared<fake::GeneratedWorkspace>(sizes);
  const std::vector<std::string> tables = {"users", "leads"};
  fake::FakeIntercomOptions options;
  options.quota = {4166, kWindow};
  options.latency = milliseconds(Brief() ? 20 : 300) / kScale;
  for (auto iteration : state) {
    const MeasuredExtraction windows = Measure(workspace, options, 0, tables);
    // Refused at once; an answer that is worth another try would cost the list time.
    options.faults = "scope_missing:/contacts/search";
    const MeasuredExtraction list = Measure(workspace, options, 0, tables);
    state.SetIterationTime(absl::ToDoubleSeconds(windows.wall));
    const std::map<std::string, int64_t> rows = {{"users", sizes.users}, {"leads", sizes.leads}};
    if (const std::string error = windows.error + list.error; !error.empty()) {
      return Fail(state, error);
    }
    if (windows.rows != rows || list.rows != rows || windows.rows_hash != list.rows_hash) {
      return Fail(state, "the windows' rows are not the list's");
    }
    if (windows.asked.duplicates != 0) return Fail(state, "a page was asked for twice");
    if (list.asked.by_route.at("GET /contacts") < windows.asked.by_route.at("GET /contacts") + 2) {
      return Fail(state, "the list did not serve");
    }
    state.counters["list"] = absl::ToDoubleSeconds(list.wall);
    state.counters["speed_up"] = absl::FDivDuration(list.wall, windows.wall);
    state.counters["calls"] = static_cast<double>(windows.asked.total);
    state.counters["list_calls"] = static_cast<double>(list.asked.total);
    state.counters["at_once"] = windows.asked.max_in_flight;
    state.counters["cpu"] = absl::FDivDuration(windows.cpu, windows.wall);
    state.counters["by_quota"] = absl::ToDoubleSeconds(kWindow) *
                                 static_cast<double>(windows.asked.total) / options.quota.limit;
  }
}

template <typename Function>
void Register(const std::string& name, Function run) {
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kSecond);
}

void RegisterAll() {
  const bool brief = Brief();
  for (const int limit : {83, 166, 1666, 4166}) {
    for (const int latency_ms : {20, 100, 500}) {
      for (const double reserve : {0.0, 0.1}) {
        if (brief && !(limit == 166 && latency_ms == 20 && reserve == 0)) continue;
        const Cell cell = {limit, latency_ms, reserve};
        Register(absl::StrCat("quota:", limit, "/latency:", latency_ms, "ms/reserve:", reserve),
                 [cell](benchmark::State& state) { RunCell(state, cell); });
      }
    }
  }
  Register("requests_per_1000_rows", RunRequestsPerRows);
  const std::vector<std::pair<const char*, fake::Creation>> creations = {
      {"spread", fake::Creation::kSpread},
      {"one_day", fake::Creation::kOneDay},
      {"few_days", fake::Creation::kFewDays}};
  for (const auto& [name, creation] : creations) {
    Register(absl::StrCat("300000_contacts/created:", name),
             [creation = creation](benchmark::State& state) { RunChain(state, creation); });
  }
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  intercom_extractor::RegisterAll();
  benchmark::Initialize(&argc, argv);
  std::printf("windows of 2 s, latencies a fifth of the names'\n");
  benchmark::RunSpecifiedBenchmarks();
  return intercom_extractor::any_failed ? 1 : 0;
}
