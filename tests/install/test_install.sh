#!/bin/sh
# Installs the build into a folder of its own and builds hosts against that folder alone.
#
#   test_install.sh BUILD_FOLDER CC CXX       (CXX may be empty: no C++ host then)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
cc=$2
cxx=$3
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "test_install.sh: $*" >&2
    exit 1
}

# The staged tree is moved before it is used: nothing in it may remember where it was written.
DESTDIR=$scratch/stage cmake --install "$build" --prefix /opt/alterrec >"$scratch/install.log"
tree=$scratch/moved
mv "$scratch/stage/opt/alterrec" "$tree"
library=$(find "$tree" -name libalterrec.so -printf '%h')
[ -n "$library" ] || fail "libalterrec.so is not installed"
for file in "$library/libalterrec.so.0" "$library/libalterrec.a" "$library/pkgconfig/alterrec.pc" \
    "$library/cmake/alterrec/alterrecConfig.cmake" "$tree/include/alterrec/alterrec.h"; do
    [ -e "$file" ] || fail "not installed: ${file#"$tree/"}"
done
objdump -p "$library/libalterrec.so" | grep -q 'SONAME *libalterrec\.so\.0$' ||
    fail "the SONAME is not libalterrec.so.0"
! grep -rIl "$build" "$tree" | grep . || fail "the files above name the build folder"

# pkg-config, shared.
export PKG_CONFIG_PATH="$library/pkgconfig"
case " $(pkg-config --libs alterrec) " in
    *-ldnnl* | *-lyaml* | *-lgomp*) fail "what is private to the library leaks into --libs" ;;
esac
flags="$(pkg-config --cflags --libs alterrec)"
"$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror "$here/consumer.c" $flags -o "$scratch/shared"
LD_LIBRARY_PATH=$library "$scratch/shared"
if [ -n "$cxx" ]; then
    "$cxx" -std=c++11 -Wall -Wextra -Wpedantic -Werror "$here/consumer.cpp" $flags -o "$scratch/cxx"
    LD_LIBRARY_PATH=$library "$scratch/cxx"
fi

# pkg-config, static: a copy of the tree without the shared library.
cp -a "$tree" "$scratch/static_tree"
find "$scratch/static_tree" -name 'libalterrec.so*' -delete
export PKG_CONFIG_PATH="$scratch/static_tree/${library#"$tree/"}/pkgconfig"
"$cc" -std=c99 "$here/consumer.c" $(pkg-config --cflags --libs --static alterrec) -o "$scratch/static"
"$scratch/static"
unset PKG_CONFIG_PATH

# CMake, both.
cmake -S "$here/cmake_project" -B "$scratch/project" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_PREFIX_PATH="$tree" >"$scratch/project.log"
cmake --build "$scratch/project" >>"$scratch/project.log" || { cat "$scratch/project.log"; exit 1; }
"$scratch/project/shared_consumer"
"$scratch/project/static_consumer"

# The program finds the library beside it.
if [ -x "$tree/bin/alterrec" ]; then
    "$tree/bin/alterrec" --version
fi
