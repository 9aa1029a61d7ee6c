#!/usr/bin/env bash
# What is no Bazel test of the C++ client: the programs of its README and its benchmark. The
# last line is `N passed, N failed`.
set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
source tools/run/lib.sh
readonly client=clients/cpp build=.build/clients/cpp
readonly examples=(print_users store_rows)
mkdir -p "$build"

children=()
trap '((${#children[@]} == 0)) || kill "${children[@]}" 2>/dev/null || true' EXIT

# start LOG PROGRAM ARGUMENTS...: returns once it says where it listens, as `address`.
start() {
  local log=$1 tries=0
  shift
  "$@" >"$log" 2>&1 &
  children+=($!)
  until address=$(grep -oP -m1 'listening on \K\S+' "$log" 2>/dev/null); do
    ((++tries < 200)) || return 1
    sleep 0.1
  done
}

start_server() {
  start "$build/fake.log" bazel-bin/tests/fake_intercom/fake-intercom --port 0
  printf 'connections:\n  - {name: default, base_url: "%s", access_token_env: TOKEN}\n' \
    "$address" >"$build/server.yaml"
  TOKEN=fake-access-token start "$build/server.log" bazel-bin/server/intercom-extractor-server \
    --config "$build/server.yaml" --listen 127.0.0.1:0
}

# The programs in the README are those that are built.
check_readme() {
  local example
  for example in "${examples[@]}"; do
    python3 - "$client/README.md" "$client/examples/$example.cc" <<'PYTHON'
import sys
readme, program = (open(name, encoding="utf-8").read() for name in sys.argv[1:])
if f"```cpp\n{program}```\n" not in readme:
    sys.exit(f"{sys.argv[1]} does not have {sys.argv[2]} as it is")
PYTHON
  done
}

check_print_users() {
  bazel-bin/clients/cpp/examples/print_users "$address" >"$build/users"
  (($(wc -l <"$build/users") == 200))
}

check_store_rows() {
  bazel-bin/clients/cpp/examples/store_rows "$address" >"$build/stored"
  grep -x 'users 200' "$build/stored"
  grep -xE 'token of [1-9][0-9]* bytes, 0 reconnects' "$build/stored"
}

# Who reaches nobody is told so.
check_nobody() {
  if bazel-bin/clients/cpp/examples/print_users unix:/nonexistent 2>"$build/nobody"; then
    return 1
  fi
  grep UNAVAILABLE "$build/nobody"
}

# Its figures mean nothing here.
check_benchmark() {
  bazel-bin/clients/cpp/benchmarks/throughput --rows=5000 --rounds=1 | python3 -m json.tool
}

# //clients/cpp tests itself among all of Bazel's tests.
bazel_cached build "${program_targets[@]}" //clients/cpp/examples/... \
  //clients/cpp/benchmarks:throughput
address=
start_server

# shellcheck source=tests/clients/checks.sh
source tests/clients/checks.sh
run_checks readme print_users store_rows nobody benchmark
echo "$passed passed, $failed failed"
((failed == 0))
