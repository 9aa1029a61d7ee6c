#!/usr/bin/env bash
# Breaks whole extractions, or the databases that they fill, at random points, or has faults of
# Intercom and the network come together, and compares every row with the truth; or measures
# what a server holds whose reader stops, or under a mixed load, or how fast a fleet is; or feeds
# what reads foreign bytes with anything.
set -euo pipefail
source tools/run/lib.sh

# Without a name: the mixed load.
if [[ ${1:-} == --* && $1 != --help ]]; then set -- mixed "$@"; fi
case ${1:-} in
  mixed | kill | sigterm | stall) ;;
  faults) need faults ;;
  fuzz) exec tests/fuzz/run.sh "${@:2}" ;;
  sinks | fleet | scale) need sinks ;;
  *) die "soak has --minutes N (the mixed load), kill, sigterm, faults, sinks, fleet, scale, stall and fuzz; ./run soak kill --help says more" ;;
esac
need build clients
bazel_cached build "${program_targets[@]}"
if [[ $1 == faults ]]; then
  bazel_cached build //tests/faults:libdns_faults.so
  exec tests/faults/run.sh campaign "${@:2}"
fi
if [[ $1 == sinks ]]; then exec tests/sinks/run.sh campaign "${@:2}"; fi
if [[ $1 == fleet || $1 == scale ]]; then exec tests/sinks/run.sh "$@"; fi
exec tests/soak/run.sh "$@"
