#!/usr/bin/env bash
# Tests of the Node client: what the compiler and the linters say, the unit tests, the example of
# the README, the benchmark in brief. The last line is `N passed, N failed`; ends with 77 where
# there is no Node to run them.
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."

# Compiles, too.
clients/node/acceptance/run prepare
readonly build=$PWD/.build/clients/node
cd clients/node

passed=0
failed=0
# step NAME COMMAND...: one case.
step() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED $name"
  fi
}

readonly bin=node_modules/.bin
step eslint "$bin/eslint" --max-warnings 0 .
step prettier "$bin/prettier" --log-level warn --check .
# It prints JSON; its figures mean nothing here.
benchmark() {
  node "$build/app/benchmarks/throughput.js" --rows 5000 --rounds 1 >"$build/throughput.json"
}
step benchmark benchmark

readonly log=$build/tests.tap
status=0
# What hangs is a finding.
timeout 300 node --test --test-reporter=tap dist/*.test.js >"$log" || status=$?
counted() { sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$log" | tail -n 1; }
unit_passed=$(counted pass)
unit_failed=$(($(counted fail) + $(counted cancelled)))
if ((status)); then
  grep -E -A 30 '^ *not ok' "$log" || tail -n 50 "$log"
  if ((!unit_failed)); then unit_failed=1; fi
fi
echo "$((passed + unit_passed)) passed, $((failed + unit_failed)) failed"
((failed + unit_failed == 0))
