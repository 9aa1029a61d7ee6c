# shellcheck shell=bash
# Where the benchmarks are: every program with the tag "benchmark".

benchmark_targets() {
  bazel_do query --ui_event_filters=-info --keep_going --noshow_progress \
    'attr(tags, "\bbenchmark\b", kind("(cc|sh)_binary", //...))' 2>/dev/null
}

# benchmark_file TARGET: the program that the default configuration built.
benchmark_file() {
  local target=${1#//}
  echo "bazel-bin/${target/://}"
}
