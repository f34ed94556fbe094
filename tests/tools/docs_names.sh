#!/bin/sh
# What the documents name must exist: files that are linked to, functions, types and constants of
# alterrec.h, options. And every option is named by a document that tells what it does.
set -eu
cd "$(dirname "$0")/../.."

awk '
function fault(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    faults++
}

function exists(path,    line, there) {
    if (!(path in known)) {
        there = system("test -e \"" path "\"") == 0
        known[path] = there
    }
    return known[path]
}

FILENAME ~ /alterrec\.h$/ {
    rest = $0
    while (match(rest, /[Aa][Ll][Tt][Ee][Rr][Rr][Ee][Cc]_[A-Za-z0-9_]+/)) {
        in_header[substr(rest, RSTART, RLENGTH)] = 1
        rest = substr(rest, RSTART + RLENGTH)
    }
    next
}

# The option table: rows that begin with | `key`.
FILENAME ~ /options\.md$/ && /^\| *`[a-z]+\.[a-z0-9_]+`/ {
    key = $0
    sub(/^\| *`/, "", key)
    sub(/`.*/, "", key)
    in_options[key] = 1
    sub(/\..*/, "", key)
    family[key] = 1
    next
}

/^```/ {
    in_code = !in_code
}

{
    # In code, ](...) is no link.
    rest = in_code ? "" : $0
    while (match(rest, /\]\([^)#]+/)) {
        path = substr(rest, RSTART + 2, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH)
        folder = FILENAME
        if (!sub(/\/[^\/]*$/, "/", folder))
            folder = ""
        if (path !~ /^[a-z]+:/ && !exists(folder path))
            fault("no such file: " path)
    }
    # Option variables of the build (ALTERREC_TESTS) are spelt with -D before them.
    rest = $0
    gsub(/-DALTERREC_[A-Z]+/, "", rest)
    while (match(rest, /(alterrec|ALTERREC)_[A-Za-z0-9_]+/)) {
        name = substr(rest, RSTART, RLENGTH)
        after = substr(rest, RSTART + RLENGTH, 1)
        rest = substr(rest, RSTART + RLENGTH)
        if (after == "*" || after == "<")
            continue
        if (!(name in in_header))
            fault("alterrec.h knows no " name)
    }
    rest = $0
    while (match(rest, /`[a-z]+\.[a-z0-9_]+[`:]/)) {
        key = substr(rest, RSTART + 1, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH)
        start = key
        sub(/\..*/, "", start)
        if (FILENAME !~ /internals|coming_from|troubleshooting/)
            named[key] = 1
        if (key ~ /\.(txt|csv|tsv|npy|pkl|safetensors|yaml|json|jsonl|inter|item|c|h|sh|md|weight|bias)$/)
            continue
        if ((start in family) && !(key in in_options))
            fault("there is no option " key)
    }
}

END {
    for (key in in_options)
        if (!(key in named)) {
            print "no document tells what the option " key " does"
            faults++
        }
    exit faults > 0
}
' include/alterrec/alterrec.h docs/options.md README.md CHANGELOG.md lib/README.md \
    $(find docs -name '*.md' ! -name options.md) && echo "docs: every name exists"
