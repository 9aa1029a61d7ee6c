#!/usr/bin/env bash
# Extracts a made-up workspace and compares every row with what is expected; with --sink kafka
# into topics of a broker that it starts.
set -euo pipefail
source tools/run/lib.sh

case "$*" in
  "")
    need build
    exec python3 tools/demo/demo.py
    ;;
  "--sink kafka") ;;
  *) die "demo takes nothing, or --sink kafka" ;;
esac
need build sinks
tools/run/build.sh >/dev/null
tests/sinks/run.sh demo
