#!/usr/bin/env bash
# Breaks extractions and counts their rows:
#
#   run.sh test [ARGUMENTS]      a seeded slice of the campaign and the tests of what plays
#                                it; arguments go to pytest, the last line is
#                                `N passed, N failed`
#   run.sh kill|sigterm [FLAGS]  ./run soak; --help says more
#   run.sh stall [FLAGS]         ./run soak stall: what a server holds whose reader stops
#   run.sh mixed [FLAGS]         ./run soak --minutes N: a mixed load beside a watched server
#
# The programs come from bazel-bin unless the environment names others, as in
# tests/conformance/run.sh.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly folder=tests/soak
readonly build=$PWD/.build/soak
# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
name_programs
for program in "$FAKE_INTERCOM" "$INTERCOM_EXTRACT" "$INTERCOM_SERVER"; do
  require_program "$program" soak
done
prepare_environment "$folder/requirements.txt"

# The messages of the stream, as any client in Python has them. A folder of each run's own:
# another may be reading.
stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
"$environment/bin/python" -m grpc_tools.protoc --proto_path proto --python_out "$stubs" \
  proto/intercom/extractor/v1/*.proto
mkdir -p "$build"

export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PWD/tests/conformance:$PWD/$folder:$stubs
case ${1:-} in
  test) ;;
  stall | mixed)
    "$environment/bin/python" "$folder/$1.py" "${@:2}"
    exit
    ;;
  *)
    "$environment/bin/python" "$folder/kill_campaign.py" "$@"
    exit
    ;;
esac
shift
run_pytest "$folder" "$build/junit.xml" -r fEs "$@"
