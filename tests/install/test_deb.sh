#!/bin/sh
# Makes the Debian packages and uses them as a host would, from the unpacked files.
#
#   test_deb.sh BUILD_FOLDER [ROOT]
#
# BUILD_FOLDER becomes a build of its own, configured for /usr. With ROOT, a clean Debian in a folder
# (clean_root.sh), they are also installed there with dpkg, a host is built there, and they are
# removed; this needs root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
root=${2:-}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-deb.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "test_deb.sh: $*" >&2
    exit 1
}
for tool in cpack dpkg-deb dpkg-shlibdeps; do
    command -v $tool >/dev/null || fail "$tool is not there"
done

cmake -S "$here/../.." -B "$build" -G Ninja -DALTERREC_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr \
    -DCMAKE_BUILD_TYPE=Release >"$scratch/log"
cmake --build "$build" >>"$scratch/log" || { tail -n 50 "$scratch/log"; exit 1; }
rm -f "$build"/*.deb
(cd "$build" && cpack) >>"$scratch/log" 2>&1 || { tail -n 50 "$scratch/log"; exit 1; }

files=$scratch/files
for package in libalterrec0 libalterrec-dev alterrec-tools; do
    set -- "$build/$package"_*.deb
    [ $# -eq 1 ] && [ -e "$1" ] || fail "no package $package, or several"
    dpkg-deb -f "$1" Package Version Depends
    mkdir -p "$files/$package"
    dpkg-deb -x "$1" "$files/$package"
    [ -s "$files/$package/usr/share/doc/$package/copyright" ] || fail "$package: no copyright"
    gzip -t "$files/$package/usr/share/doc/$package/changelog.Debian.gz"
    dpkg-deb -x "$1" "$scratch/system"
done

depends() { dpkg-deb -f "$build/$1"_*.deb Depends; }
depends libalterrec0 | grep -q libdnnl || fail "libalterrec0 does not depend on oneDNN"
depends libalterrec0 | grep -q libyaml || fail "libalterrec0 does not depend on libyaml"
depends libalterrec-dev | grep -q 'libalterrec0 (= ' || fail "libalterrec-dev is not tied to libalterrec0"
depends alterrec-tools | grep -q 'libalterrec0 (= ' || fail "alterrec-tools is not tied to libalterrec0"

libraries=usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
[ -e "$files/libalterrec0/$libraries/libalterrec.so.0" ] || fail "no library in $libraries"
for file in "$libraries/libalterrec.so" "$libraries/libalterrec.a" usr/include/alterrec/alterrec.h \
    "$libraries/pkgconfig/alterrec.pc" "$libraries/cmake/alterrec/alterrecConfig.cmake"; do
    [ -e "$files/libalterrec-dev/$file" ] || [ -L "$files/libalterrec-dev/$file" ] ||
        fail "libalterrec-dev: no $file"
done
[ -x "$files/alterrec-tools/usr/bin/alterrec" ] || fail "alterrec-tools: no program"
gzip -t "$files/alterrec-tools/usr/share/man/man1/alterrec.1.gz"
[ ! -e "$files/alterrec-tools/usr/share/man/man1/alterrec.1" ] || fail "the manual page is there twice"
for binary in "$files/libalterrec0/$libraries/libalterrec.so.0" \
    "$files/alterrec-tools/usr/bin/alterrec"; do
    ! objdump -p "$binary" | grep -E 'RPATH|RUNPATH' || fail "$binary has a run path"
done

# What Debian's own checker says, but for: the address, which whoever builds gives; a bug to close,
# which Debian's own packages have; ldconfig, which CPack calls besides the trigger.
if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error,warning --suppress-tags \
bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs,\
maintscript-calls-ldconfig "$build"/*.deb || fail "lintian finds faults"
else
    echo "lintian is not there: left out"
fi

# A host against the unpacked files.
export LD_LIBRARY_PATH="$scratch/system/$libraries"
flags=$(PKG_CONFIG_PATH=$LD_LIBRARY_PATH/pkgconfig pkg-config --cflags --libs alterrec)
cc -std=c99 "$here/consumer.c" $flags -o "$scratch/host"
"$scratch/host"
"$scratch/system/usr/bin/alterrec" --version
unset LD_LIBRARY_PATH

[ -n "$root" ] || exit 0
mkdir -p "$root/alterrec-test"
trap 'rm -rf "$scratch" "$root/alterrec-test"' EXIT
cp -R "$here/cmake_project" "$here/consumer.c" "$here/consumer.cpp" "$build"/*.deb "$root/alterrec-test"
chroot "$root" sh -eu -c '
    cd /alterrec-test
    dpkg -i *.deb
    cc -std=c99 consumer.c $(pkg-config --cflags --libs alterrec) -o shared && ./shared
    cc -std=c99 consumer.c -Wl,-Bstatic -lalterrec -Wl,-Bdynamic -ldnnl -lyaml -lgomp -lm -o static
    ./static
    cmake -S cmake_project -B project -DCXX=c++ >project.log && cmake --build project >>project.log
    project/shared_consumer && project/static_consumer && project/cxx_consumer
    alterrec generate --out shop --items 60 --sessions 200
    alterrec train shop/shop.yaml --set model.dim=8 --set train.epochs=1 --set text.dim=16 \
        --model m.safetensors --quiet
    alterrec recommend --model m.safetensors P000001
    dpkg --purge alterrec-tools libalterrec-dev libalterrec0
    ! ls /usr/lib/*/libalterrec* /usr/bin/alterrec 2>/dev/null'
echo "installed, used and removed in $root"
