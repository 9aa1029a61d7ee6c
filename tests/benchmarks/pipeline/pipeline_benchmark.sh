#!/usr/bin/env bash
# Runs pipeline_benchmark.py beside this script's source; see there.
set -euo pipefail
folder=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$folder/pipeline_benchmark.py" "$@"
