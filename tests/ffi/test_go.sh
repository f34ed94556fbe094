#!/bin/sh
# The Go package against an installed library: vet, format, tests (also with the race detector where
# there is one), and the example.
#
#   test_go.sh BUILD_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
. "$here/stage.sh"
need go
cd "$here/../../examples/go"
export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=readonly CGO_ENABLED=1
at_least go 1.21 "$(cd / && go env GOVERSION | sed 's/^go//')"
# Go's cache knows the package's own files, not the header that they include.
CGO_CFLAGS="-O2 -g -DALTERREC_HEADER=$(cksum <"$prefix/include/alterrec/alterrec.h" | tr " " _)"
export CGO_CFLAGS

[ -z "$(gofmt -l .)" ] || { gofmt -d . && exit 1; }
go vet ./...
go test -count=1 ./alterrec
if go build -race -o /dev/null ./train_and_serve 2>/dev/null; then
    go test -race -count=1 ./alterrec
fi
go run ./train_and_serve | as_shown
