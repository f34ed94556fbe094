#!/bin/sh
# Installs the build into a folder of its own and builds hosts against that folder alone.
#
#   test_install.sh BUILD_FOLDER CC CXX ONEDNN_LIBRARY ONEDNN_MAJOR
#                                                (CXX may be empty: no C++ host then)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
cc=$2
cxx=$3
onednn=$(dirname "$4")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "test_install.sh: $*" >&2
    exit 1
}

# The staged tree is moved before it is used: nothing in it may remember where it was written.
DESTDIR=$scratch/stage cmake --install "$build" --prefix /opt/alterrec >"$scratch/install.log"
[ "$(ls "$scratch/stage")" = opt ] || fail "something is installed outside the prefix"
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
[ "$(readlink "$library/libalterrec.so")" = libalterrec.so.0 ] || fail "libalterrec.so is no link to it"
# A folder beside it may begin with its name, as that of a fetched oneDNN does.
! grep -rIl "$build\([^[:alnum:]_-]\|\$\)" "$tree" | grep . || fail "the files above name the build folder"

# pkg-config, shared. What is private to the library stays private, and the header stands alone.
export PKG_CONFIG_PATH="$library/pkgconfig"
case " $(pkg-config --libs alterrec) " in
    *-ldnnl* | *-lyaml* | *-lgomp*) fail "what is private to the library leaks into --libs" ;;
esac
flags="$(pkg-config --cflags --libs alterrec)"
"$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror "$here/consumer.c" $flags -o "$scratch/shared"
LD_LIBRARY_PATH=$library "$scratch/shared" | grep "oneDNN $5\." ||
    fail "the host does not run with oneDNN $5"
if [ -n "$cxx" ]; then
    "$cxx" -std=c++11 -Wall -Wextra -Wpedantic -Werror "$here/consumer.cpp" $flags -o "$scratch/cxx"
    LD_LIBRARY_PATH=$library "$scratch/cxx"
fi

# pkg-config, static: a copy of the tree without the shared library.
cp -a "$tree" "$scratch/static_tree"
find "$scratch/static_tree" -name 'libalterrec.so*' -delete
export PKG_CONFIG_PATH="$scratch/static_tree/${library#"$tree/"}/pkgconfig"
static_flags="$(pkg-config --cflags --libs --static alterrec)"
"$cc" -std=c99 "$here/consumer.c" $static_flags -o "$scratch/static"
LD_LIBRARY_PATH=$onednn "$scratch/static"
if [ -n "$cxx" ]; then
    "$cxx" -std=c++11 "$here/consumer.cpp" $static_flags -o "$scratch/static_cxx"
    LD_LIBRARY_PATH=$onednn "$scratch/static_cxx"
fi
for program in static ${cxx:+static_cxx}; do
    ! objdump -p "$scratch/$program" | grep -q 'NEEDED *libalterrec' ||
        fail "the static program needs the shared library"
done
unset PKG_CONFIG_PATH

# CMake, both.
cmake -S "$here/cmake_project" -B "$scratch/project" -DCMAKE_C_COMPILER="$cc" -DCXX="$cxx" \
    -DCMAKE_PREFIX_PATH="$tree" >"$scratch/project.log" || { cat "$scratch/project.log"; exit 1; }
cmake --build "$scratch/project" >>"$scratch/project.log" || { cat "$scratch/project.log"; exit 1; }
for consumer in shared static ${cxx:+cxx}; do
    "$scratch/project/${consumer}_consumer"
done

# The program finds the library beside it, and is of the version that alterrec.pc says.
if [ -x "$tree/bin/alterrec" ]; then
    "$tree/bin/alterrec" --version
    [ -s "$tree/share/man/man1/alterrec.1" ] || fail "not installed: the manual page"
    version=$("$tree/bin/alterrec" --version | cut -d' ' -f2 | tr -d ,)
    pkg-config --exact-version="$version" "$library/pkgconfig/alterrec.pc" ||
        fail "alterrec.pc is not of version $version"
fi

# As distributions configure: libraries in a folder of the architecture, everything below /usr.
cmake -S "$here/../.." -B "$scratch/distribution" -DCMAKE_C_COMPILER="$cc" -DALTERREC_TESTS=OFF \
    -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR=lib/some-triplet \
    -DALTERREC_ONEDNN_ROOT="$(sed -n 's/^ALTERREC_ONEDNN_ROOT:PATH=//p' "$build/CMakeCache.txt")" \
    >"$scratch/distribution.log"
pc=$scratch/distribution/alterrec.pc
for variable in libdir:lib/some-triplet includedir:include; do
    found=$(pkg-config --define-variable=pcfiledir=/usr/lib/some-triplet/pkgconfig \
        --variable="${variable%%:*}" "$pc")
    [ "$(realpath -m "$found")" = "/usr/${variable#*:}" ] || fail "${variable%%:*} is $found"
done
