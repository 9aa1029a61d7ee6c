#!/usr/bin/env bash
# Formatting, static analysis and house rules. One line per step, findings above it;
# ends with "lint: ok" or the steps that failed. --fix formats C++ and Bazel files.
set -euo pipefail
source tools/run/lib.sh

need build clang lint clients
readonly npm_bin=tools/lint/node_modules/.bin

case ${1:-} in
  "") fix= ;;
  --fix) fix=yes ;;
  *) die "lint knows only --fix" ;;
esac

install_npm_tools() {
  # npm writes this file last.
  [[ tools/lint/node_modules/.package-lock.json -nt tools/lint/package-lock.json ]] && return
  # Not `npm ci`: it refuses where a registry lacks buf's packages for other systems.
  (cd tools/lint && npm install --no-save) >"$build_dir/npm.log" 2>&1 || {
    cat "$build_dir/npm.log" >&2
    die "npm could not install the tools of tools/lint/package.json"
  }
}

clang_format() {
  repo_files '*.cc' '*.h' | xargs -0r clang-format-19 "$@"
}

buildifier() {
  repo_files 'BUILD' '*/BUILD' 'WORKSPACE' '*/WORKSPACE' '*.bzl' |
    xargs -0r "$npm_bin/buildifier" -lint=off "$@"
}

step_clang_format() { clang_format --dry-run -Werror; }

step_buildifier() { buildifier -mode=check; }

step_buf() { "$npm_bin/buf" lint proto; }

# The contract and what resume tokens hold still fit every release of this major version, as
# stored with it, and the last tag, where git has one.
step_buf_breaking() {
  local release tag tokens broken=0
  local -r major=$(cut -d. -f1 release/version.txt)
  # A folder of its own, as the rules differ: tokens are only ever bytes.
  tokens=$(mktemp -d)
  cp extractor/checkpoint/resume_state.proto "$tokens"
  printf '%s\n' 'version: v2' 'breaking: {use: [WIRE]}' >"$tokens/buf.yaml"
  for release in tests/compatibility/releases/"$major".*; do
    "$npm_bin/buf" breaking proto --against "$release/contract.binpb" || broken=1
    "$npm_bin/buf" breaking "$tokens" --against "$release/tokens.binpb" || broken=1
  done
  rm -r "$tokens"
  if tag=$(git describe --tags --abbrev=0 --match "v$major.*" 2>/dev/null); then
    "$npm_bin/buf" breaking proto --against ".git#tag=$tag,subdir=proto" || broken=1
  fi
  return "$broken"
}

step_shellcheck() {
  { repo_files '*.sh' && repo_files | xargs -0r grep -lZE '^#!.*\b(ba)?sh$'; } |
    sort -zu | xargs -0r shellcheck --external-sources
}

step_house_rules() { python3 tools/lint/house_rules.py < <(repo_files); }

# The Python client and the suites that follow its rules.
step_python() {
  local client=clients/python bin
  "$client/acceptance/run" prepare
  bin=$(dirname "$(<"$build_dir/clients/python/python")")
  local -a folders=("$client" tests/{clients,compatibility,conformance,deploy,faults,fuzz,package,sinks,soak,watch})
  "$bin/ruff" check --quiet --config "$client/pyproject.toml" "${folders[@]}"
  "$bin/ruff" format --quiet --check --config "$client/pyproject.toml" "${folders[@]}"
  # mypy reads the generated messages beside the sources.
  "$bin/python" "$client/hatch_build.py"
  (cd "$client" && "$bin/mypy" --no-error-summary)
}

step_testdata() {
  local copy original same=0
  for copy in tests/testdata/{tables.tsv,intercom-openapi-2.16.yaml}; do
    original=../shared/${copy##*/}
    # A clone stands alone: most have nothing to compare with.
    [[ -f $original ]] || continue
    cmp "$copy" "$original" || same=1
  done
  return "$same"
}

# What GCC does not check. Unoptimised: nothing of it is run.
readonly clang_build=(build --config=clang --compilation_mode=fastbuild --keep_going //...)

step_clang() { bazel_cached "${clang_build[@]}"; }

step_clang_tidy() {
  bazel_cached "${clang_build[@]}" \
    --aspects=//tools/lint:clang_tidy.bzl%clang_tidy --output_groups=clang_tidy
}

failed=()
step() {
  local name=$1 start=$SECONDS result=ok status
  # Not in a condition, where `set -e` would not hold.
  set +e
  (
    set -e
    "step_${name//-/_}"
  )
  status=$?
  set -e
  if ((status)); then
    result=FAILED
    failed+=("$name")
  fi
  printf 'lint %-14s %s (%d s)\n' "$name" "$result" $((SECONDS - start))
}

install_npm_tools
if [[ $fix ]]; then
  clang_format -i
  buildifier -mode=fix
fi
for name in clang-format buildifier buf buf-breaking shellcheck house-rules python testdata clang clang-tidy; do
  step "$name"
done
if ((${#failed[@]})); then
  echo "lint: failed: ${failed[*]}"
  exit 1
fi
echo "lint: ok"
