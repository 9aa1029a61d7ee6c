// Many extractions at once by one server: each stream reads users and leads of a
// workspace of its own (the same answers for all of them, 2 KB a contact). Server, fake
// Intercom and readers are processes of their own; readers take bytes and count rows.
//
//   many_streams/64/reading      all readers read as fast as they can, to the end
//   many_streams/64/reading_4x   the same with four times the rows
//   many_streams/64/stalled_4x   each reads half of its rows, then nothing until the
//                                server has come to rest, then all the others
//
// Figures:
//   items_per_second        rows at the readers, all streams together
//   server_cpu_us_per_row   CPU of the server
//   fake_cpu_us_per_row     of the fake: what else the machine's cores do
//   at_start_mib            memory (RSS) of the server before the first stream
//   stalled_mib             while nothing was read
//   peak_mib                the most that it needed (VmHWM)
//   budget_mib              what it may hold for its streams; the sum is printed first
//
// Pairs, whose time stands for a figure: milliseconds for MiB, or microseconds of CPU.
//   many_streams/64/reading/peak_mib/ours, .../bound     bound: the budget and 64 MiB
//   many_streams/64/peak_mib_of_4x/ours, .../fewer       fewer: a quarter of the rows
//   many_streams/64/server_cpu_per_row/ours, .../fewer   fewer: one stream
//
// The program ends with 1 when a row is missing or came twice.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "extractor/sync/mutex.h"
#include "tests/benchmarks/streaming/child.h"
#include "tests/benchmarks/streaming/event_reader.h"
#include "tests/benchmarks/streaming/extraction_roles.h"

namespace intercom_extractor {
namespace {

constexpr char kIntercomRole[] = "--intercom";
constexpr char kServerRole[] = "--server";

bool Brief() { return std::getenv("BENCHMARK_BRIEF") != nullptr; }

bool any_failed = false;

struct Case {
  int streams = 1;
  // In each workspace.
  size_t contacts = 0;
  bool stalls = false;

  bool operator<(const Case& other) const {
    return std::tie(streams, contacts, stalls) <
           std::tie(other.streams, other.contacts, other.stalls);
  }
};

struct Outcome {
  double seconds = 0;
  int64_t rows = 0;
  double server_cpu = 0;
  double fake_cpu = 0;
  double at_start_mib = 0;
  double stalled_mib = 0;
  double peak_mib = 0;
};

// An id in RecordIds, and the most that are remembered (WindowedList::Options).
constexpr double kIdMib = 21.0 / (1 << 20);
constexpr size_t kMostIds = 50'000;

// What the server may hold for its streams, in MiB.
struct Budget {
  const char* what;
  double mib;
};
std::vector<Budget> BudgetsOf(const Case& test) {
  return {
      {"events that wait for the readers (kQueueBytes)", 2.0 * test.streams},
      {"one event of each stream at gRPC", 1.0 * test.streams},
      {"open batches of two tables", 0.5 * test.streams},
      {"answers that wait to be read (HttpClient::Options::max_bodies_in_memory)", 64},
      {"memory kept for answers and rows (ResponseBody, Batcher)", 24 + 8},
      {"ids that windows gave",
       kIdMib * static_cast<double>(std::min(kMostIds, test.contacts)) * test.streams},
  };
}
// Beside them: the program itself, and what the allocator keeps.
constexpr double kPromisedMib = 64;

double BudgetMib(const Case& test) {
  double mib = 0;
  for (const Budget& budget : BudgetsOf(test)) mib += budget.mib;
  return mib;
}

void PrintBudgets(const Case& test) {
  std::printf("what a server may hold for %d streams of %zu contacts each:\n", test.streams,
              test.contacts);
  for (const Budget& budget : BudgetsOf(test)) {
    std::printf("  %7.1f MiB  %s\n", budget.mib, budget.what);
  }
}

// Where readers stop until all may go on.
class Gate {
 public:
  void Wait() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    ++waiting_;
    changed_.SignalAll();
    while (!open_) changed_.Wait(&mu_);
  }
  void Open() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    open_ = true;
    changed_.SignalAll();
  }
  // Returns once so many readers have come.
  void AwaitWaiting(int readers) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    while (waiting_ < readers) changed_.Wait(&mu_);
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int waiting_ ABSL_GUARDED_BY(mu_) = 0;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
};

// Returns once a server that all readers have stopped reading from does nothing any more.
void AwaitRest(const Child& server) {
  const auto look = std::chrono::milliseconds(Brief() ? 50 : 500);
  constexpr double kIdleCpu = 0.01;
  for (double before = -1; server.CpuSeconds() - before > kIdleCpu;) {
    before = server.CpuSeconds();
    std::this_thread::sleep_for(look);
  }
}

// Reads a whole stream; its rows.
// What it does at `gate`, which may be null, it does after `before_gate` rows.
int64_t ReadStream(const std::string& server, int stream, Gate* gate, int64_t before_gate) {
  v1::ExtractRequest request;
  request.set_connection(ConnectionName(stream));
  request.add_tables("users");
  request.add_tables("leads");
  int64_t rows = 0;
  const grpc::Status status = ReadBytes(Connect(server), request, [&](grpc::ByteBuffer* event) {
    rows += CountRows(event);
    if (gate != nullptr && rows >= before_gate) std::exchange(gate, nullptr)->Wait();
    return true;
  });
  if (!status.ok()) {
    std::printf("FAILED: stream %d: %s\n", stream, status.error_message().c_str());
    any_failed = true;
  }
  return rows;
}

// A fake of so many contacts, which has made all its answers before.
const Child& IntercomOf(size_t contacts) {
  // Never destroyed: they end with this process.
  static auto& known = *new std::map<size_t, Child*>;
  Child*& intercom = known[contacts];
  if (intercom == nullptr) {
    intercom = new Child({kIntercomRole, absl::StrCat(contacts)});
    const Child server({kServerRole, intercom->line(), "1"});
    ReadStream(server.line(), 0, nullptr, 0);
  }
  return *intercom;
}

Outcome Measure(const Case& test) {
  const Child& intercom = IntercomOf(test.contacts);
  const Child server({kServerRole, intercom.line(), absl::StrCat(test.streams)});
  Outcome outcome;
  outcome.at_start_mib = server.ResidentMib();
  const double server_cpu = server.CpuSeconds();
  const double fake_cpu = intercom.CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<int64_t> rows{0};
  Gate gate;
  std::vector<std::thread> readers;
  readers.reserve(static_cast<size_t>(test.streams));
  for (int stream = 0; stream < test.streams; ++stream) {
    readers.emplace_back([&, stream] {
      rows += ReadStream(server.line(), stream, test.stalls ? &gate : nullptr,
                         static_cast<int64_t>(test.contacts / 2));
    });
  }
  if (test.stalls) {
    gate.AwaitWaiting(test.streams);
    AwaitRest(server);
    outcome.stalled_mib = server.ResidentMib();
    gate.Open();
  }
  for (std::thread& reader : readers) reader.join();
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  outcome.server_cpu = server.CpuSeconds() - server_cpu;
  outcome.fake_cpu = intercom.CpuSeconds() - fake_cpu;
  outcome.peak_mib = server.PeakMib();
  outcome.rows = rows;
  const int64_t expected = RowsOf(test.contacts) * test.streams;
  if (outcome.rows != expected) {
    std::printf("FAILED: %lld rows came, there are %lld\n", static_cast<long long>(outcome.rows),
                static_cast<long long>(expected));
    any_failed = true;
  }
  return outcome;
}

// Measured when it is first asked for.
const Outcome& OutcomeOf(const Case& test) {
  static auto& outcomes = *new std::map<Case, Outcome>;
  const auto found = outcomes.find(test);
  return found != outcomes.end() ? found->second : outcomes[test] = Measure(test);
}

void Register(const std::string& name, std::function<void(benchmark::State&)> report) {
  benchmark::RegisterBenchmark(absl::StrCat("many_streams/", name).c_str(),
                               [report = std::move(report)](benchmark::State& state) {
                                 for (auto iteration : state) report(state);
                               })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

// A figure that is no time stands where its milliseconds would.
void RegisterFigure(const std::string& name, const std::string& unit,
                    std::function<double()> figure) {
  Register(name, [unit, figure = std::move(figure)](benchmark::State& state) {
    state.SetIterationTime(figure() / 1000);
    state.SetLabel("unit: " + unit);
  });
}

void RegisterCase(const std::string& name, const Case& test) {
  Register(absl::StrCat(test.streams, "/", name), [test](benchmark::State& state) {
    const Outcome& outcome = OutcomeOf(test);
    const auto rows = static_cast<double>(outcome.rows);
    state.SetIterationTime(outcome.seconds);
    state.SetItemsProcessed(outcome.rows);
    state.counters["server_cpu_us_per_row"] = outcome.server_cpu * 1e6 / rows;
    state.counters["fake_cpu_us_per_row"] = outcome.fake_cpu * 1e6 / rows;
    state.counters["at_start_mib"] = outcome.at_start_mib;
    if (test.stalls) state.counters["stalled_mib"] = outcome.stalled_mib;
    state.counters["peak_mib"] = outcome.peak_mib;
    state.counters["budget_mib"] = BudgetMib(test);
  });
  RegisterFigure(absl::StrCat(test.streams, "/", name, "/peak_mib/ours"), "MiB",
                 [test] { return OutcomeOf(test).peak_mib; });
  RegisterFigure(absl::StrCat(test.streams, "/", name, "/peak_mib/bound"), "MiB",
                 [test] { return BudgetMib(test) + kPromisedMib; });
}

void RegisterAll() {
  const size_t contacts = Brief() ? 1'000 : 40'000;
  const std::vector<int> counts = Brief() ? std::vector<int>{4} : std::vector<int>{1, 8, 64};
  const Case alone{1, 4 * contacts, false};
  for (const int streams : counts) {
    const Case reading{streams, contacts, false};
    const Case reading_4x{streams, 4 * contacts, false};
    RegisterCase("reading", reading);
    RegisterCase("reading_4x", reading_4x);
    RegisterCase("stalled_4x", {streams, 4 * contacts, true});
    const auto pair = [&](const std::string& name, const std::string& unit, const Case& baseline,
                          double (*figure)(const Outcome&)) {
      const std::string begin = absl::StrCat(streams, "/", name, "/");
      RegisterFigure(begin + "ours", unit, [=] { return figure(OutcomeOf(reading_4x)); });
      RegisterFigure(begin + "fewer", unit, [=] { return figure(OutcomeOf(baseline)); });
    };
    pair("peak_mib_of_4x", "MiB", reading, [](const Outcome& outcome) { return outcome.peak_mib; });
    if (streams == 1) continue;
    pair("server_cpu_per_row", "us", alone, [](const Outcome& outcome) {
      return outcome.server_cpu * 1e6 / static_cast<double>(outcome.rows);
    });
  }
  PrintBudgets({counts.back(), 4 * contacts, false});
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  using namespace intercom_extractor;  // NOLINT(google-build-using-namespace)
  const std::string role = argc > 1 ? argv[1] : "";
  size_t number = 0;
  if (argc > 2 && absl::SimpleAtoi(argv[argc - 1], &number)) {
    if (role == kIntercomRole) return ServeIntercom(number);
    if (role == kServerRole) return ServeExtractions(argv[2], static_cast<int>(number));
  }
  RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return any_failed ? 1 : 0;
}
