#!/bin/sh
# Prints the manual page alterrec(1), made of what the program says of itself: its --help and that of
# each of its commands. So it cannot fall behind; what is added here is what no --help says.
#
#   make_man.sh PROGRAM VERSION
set -eu
program=$1
version=$2

cat <<END
.\\" Made by cmake/make_man.sh of the program's own --help.
.TH ALTERREC 1 "" "libalterrec $version" "User Commands"
.SH NAME
alterrec \\- train, evaluate and use models for session-based recommendation
.SH SYNOPSIS
.B alterrec
.I COMMAND
.RI [ arguments ]
.br
.B alterrec
.I COMMAND
.B \\-\\-help
.br
.B alterrec \\-\\-version
.SH DESCRIPTION
Does from the command line what the library libalterrec does: learns from sessions (what anonymous
visitors clicked, one after another) and from the texts of the items which item comes next, measures
how well, and recommends.
.PP
Settings are options with names, such as
.BR model.dim ;
.B alterrec options
lists them. They come from YAML files and from
.BR \\-\\-set ,
which goes over the files.
.SH COMMANDS
END

commands=$("$program" --help | sed -n 's/^  \([a-z][a-z_-]*\)  .*/\1/p')
for command in $commands; do
    "$program" "$command" --help | awk -v command="$command" '
    function roff(text) {
        gsub(/\\/, "\\e", text)
        gsub(/-/, "\\-", text)
        sub(/^[.\047]/, "\\\\\\&&", text)
        return text
    }
    /^usage: / {
        sub(/^usage: /, "")
        print ".SS " command "\n.nf\n.B " roff($0) "\n.fi"
        next
    }
    /^Flags:/ { flags = 1; next }
    /^$/ { if (!flags) print ".PP"; next }
    flags && match($0, /^  --[a-z0-9-]+( [^ ]+)?/) { # one space before a value, more before the text
        split(substr($0, 3, RLENGTH - 2), head, " ")
        print ".TP\n.B " roff(head[1]) (head[2] != "" ? " \\fI" roff(head[2]) "\\fR" : "")
        $0 = substr($0, RLENGTH + 1)
    }
    { sub(/^ +/, ""); print roff($0) }'
done

cat <<'END'
.SH EXIT STATUS
.TP
.B 0
The work is done.
.TP
.B 1
It failed; what failed, and where, stands on standard error.
.TP
.B 2
The command line makes no sense.
.SH ENVIRONMENT
The program reads none itself. OpenMP and oneDNN, which it computes with, do:
.B OMP_NUM_THREADS
bounds the threads where the option
.B compute.threads
does not,
.B OMP_WAIT_POLICY=passive
helps on a busy machine.
.SH EXAMPLES
.nf
alterrec generate \-\-out shop
alterrec train shop/shop.yaml \-\-model shop.safetensors
alterrec evaluate \-\-model shop.safetensors shop/shop.yaml
alterrec recommend \-\-model shop.safetensors P000001 P000002
.fi
.SH SEE ALSO
The header
.I alterrec/alterrec.h
is the reference of the library, and found by
.BR "pkg\-config \-\-cflags alterrec" .
END
