#!/usr/bin/env bash
# Builds the Debian packages and the container image and prints where they are.
set -euo pipefail
source tools/run/lib.sh

(($# == 0)) || die "package takes nothing"
need build package
version=$(<release/version.txt)
revision=$(git rev-parse --short=12 HEAD)
git diff --quiet HEAD -- || revision+=-changed
output=$build_dir/package
rm -rf "$output"
mkdir -p "$output"
bazel_cached build --define=REVISION="$revision" "${program_targets[@]}"
deploy/debian/build.sh "$version" "$output" "${program_files[@]}"
packages=("$output"/*.deb)
if ((EUID == 0)); then
  image=$output/intercom-extractor_${version}_$(dpkg --print-architecture).oci.tar
  deploy/container/image.sh "$image" "$output"/intercom-extractor_*.deb
  packages+=("$image")
else
  echo "run: the container image needs root; see deploy/container/Containerfile" >&2
fi
printf '%s\n' "${packages[@]}"
