#!/usr/bin/env bash
# Fills real databases, which it starts itself, and breaks them and the extractor meanwhile:
#
#   run.sh [ARGUMENTS]        arguments go to pytest; the last line is `N passed, N failed`
#   run.sh demo               ./run demo --sink kafka
#   run.sh campaign [FLAGS]   ./run soak sinks: many kills in mid-transaction; --help says more
#   run.sh fleet [FLAGS]      ./run soak fleet: 200 workspaces on workers that are killed
#   run.sh scale [FLAGS]      ./run soak scale: how much workers of a fleet do, and what it takes
#
# The programs come from bazel-bin unless the environment names others, as in
# tests/conformance/run.sh.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly folder=tests/sinks
readonly build=$PWD/.build/sinks
# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
name_programs
for program in "$FAKE_INTERCOM" "$INTERCOM_EXTRACT"; do
  require_program "$program" sinks
done
# The example that reads Kafka is tested as its README says to install it.
clients/python/acceptance/run prepare
prepare_environment clients/python/examples/kafka_to_parquet/requirements.txt
export KAFKA_TO_PARQUET_PYTHON=$environment/bin/python
export KAFKA_TO_PARQUET_PATH=$PWD/.build/clients/python/site
prepare_environment "$folder/requirements.txt"
mkdir -p "$build"
stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
"$environment/bin/python" -m grpc_tools.protoc --proto_path proto --python_out "$stubs" \
  proto/intercom/extractor/v1/*.proto
"$environment/bin/python" -m grpc_tools.protoc --proto_path clients/sinks --python_out "$stubs" \
  clients/sinks/sink_position.proto

export PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$PWD/tests/conformance:$PWD/tests/soak:$PWD/$folder:$stubs
if [[ ${1:-} == demo ]]; then
  PYTHONPATH+=:$PWD/tools/demo "$environment/bin/python" tools/demo/kafka_demo.py
  exit
fi
if [[ ${1:-} == campaign ]]; then
  "$environment/bin/python" "$folder/sink_campaign.py" "${@:2}"
  exit
fi
if [[ ${1:-} == fleet ]]; then
  "$environment/bin/python" "$folder/fleet_campaign.py" "${@:2}"
  exit
fi
if [[ ${1:-} == scale ]]; then
  "$environment/bin/python" "$folder/fleet_scale.py" "${@:2}"
  exit
fi
run_pytest "$folder" "$build/junit.xml" -r fE "$@"
