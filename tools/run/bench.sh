#!/usr/bin/env bash
# Runs benchmarks and leaves their figures as JSON; without a name, makes the page
# docs/benchmarks.md of them.
#
#   bench.sh [NAME]           those whose name contains NAME, or all
#   bench.sh --check [NAME]   then fails where a ratio is worse than it was recorded, or
#                             misses its target
#   bench.sh --page           runs nothing: the page of the figures that are there
#   bench.sh --record [NAME]  runs them and records their ratios as what is expected
#
# Beside Bazel's programs there are clients_benchmark, for the clients of all languages, and
# sinks_benchmark and {kafka,nats,redis}_sink_benchmark, which start what they fill.
set -euo pipefail
source tools/run/lib.sh
source tools/run/benchmarks.sh

readonly figures=$build_dir/bench
report() { python3 tests/benchmarks/report/report.py "$@"; }

then=
case ${1:-} in
  --check | --record | --page)
    then=${1#--}
    shift
    ;;
  -*) die "bench knows --check, --record and --page" ;;
esac
name=${1:-}

export PYTHONDONTWRITEBYTECODE=1
if [[ $then == page ]]; then
  need build
  exec python3 tests/benchmarks/report/report.py page "$figures"/*.json
fi

# HTTP/2 in front of what answers.
need build clients
readonly clients=//tests/benchmarks/clients:clients_benchmark
readonly sinks=//tests/benchmarks/sinks:sinks_benchmark
readonly queues=//tests/benchmarks/sinks:
mapfile -t targets < <({ benchmark_targets && printf '%s\n' "$clients" "$sinks" "$queues"{kafka,nats,redis}_sink_benchmark; } | grep -F -- "$name")
((${#targets[@]})) || die "no benchmark's name contains '$name'"
programs=()
for target in "${targets[@]}"; do
  case $target in
    "$clients") ;;
    "$sinks")
      need sinks
      programs+=(//tests/benchmarks/sinks:postgres_rounds)
      ;;
    "$queues"*_sink_benchmark)
      need sinks
      programs+=("${target/_sink_benchmark/_rounds}")
      ;;
    *) programs+=("$target") ;;
  esac
done
if ((${#programs[@]})); then bazel_cached build "${programs[@]}"; fi
mkdir -p "$figures"
files=()
for target in "${targets[@]}"; do
  file=$figures/${target##*:}.json
  printf '\n%s\n' "$target"
  if [[ $target == "$clients" ]]; then
    PYTHONPATH=tests/benchmarks/pipeline \
      python3 tests/benchmarks/clients/clients_benchmark.py --benchmark_out="$file"
  elif [[ $target == "$queues"* ]]; then
    PYTHONPATH=tests/sinks:tests/soak:tests/conformance \
      python3 "tests/benchmarks/sinks/${target##*:}.py" --benchmark_out="$file" --benchmark_out_format=json
  else
    "$(benchmark_file "$target")" --benchmark_out="$file" --benchmark_out_format=json
  fi
  echo "figures: $file"
  files+=("$file")
done
if [[ ! $name ]]; then report page "${files[@]}"; fi
if [[ $then ]]; then report "$then" "${files[@]}"; fi
