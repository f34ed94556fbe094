#!/bin/sh
# Every function of alterrec.h is used by each language's interface, or stands in left_out.txt.
set -eu
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-names.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
faults=0

sh tests/abi/names.sh >"$scratch/declared"

# complain TEXT: shows what stands in $scratch/found, if anything does.
complain() {
    [ -s "$scratch/found" ] || return 0
    echo "$1:"
    sed 's/^/    /' "$scratch/found"
    faults=1
}

# check LANGUAGE FILE...
check() {
    language=$1
    shift
    cat "$@" | grep -o 'alterrec_[a-z0-9_]*' | LC_ALL=C sort -u >"$scratch/words"
    awk -v language="$language" '$1 == language { print $2 }' tests/ffi/left_out.txt |
        LC_ALL=C sort -u >"$scratch/left_out"
    LC_ALL=C comm -12 "$scratch/declared" "$scratch/words" >"$scratch/used"
    LC_ALL=C sort -u "$scratch/used" "$scratch/left_out" |
        LC_ALL=C comm -23 "$scratch/declared" - >"$scratch/found"
    complain "$language: neither used nor in tests/ffi/left_out.txt"
    LC_ALL=C comm -23 "$scratch/left_out" "$scratch/declared" >"$scratch/found"
    complain "$language: left out, but alterrec.h has no such function"
    echo "$language: $(wc -l <"$scratch/used") functions used," \
        "$(wc -l <"$scratch/left_out") left out"
}

check cpp include/alterrec/alterrec.hpp
check rust examples/rust/alterrec/src/*.rs
check go examples/go/alterrec/*.go examples/go/alterrec/callbacks.c
check python examples/python/alterrec/[!_]*.py examples/python/alterrec/_library.py \
    examples/python/alterrec/__init__.py
awk '!/^#/ && NF > 0 && NF < 3 { print FILENAME ":" FNR ": no reason" }' tests/ffi/left_out.txt \
    >"$scratch/found"
complain "left out without a reason"
exit $faults
