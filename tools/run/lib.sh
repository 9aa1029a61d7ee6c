# shellcheck shell=bash
# What the subcommands of ./run share. They source it from the root of the checkout.

cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/intercom-extractor
readonly cache_dir
# Scratch space and reports of this checkout; git and Bazel ignore it.
readonly build_dir=.build
mkdir -p "$build_dir"

die() {
  echo "run: $*" >&2
  exit 1
}

# Packages of all groups named, from tools/apt-packages.txt.
packages_of() {
  awk -v groups=" $* " '
    /^\[/ { wanted = index(groups, " " substr($1, 2, length($1) - 2) " ") }
    wanted && /^[a-z0-9]/ { print $1 }' tools/apt-packages.txt
}

# Prints those of the packages named that are not there, one a line.
missing_packages() {
  local package
  comm -23 <(printf '%s\n' "$@" | sort -u) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
      sed -n 's/^installed //p' | sort -u) |
    while read -r package; do
      command -v "$package" >/dev/null || echo "$package"
    done
}

# Installs what is missing of the groups named. Fast and silent when nothing is.
need() {
  local -a groups=("$@") wanted missing as_root=()
  # A part of [build] that the key of Bazel's cache leaves out.
  if [[ " $* " == *" build "* ]]; then groups+=(server); fi
  mapfile -t wanted < <(packages_of "${groups[@]}")
  command -v dpkg-query >/dev/null ||
    die "this machine has no apt; install the like of: ${wanted[*]}"
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  ((${#missing[@]})) || return 0
  if ((EUID)); then
    # -n: a question would be worse than the command to type.
    sudo -n true 2>/dev/null || die "please install: sudo apt-get install ${missing[*]}"
    as_root=(sudo -n)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600)
  echo "Installing ${#missing[@]} Debian packages ..." >&2
  local log=$build_dir/apt.log
  if ! { "${as_root[@]}" update &&
    "${as_root[@]}" install --yes --no-install-recommends "${missing[@]}"; } \
    </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    die "apt could not install: ${missing[*]}"
  fi
}

# bazel_do COMMAND [ARGUMENTS]: Bazel without the cache, for query, info and the like.
bazel_do() {
  local -a startup
  read -ra startup <<<"${BAZEL_STARTUP_FLAGS:-}"
  bazel "${startup[@]}" "$@"
}

# bazel_cached build|test [ARGUMENTS]. Results are shared between checkouts. Bazel does
# not see the headers in /usr/include, so each set of package versions has a cache of its own.
bazel_cached() {
  local command=$1 versions
  shift
  local -a packages ui=()
  # Made by another output base, it would count as part of //... here.
  rm -f "bazel-${PWD##*/}"
  mapfile -t packages < <(packages_of build clang lint)
  versions=$(dpkg-query -W "${packages[@]}" 2>/dev/null | sha256sum | cut -c1-16)
  # A person sees progress, a log only what went wrong. The output of a failed test is "info".
  if [[ -t 2 ]]; then ui+=(--show_progress); fi
  if [[ $command == build ]]; then ui+=(--ui_event_filters=-info); fi
  bazel_do "$command" --disk_cache="$cache_dir/bazel/$versions" "${ui[@]}" "$@"
}

# Forgets cached results that nothing has used for 30 days.
trim_bazel_cache() {
  if [[ -d $cache_dir/bazel ]]; then
    find "$cache_dir/bazel" -type f -atime +30 -mtime +30 -delete
  fi
}

# The programs of the product, as Bazel labels and, in the same order, as files.
# shellcheck disable=SC2034  # Those that source this use them.
readonly program_targets=(
  //clients/cli:intercom-extract
  //server:intercom-extractor-server
  //tests/fake_intercom:fake-intercom
)
# shellcheck disable=SC2034
readonly program_files=(
  bazel-bin/clients/cli/intercom-extract
  bazel-bin/server/intercom-extractor-server
  bazel-bin/tests/fake_intercom/fake-intercom
)

# Files of the repository, also those not committed yet, that match the patterns.
repo_files() {
  git ls-files --cached --others --exclude-standard -z -- "$@" |
    while IFS= read -r -d '' file; do
      if [[ -f $file && ! -L $file ]]; then printf '%s\0' "$file"; fi
    done
}
