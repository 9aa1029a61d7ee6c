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

# absolute PATH: the caller's relative paths count from where the caller is.
absolute() { if [[ $1 == /* ]]; then echo "$1"; else echo "$from/$1"; fi; }

FAKE_INTERCOM=$(absolute "${FAKE_INTERCOM:-$PWD/bazel-bin/tests/fake_intercom/fake-intercom}")
INTERCOM_EXTRACT=$(absolute "${INTERCOM_EXTRACT:-$PWD/bazel-bin/clients/cli/intercom-extract}")
INTERCOM_SERVER=$(absolute "${INTERCOM_SERVER:-$PWD/bazel-bin/server/intercom-extractor-server}")
export FAKE_INTERCOM INTERCOM_EXTRACT INTERCOM_SERVER
if [[ ! -x $FAKE_INTERCOM ]]; then
  echo "conformance: no fake Intercom at $FAKE_INTERCOM; build it with ./run build" >&2
  echo "0 passed, 1 failed"
  exit 1
fi

# Prepares the Python environment; one for each set of requirements and each Python.
prepare_environment() {
  local key
  key=$({ cat "$folder/requirements.txt" && python3 --version; } | sha256sum | cut -c1-16)
  environment=${XDG_CACHE_HOME:-$HOME/.cache}/intercom-extractor/venv-$key
  mkdir -p "$(dirname "$environment")"
  # Runs at the same time must not build the same environment; the file `complete`
  # tells a whole one from one whose making was interrupted.
  exec 9>"$environment.lock"
  flock 9
  if [[ ! -e $environment/complete ]]; then
    python3 -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-input \
      --requirement "$folder/requirements.txt" >&2
    touch "$environment/complete"
  fi
  exec 9>&-
}
prepare_environment

report=$(mktemp)
trap 'rm -f "$report"' EXIT
export PYTHONDONTWRITEBYTECODE=1
status=0
"$environment/bin/python" -m pytest "$folder" --rootdir "$folder" -p no:cacheprovider \
  --quiet -r fEs --junit-xml "$report" "$@" || status=$?
if [[ -n ${JUNIT_XML:-} ]]; then cat "$report" >"$(absolute "$JUNIT_XML")"; fi
"$environment/bin/python" "$folder/count_results.py" "$report" || status=1
exit "$status"
