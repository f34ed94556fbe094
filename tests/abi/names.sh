#!/bin/sh
# The public functions, one a line, sorted: what alterrec.h declares.
#
#   names.sh               the names
#   names.sh --link-test   a C file that takes the address of each
#   names.sh --undocumented  those without a comment, or whose comment has no "Since"
set -eu
header=$(dirname "$0")/../../include/alterrec/alterrec.h

names() {
    awk '
    /^\/\*/ { comment = "" }
    /^\/\*/, /\*\// { comment = comment $0; gap = 0; next }
    /^$/ { comment = "" }
    /^ALTERREC_API/ { declaration = ""; open = 1 }
    open {
        declaration = declaration " " $0
        if (match(declaration, /alterrec_[a-z0-9_]+\(/)) {
            print substr(declaration, RSTART, RLENGTH - 1), comment ~ /Since [0-9]/ ? "yes" : "no"
            open = 0
        }
    }' "$header" | LC_ALL=C sort
}

case ${1:-} in
    '') names | cut -d' ' -f1 ;;
    --undocumented) names | awk '$2 == "no" { print $1 }' ;;
    --link-test)
        cat <<'END'
/* Takes the address of every public function: the linker must find each. */
#include <alterrec/alterrec.h>
#include <stdio.h>

typedef void (*any_function)(void);

static const any_function functions[] = {
END
        names | awk '{ print "    (any_function)" $1 "," }'
        cat <<'END'
};

int main(void) {
    size_t count = sizeof functions / sizeof functions[0], found = 0;
    for (size_t i = 0; i < count; i++)
        found += functions[i] != NULL;
    printf("%zu public functions, %zu found\n", count, found);
    return found != count;
}
END
        ;;
esac
