#!/usr/bin/env bash
# Checks what deploy/ holds, without a cluster and without systemd running: arguments go to
# pytest; the last line is `N passed, N failed`. Helm and Kubernetes' schemas come as Go modules.
#
# The program comes from bazel-bin unless the environment names another one, as in
# tests/conformance/run.sh.
set -euo pipefail

# environment.sh reads it.
# shellcheck disable=SC2034
from=$PWD
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
readonly folder=tests/deploy
readonly helm_version=v3.22.0
# What manifests are checked against.
readonly kubernetes_version=v1.36.3

# shellcheck source=tests/conformance/environment.sh
source tests/conformance/environment.sh
name_programs
require_program "$INTERCOM_EXTRACT" deploy
prepare_environment "$folder/requirements.txt"

# shellcheck source=clients/go/toolchain.sh
source clients/go/toolchain.sh
use_go
tools=${XDG_CACHE_HOME:-$HOME/.cache}/intercom-extractor/helm-$helm_version
export HELM=$tools/helm KUBERNETES_VERSION=${kubernetes_version#v}
if [[ ! -x $HELM ]]; then
  # Made whole or not at all, also where two do so at a time.
  made=$(mktemp -d "$tools.XXXXXX")
  (cd / && GOBIN=$made go install "helm.sh/helm/v3/cmd/helm@$helm_version")
  mkdir -p "$tools"
  mv "$made/helm" "$HELM"
  rmdir "$made"
fi
KUBERNETES_SCHEMAS=$(cd / && go mod download -json "k8s.io/kubernetes@$kubernetes_version" |
  sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')/api/openapi-spec/swagger.json
export KUBERNETES_SCHEMAS

mkdir -p "$PWD/.build/deploy"
export PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$PWD/tests/conformance:$PWD/$folder
run_pytest "$folder" "$PWD/.build/deploy/junit.xml" -r fE "$@"
