#!/usr/bin/env bash
# Tests and checks of the Java client; arguments go to Maven. The last line is
# `N passed, N failed`; ends with 77 where there is no JDK or Maven to run them.
set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
# shellcheck source=clients/java/toolchain.sh
source clients/java/toolchain.sh
use_java

# With all warnings of the compiler, and those of missing comments, as errors.
check_build() { build_client; }
check_format() {
  local -a files
  mapfile -t files < <(find "$client/src" -name '*.java')
  maven dependency:copy@formatter
  java -jar "$build"/formatter/*.jar --dry-run --set-exit-if-changed "${files[@]}"
}
check_documentation() {
  javadoc -quiet -Werror -Xdoclint:all -d "$build/javadoc" \
    -classpath "$build/target/classes:$(<"$build/classpath")" "$client"/src/main/java/intercom/extractor/*.java
}
# It prints JSON; its figures mean nothing here.
check_benchmark() { "$client/benchmarks/run" --rows 5000 --rounds 1 | python3 -m json.tool; }

# shellcheck source=tests/clients/checks.sh
source tests/clients/checks.sh
run_checks build format documentation benchmark

readonly reports=$build/target/surefire-reports
rm -rf "$reports"
status=0
maven surefire:test "$@" 2>"$build/tests.log" || status=$?
# count ATTRIBUTE: over all test classes.
count() {
  cat "$reports"/TEST-*.xml 2>/dev/null | grep -oE '^<testsuite .*' | grep -oE " $1=\"[0-9]+\"" |
    grep -oE '[0-9]+' | awk '{ sum += $1 } END { print sum + 0 }'
}
broken=$(($(count failures) + $(count errors)))
passed=$((passed + $(count tests) - broken - $(count skipped)))
if ((status)); then
  # Maven ends with two escapes and no new line, and so would the count below.
  sed -E 's/\x1b\[[0-9;]*m//g' "$build/tests.log"
  # What does not even run has failed once.
  failed=$((failed + (broken ? broken : 1)))
fi
echo "$passed passed, $failed failed"
((failed == 0))
