#!/bin/sh
# The systems that the paper compares, each trained three times on the generated shop, as a table of
# Hits@20 on the test sessions: mean and standard deviation over the seeds. Needs a build (see
# quickstart.sh); takes some minutes.
#
#   sh examples/systems.sh
set -eu
cd "$(dirname "$0")/.."
export OMP_WAIT_POLICY=passive
folder=build/systems
program=build/alterrec
seeds=${SEEDS:-1 2 3}
mkdir -p "$folder"
"$program" generate --out "$folder" >/dev/null

# One training: what follows the name and the seed are options beyond examples/quickstart.yaml.
train() {
    name=$1 seed=$2
    shift 2
    "$program" train examples/quickstart.yaml --set data.interactions="$folder/sessions.csv" \
        --set data.items="$folder/items.tsv" --set train.seed="$seed" "$@" \
        --model "$folder/$name.safetensors" --log "$folder/$name.$seed.jsonl" >"$folder/$name.$seed.txt"
    # From the table of the test: the rows of Hits, column @20, and the long-tail group.
    awk -v name="$name" '
        $1 == "Hits" { hits = 1; fused = $7; next }
        $1 == "MRR" { hits = 0 }
        hits && $1 == "ID" { id = $6 }
        hits && $1 == "text" { text = $6 }
        $1 == "0" && $3 == "30" { gsub(",", ""); tail = $5 }
        END { print name, fused, id, text, tail }' "$folder/$name.$seed.txt"
}

systems() {
    for seed in $seeds; do
        train id-only "$seed" --set schedule.system=id
        train text-only "$seed" --set schedule.system=text
        train naive-sum "$seed" --set schedule.system=naive_sum
        train separate "$seed" --set schedule.system=separate
        train alterrec "$seed"
        train alterrec+aug "$seed" --set positives.count=5
    done
}

systems | awk '
    !($1 in count) { order[++systems] = $1 }
    { count[$1]++
      for (i = 2; i <= 5; i++) { sum[$1, i] += $i; squares[$1, i] += $i * $i } }
    function cell(name, i,    n, mean, spread) {
        n = count[name]; mean = sum[name, i] / n
        spread = n > 1 ? (squares[name, i] - n * mean * mean) / (n - 1) : 0
        return sprintf("%.4f ± %.4f", mean, sqrt(spread > 0 ? spread : 0))
    }
    END {
        print "| system | fused | ID part | text part | fused, labels seen 0 to 30 times |"
        print "|---|---|---|---|---|"
        for (s = 1; s <= systems; s++)
            printf "| %s | %s | %s | %s | %s |\n", order[s], cell(order[s], 2), cell(order[s], 3),
                cell(order[s], 4), cell(order[s], 5)
    }'
