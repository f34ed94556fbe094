#!/bin/sh
# declared = exported = documented: what alterrec.h declares, what the shared library exports, and
# nothing else; each function with a comment that says since when it is there.
#
#   test_exports.sh LIBRARY NM
set -eu
names=$(dirname "$0")/names.sh
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-exports.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
faults=0

sh "$names" >"$scratch/declared"
"$2" -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
    LC_ALL=C sort >"$scratch/exported"

complain() {
    [ -s "$scratch/found" ] || return 0
    echo "$1:"
    sed 's/^/    /' "$scratch/found"
    faults=1
}
[ -s "$scratch/declared" ] || { echo "no declaration found in alterrec.h" && exit 1; }
LC_ALL=C comm -23 "$scratch/declared" "$scratch/exported" >"$scratch/found"
complain "declared in alterrec.h, not exported"
LC_ALL=C comm -13 "$scratch/declared" "$scratch/exported" >"$scratch/found"
complain "exported, not declared in alterrec.h"
sh "$names" --undocumented >"$scratch/found"
complain "declared without a comment that says \"Since\""
[ $faults -eq 0 ] && echo "exports: $(wc -l <"$scratch/exported") functions"
exit $faults
