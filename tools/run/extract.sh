#!/usr/bin/env bash
# Builds intercom-extract, then runs it with the arguments given.
set -euo pipefail
source tools/run/lib.sh

need build
bazel_cached build "${program_targets[0]}" >&2
program=$PWD/${program_files[0]}
# Relative paths are the caller's.
cd -- "${RUN_FROM:-.}"
exec "$program" "$@"
