#!/usr/bin/env bash
# ./run soak fuzz: builds the fuzzers and runs them; --help says more, docs/fuzzing.md all.
#
#   run.sh [FLAGS]     fuzzes for some minutes of processor time
#   run.sh --coverage  which lines and branches of what reads foreign bytes the stored
#                      inputs reach
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
# shellcheck source=tools/run/lib.sh
source tools/run/lib.sh

export PYTHONDONTWRITEBYTECODE=1
readonly folder=$build_dir/fuzz
need build clang fuzz
mapfile -t names < <(python3 tests/fuzz/campaign.py --list "$@")

# Out of Bazel's folders, where the next build replaces them.
copy_programs() {
  local to=$1 file
  shift
  mkdir -p "$to"
  for file in "$@"; do install "bazel-bin/tests/fuzz/$file" "$to/$file"; done
}

case " $* " in
  *" --help "* | *" -h "*) exec python3 tests/fuzz/campaign.py --help ;;
  *" --coverage "*)
    bazel_cached build --config=fuzz_coverage "${names[@]/#///tests/fuzz:}"
    copy_programs "$folder/coverage/bin" "${names[@]}"
    exec python3 tests/fuzz/coverage.py "${names[@]}"
    ;;
  *)
    bazel_cached build --config=fuzz "${names[@]/#///tests/fuzz:}"
    copy_programs "$folder/bin" "${names[@]}"
    exec python3 tests/fuzz/campaign.py "$@"
    ;;
esac
