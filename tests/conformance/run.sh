#!/usr/bin/env bash
# Runs the conformance tests; arguments go to pytest. Against another server than the fake
# run those that know nothing of its content (docs/conformance.md):
#
#   run.sh --base-url URL --token-env NAME [--tables a,b,c]
#
# The programs come from bazel-bin unless the environment names others:
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
if [[ " $* " == *" --base-url"* ]]; then
  # Nothing is left of it without these.
  export REQUIRE_CLI=1
else
  require_program "$FAKE_INTERCOM" conformance
fi
prepare_environment "$folder/requirements.txt"

report=$(mktemp)
stubs=$(mktemp -d)
trap 'rm -rf "$report" "$stubs"' EXIT
# The messages of the service, as any client in Python has them.
"$environment/bin/python" -m grpc_tools.protoc --proto_path proto --python_out "$stubs" \
  proto/intercom/extractor/v1/*.proto
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$stubs
status=0
run_pytest "$folder" "$report" -r fEs "$@" || status=$?
if [[ -n ${JUNIT_XML:-} ]]; then cat "$report" >"$(absolute "$JUNIT_XML")"; fi
exit "$status"
