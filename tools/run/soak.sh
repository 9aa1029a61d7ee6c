#!/usr/bin/env bash
# Breaks whole extractions at random points and compares every row with the truth; or
# measures what a server holds whose reader stops.
set -euo pipefail
source tools/run/lib.sh

case ${1:-} in
  kill | sigterm | stall) ;;
  *) die "soak has kill, sigterm and stall; ./run soak kill --help says more" ;;
esac
need build clients
bazel_cached build "${program_targets[@]}"
exec tests/soak/run.sh "$@"
