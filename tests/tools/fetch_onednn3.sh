#!/bin/sh
# Puts a build of oneDNN 3 with its headers into a folder, for -DALTERREC_ONEDNN_ROOT=FOLDER: Debian 12
# packages only 2.6. It comes as two Python packages, of which nothing but the files is used. Does
# nothing, and needs no network, if the folder has it already.
#
#   fetch_onednn3.sh FOLDER
set -eu
version=2023.2.0 # of the packages; it holds oneDNN 3.2
folder=$1
[ ! -f "$folder/include/dnnl.h" ] || [ ! -e "$folder/lib/libdnnl.so" ] || exit 0

fail() {
    echo "fetch_onednn3.sh: $*" >&2
    exit 1
}
[ "$(uname -m)" = x86_64 ] || fail "there is no such package for $(uname -m)"
command -v python3 >/dev/null || fail "needs python3 with pip"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-onednn.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --dest "$scratch" "onednn-cpu-gomp==$version" "onednn-devel-cpu-gomp==$version" >&2 ||
    fail "could not fetch the packages"
for wheel in "$scratch"/*.whl; do
    python3 -m zipfile -e "$wheel" "$scratch/files"
done
mkdir -p "$folder"
for data in "$scratch"/files/*.data/data; do
    cp -R "$data/." "$folder"
done
# An archive has no symbolic links, so that the library is in it once for each of its names.
library=$(cd "$folder/lib" && ls libdnnl.so.?.*)
ln -sf "$library" "$folder/lib/$(echo "$library" | cut -d. -f1-3)"
ln -sf "$library" "$folder/lib/libdnnl.so"
[ -f "$folder/include/dnnl.h" ] || fail "the packages do not hold what they should"
