#!/usr/bin/env bash
# Tests and checks of the Go client; arguments go to go test. The last line is
# `N passed, N failed`; ends with 77 where there is no Go to run them.
set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
# shellcheck source=clients/go/toolchain.sh
source clients/go/toolchain.sh
use_go
mkdir -p "$build"

check_format() {
  local unformatted
  unformatted=$(gofmt -l "$client")
  [[ -z $unformatted ]] || {
    echo "not as gofmt writes it: $unformatted"
    return 1
  }
}
check_vet() { (cd "$client" && go vet ./...); }
check_staticcheck() {
  (cd "$client/tools" && go build -o "$build/plugins/" honnef.co/go/tools/cmd/staticcheck)
  (cd "$client" && "$build/plugins/staticcheck" -checks=inherit,ST1000,ST1020,ST1021,ST1022 ./...)
}
check_generated() { "$client/generate.sh" --check; }
check_modules() { (cd "$client" && go mod tidy -diff && cd tools && go mod tidy -diff); }
# It prints JSON; its figures mean nothing here.
check_benchmark() { (cd "$client" && go run ./benchmarks/throughput -rows 5000 -rounds 1) | python3 -m json.tool; }

# shellcheck source=tests/clients/checks.sh
source tests/clients/checks.sh
run_checks format vet staticcheck generated modules benchmark

status=0
(cd "$client" && go test -race -v "$@" ./...) >"$build/tests.log" 2>&1 || status=$?
passed=$((passed + $(grep -cE '^ *--- PASS' "$build/tests.log" || true)))
broken=$(grep -cE '^ *--- FAIL' "$build/tests.log" || true)
if ((status)); then
  grep -vE '^ *(=== |--- PASS)' "$build/tests.log"
  # What does not build, or panics, has failed once.
  failed=$((failed + (broken ? broken : 1)))
fi
echo "$passed passed, $failed failed"
((failed == 0))
