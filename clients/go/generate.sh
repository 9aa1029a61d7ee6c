#!/usr/bin/env bash
# Makes extractorpb/*.pb.go anew from proto/; --check only says whether it is up to date. Needs
# protoc, of Debian's protobuf-compiler.
set -euo pipefail

cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.."
# shellcheck source=clients/go/toolchain.sh
source clients/go/toolchain.sh
use_go

module=$(awk '$1 == "module" { print $2 }' "$client/go.mod")
options=module=$module
for file in annotations extractor_service tables; do
  options+=,Mintercom/extractor/v1/$file.proto=$module/extractorpb
done
readonly plugins=$build/plugins
mkdir -p "$plugins"
(cd "$client/tools" && go build -o "$plugins/" \
  google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc)

generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT
PATH=$plugins:$PATH protoc --proto_path proto --go_out "$generated" --go_opt "$options" \
  --go-grpc_out "$generated" --go-grpc_opt "$options" proto/intercom/extractor/v1/*.proto
if [[ ${1:-} == --check ]]; then
  # protoc's own version changes nothing but the line that names it.
  diff -r -I '^//.*protoc  *v' --exclude doc.go "$generated/extractorpb" "$client/extractorpb"
  exit
fi
rm -f "$client"/extractorpb/*.pb.go
mv "$generated"/extractorpb/*.pb.go "$client/extractorpb/"
