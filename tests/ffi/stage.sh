# For the tests of other languages, which source it: installs the build into a folder of its own and
# lets pkg-config find that one alone.
#
#   build=BUILD_FOLDER; . stage.sh     sets scratch, library; 77 is the answer that skips a test
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-ffi.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

skip() {
    echo "skipped: $*"
    exit 77
}

cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/install.log"
library=$(find "$scratch/prefix" -name libalterrec.so -printf '%h')
PKG_CONFIG_PATH=$library/pkgconfig
LD_LIBRARY_PATH=$library
export PKG_CONFIG_PATH LD_LIBRARY_PATH
