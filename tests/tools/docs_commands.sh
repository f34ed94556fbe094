#!/bin/sh
# The commands that a document shows print what it shows. Of its indented blocks, those that begin
# with "$ " are commands with their output, run one after the other in one folder; what one exports
# the next ones have. Before them stands what the reader does not see, <!-- $ COMMAND -->, and the
# fenced blocks behind a line <!-- file: NAME --> are the files of these names. Lines of other
# blocks that begin with a status are those that TEXTS prints, all of them and no more.
#
#   docs_commands.sh DOCUMENT PROGRAM LIBRARY_FOLDER CC [TEXTS]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
document=$root/docs/$1
program=$2
library=$3
cc=$4
texts=${5:-}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-commands.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin" "$scratch/shown" "$scratch/work"
cd "$scratch/work"

# What the page's reader has: the program, a compiler that finds the header, the source, and a
# pkg-config that finds the library for a host, but not where only the flags for linking are asked
# for, which is what the page of errors shows.
ln -s "$program" "$scratch/bin/alterrec"
ln -s "$(command -v "$cc")" "$scratch/bin/cc"
ln -s "$root" libalterrec
cat >"$scratch/bin/pkg-config" <<END
#!/bin/sh
case "\$*" in
    "--cflags --libs alterrec") echo "-I$root/include -L$library -lalterrec" ;;
    "--variable=libdir alterrec") echo "$library" ;;
    "--libs alterrec") PKG_CONFIG_LIBDIR=/nowhere exec $(command -v pkg-config) --libs alterrec ;;
    *) exec $(command -v pkg-config) "\$@" ;;
esac
END
chmod +x "$scratch/bin/pkg-config"
PATH=$scratch/bin:$PATH
CPATH=$root/include
LC_ALL=C
PYTHONDONTWRITEBYTECODE=1
export PATH CPATH LC_ALL PYTHONDONTWRITEBYTECODE
unset LD_LIBRARY_PATH PKG_CONFIG_PATH

# Writes command N as shown/N.sh and its output as shown/N.out; the lines with a status as shown/texts.
touch "$scratch/shown/texts"
awk -v out="$scratch/shown/" '
function command(text) {
    n = sprintf("%s%03d", out, ++count)
    print text > (n ".sh")
    printf "" > (n ".out")
}
/^<!-- file: .* -->$/ { file = $3; next }
/^```/ && open { open = ""; next }
/^```/ && file { open = file; file = ""; printf "" > open; next }
open { print > open; next }
/^<!-- \$ .* -->$/ { command(substr($0, 8, length($0) - 11)); n = ""; next }
/^    \$ / { command(substr($0, 7)); next }
/^    / && n { print substr($0, 5) > (n ".out"); next }
/^    [A-Z_]+: / { print substr($0, 5) > (out "texts"); next }
{ n = "" }' "$document"

# Where the machine has no NumPy, or has the library where the loader finds it, a command shows nothing.
passed_over() {
    case $(cat "$1") in
        ./host) ldconfig -p 2>/dev/null | grep -q libalterrec ;;
        python3* | *few.npy* | *wide.npy* | *nan.npy*) ! python3 -c 'import numpy' 2>/dev/null ;;
        *) false ;;
    esac
}

faults=0
for shown in "$scratch"/shown/*.sh; do
    if passed_over "$shown"; then
        echo "passed over: $(cat "$shown")"
        continue
    fi
    case $(cat "$shown") in
        "export "*) . "$shown" && continue ;;
    esac
    sh "$shown" >"$scratch/output" 2>&1 </dev/null || true
    if ! diff -u "${shown%.sh}.out" "$scratch/output"; then
        echo "docs/$1 shows other output of: $(cat "$shown")"
        faults=1
    fi
done
if [ -n "$texts" ]; then
    "$texts" | sort >"$scratch/output"
    sort "$scratch/shown/texts" | diff -u - "$scratch/output" ||
        { echo "docs/$1 shows other texts than $(basename "$texts") gets" && faults=1; }
fi
[ $faults -eq 0 ] && echo "docs/$1: $(ls "$scratch"/shown/*.sh | wc -l) commands, \
$(wc -l <"$scratch/shown/texts") texts"
exit $faults
