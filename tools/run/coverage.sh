#!/usr/bin/env bash
# Lines and branches of extractor/ and server/ that the C++ tests reach, those beside the code
# and of whole extractions: a line per folder and one per file below 100 %; the whole listing
# as pages in .build/coverage/html.
set -euo pipefail
source tools/run/lib.sh

case ${1:-} in
  "") folders=(extractor server) ;;
  extractor | server) folders=("$1") ;;
  *) die "coverage knows extractor, server and, without a name, both" ;;
esac
need build clang coverage

readonly out=$PWD/$build_dir/coverage
rm -rf "$out"
mkdir -p "$out/raw"

# Those of the clients reach little more, and take an hour.
programs=("${folders[@]}" tests/end_to_end)
tests=("${programs[@]/#///}")
tests=("${tests[@]/%//...}")
# Each program and library of ours adds up its runs in a file of its own (%m).
bazel_cached test --config=coverage --keep_going --nocache_test_results \
  --sandbox_writable_path="$out/raw" --test_env=LLVM_PROFILE_FILE="$out/raw/%m.profraw" \
  "${tests[@]}" || die "coverage is of tests that pass"

llvm-profdata-19 merge --sparse -o "$out/profile" "$out"/raw/*.profraw
mapfile -t objects < <(find -L "${programs[@]/#/bazel-bin/}" -type f -perm -u+x ! -name '*.sh' \
  ! -path '*.runfiles/*' -exec sh -c 'head -c 4 "$1" | grep -q ELF && printf "%s\n" "$1"' _ {} \;)
options=(--instr-profile="$out/profile" --ignore-filename-regex='(_test\.cc|fixture\.h|^external/|/usr/|bazel-out|/tests/)')
llvm-cov-19 show "${options[@]}" --format=html --output-dir="$out/html" --show-branches=count "${objects[@]/#/-object=}"
mkdir "$out/traces"
for object in "${objects[@]}"; do
  llvm-cov-19 export "${options[@]}" --format=lcov "$object" >"$out/traces/${object//\//-}"
done
python3 tools/run/coverage.py "$out"/traces/*
