#!/usr/bin/env bash
# Runs the acceptance suite of the clients:
#
#   run.sh [ARGUMENTS]   arguments go to pytest; the last line is `N passed, N failed`
#   run.sh golden        makes the files of golden/ anew instead
#
# The programs come from bazel-bin unless the environment names others, as in
# tests/conformance/run.sh. With CI=true a client whose toolchain is missing fails, otherwise
# it is skipped.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly folder=tests/clients
readonly build=$PWD/.build/clients/suite
# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
name_programs
for program in "$FAKE_INTERCOM" "$INTERCOM_SERVER"; do
  require_program "$program" clients
done
prepare_environment "$folder/requirements.txt"

stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
"$environment/bin/python" -m grpc_tools.protoc --proto_path proto --python_out "$stubs" \
  proto/intercom/extractor/v1/*.proto
mkdir -p "$build"

export PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$PWD/tests/conformance:$PWD/tests/soak:$PWD/$folder:$PWD/tests/compatibility:$stubs
if [[ ${1:-} == golden ]]; then
  "$environment/bin/python" "$folder/make_golden.py"
  exit
fi
run_pytest "$folder" "$build/junit.xml" -r fE "$@"
