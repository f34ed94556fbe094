#!/bin/sh
# lib/core/machine.h: on another machine, or with flags that break the library, the compiler stops
# with a text that says why, and so it does in every file that knows of files or bitmaps.
#
#   test_machine.sh CC
set -eu
cc=$1
cd "$(dirname "$0")/../.."
faults=0

compile() {
    file=$1
    shift
    "$cc" -std=c11 -fsyntax-only -Ilib -Iinclude "$@" "$file" 2>&1
}

# fails TEXT FLAG...: machine.h, which needs no other header, is refused with this text.
fails() {
    text=$1
    shift
    if output=$(compile lib/core/machine.h -xc "$@"); then
        echo "compiles with $*" && faults=1
    elif ! echo "$output" | grep -q "#\{0,1\}error.*$text"; then
        echo "$*: another error: $output" && faults=1
    fi
}

big_endian='-U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__'
compile lib/core/machine.h -xc
# shellcheck disable=SC2086
fails 'a little-endian machine' $big_endian
fails 'a little-endian machine' -U__BYTE_ORDER__
fails 'a 64-bit machine' -U__SIZEOF_POINTER__ -D__SIZEOF_POINTER__=4
fails 'NaN and infinities' -ffast-math
if [ "$(uname -m)" = x86_64 ]; then
    fails 'a 64-bit machine' -m32
    fails 'a 64-bit machine' -mx32
fi

files=$(grep -lE 'ar_(map|shared_map|writer|npy|tensor_file|tensor_writer|filter)_[a-z]+\(' lib/*/*.c)
[ "$(echo "$files" | wc -l)" -ge 10 ] || { echo "hardly a file: $files" && faults=1; }
for file in $files; do
    # shellcheck disable=SC2086
    case $(compile "$file" $big_endian || :) in
        *'a little-endian machine'*) ;;
        *) echo "$file compiles for a big-endian machine" && faults=1 ;;
    esac
done
exit $faults
