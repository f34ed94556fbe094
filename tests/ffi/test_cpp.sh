#!/bin/sh
# alterrec.hpp against an installed library: every compiler that is there, both standards, and with
# AddressSanitizer; then a program that is compiled without exceptions.
#
#   test_cpp.sh BUILD_FOLDER [SANITIZERS]   SANITIZERS: those that the library was built with
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
sanitizers=${2:-}
. "$here/stage.sh"
command -v g++ >/dev/null || need clang++
cd "$scratch"

flags="$(pkg-config --cflags --libs alterrec) -pthread"
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror"
sources="$here/cpp/main.cpp $here/cpp/test_data.cpp $here/cpp/test_training.cpp
    $here/cpp/test_serving.cpp $here/cpp/test_live_sessions.cpp"

# build_and_run COMPILER FLAGS...
build_and_run() {
    echo "$*"
    "$@" $warnings $sources $flags -o tests
    ./tests
}

for compiler in g++ clang++; do
    command -v $compiler >/dev/null || continue
    if [ -n "$sanitizers" ]; then
        # A sanitized library needs the runtime of the compiler that built it.
        [ $compiler = g++ ] || ! objdump -p "$library/libalterrec.so" | grep -q 'NEEDED *libasan' ||
            continue
        build_and_run $compiler -std=c++17 -fsanitize="$sanitizers"
        continue
    fi
    case $compiler in
        g++) build_and_run $compiler -std=c++17 -g -fsanitize=address,undefined \
            -fno-sanitize-recover=all ;;
        *) build_and_run $compiler -std=c++17 ;;
    esac
    echo "$compiler -std=c++20, -fno-exceptions"
    for source in $sources; do
        $compiler -std=c++20 -fsyntax-only $warnings $source $(pkg-config --cflags alterrec)
    done
    $compiler -std=c++17 -fno-exceptions $warnings "$here/cpp/no_exceptions.cpp" $flags -o plain
    ./plain
done

# The example is what docs/ffi.md shows.
if [ -z "$sanitizers" ] && command -v g++ >/dev/null; then
    g++ -std=c++17 $warnings "$here/../../examples/cpp/train_and_serve.cpp" $flags -o example
    ./example | as_shown
fi
