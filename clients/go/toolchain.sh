# shellcheck shell=bash
# Sourced at the root of the checkout: finds or brings a Go that is new enough.

readonly client=clients/go
# shellcheck disable=SC2034  # Those that source this use it.
readonly build=$PWD/.build/clients/go
# Where the machine's Go is older than go.mod asks for.
readonly newer_go=1.26.8

no_toolchain() {
  echo "needs Go $(awk '$1 == "go" { print $2 }' "$client/go.mod") or newer: $1" >&2
  exit 77
}

# install_go: through apt, on a machine without any.
install_go() {
  (
    # shellcheck source=tools/run/lib.sh
    source tools/run/lib.sh
    need go
  ) >&2 || no_toolchain "there is none, and apt could not install it"
}

# Go before 1.21 does not bring newer ones by itself, but can load them as a module.
bring_go() {
  local module folder
  module=golang.org/toolchain@v0.0.1-go$newer_go.$(go env GOOS)-$(go env GOARCH)
  folder=$(cd / && go mod download -json "$module" |
    sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p') || true
  [[ -d $folder ]] || no_toolchain "$(go version) could not load Go $newer_go"
  # Archives of modules hold no file modes.
  if [[ ! -x $folder/bin/go ]]; then
    chmod u+w "$folder"/bin/* "$folder"/pkg/tool/*/*
    chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
  fi
  PATH=$folder/bin:$PATH
  export GOTOOLCHAIN=local GOROOT=$folder
}

takes_module() { (cd "$client" && go list -m) >/dev/null 2>&1; }

# Afterwards `go` can build the client.
use_go() {
  local version
  command -v go >/dev/null || install_go
  export GOFLAGS=-buildvcs=false
  version=$(cd / && go env GOVERSION)
  if [[ $version =~ ^go1\.(1[0-9]|20)(\.|$) ]]; then
    bring_go
  elif ! takes_module; then
    # It was told not to load a newer one.
    export GOTOOLCHAIN=go$newer_go
    takes_module || no_toolchain "this is $version, and it could not load Go $newer_go"
  fi
}
