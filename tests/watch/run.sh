#!/usr/bin/env bash
# Watches a running server as operators do: metrics with promtool, alerts, logs, `top`, the
# status page in a real browser, and grpcurl. Arguments go to pytest; the last line is
# `N passed, N failed`. The programs come from bazel-bin unless the environment names others,
# as in tests/conformance/run.sh. Screenshots and the report are left in .build/watch.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly folder=tests/watch
readonly output=$PWD/.build/watch
# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
name_programs
for program in "$FAKE_INTERCOM" "$INTERCOM_EXTRACT" "$INTERCOM_SERVER"; do
  require_program "$program" watch
done
prepare_environment "$folder/requirements.txt"
mkdir -p "$output"

# grpcurl is a Go program; its version is that of docs/watching.md.
grpcurl() {
  # shellcheck source=clients/go/toolchain.sh
  source clients/go/toolchain.sh
  use_go
  GOBIN=$output go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.1
}
# Without it, the tests that call it fail, and no others.
if [[ ! -x $output/grpcurl ]]; then (grpcurl) >&2 || true; fi

export PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$PWD/tests/conformance:$PWD/$folder
export PATH=$output:$PATH WATCH_OUTPUT=$output
run_pytest "$folder" "$output/junit.xml" -r fE "$@"
