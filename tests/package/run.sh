#!/usr/bin/env bash
# Builds the packages and the image, installs them in a clean Debian and uses them there;
# arguments go to pytest. Needs root. The last line is `N passed, N failed`.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
if ((EUID)); then
  echo "package: chroot needs root" >&2
  echo "0 passed, 1 failed"
  exit 1
fi
if ! tools/run/package.sh >/dev/null; then
  echo "0 passed, 1 failed"
  exit 1
fi
prepare_environment tests/package/requirements.txt
export PYTHONDONTWRITEBYTECODE=1
run_pytest tests/package "$PWD/.build/package/junit.xml" -r fE "$@"
