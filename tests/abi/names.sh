#!/bin/sh
# The public functions, one a line, sorted: what alterrec.h declares (or the header that HEADER names).
#
#   names.sh               the names
#   names.sh --link-test   a C file that takes the address of each
#   names.sh --stubs       a C file that defines each, doing nothing
#   names.sh --layout      structs with their fields, and constants: as layout.c reads them
#   names.sh --undocumented  those without a comment, or whose comment has no "Since"
set -eu
header=${HEADER:-$(dirname "$0")/../../include/alterrec/alterrec.h}

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
    --stubs)
        echo '#include <alterrec/alterrec.h>'
        awk '
        /^ALTERREC_API/ { open = 1; body = /^ALTERREC_API void [^*]/ ? " {}" : " { return 0; }" }
        open && sub(/;$/, body) { print; open = 0 }
        open { print }' "$header"
        ;;
    --layout)
        echo '/* Written by names.sh --layout; cmake --build FOLDER --target abi_update writes it again. */'
        awk 'BEGIN { RS = "\001" } { gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, ""); print }' "$header" | awk '
        function fail(text) { print "names.sh: " text ": " $0 >"/dev/stderr"; exit 1 }
        $1 == "#define" && $2 ~ /^ALTERREC_/ && $2 !~ /^ALTERREC_VERSION/ {
            value = $3
            gsub(/[()]/, "", value)
            if (value ~ /^-?[0-9]+$/)
                printf "CONSTANT(%s, %s)\n", $2, value
        }
        /^typedef struct alterrec_[a-z_]+ \{/ { name = $3; offset = fields = 0; next }
        !name { next }
        /^\}/ {
            printf "STRUCT(%s, %d)\n%s", name, offset, lines
            name = lines = ""
            next
        }
        /;/ {
            field = $0
            sub(/;.*/, "", field)
            sub(/^ */, "", field)
            length_of_array = 1
            if (match(field, /\[[0-9]+\]$/)) {
                length_of_array = substr(field, RSTART + 1, RLENGTH - 2)
                field = substr(field, 1, RSTART - 1)
            }
            if (!match(field, /[a-z_0-9]+$/))
                fail("not a field that can be read")
            type = substr(field, 1, RSTART - 1)
            field = substr(field, RSTART)
            sub(/ *$/, "", type)
            if (type ~ /\*$/ || type ~ /^(u?int64_t|double)$/ || type ~ /^alterrec_[a-z_]+_fn$/)
                size = 8
            else if (type ~ /^(u?int32_t|float)$/)
                size = 4
            else
                fail("a type whose size is not known")
            decayed = length_of_array > 1 ? type " *" : type
            lines = lines sprintf("FIELD(%s, %s, %s, %d, %d)\n", name, decayed, field, offset,
                size * length_of_array)
            offset += size * length_of_array
        }'
        ;;
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
