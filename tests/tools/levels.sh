#!/bin/sh
# Checks the order of the source, of which the compiler knows nothing:
#   - an #include goes down or stays: core < data < nn < model < train, eval, serve (side by side);
#   - oneDNN's header stands in lib/nn/ alone, libyaml's in lib/data/ alone;
#   - no call of a function that the library must not call (BANNED below), but in the file named
#     there;
#   - a header begins with a comment that says what the noun is, and its level;
#   - no file has more than 600 lines, no function more than 70.
#
#   levels.sh            checks; prints file:line for each fault, exit code 1 if there is any
#   levels.sh --graph    the levels and their arrows, as Mermaid
#   levels.sh --nouns    every file and its arrows, as Graphviz
#   levels.sh --table    every file and the line at its head, as a table
#   levels.sh --readme   writes graph and table into lib/README.md, between its two marks
#   levels.sh --check-readme   fails if they stand there otherwise
set -eu
cd "$(dirname "$0")/../.."

readme() {
    sed '/^<!-- levels: begin -->$/q' lib/README.md
    printf '```mermaid\n%s\n```\n\n%s\n' \
        "$(sh tests/tools/levels.sh --graph)" "$(sh tests/tools/levels.sh --table)"
    sed -n '/^<!-- levels: end -->$/,$p' lib/README.md
}

case ${1:-} in
    --readme)
        text=$(readme)
        printf '%s\n' "$text" >lib/README.md
        exit
        ;;
    --check-readme)
        [ "$(readme)" = "$(cat lib/README.md)" ] && echo "lib/README.md: as the source is" && exit
        echo "lib/README.md is behind the source: run tests/tools/levels.sh --readme"
        exit 1
        ;;
esac

# name:file that may (several names share a file by repeating it); "-" is nobody.
BANNED='
malloc:core/memory.c calloc:core/memory.c realloc:core/memory.c aligned_alloc:core/memory.c
posix_memalign:core/memory.c free:core/memory.c strdup:- strndup:- alloca:-
printf:- fprintf:- vprintf:- vfprintf:- puts:- putchar:- perror:-
exit:- _exit:- _Exit:- quick_exit:- abort:- atexit:-
getenv:- secure_getenv:- setenv:- putenv:- signal:- sigaction:- raise:- system:- setlocale:-
sprintf:- vsprintf:- strcpy:- strcat:- strncat:- gets:- strtok:- strerror:- asctime:- ctime:-
gmtime:- localtime:- atoi:- atol:- atof:- sscanf:- fscanf:- scanf:- rand:- srand:- random:-
'

awk -v task="${1:-check}" -v banned="$BANNED" '
function fault(line, text) {
    printf "%s:%d: %s\n", FILENAME, line, text
    faults++
}

# The line without comments and without what stands between quotation marks.
function code_of(line,    from, to) {
    gsub(/\\./, "", line)
    gsub(/\047"\047/, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    for (;;) {
        if (in_comment) {
            to = index(line, "*/")
            if (!to)
                return ""
            line = substr(line, to + 2)
            in_comment = 0
        }
        from = index(line, "/*")
        if (!from)
            break
        to = index(substr(line, from + 2), "*/")
        if (to)
            line = substr(line, 1, from - 1) " " substr(line, from + to + 3)
        else {
            in_comment = 1
            return substr(line, 1, from - 1)
        }
    }
    sub(/\/\/.*/, "", line)
    return line
}

function end_of_file() {
    if (!file)
        return
    if (lines > 600)
        printf "%s: %d lines, 600 is the most\n", file, lines
    faults += lines > 600
    if (said_level) {
        sub(/^ *\/ /, "", head)
        sub(/[.;:,]? *Level: .*/, "", head)
        sub(/\.[ch]$/, "", noun)
        table[++rows] = "| " level " | `" substr(noun, length(level) + 2) "` | " head " |"
    }
    if (file ~ /\.h$/ && !said_level) {
        printf "%s: the comment at its head does not say \"Level: %s\"\n", file, level
        faults++
    }
}

BEGIN {
    rank["core"] = 0
    rank["data"] = 1
    rank["nn"] = 2
    rank["model"] = 3
    rank["train"] = rank["eval"] = rank["serve"] = 4
    pairs = split(banned, pair)
    for (i = 1; i <= pairs; i++) {
        split(pair[i], part, ":")
        allowed[part[1]] = part[2]
    }
}

FNR == 1 {
    end_of_file()
    file = FILENAME
    lines = said_level = in_comment = 0
    head = ""
    noun = file
    sub(/^lib\//, "", noun)
    level = noun
    sub(/\/.*/, "", level)
    if (!(level in rank))
        fault(1, "\"" level "\" is none of the levels")
    if (file ~ /\.h$/ && $0 !~ /^\/\* /)
        fault(1, "a header begins with a comment that says what it is")
}

{
    lines = FNR
}

/^[a-z]/ && !/;$/ {
    begin = FNR
}

/^}$/ && FNR - begin >= 70 {
    fault(begin, "a function of " FNR - begin + 1 " lines, 70 is the most")
}

FNR <= 4 {
    head = head " " $0
    gsub(/[ *]+/, " ", head)
    said_level = said_level || match(head, "Level: " level "[.;,]")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    target = part[2]
    to = target
    if (!sub(/\/.*/, "", to))
        fault(FNR, "#include \"" target "\" does not name the level")
    else if (!(to in rank))
        fault(FNR, "#include \"" target "\": \"" to "\" is none of the levels")
    else if (rank[to] > rank[level] || (rank[to] == rank[level] && to != level))
        fault(FNR, "#include \"" target "\": " level " stands below or beside " to)
    else if (to != level)
        arrow[level " --> " to] = 1
    from = noun
    sub(/\.[ch]$/, "", from)
    sub(/\.h$/, "", target)
    if (from != target)
        noun_arrow["\"" from "\" -> \"" target "\""] = 1
}

/^[ \t]*#[ \t]*include[ \t]*[<"](oneapi\/)?dnnl/ && level != "nn" {
    fault(FNR, "oneDNN is known to lib/nn/ alone")
}

/^[ \t]*#[ \t]*include[ \t]*[<"]yaml/ && level != "data" {
    fault(FNR, "libyaml is known to lib/data/ alone")
}

{
    code = code_of($0)
    while (match(code, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
        before = RSTART > 1 ? substr(code, RSTART - 1, 1) : ""
        name = substr(code, RSTART, RLENGTH - 1)
        sub(/[ \t]+$/, "", name)
        code = substr(code, RSTART + RLENGTH)
        if (name in allowed && allowed[name] != noun && before !~ /[.>]/)
            fault(FNR, name "() is not called here" \
                (allowed[name] == "-" ? "" : ", but in lib/" allowed[name]))
    }
}

function print_sorted(set, head,    key) {
    print head
    fflush()
    for (key in set)
        print "    " key | "LC_ALL=C sort"
    close("LC_ALL=C sort")
}

# Where eval includes model, and model data, the arrow from eval to data says nothing more.
function drop_implied(    from, over, to, implied) {
    for (from in rank)
        for (over in rank)
            for (to in rank)
                if ((from " --> " over) in arrow && (over " --> " to) in arrow)
                    implied[from " --> " to] = 1
    for (to in implied)
        delete arrow[to]
}

END {
    end_of_file()
    if (task == "--graph") {
        drop_implied()
        print_sorted(arrow, "graph TD")
    } else if (task == "--nouns") {
        print_sorted(noun_arrow, "digraph lib {")
        print "}"
    } else if (task == "--table") {
        print "| level | file | what it keeps |\n|---|---|---|"
        for (step = 0; step <= 4; step++)
            for (i = 1; i <= rows; i++) {
                split(table[i], part, " ")
                if (rank[part[2]] == step)
                    print table[i]
            }
    } else if (!faults)
        print "levels: in order"
    exit faults > 0
}' $(find lib -name '*.[ch]' | LC_ALL=C sort)
