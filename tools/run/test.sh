#!/usr/bin/env bash
# Runs all tests, or one part of them. One line per suite as it ends; the last line is
# `N passed, N failed` over all suites. Flags go to bazel test.
set -euo pipefail
source tools/run/lib.sh
source tools/run/benchmarks.sh

part=all
case ${1:-} in
  cpp | sanitizers | clients | sinks | deploy | package | soak | faults | watch | demo) part=$1 ;;
  conformance) part=clients ;;
  "" | -*) ;;
  *) die "test has the parts cpp, sanitizers, clients, sinks, deploy, package, soak, faults, watch and demo" ;;
esac
[[ $part == all ]] || shift
flags=("$@")

readonly reports=$build_dir/test
rm -rf "$reports"
mkdir -p "$reports"

# A suite prints what failed and ends with a line `N passed, N failed`.

# bazel_suite NAME FLAGS...: counts the cases inside the test programs, not the programs.
bazel_suite() {
  local events=$reports/$1.events.json status=0
  shift
  bazel_cached test --keep_going --build_event_json_file="$events" "$@" "${flags[@]}" || status=$?
  python3 tools/run/count_cases.py "$events" "$status"
}

# Builds everything, also what is no test, and runs every test.
suite_cpp() { bazel_suite cpp --test_tag_filters=-benchmark //...; }

# The seams to other people's code parse untrusted bytes: memory errors matter there most.
suite_asan() { bazel_suite asan --config=asan --build_tests_only //...; }

# Only what does not link gRPC: see .bazelrc.
suite_tsan() { bazel_suite tsan --config=tsan //...; }

# What ASan does not see: libcurl and OpenSSL use no value before it is set, and give
# everything back. Only around the loop that drives them.
suite_memcheck() {
  local valgrind="valgrind --quiet --error-exitcode=9 --leak-check=full"
  valgrind+=" --show-leak-kinds=definite --errors-for-leak-kinds=definite"
  bazel_suite memcheck --run_under="$valgrind" //extractor/http/... //extractor/intercom/...
}

# Each benchmark briefly, so that none rots; its figures mean nothing here.
suite_benchmarks() {
  local target name passed=0 failed=0
  local -a targets
  mapfile -t targets < <(benchmark_targets)
  # One that does not build is a failure of its own below.
  bazel_cached build --keep_going "${targets[@]}" || true
  for target in "${targets[@]}"; do
    name=${target##*:}
    if BENCHMARK_BRIEF=1 "$(benchmark_file "$target")" --benchmark_min_time=0.01 >"$reports/$name.log" 2>&1; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "FAILED $target"
      tail -n 50 "$reports/$name.log"
    fi
  done
  echo "$passed passed, $failed failed"
}

# The programs from outside; the script counts its own cases.
suite_clients() {
  bazel_cached build "${program_targets[@]}"
  REQUIRE_CLI=1 tests/conformance/run.sh
}

# Streams and tokens of each release, read by today's programs.
suite_compatibility() {
  bazel_cached build "${program_targets[@]}"
  tests/compatibility/run.sh
}

# The clients of other languages: the suite that all go through, then the tests of each.
suite_languages() {
  bazel_cached build "${program_targets[@]}"
  local tests log=$reports/language.log status passed=0 failed=0
  for tests in tests/clients/run.sh clients/*/test.sh; do
    echo "-- $tests"
    status=0
    "$tests" >"$log" 2>&1 || status=$?
    sed -E '/^[0-9]+ passed, [0-9]+ failed$/d' "$log"
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
      passed=$((passed + BASH_REMATCH[1]))
      failed=$((failed + BASH_REMATCH[2] + (status && !BASH_REMATCH[2])))
    elif ((status == 77)) && [[ ${CI:-} != true ]]; then
      echo "skipped: no toolchain"
    else
      failed=$((failed + 1))
    fi
  done
  echo "$passed passed, $failed failed"
}

# Each sink against a real server, which is killed meanwhile.
suite_sinks() {
  bazel_cached build "${program_targets[@]}" //tests/benchmarks/sinks:{kafka,nats,postgres,redis}_rounds \
    //clients/sinks/postgres:postgres_server_test
  tests/sinks/run.sh
}

# The unit for systemd and the chart for Kubernetes.
suite_deploy() {
  bazel_cached build //clients/cli:intercom-extract
  tests/deploy/run.sh
}

# What ./run package makes, installed in a clean Debian.
suite_package() { tests/package/run.sh; }

# A seeded slice of the kill campaign; ./run soak kill runs as much of it as wanted.
suite_soak() {
  bazel_cached build "${program_targets[@]}"
  tests/soak/run.sh test
}

# Each scenario of faults; ./run soak faults draws more of them together.
suite_faults() {
  bazel_cached build "${program_targets[@]}" //tests/faults:libdns_faults.so
  tests/faults/run.sh test
}

# Metrics, alerts, logs, top and the status page, as those see them who watch.
suite_watch() {
  bazel_cached build "${program_targets[@]}"
  tests/watch/run.sh
}

# What a newcomer sees first has to work.
suite_demo() {
  if tools/run/demo.sh; then echo "1 passed, 0 failed"; else echo "0 passed, 1 failed"; fi
}

total_passed=0
total_failed=0
summary=()
failures=()
run_suite() {
  local name=$1 start=$SECONDS passed=0 failed=0 log=$reports/$1.log status
  printf '\n== %s\n' "$name"
  # Not in a condition, where `set -e` would not hold.
  set +e
  (
    set -e
    "suite_$name"
  ) 2>&1 | tee "$log" | sed -u -E '/^[0-9]+ passed, [0-9]+ failed$/d'
  status=${PIPESTATUS[0]}
  set -e
  if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=${BASH_REMATCH[1]}
    failed=${BASH_REMATCH[2]}
  else
    status=1
  fi
  # A suite that broke before it could count has failed, and so has one without a case.
  if ((!failed && (status || !passed))); then failed=1; fi
  if ((failed)); then failures+=("$log"); fi
  total_passed=$((total_passed + passed))
  total_failed=$((total_failed + failed))
  summary+=("$(printf '%-12s %5d passed  %5d failed  %5d s' \
    "$name" "$passed" "$failed" $((SECONDS - start)))")
  echo "${summary[-1]}"
}

groups=(build)
suites=()
if [[ $part == all || $part == cpp ]]; then suites+=(cpp benchmarks); fi
if [[ $part == all || $part == demo ]]; then suites+=(demo); fi
if [[ $part == clients || ($part == all && -x tests/conformance/run.sh) ]]; then
  groups+=(clients)
  suites+=(clients compatibility languages)
fi
if [[ $part == all || $part == sinks ]]; then
  groups+=(clients sinks)
  suites+=(sinks)
fi
if [[ $part == all || $part == deploy ]]; then
  groups+=(deploy)
  suites+=(deploy)
fi
if [[ $part == all || $part == package ]]; then
  groups+=(package)
  suites+=(package)
fi
if [[ $part == all || $part == soak ]]; then
  groups+=(clients)
  suites+=(soak)
fi
if [[ $part == all || $part == faults ]]; then
  groups+=(clients faults)
  suites+=(faults)
fi
if [[ $part == all || $part == watch ]]; then
  groups+=(watch)
  suites+=(watch)
fi
if [[ $part == all || $part == sanitizers ]]; then
  groups+=(clang memcheck)
  suites+=(asan tsan memcheck)
fi
need "${groups[@]}"
for suite in "${suites[@]}"; do run_suite "$suite"; done
trim_bazel_cache

# Again, where a reader of the end looks.
for log in "${failures[@]}"; do
  printf '\n== the end of %s\n' "${log#"$PWD/"}"
  tail -n 60 "$log" | sed -E "/^[0-9]+ passed, [0-9]+ failed$/d"
done

# A log's end may be of other cases: each runner's own line for a failed one, by name.
readonly failed_line='^(FAILED|ERROR)[ :]|^ *--- FAIL|^ *not ok |^✖ |^test .* FAILED$|^\[ERROR\]   [^ ]+Test'
for log in "${failures[@]}"; do
  suite=${log##*/}
  { grep -hE "$failed_line" "$log" || true; } | head -n 20 | sed "s/^/failed in ${suite%.log}: /"
done

echo
printf '%s\n' "${summary[@]}"
echo "$total_passed passed, $total_failed failed"
((total_failed == 0))
