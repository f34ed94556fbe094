#!/bin/sh
# Makes a clean Debian in a folder, with a compiler, CMake and what the packages depend on, for
# test_deb.sh. Does nothing, and needs no network, if the folder has it already.
#
#   clean_root.sh FOLDER
set -eu
folder=$1
[ ! -e "$folder/made" ] || exit 0

fail() {
    echo "clean_root.sh: $*" >&2
    exit 1
}
[ "$(id -u)" -eq 0 ] || fail "needs root"
command -v debootstrap >/dev/null || fail "needs debootstrap"
codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || fail "not on Debian"

rm -rf "$folder"
mkdir -p "$folder"
debootstrap --variant=minbase --include=g++,make,cmake,pkg-config,libdnnl-dev,libyaml-dev \
    "$codename" "$folder" >"$folder.log" 2>&1 || { tail -n 5 "$folder.log" >&2; fail "debootstrap"; }
touch "$folder/made"
