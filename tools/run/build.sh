#!/usr/bin/env bash
# Builds the programs and prints where they are.
set -euo pipefail
source tools/run/lib.sh

need build
bazel_cached build "${program_targets[@]}" "$@"
printf '%s\n' "${program_files[@]}"
