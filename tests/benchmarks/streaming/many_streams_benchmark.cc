// Many extractions at once by one server: each stream reads users and leads of a
// workspace of its own (the same fake answers for all of them). Server, fake Intercom and
// readers are processes of their own; readers take bytes and count rows.
//
//   many_streams/64/reading      all readers read as fast as they can, to the end
//   many_streams/64/reading_4x   the same with four times the rows: memory must not grow
//   many_streams/64/stalled      each reads half of its rows, then nothing until the server
//                                has come to rest, then all the others
//
// Figures:
//   items_per_second        rows at the readers, all streams together
//   server_cpu_us_per_row   CPU of the server
//   fake_cpu_us_per_row     of the fake: what else the machine's cores do
//   peak_mib                the most memory (VmHWM) that the server needed
//   at_start_mib            its memory before the first stream
//   budget_mib              what it may hold for its streams: see kBudgets
//   beyond_mib              peak less budget; the promise is 64
//
// The program ends with 1 when a row is missing or came twice.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "tests/benchmarks/streaming/child.h"
#include "tests/benchmarks/streaming/event_reader.h"
#include "tests/benchmarks/streaming/extraction_roles.h"

namespace intercom_extractor {
namespace {

constexpr char kIntercomRole[] = "--intercom";
constexpr char kServerRole[] = "--server";

// What one stream may hold, in MiB.
struct Budget {
  const char* what;
  double mib;
};
constexpr Budget kBudgets[] = {
    {"queue of events (kQueueBytes of server/extractor_service.cc)", 4},
    {"the batch that is on its way", 1},
    {"open batches of two tables", 0.5},
};

bool Brief() { return std::getenv("BENCHMARK_BRIEF") != nullptr; }

bool any_failed = false;

double BudgetMib(int streams) {
  double mib = 0;
  for (const Budget& budget : kBudgets) mib += budget.mib * streams;
  return mib;
}

struct Case {
  int streams = 1;
  size_t contacts = 10'000;
  bool stalls = false;
};

// Where readers stop until all may go on.
class Gate {
 public:
  void Wait() {
    std::unique_lock<std::mutex> lock(mu_);
    ++waiting_;
    changed_.wait(lock, [this] { return open_; });
  }
  void Open() {
    const std::lock_guard<std::mutex> lock(mu_);
    open_ = true;
    changed_.notify_all();
  }
  int waiting() {
    const std::lock_guard<std::mutex> lock(mu_);
    return waiting_;
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

// Returns once a server that all readers have stopped reading from does nothing any more.
void AwaitRest(const Child& server) {
  constexpr auto kLook = std::chrono::milliseconds(250);
  constexpr double kIdleCpu = 0.01;
  for (double before = -1; server.CpuSeconds() - before > kIdleCpu;) {
    before = server.CpuSeconds();
    std::this_thread::sleep_for(kLook);
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

void Run(benchmark::State& state, const Case& test) {
  const Child intercom({kIntercomRole, absl::StrCat(test.contacts)});
  // Answers are made once before anything is measured.
  {
    const Child first({kServerRole, intercom.line(), "1"});
    ReadStream(first.line(), 0, nullptr, 0);
  }
  const Child server({kServerRole, intercom.line(), absl::StrCat(test.streams)});
  const double at_start_mib = server.ResidentMib();
  const double server_cpu = server.CpuSeconds();
  const double fake_cpu = intercom.CpuSeconds();
  std::atomic<int64_t> rows{0};
  for (auto iteration : state) {
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
      while (gate.waiting() < test.streams) std::this_thread::yield();
      AwaitRest(server);
      state.counters["stalled_mib"] = server.ResidentMib();
      state.counters["stalled_threads"] = server.Threads();
      gate.Open();
    }
    for (std::thread& reader : readers) reader.join();
  }
  const int64_t expected = static_cast<int64_t>(test.contacts - 1) * test.streams;
  if (rows != expected) {
    std::printf("FAILED: %lld rows came, there are %lld\n", static_cast<long long>(rows.load()),
                static_cast<long long>(expected));
    any_failed = true;
  }
  const double count = static_cast<double>(std::max<int64_t>(rows, 1));
  state.SetItemsProcessed(rows);
  state.counters["server_cpu_us_per_row"] = (server.CpuSeconds() - server_cpu) * 1e6 / count;
  state.counters["fake_cpu_us_per_row"] = (intercom.CpuSeconds() - fake_cpu) * 1e6 / count;
  state.counters["at_start_mib"] = at_start_mib;
  state.counters["peak_mib"] = server.PeakMib();
  state.counters["budget_mib"] = BudgetMib(test.streams);
  state.counters["beyond_mib"] = server.PeakMib() - BudgetMib(test.streams);
}

void Register(const std::string& name, const Case& test) {
  benchmark::RegisterBenchmark(absl::StrCat("many_streams/", test.streams, "/", name).c_str(),
                               [test](benchmark::State& state) { Run(state, test); })
      ->Iterations(1)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

void RegisterAll() {
  Case test;
  if (Brief()) {
    test.streams = 8;
    test.contacts = 1'000;
    Register("reading", test);
    test.stalls = true;
    return Register("stalled", test);
  }
  for (const int streams : {1, 8, 64}) {
    for (const bool stalls : {false, true}) {
      test.streams = streams;
      test.stalls = stalls;
      const std::string name = stalls ? "stalled" : "reading";
      test.contacts = 40'000;
      Register(name, test);
      test.contacts *= 4;
      Register(name + "_4x", test);
    }
  }
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
