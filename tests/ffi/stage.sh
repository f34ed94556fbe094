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

# as_shown: shows its input, which is an example's output, and fails if docs/ffi.md shows another one.
as_shown() {
    tee "$scratch/output"
    awk '
    # Words as they are, numbers but for their last digits: those differ between processors.
    function alike(a, b, i, parts, other, count) {
        count = split(a, parts)
        if (count != split(b, other))
            return 0
        for (i = 1; i <= count; i++) {
            sub(/,$/, "", parts[i])
            sub(/,$/, "", other[i])
            if (parts[i] ~ /^[0-9]+\.[0-9]+$/ && other[i] ~ /^[0-9]+\.[0-9]+$/) {
                if (parts[i] - other[i] > 0.1 || other[i] - parts[i] > 0.1)
                    return 0
            } else if (parts[i] != other[i])
                return 0
        }
        return 1
    }
    FNR == 1 { file++ }
    file == 1 && /^<!-- output of train_and_serve -->$/ { shown = 1; next }
    file == 1 && shown && /^    / { expected[++lines] = substr($0, 5); next }
    file == 1 && lines { shown = 0 }
    file == 2 && !alike($0, expected[FNR]) { print "docs/ffi.md shows: " expected[FNR]; bad = 1 }
    file == 2 { given = FNR }
    END { exit bad || !lines || given != lines }' "$here/../../docs/ffi.md" "$scratch/output"
}
