#!/usr/bin/env bash
# Tests of the Python client; arguments go to pytest. The last line is `N passed, N failed`;
# ends with 77 where there is no Python to run them.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly client=clients/python
readonly build=$PWD/.build/clients/python

"$client/acceptance/run" prepare
# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
name_programs
for program in "$FAKE_INTERCOM" "$INTERCOM_SERVER"; do
  require_program "$program" "$client"
done
python=$(<"$build/python")

export PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$build/site:$PWD/tests/conformance
status=0
"$python" -m pytest "$client/tests" --rootdir "$client" -p no:cacheprovider \
  --quiet -r fEs --junit-xml "$build/junit.xml" "$@" || status=$?
# It prints JSON; its figures mean nothing here.
if ! "$python" "$client/benchmarks/throughput.py" --rows 5000 --rounds 1 >"$build/throughput.json"; then
  echo "FAILED $client/benchmarks/throughput.py"
  status=1
fi
"$python" tests/conformance/count_results.py "$build/junit.xml" || status=1
exit "$status"
