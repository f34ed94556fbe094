#!/bin/sh
# Installs the Debian packages that building and testing need, those that are missing; more may be
# named as arguments. Says nothing and needs no network when nothing is missing.
set -eu

if ! command -v dpkg-query >/dev/null; then
    echo "install_packages.sh: no Debian packages here; what is missing, the build will say" >&2
    exit 0
fi

missing=
for package in build-essential cmake ninja-build pkg-config libdnnl-dev libyaml-dev check "$@"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
echo "== packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing; } </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    echo "install_packages.sh: could not install:$missing" >&2
    exit 1
fi
