#!/usr/bin/env bash
# clang_tidy.sh STAMP ARGUMENTS: runs clang-tidy with the arguments, prints its findings
# and nothing else, and writes STAMP unless one of them is an error (.clang-tidy says which).
set -euo pipefail
stamp=$1
shift
status=0
output=$(clang-tidy-19 --quiet "$@" 2>&1) || status=$?
if ((status)) || [[ $output == *": warning: "* ]]; then
  # Paths as the repository has them, without the sandbox's, and no counts of what was suppressed.
  sed -E "s|$PWD/||g; /^[0-9]+ warnings?( treated| generated| and|\$)/d; /^Suppressed /d" <<<"$output" >&2
fi
if ((status)); then exit 1; fi
: >"$stamp"
