#!/usr/bin/env bash
# Runs the conformance tests; arguments go to pytest. The programs come from bazel-bin
# unless the environment names others:
#
#   FAKE_INTERCOM, INTERCOM_EXTRACT, INTERCOM_SERVER   paths of the programs
#   REQUIRE_CLI=1   a missing command line or server fails, otherwise its tests are skipped
#   JUNIT_XML       file for a report in JUnit's format
#
# The last line is `N passed, N failed`.
set -euo pipefail

from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly folder=tests/conformance

# shellcheck source=tests/conformance/environment.sh
source "$folder/environment.sh"
name_programs
require_program "$FAKE_INTERCOM" conformance
prepare_environment "$folder/requirements.txt"

report=$(mktemp)
trap 'rm -f "$report"' EXIT
export PYTHONDONTWRITEBYTECODE=1
status=0
run_pytest "$folder" "$report" -r fEs "$@" || status=$?
if [[ -n ${JUNIT_XML:-} ]]; then cat "$report" >"$(absolute "$JUNIT_XML")"; fi
exit "$status"
