# shellcheck shell=bash
# Sourced at the root of the checkout: finds or brings a Rust that is new enough.

readonly client=clients/rust
readonly build=$PWD/.build/clients/rust
export CARGO_TARGET_DIR=$build/target

wanted_rust() { sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$client/Cargo.toml"; }

no_toolchain() {
  echo "needs Rust $(wanted_rust) or newer and protoc: $1" >&2
  exit 77
}

has_rust() {
  local version
  command -v cargo >/dev/null || return
  # Elsewhere: rustup takes a folder's wishes for commands.
  version=$(cd / && rustc --version 2>/dev/null | cut -d' ' -f2) || return
  printf '%s\n' "$(wanted_rust)" "$version" | sort --version-sort --check=quiet
}

# With the files of Google's that ours import.
has_protoc() {
  protoc --proto_path proto --descriptor_set_out /dev/null \
    proto/intercom/extractor/v1/annotations.proto 2>/dev/null
}

# Afterwards `cargo` can build the client.
use_rust() {
  has_rust && has_protoc && return
  # Debian's own Rust is older; the one that it builds browsers with is not.
  (
    # shellcheck source=tools/run/lib.sh
    source tools/run/lib.sh
    need rust
  ) >&2 || no_toolchain "apt could not install it"
  # Before the old one of somebody's.
  has_rust || PATH=/usr/bin:$PATH
  has_rust || no_toolchain "this is $(rustc --version 2>/dev/null || echo none)"
  has_protoc || no_toolchain "protoc cannot read proto/"
}

# cargo_workspace COMMAND ARGUMENTS...: with all packages, so that what they depend on has the same
# features each time and is built once.
cargo_workspace() {
  local command=$1
  shift
  cargo "$command" --manifest-path "$client/Cargo.toml" --workspace --locked "$@"
}
