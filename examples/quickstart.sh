#!/bin/sh
# From the bare source to recommendations: installs what is missing, builds, generates a shop, trains
# on it, evaluates, and recommends. Meant for Debian 12; a minute or two on two cores.
#
#   sh examples/quickstart.sh
set -eu
cd "$(dirname "$0")/.."

folder=build/quickstart
program=build/alterrec
model=$folder/shop.safetensors

step() {
    printf '\n== %s\n' "$*"
}

run() {
    printf '$ %s\n' "$*"
    "$@"
}

step "packages: a compiler, CMake, oneDNN, libyaml, Check"
sh tests/tools/install_packages.sh

step "build"
[ -f build/CMakeCache.txt ] || run cmake -S . -B build -G Ninja
run cmake --build build --target alterrec_program

step "a synthetic shop"
run "$program" generate --out "$folder"

step "train"
run "$program" train examples/quickstart.yaml --model "$model" --log "$folder/metrics.jsonl"

step "evaluate: the model file on the same test sessions"
run "$program" evaluate --model "$model" examples/quickstart.yaml

step "recommend for three sessions"
# The last items of three sessions of the file, one session a line.
tail -n 200 "$folder/sessions.csv" | awk -F, '
    $1 != session { if (keys > 1 && keys < 5) print line; session = $1; line = ""; keys = 0 }
    { line = line (keys++ ? " " : "") $2 }' | head -n 3 >"$folder/sessions.txt"
run "$program" recommend --model "$model" --k 5 --exclude-own --sessions "$folder/sessions.txt"

step "done: the model is $model"
