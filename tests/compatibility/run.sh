#!/usr/bin/env bash
# What each release has promised to read, read by today's programs:
#
#   run.sh [ARGUMENTS]   arguments go to pytest; the last line is `N passed, N failed`
#   run.sh golden        makes the files of the release in release/version.txt anew
#
# The programs come from bazel-bin unless the environment names others, as in
# tests/conformance/run.sh.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly folder=tests/compatibility
# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
name_programs
for program in "$FAKE_INTERCOM" "$INTERCOM_SERVER"; do
  require_program "$program" compatibility
done
# The same as the soak tests need, whose consumer reads the streams.
prepare_environment tests/soak/requirements.txt

stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
"$environment/bin/python" -m grpc_tools.protoc --proto_path proto --python_out "$stubs" \
  proto/intercom/extractor/v1/*.proto
export PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$PWD/tests/conformance:$PWD/tests/soak:$PWD/$folder:$stubs
if [[ ${1:-} == golden ]]; then
  "$environment/bin/python" "$folder/make_golden.py"
  exit
fi
mkdir -p .build
run_pytest "$folder" .build/compatibility.xml -r fE "$@"
