# For the tests of other languages, which source it: pkg-config finds the library that the test
# ffi_stage has installed, and no other.
#
#   build=BUILD_FOLDER; . stage.sh     sets prefix, library, and scratch, which goes away at the end
prefix=$build/ffi/prefix
library=$(find "$prefix" -name libalterrec.so -printf '%h')
PKG_CONFIG_PATH=$library/pkgconfig
LD_LIBRARY_PATH=$library
export PKG_CONFIG_PATH LD_LIBRARY_PATH

scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-ffi.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# need TOOL...: skips the test if one of them is not there.
need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || {
            echo "skipped: no $tool here"
            exit 77
        }
    done
}

# at_least TOOL VERSION HAS: skips the test if the tool's version, HAS, is an older one.
at_least() {
    [ "$(printf '%s\n' "$2" "$3" | sort -V | head -n 1)" = "$2" ] || {
        echo "skipped: $1 is of version $3, $2 is needed"
        exit 77
    }
}
