#!/bin/sh
# Compiles every ```c block of the documents; runs those that are programs; reads every ```yaml block
# as options; parses every ```python block, where there is Python.
#
# A block that begins with #include is a file of its own; if it has a main, it is also linked and
# run, all in one scratch folder, docs/quickstart.md first, so that a later one may load what an
# earlier one has saved. Any other block is a piece of a function in which a variable of every
# handle's type stands ready under its noun's name (PRELUDE below). ```cpp blocks follow the same
# rules, without variables.
#
#   docs_code.sh LIBRARY_FOLDER YAML_CHECKER CC CXX [FLAGS]
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
documents="docs/quickstart.md README.md lib/README.md
    $(find docs -name '*.md' ! -name quickstart.md | LC_ALL=C sort)"
library=$1
yaml_checker=$2
cc=$3
cxx=$4
flags=${5:-}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/alterrec-docs.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
link="-L$library -Wl,-rpath,$library -lalterrec -lpthread"

PRELUDE='#include <alterrec/alterrec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int piece(void);
int piece(void) {
    alterrec_config *config = NULL;
    alterrec_catalog *catalog = NULL;
    alterrec_dataset *dataset = NULL;
    const alterrec_sessions *train = NULL, *valid = NULL, *test = NULL;
    alterrec_batch *batch = NULL;
    alterrec_model *model = NULL;
    alterrec_trainer *trainer = NULL;
    alterrec_evaluator *evaluator = NULL;
    alterrec_evaluation *evaluation = NULL;
    alterrec_recommender *recommender = NULL;
    alterrec_status status = ALTERREC_OK;
    {'

# Writes the blocks of the document as block_LINE.c, .cpp, .yaml, .python.
extract() {
    awk -v prelude="$PRELUDE" '
    /^```/ && name {
        if (piece)
            print "    }\n    return status;\n}" > name
        close(name)
        name = ""
        next
    }
    /^```(c|cpp|yaml|python)$/ {
        name = sprintf("block_%04d.%s", FNR, substr($0, 4))
        fresh = 1
        piece = 0
        next
    }
    name {
        if (fresh && !/^#include/ && name ~ /\.c$/) {
            print prelude > name
            piece = 1
        }
        if (fresh)
            printf "" > name
        fresh = 0
        print > name
    }' "$1"
}

check() {
    for file in block_*; do
        [ -e "$file" ] || continue
        case $file in
            *.yaml)
                "$yaml_checker" "$file" || return 1
                continue
                ;;
            *.python)
                ! command -v python3 >/dev/null ||
                    python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$file" || return 1
                continue
                ;;
            *.cpp)
                [ -n "$cxx" ] || continue
                compile="$cxx -std=c++17"
                ;;
            *) compile="$cc -std=c11 -D_POSIX_C_SOURCE=200809L" ;;
        esac
        compile="$compile -I$root/include -Wall -Wextra -Wpedantic -Wno-unused -Werror $flags"
        if grep -q '^int main(' "$file"; then
            $compile "$file" -o program $link || return 1
            ./program >output 2>&1 || { cat output && return 1; }
        else
            $compile -c "$file" -o piece.o || return 1
        fi
    done
}

for document in $documents; do
    rm -f block_*
    extract "$root/$document"
    if ! check; then
        echo "docs_code.sh: a block of $document fails (its name says the line)"
        exit 1
    fi
    blocks=$(find . -name 'block_*' | wc -l)
    [ "$blocks" -eq 0 ] || echo "$document: $blocks blocks"
done
