#!/bin/sh
# The manual page: groff has nothing to complain of (where there is groff), and every command and flag
# that the program knows is in what a reader sees.
#
#   test_man.sh PAGE PROGRAM
set -eu
page=$1
program=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-man.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
faults=0

if command -v groff >/dev/null; then
    # -P-cbu: neither escape sequences nor overstriking.
    groff -man -ww -Tascii -rLL=200n -P-cbu "$page" 2>"$scratch/complaints" >"$scratch/text"
    [ ! -s "$scratch/complaints" ] || { cat "$scratch/complaints" && faults=1; }
else
    sed 's/\\//g' "$page" >"$scratch/text"
fi

commands=$("$program" --help | sed -n 's/^  \([a-z][a-z_-]*\)  .*/\1/p')
[ -n "$commands" ] || { echo "the program says no commands" && exit 1; }
for command in $commands; do
    grep -q "alterrec $command " "$scratch/text" || { echo "no $command" && faults=1; }
    for flag in $("$program" "$command" --help | sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p'); do
        sed -n "/alterrec $command /,/^   [a-z]/p" "$scratch/text" | grep -qe "$flag" ||
            { echo "no $flag of $command" && faults=1; }
    done
done
[ $faults -eq 0 ] && echo "the manual page names all of $(echo $commands)"
exit $faults
