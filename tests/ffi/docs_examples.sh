#!/bin/sh
# docs/ffi.md shows the examples as they are: a block whose fence follows the line
# <!-- FILE --> is that file of examples/.
set -eu
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-examples.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
awk -v out="$scratch" '
/^```$/ && open { close(open); open = "" }
open { print > open }
/^<!-- [a-z]+\/.* -->$/ { file = $2; next }
/^```[a-z]+$/ && !file { print "docs/ffi.md:" FNR ": a block of no file"; exit 1 }
/^```[a-z]+$/ {
    shown[file] = 1
    open = file
    gsub(/\//, "%", open)
    open = out "/" open
    printf "" > open
    file = ""
}' docs/ffi.md
count=0
for shown in "$scratch"/*; do
    file=examples/$(basename "$shown" | tr % /)
    diff -u "$file" "$shown" || { echo "docs/ffi.md does not show $file as it is" && exit 1; }
    count=$((count + 1))
done
echo "docs/ffi.md: $count examples, as they are"
[ "$count" -ge "$1" ]
