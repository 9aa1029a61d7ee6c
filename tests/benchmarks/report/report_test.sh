#!/usr/bin/env bash
# Runs the tests of this folder's scripts.
set -euo pipefail
folder=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
export PYTHONDONTWRITEBYTECODE=1
exec python3 -m unittest discover --verbose --start-directory "$folder" --pattern '*_test.py'
