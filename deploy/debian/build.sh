#!/usr/bin/env bash
# Makes the Debian packages of programs that are built: build.sh VERSION OUTPUT PROGRAM...
# The same commit gives the same bytes.
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."

version=$1
output=$(readlink -f -- "$2")
extract=$3
server=$4
fake=$5

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# dpkg-gencontrol and dpkg-shlibdeps work on a source tree; this is all they need of one.
mkdir "$work/debian"
cp deploy/debian/control "$work/debian/"
date=$(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
printf 'intercom-extractor (%s) unstable; urgency=medium\n\n  * See changelog.md.gz.\n\n -- %s  %s\n' \
  "$version" "$(sed -n 's/^Maintainer: //p' deploy/debian/control)" "$date" >"$work/debian/changelog"

# manual PROGRAM NAME SECTION-1-DESCRIPTION: a man page from what --help and --version say.
manual() {
  help2man --no-info --section 1 --source "intercom-extractor $version" \
    --version-string "$version" --name "$3" ${5:+--help-option="$5 --help"} "$1" |
    gzip -9n >"$4/$2.1.gz"
}

# manuals_of_commands PROGRAM NAME FOLDER: a page for each subcommand, as git has them.
manuals_of_commands() {
  local command
  for command in $("$1" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]\+\) .*/\1/p'); do
    manual "$1" "$2-$command" "$2 $command" "$3" "$command"
  done
}

# install_program PROGRAM NAME ROOT
install_program() {
  install -D --mode 755 "$1" "$3/usr/bin/$2"
  strip --strip-unneeded "$3/usr/bin/$2"
}

# finish PACKAGE ROOT: documents that each package has, then the package.
finish() {
  local package=$1 root=$2 documents=$2/usr/share/doc/$1
  mkdir -p "$documents"
  {
    echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
    echo
    echo 'Files: *'
    echo 'Copyright: 2026 The Intercom Extractor authors'
    echo 'License: Apache-2.0'
    echo ' On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.'
  } >"$documents/copyright"
  gzip -9nc CHANGELOG.md >"$documents/changelog.md.gz"
  gzip -9nc "$work/debian/changelog" >"$documents/changelog.gz"
  mkdir -p "$root/DEBIAN"
  (cd "$work" && dpkg-shlibdeps -O "$root"/usr/bin/[if]*) >"$work/substvars" 2>"$work/shlibdeps.log" || {
    cat "$work/shlibdeps.log" >&2
    return 1
  }
  (cd "$work" && dpkg-gencontrol -p"$package" -P"$root" -T"$work/substvars" -O"$root/DEBIAN/control" \
    -f"$work/files" 2>/dev/null)
  (cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) \
    >"$root/DEBIAN/md5sums"
  find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --root-owner-group -Zxz --build "$root" "$output" >/dev/null
}

main=$work/main
install_program "$extract" intercom-extract "$main"
install_program "$server" intercom-extractor-server "$main"
manuals=$main/usr/share/man/man1
mkdir -p "$manuals"
manual "$extract" intercom-extract 'read an Intercom workspace into files, databases and queues' "$manuals"
manuals_of_commands "$extract" intercom-extract "$manuals"
manual "$server" intercom-extractor-server 'serve Intercom workspaces as typed tables over gRPC' "$manuals"
install -D --mode 644 deploy/systemd/intercom-extractor-server.service \
  "$main/lib/systemd/system/intercom-extractor-server.service"
install -D --mode 644 docs/server.example.yaml "$main/etc/intercom-extractor/server.yaml"
documents=$main/usr/share/doc/intercom-extractor
mkdir -p "$documents"
install --mode 644 README.md THIRD_PARTY_NOTICES.md docs/*.md "$documents/"
mkdir -p "$main/DEBIAN"
echo /etc/intercom-extractor/server.yaml >"$main/DEBIAN/conffiles"
finish intercom-extractor "$main"

demo=$work/demo
install_program "$fake" fake-intercom "$demo"
install --mode 755 deploy/debian/intercom-extractor-demo "$demo/usr/bin/intercom-extractor-demo"
manuals=$demo/usr/share/man/man1
mkdir -p "$manuals"
manual "$fake" fake-intercom 'a server that behaves as the API of Intercom does' "$manuals"
manual 'python3 tools/demo/demo.py' intercom-extractor-demo 'extract a made-up workspace and compare every row' "$manuals"
install -D --mode 644 tools/demo/demo.py "$demo/usr/share/intercom-extractor/demo.py"
finish intercom-extractor-demo "$demo"
