# shellcheck shell=bash
# Sourced at the root of the checkout: finds or brings a JDK and Maven that are new enough.

readonly client=clients/java
readonly build=$PWD/.build/clients/java
readonly oldest_java=17

no_toolchain() {
  echo "needs a JDK of Java $oldest_java or newer, and Maven: $1" >&2
  exit 77
}

# Through apt, on a machine without them.
install_java() {
  (
    # shellcheck source=tools/run/lib.sh
    source tools/run/lib.sh
    need java
  ) >&2 || no_toolchain "apt could not install them"
}

java_version() { javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'; }

# Afterwards `maven` can build the client.
use_java() {
  local version
  { command -v javac && command -v mvn; } >/dev/null || install_java
  version=$(java_version)
  ((${version:-0} >= oldest_java)) || no_toolchain "this is Java ${version:-without a compiler}"
  mkdir -p "$build"
}

# maven ARGUMENTS: silent but for what went wrong. What Maven has loaded before is not asked for
# again, so that a build works, and is quick, without a network.
maven() {
  local log=$build/maven.log
  local -a command=(mvn --batch-mode --quiet --file "$client/pom.xml" "$@")
  "${command[@]}" --offline >"$log" 2>&1 && return
  if grep -qE 'in offline mode|has not been downloaded' "$log"; then
    "${command[@]}" >"$log" 2>&1 && return
  fi
  cat "$log" >&2
  return 1
}

# Of all that the build reads.
fingerprint() {
  {
    javac -version 2>&1
    find "$client" proto -type f -print0 | sort -z | xargs -0 sha256sum
  } | sha256sum
}

# Builds the client and its tests where something changed since.
build_client() {
  local now file
  now=$(fingerprint)
  if [[ -e $build/built && $(<"$build/built") == "$now" ]]; then
    # Maven's own cache may have been emptied.
    while IFS= read -r -d : file && [[ -e $file ]]; do :; done <"$build/classpath"
    [[ -e $file ]] && return
  fi
  rm -f "$build/built"
  maven process-test-classes
  echo "$now" >"$build/built"
}
