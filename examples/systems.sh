#!/bin/sh
# The systems that the paper compares, each trained three times on the generated shop, as a table of
# Hits@20 on the test sessions: mean and standard deviation over the seeds. Also draws what the parts of
# naive fusion learn beside each tower alone, build/systems/curves.svg. Needs a build (see
# quickstart.sh); takes some minutes.
#
#   sh examples/systems.sh
set -eu
cd "$(dirname "$0")/.."
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
        train naive-concat "$seed" --set schedule.system=naive_concat
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

# The validation curves of the first seed, from the logs: "ID" and "text" are Hits@20 of each part.
curve() {
    awk -v part="$2" 'match($0, "\"" part "\":[0-9.e-]+") && /"event":"epoch"/ {
        print substr($0, RSTART + length(part) + 3, RLENGTH - length(part) - 3) }' \
        "$folder/$1.${seeds%% *}.jsonl" | awk -v class="$3" -v label="$4" -v below="$5" '
        { points = points sprintf(" %.1f,%.1f", 46 + 22 * (NR - 1), 260 - 320 * $1); last = $1 }
        END {
            printf "<polyline class=\"%s\" points=\"%s\"/>\n", class, substr(points, 2)
            printf "<text class=\"%s\" x=\"%d\" y=\"%.1f\">%s</text>\n", class, 54 + 22 * (NR - 1),
                264 + below - 320 * last, label }'
}

{
    cat <<'SVG'
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 300" font-family="sans-serif" font-size="12">
<style>text{fill:#57606a}polyline{fill:none;stroke-width:2.2}line{stroke:#8b949e;stroke-opacity:.3}
polyline.id{stroke:#d1690e}polyline.text{stroke:#1a7f74}polyline.part{stroke-dasharray:5 4}
polyline.joint{stroke-dasharray:1.5 3.5}text.id{fill:#d1690e}
text.text{fill:#1a7f74}@media (prefers-color-scheme:dark){text{fill:#9da7b1}polyline.id{stroke:#f0a050}
polyline.text{stroke:#4fc3b4}text.id{fill:#f0a050}text.text{fill:#4fc3b4}}</style>
<text x="46" y="20">Hits@20 on the validation sessions, epoch by epoch</text>
SVG
    awk 'BEGIN { for (v = 0; v <= 7; v++) { y = 260 - 32 * v
        printf "<line x1=\"46\" x2=\"552\" y1=\"%d\" y2=\"%d\"/><text x=\"38\" y=\"%d\" ", y, y, y + 4
        printf "text-anchor=\"end\">.%d</text>\n", v }
        for (e = 1; e <= 24; e += e < 5 ? 4 : 5)
            printf "<text x=\"%d\" y=\"280\" text-anchor=\"middle\">%d</text>\n", 46 + 22 * (e - 1), e }'
    curve id-only ID id "ID tower alone" 8
    curve text-only text text "text tower alone" -6
    curve naive-sum ID "id part" "ID part of the sum" 0
    curve naive-sum text "text part" "text part of the sum" 0
    curve naive-concat ID "id joint" "ID part of the concatenation" 0
    curve naive-concat text "text joint" "text part of the concatenation" 0
    echo "</svg>"
} >"$folder/curves.svg"
