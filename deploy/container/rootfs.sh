#!/usr/bin/env bash
# Makes a clean Debian 12 with Debian packages of ours in it: rootfs.sh OUTPUT.tar PACKAGE.deb...
# Packages come from where this machine's apt gets them. Needs root.
set -euo pipefail

output=$(readlink -f -- "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs"
cp -- "$@" "$work/debs/"

# How this machine reaches its mirror, proxies and certificates included.
apt-config dump | grep '^Acquire::' >"$work/apt.conf" || true
sources=(/etc/apt/sources.list /etc/apt/sources.list.d/debian.sources)
found=()
for source in "${sources[@]}"; do
  if [[ -s $source ]]; then found+=("$source"); fi
done

log=$work/log
# Its hooks expand $1, the root.
# shellcheck disable=SC2016
if ! mmdebstrap --quiet --mode=root --variant=apt --aptopt="$work/apt.conf" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --customize-hook="copy-in $work/debs /tmp" \
  --customize-hook='chroot "$1" sh -c "apt-get -qq install --yes --no-install-recommends /tmp/debs/*.deb"' \
  --customize-hook='rm -rf "$1"/tmp/debs "$1"/var/cache/apt/* "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
  bookworm "$output" "${found[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
