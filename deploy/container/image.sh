#!/usr/bin/env bash
# Makes the image of Containerfile without a registry: image.sh OUTPUT.tar PACKAGE.deb, an OCI
# archive that podman and docker load. Needs root.
set -euo pipefail

folder=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
output=$(readlink -f -- "$1")
work=$(mktemp -d)
container=
# vfs: needs no file system of the kernel's.
buildah() { command buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
trap 'rm -rf "$work"' EXIT

"$folder/rootfs.sh" "$work/rootfs.tar" "$2"
container=$(buildah from scratch)
buildah add --quiet "$container" "$work/rootfs.tar" / >/dev/null
# What the Containerfile says after its packages.
buildah config --user 65532:65532 --port 50051 \
  --entrypoint '["/usr/bin/intercom-extractor-server"]' \
  --cmd '--config /etc/intercom-extractor/server.yaml --log-format json' "$container"
rm -f "$output"
buildah commit --quiet --rm "$container" "oci-archive:$output:intercom-extractor" >/dev/null
