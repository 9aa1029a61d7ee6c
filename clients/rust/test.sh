#!/usr/bin/env bash
# Tests and checks of the Rust client; arguments go to the test programs. The last line is
# `N passed, N failed`; ends with 77 where there is no Rust to run them.
set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
# shellcheck source=clients/rust/toolchain.sh
source clients/rust/toolchain.sh
use_rust
mkdir -p "$build"

check_format() { cargo fmt --manifest-path "$client/Cargo.toml" --all --check; }
check_clippy() { cargo_workspace clippy --all-targets -- --deny warnings; }
check_docs() { RUSTDOCFLAGS='--deny warnings' cargo_workspace doc --no-deps --lib --bins; }
# With the files of proto/, so that it builds elsewhere.
check_package() {
  (cd "$client" && cargo package --locked --allow-dirty --list) >"$build/package.txt"
  grep -qx 'proto/intercom/extractor/v1/tables.proto' "$build/package.txt"
}
# It prints JSON; its figures mean nothing here.
check_benchmark() {
  cargo_workspace build --bins
  "$CARGO_TARGET_DIR/debug/throughput" --rows 5000 --rounds 1 | python3 -m json.tool
}

# Debian's older Rust comes without these two.
checks=()
if cargo fmt --version >/dev/null 2>&1; then checks+=(format); else echo "skipped format: no rustfmt"; fi
if cargo clippy --version >/dev/null 2>&1; then checks+=(clippy); else echo "skipped clippy: no clippy"; fi
# shellcheck source=tests/clients/checks.sh
source tests/clients/checks.sh
run_checks "${checks[@]}" docs package benchmark

status=0
cargo_workspace test --no-fail-fast -- "$@" >"$build/tests.log" 2>&1 || status=$?
counted() { awk -v what="$1;" '/^test result:/ { for (i = 2; i <= NF; i++) if ($i == what) sum += $(i - 1) } END { print sum + 0 }' "$build/tests.log"; }
passed=$((passed + $(counted passed)))
broken=$(counted failed)
if ((status)); then
  grep -vE '^test .* ok$|^ *(Compiling|Running) ' "$build/tests.log" || true
  # What does not build has failed once.
  failed=$((failed + (broken ? broken : 1)))
fi
echo "$passed passed, $failed failed"
((failed == 0))
