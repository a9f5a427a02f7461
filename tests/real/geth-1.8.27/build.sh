#!/bin/bash
# Builds geth 1.8.27 and its bootnode, once, and prints the path of the folder that holds both. They are linked
# statically, so that they run in any image. Needs Go 1.21 or newer, and gcc with the archives of the C library.
#
# The source is as it was released, less the command `geth monitor`, whose library for terminals is gone. Its own copies
# of the libraries (vendor/) are not in what Go's proxies hand out: go.mod names versions of the time or near it.
set -euo pipefail

recipe=$(cd "$(dirname "$0")" && pwd)
module=github.com/ethereum/go-ethereum
version=1.8.27
sum=h1:d+gkiLaBDk5fn3Pe/xNVaMrB/ozI+AUB2IlVBp29IrY=
target=${XDG_CACHE_HOME:-$HOME/.cache}/chainwatch/bin/geth-$version
made_of=$(cat "$recipe"/* | sha256sum)

if [ "$(cat "$target/made_of" 2>/dev/null)" = "$made_of" ]; then
    echo "$target"
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOWORK=off
said=$(go mod download -json "$module@v$version")
[[ $said == *"\"$sum\""* ]] || { echo "$module@v$version is not the one that is known: $said" >&2; exit 1; }

cp -r "$(go env GOMODCACHE)/$module@v$version" source
chmod -R u+w source
cd source
rm -r vendor cmd/geth/monitorcmd.go
sed -i '/^\s*monitorCommand,$/d' cmd/geth/main.go
cp "$recipe/go.mod" "$recipe/go.sum" .

flags="-linkmode=external -extldflags=-static"
# A dependency reaches into the runtime by name, which linkers from Go 1.23 on refuse unless told otherwise.
if [[ $(go tool link -help 2>&1) == *checklinkname* ]]; then flags+=" -checklinkname=0"; fi
mkdir ../made
CGO_ENABLED=1 go build -trimpath -tags netgo,osusergo -ldflags "$flags" -o ../made/ ./cmd/geth ./cmd/bootnode >&2
[[ $(../made/geth version) == *"Version: $version-stable"* ]]
echo "$made_of" >../made/made_of

mkdir -p "$(dirname "$target")"
rm -rf "$target"
mv ../made "$target"
echo "$target"
