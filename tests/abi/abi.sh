#!/bin/sh
# The binary interface of this state beside the one that hosts were promised: alterrec.abi, read and
# written by libabigail, and layout.inc, which layout.c compiles.
#
# A library with an empty body for each function of the header has the same interface as the real one
# (the compiler holds the real functions to the header, `exports` the names), and nothing else in it.
#
#   abi.sh check CC SONAME     fails on what a host built before would trip over; additions are fine
#   abi.sh update CC SONAME    makes this state the promise: docs/abi-policy.md says when
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cc=$2
soname=$3
baseline=$here/alterrec.abi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-abi.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# build NAME [SED_SCRIPT]: NAME.so of the header as it is, or as the script makes it.
build() {
    mkdir -p "$scratch/$1/alterrec"
    sed "${2:-}" "$here/../../include/alterrec/alterrec.h" >"$scratch/$1/alterrec/alterrec.h"
    HEADER=$scratch/$1/alterrec/alterrec.h sh "$here/names.sh" --stubs >"$scratch/$1/stubs.c"
    "$cc" -std=c11 -g -O0 -fPIC -shared -fvisibility=hidden -I"$scratch/$1" -Wl,-soname,"$soname" \
        -Wl,--version-script="$here/../../lib/alterrec.map" "$scratch/$1/stubs.c" -o "$scratch/$1.so"
}

# compare NAME: how NAME.so differs from the promise. Structs are layout.c's part, which also knows
# when one has only grown.
compare() {
    printf '[suppress_type]\n    type_kind = struct\n    name_regexp = ^alterrec_\n' >"$scratch/structs"
    abidiff --no-added-syms --suppressions "$scratch/structs" "$baseline" "$scratch/$1.so" \
        >"$scratch/report"
}

build now
case $1 in
    update)
        sh "$here/names.sh" --layout >"$here/layout.inc"
        abidw --no-show-locs --no-corpus-path --no-comp-dir-path --no-elf-needed \
            --no-parameter-names --type-id-style hash "$scratch/now.so" |
            sed "s|path='[^']*'|path='alterrec.h'|" >"$baseline"
        echo "written: tests/abi/alterrec.abi, tests/abi/layout.inc"
        ;;
    check)
        compare now || {
            cat "$scratch/report"
            echo "A host that was built before would trip over the above. If it is meant to"
            echo "(docs/abi-policy.md): cmake --build FOLDER --target abi_update"
            exit 1
        }
        # The comparison itself: it must let an addition pass and see what it is there for.
        build added 's/^ALTERREC_API uint32_t alterrec_version(void);/&\
ALTERREC_API int32_t alterrec_more(int32_t value);/'
        build removed '/^ALTERREC_API uint32_t alterrec_version(void);/d'
        build changed 's/\(alterrec_option_describe(.*\)int64_t index/\1int32_t index/'
        compare added || { echo "an added function counts as a break" && exit 1; }
        for change in removed changed; do
            ! compare $change || { echo "a function that was $change goes unseen" && exit 1; }
        done
        echo "the interface is the one that was promised, or more"
        ;;
esac
