#!/usr/bin/env bash
# Extractions during which something goes wrong, as the scenarios say:
#
#   run.sh test [ARGUMENTS]       all scenarios, and some drawn at random together; arguments go
#                                 to pytest, the last line is `N passed, N failed`
#   run.sh campaign [FLAGS]       ./run soak faults; --help says more
#   run.sh play NAME...           single scenarios, and what came of them
#   run.sh list                   writes the list of them into docs/faults.md
#
# The programs come from bazel-bin unless the environment names others, as in
# tests/conformance/run.sh; so does the library that DNS_FAULTS names.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly folder=tests/faults
readonly build=$PWD/.build/faults
# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
name_programs
DNS_FAULTS=$(absolute "${DNS_FAULTS:-$PWD/bazel-bin/tests/faults/libdns_faults.so}")
export DNS_FAULTS
for program in "$FAKE_INTERCOM" "$INTERCOM_EXTRACT" "$INTERCOM_SERVER" "$DNS_FAULTS"; do
  require_program "$program" faults
done
prepare_environment "$folder/requirements.txt"
mkdir -p "$build"

export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PWD/tests/conformance:$PWD/tests/soak:$PWD/$folder
case ${1:-} in
  test) run_pytest "$folder" "$build/junit.xml" -r fEs "${@:2}" ;;
  campaign | play) "$environment/bin/python" "$folder/fault_campaign.py" "$@" ;;
  list) "$environment/bin/python" "$folder/list_scenarios.py" ;;
  *)
    echo "faults: test, campaign, play or list; see $folder/run.sh" >&2
    exit 2
    ;;
esac
