#!/usr/bin/env bash
# Runs the benchmarks whose name contains $1, or all; leaves their figures as JSON.
set -euo pipefail
source tools/run/lib.sh
source tools/run/benchmarks.sh

need build
name=${1:-}
mapfile -t targets < <(benchmark_targets | grep -F -- "$name")
((${#targets[@]})) || die "no benchmark's name contains '$name'"
bazel_cached build "${targets[@]}"
mkdir -p "$build_dir/bench"
for target in "${targets[@]}"; do
  report=$build_dir/bench/${target##*:}.json
  printf '\n%s\n' "$target"
  "$(benchmark_file "$target")" --benchmark_out="$report" --benchmark_out_format=json
  echo "figures: $report"
done
