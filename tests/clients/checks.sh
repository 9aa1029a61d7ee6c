# shellcheck shell=bash
# Sourced by clients/*/test.sh: runs checks that are functions, and counts them.

passed=0
failed=0

# run_checks NAME...: the function check_NAME of each. It fails at its first command that does,
# and its output, in $build, is shown only then.
run_checks() {
  local check status
  for check in "$@"; do
    # Not in a condition, where `set -e` would not hold.
    set +e
    (
      set -e
      "check_$check"
    ) >"${build:?}/$check.log" 2>&1
    status=$?
    set -e
    if ((status)); then
      failed=$((failed + 1))
      echo "FAILED $check"
      cat "$build/$check.log"
    else
      passed=$((passed + 1))
    fi
  done
}
