#!/bin/sh
# The reference by Doxygen: without a warning, and with every function of alterrec.h in it. Skipped
# where there is no Doxygen, or no Python for its filter.
#
#   test_doxygen.sh DOXYFILE OUTPUT_FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for tool in doxygen python3; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool here" && exit 77; }
done
mkdir -p "$2"
rm -rf "$2/html"
doxygen "$1" 2>&1 # the Doxyfile makes a warning a failure

functions=$(sh "$here/../abi/names.sh")
cat "$2"/html/group__part*.html >"$2/functions"
faults=0
for function in $functions; do
    grep -q "</span>$function()</h2>" "$2/functions" ||
        { echo "the reference has no $function" && faults=1; }
done
[ $faults -eq 0 ] && echo "the reference has all of $(echo "$functions" | wc -l) functions"
exit $faults
