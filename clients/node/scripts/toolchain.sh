# shellcheck shell=bash
# What builds the client; sourced at the root of the checkout.

readonly client=clients/node

# Ends with 77 where the client cannot be built here.
require_toolchain() {
  local -r wanted='const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 18 || (major === 18 && minor >= 18) ? 0 : 1)'
  if ! node --eval "$wanted" 2>/dev/null || ! command -v npm >/dev/null; then
    echo "needs Node 18.18 or newer with npm" >&2
    exit 77
  fi
  command -v protoc >/dev/null || {
    echo "needs protoc, of Debian's protobuf-compiler" >&2
    exit 77
  }
}

# build_once FOLDER FUNCTION: calls the function when anything that the build reads is not what
# it was when FOLDER was built.
build_once() {
  local key folder=$1
  key=$({
    git ls-files --cached --others --exclude-standard -z -- proto "$client" |
      sort -z | xargs -0 sha256sum 2>/dev/null || true
    node --version
    protoc --version
  } | sha256sum)
  [[ $(cat "$folder.key" 2>/dev/null) == "$key" ]] && return
  rm -rf "$folder" "$folder.key"
  mkdir -p "$folder"
  "$2" "$folder" >&2
  echo "$key" >"$folder.key"
}

# What the lock file says, from the registry or the cache of npm.
install_packages() {
  # npm writes this file last.
  [[ $client/node_modules/.package-lock.json -nt $client/package-lock.json ]] && return
  (cd "$client" && npm ci --no-audit --no-fund)
}

build_client() {
  install_packages
  rm -rf "$client/dist"
  (cd "$client" && npm run --silent build)
}

# The driver and the benchmark, and the client as users get it: from its package, not from the sources.
build_app() {
  local folder=$1 package dependency
  build_client
  package=$(cd "$client" && npm pack --silent --pack-destination "$OLDPWD/$folder")
  mkdir -p "$folder/node_modules"
  tar -xzf "$folder/$package" -C "$folder/node_modules"
  mv "$folder/node_modules/package" "$folder/node_modules/intercom-extractor"
  # What it depends on, as it is locked.
  for dependency in @grpc @bufbuild; do
    ln -s "$PWD/$client/node_modules/$dependency" "$folder/node_modules/$dependency"
  done
  echo '{ "type": "module" }' >"$folder/package.json"
  "$client/node_modules/.bin/tsc" --project "$client/tsconfig.app.json"
}
