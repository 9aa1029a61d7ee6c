#!/usr/bin/env bash
# clang_tidy.sh STAMP ARGUMENTS: runs clang-tidy with the arguments, prints its findings
# and nothing else, and writes STAMP when there are none.
set -euo pipefail
stamp=$1
shift
if ! output=$(clang-tidy-19 --quiet "$@" 2>&1); then
  # Paths as the repository has them, without the sandbox's, and no counts of what was suppressed.
  sed -E "s|$PWD/||g; /^[0-9]+ warnings?( treated| generated| and|\$)/d; /^Suppressed /d" <<<"$output" >&2
  exit 1
fi
: >"$stamp"
