#ifndef TESTS_BENCHMARKS_STREAMING_CHILD_H_
#define TESTS_BENCHMARKS_STREAMING_CHILD_H_

#include <sys/types.h>
#include <time.h>

#include <string>
#include <vector>

namespace intercom_extractor {

// This program once more, as a process of its own: what it uses of CPU and memory is
// then known apart from everybody else's. It lives as long as its `Child`, or its parent.
class Child {
 public:
  // Starts it with these arguments and waits for the line that it says when it is
  // ready. Ends this program when that line does not come.
  explicit Child(const std::vector<std::string>& arguments);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // What it said.
  const std::string& line() const { return line_; }

  // Its CPU time so far, of all its threads, in seconds.
  double CpuSeconds() const;
  // Its memory (RSS) now, and the most that it has been, in MiB.
  double ResidentMib() const;
  double PeakMib() const;
  int Threads() const;

  // In the child: says that it is ready, then returns once the parent wants its end.
  static void Serve(const std::string& line);

 private:
  // A line of /proc/PID/status that begins so; in the units that stand there.
  double Status(const std::string& name) const;

  pid_t pid_ = 0;
  clockid_t cpu_clock_ = 0;
  // Its standard input: it ends when this is closed.
  int input_ = -1;
  std::string line_;
};

// CPU time of this process so far, in seconds.
double OwnCpuSeconds();

}  // namespace intercom_extractor

#endif  // TESTS_BENCHMARKS_STREAMING_CHILD_H_
