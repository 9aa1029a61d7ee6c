#!/usr/bin/env bash
# Extracts a made-up workspace and compares every row with what is expected.
set -euo pipefail
source tools/run/lib.sh

need build
exec python3 tools/demo/demo.py "$@"
