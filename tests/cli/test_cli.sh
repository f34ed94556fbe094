#!/bin/sh
# The program from the outside: what it prints, which code it ends with, and a whole round from a
# generated shop to recommendations.
#
#   test_cli.sh PROGRAM EXAMPLES     (EXAMPLES: the folder of the small examples that were built)
set -eu
program=$1
examples=$2
folder=$(mktemp -d "${TMPDIR:-/tmp}/alterrec_cli.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# ends CODE ARGUMENTS...: the program ends with the code; its output is in `out` and `err`.
ends() {
    expected=$1
    shift
    code=0
    "$program" "$@" >out 2>err </dev/null || code=$?
    [ "$code" -eq "$expected" ] || {
        fail "alterrec $* ended with $code, not $expected"
        cat err
    }
}

# says FILE TEXT: the output of the last call holds the text.
says() {
    grep -qF -- "$2" "$1" || {
        fail "no \"$2\" in $1:"
        head -n 20 "$1"
    }
}

is_json_lines() {
    command -v python3 >/dev/null || return 0
    python3 -c 'import json, sys
for line in open(sys.argv[1], encoding="utf-8"): json.loads(line)' "$1" || fail "$1 is not JSON lines"
}

# --- Command line
ends 0 --help
says out "generate"
ends 0 --version
says out "alterrec"
ends 2
ends 2 trian
says err "did you mean train?"
for command in train evaluate recommend snapshot inspect report options generate; do
    ends 0 "$command" --help
    says out "usage: alterrec $command"
    ends 2 "$command" --no-such-flag
    says err "unknown flag --no-such-flag"
done
ends 2 generate --otu shop
says err "did you mean --out?"
ends 2 generate --out
says err "--out needs a value"
ends 2 generate --out shop --items many
says err "--items is many"
ends 2 generate --out shop --items 10
ends 2 generate
says err "--out DIR is missing"
ends 2 train
ends 2 recommend --model m.safetensors
ends 2 recommend --model m.safetensors --sessions - KEY
ends 2 train --model m.safetensors --set model.dim
says err "not key=value"
ends 2 train --model m.safetensors --resume
says err "--resume needs --checkpoint FILE"
ends 2 train --model m.safetensors --log-level loud
says err "neither info nor warning"
ends 2 options model.dim train.seed

# --- OpenMP's spinning: less of it, unless the environment says otherwise. It tells of GCC's alone.
export OMP_DISPLAY_ENV=verbose OMP_WAIT_POLICY=passive
ends 0 train --help
! grep -q "GOMP_SPINCOUNT = '1000'" err || fail "OMP_WAIT_POLICY was not left alone"
if grep -q GOMP_SPINCOUNT err; then
    unset OMP_WAIT_POLICY
    ends 0 train --help
    says out "usage: alterrec train"
    says err "GOMP_SPINCOUNT = '1000'"
    export GOMP_SPINCOUNT=77
    ends 0 train --help
    says err "GOMP_SPINCOUNT = '77'"
    unset GOMP_SPINCOUNT
    export OMP_WAIT_POLICY=passive
fi
unset OMP_DISPLAY_ENV

# --- Options
ends 0 options
says out "negatives.k2"
ends 0 options model.dim
says out "300"
ends 0 options model
says out "model.heads"
ends 1 options model.dmi
says err "model.dim"

# --- Errors
ends 1 train --model m.safetensors
says err "alterrec: no data"
ends 1 train --model m.safetensors --set model.dmi=8
says err "model.dim"
ends 1 train missing.yaml --model m.safetensors
says err "missing.yaml"
ends 1 train --model no/such/folder/m.safetensors --set data.interactions=missing.csv
says err "no/such/folder"
mkfifo pipe
ends 1 train --model pipe --set data.interactions=missing.csv
says err "pipe can't be written: it is not a regular file"
[ -p pipe ] || fail "a pipe was replaced"
ends 1 train --model m.safetensors --set data.interactions=missing.csv
says err "missing.csv"
ends 1 evaluate --model missing.safetensors
says err "missing.safetensors"
ends 1 recommend --model missing.safetensors KEY
ends 1 inspect missing.csv
[ ! -e m.safetensors ] || fail "an error left a model file behind"

# --- The generator
ends 0 generate --out a/shop --items 300 --sessions 900 --categories 5 --seed 7
ends 0 generate --out b --items 300 --sessions 900 --categories 5 --seed 7
ends 0 generate --out c --items 300 --sessions 900 --categories 5 --seed 8
cmp a/shop/sessions.csv b/sessions.csv || fail "the same seed gave other sessions"
cmp a/shop/items.tsv b/items.tsv || fail "the same seed gave other items"
! cmp -s b/sessions.csv c/sessions.csv || fail "another seed gave the same sessions"
[ "$(wc -l <b/items.tsv)" -eq 301 ] || fail "not 300 items"
[ "$(cut -d, -f1 b/sessions.csv | sort -u | wc -l)" -eq 901 ] || fail "not 900 sessions"
ends 0 generate --out d --items 60 --sessions 1 --categories 1
ends 0 inspect a/shop/shop.yaml
says out "900"
says out "sessions by length"
ends 0 inspect b/sessions.csv
ends 1 inspect b/sessions.csv --set data.item_column=missing
says err "missing"

# --- From training to recommending
small="--set model.dim=16 --set train.epochs=3 --set train.batch_size=128 --set schedule.gap=1
    --set schedule.random_epochs=2 --set text.dim=64 --set compute.threads=1"
ends 0 train a/shop/shop.yaml $small --model m.safetensors --log log.jsonl
says out "900 sessions"
says out "Hits@20"
says out "popularity"
[ "$(grep -c '"event":"epoch"' log.jsonl)" -eq 3 ] || fail "not 3 epochs in the log"
head -n 1 log.jsonl | grep -q '"event":"start"' || fail "the log has no start"
tail -n 1 log.jsonl | grep -q '"event":"test"' || fail "the log has no test"
is_json_lines log.jsonl

ends 0 train a/shop/shop.yaml $small --model again.safetensors --quiet
[ ! -s out ] && [ ! -s err ] || fail "--quiet is not quiet"
cmp m.safetensors again.safetensors || fail "the same training gave another model"

# Ctrl-C: once the first epoch is in the log, the best weights so far are saved.
"$program" train a/shop/shop.yaml $small --set train.epochs=100000 --set train.patience=0 \
    --model stopped.safetensors --log stopped.jsonl >out 2>err &
waited=0
until grep -q '"event":"epoch"' stopped.jsonl 2>/dev/null || [ "$waited" -ge 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
kill -INT $!
wait $! || fail "a training that was stopped ended with $?"
says out "stopped; stopped.safetensors"
ends 0 recommend --model stopped.safetensors P000001

# Killed in the middle and resumed: the model, byte for byte, and the log of a training that was not.
long="$small --set train.epochs=40 --set train.patience=0"
ends 1 train a/shop/shop.yaml $small --model killed.safetensors --checkpoint no/such/folder/c
says err "no/such/folder"
ends 0 train a/shop/shop.yaml $long --model whole.safetensors --log whole.jsonl
"$program" train a/shop/shop.yaml $long --model killed.safetensors --log killed.jsonl \
    --checkpoint check.safetensors >out 2>err &
waited=0
until grep -q '"event":"epoch"' killed.jsonl 2>/dev/null || [ "$waited" -ge 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
kill -KILL $!
wait $! 2>/dev/null && fail "a training ended before it was killed"
[ ! -e killed.safetensors ] || fail "a training that was killed has left a model file"
ends 1 train a/shop/shop.yaml $long --set train.seed=2 --model killed.safetensors \
    --checkpoint check.safetensors --resume
says err "train.seed"
ends 0 train a/shop/shop.yaml $long --model killed.safetensors --log killed.jsonl \
    --checkpoint check.safetensors --resume
says out " epochs done, by check.safetensors"
cmp whole.safetensors killed.safetensors || fail "a resumed training gave another model"
for log in whole killed; do
    grep '"event":"epoch"' $log.jsonl | sed 's/"[a-z_]*seconds":[^,}]*//g' >$log.epochs
done
cmp whole.epochs killed.epochs || fail "a resumed training has logged other epochs"
ends 0 train a/shop/shop.yaml $long --model again.safetensors --checkpoint check.safetensors --resume
says out "40 epochs done"
cmp whole.safetensors again.safetensors || fail "resumed at its end, a training gave another model"
ends 0 train a/shop/shop.yaml $small --model m2.safetensors --checkpoint fresh.safetensors --resume \
    --log-level info
says err "checkpoint written (epochs done: 1): fresh.safetensors"
! grep -q "epochs done" out || fail "resumed from a checkpoint that was not there"
cmp m.safetensors m2.safetensors || fail "with a checkpoint, a training gave another model"
ends 1 inspect fresh.safetensors
says err "is not a model file, but a checkpoint"

ends 0 train a/shop/shop.yaml $small --set fusion.alpha=auto --model auto.safetensors --log auto.jsonl
says out "the best on the validation sessions"
says out "fusion   alpha "
is_json_lines auto.jsonl
tail -n 1 auto.jsonl | grep -q '"alpha":[0-9.]*,"alpha_curve":\[' || fail "the log has no choice of alpha"
ends 0 evaluate --model auto.safetensors a/shop/shop.yaml --json
# The figures as the training's log has them, without what the program says of its sessions.
figures() {
    sed 's/^{//; s/,"interactions":[0-9]*,"left_out":[0-9]*}$//' out
}
tail -n 1 auto.jsonl | grep -qF "$(figures)" || fail "evaluate has another alpha"

ends 0 evaluate --model m.safetensors a/shop/shop.yaml
says out "occurrences"
ends 0 evaluate --model m.safetensors a/shop/shop.yaml --json
is_json_lines out
tail -n 1 log.jsonl | grep -qF "$(figures)" || fail "evaluate and train's test disagree"
head -n 40 b/sessions.csv >some.csv
ends 0 evaluate --model m.safetensors a/shop/shop.yaml --sessions some.csv
says out "popularity"
ends 0 evaluate --model m.safetensors --sessions some.csv
says out "fused"
[ ! -s err ] || fail "an evaluation without a reason to warns"
sed '2,4s/,P[0-9]*/,NO_SUCH_ITEM/' some.csv >unknown.csv
cmp -s some.csv unknown.csv && fail "the sessions have no item to exchange"
ends 0 evaluate --model m.safetensors --sessions unknown.csv
says err "warning: 3 of 39 held-out interactions are of items that the model does not have and were left out"
ends 0 evaluate --model m.safetensors --sessions unknown.csv --json
is_json_lines out
says out '"interactions":39,"left_out":3}'
ends 0 evaluate --model m.safetensors --sessions some.csv --set model.dim=7
says err "model.dim 7 is not the trained model's, which stays"
ends 1 evaluate --model m.safetensors
says err "no data"
ends 1 evaluate --model m.safetensors a/shop/shop.yaml --set data.test_share=0
says err "no test sessions"

ends 0 recommend --model m.safetensors --k 3 P000001 P000002
[ "$(grep -cE '^ +[1-3] ' out)" -eq 3 ] || fail "not 3 recommendations"
mv out of_model
ends 0 snapshot --model m.safetensors --out m.snapshot
says out "300 items"
ends 0 recommend --snapshot m.snapshot --k 3 P000001 P000002
cmp -s out of_model || fail "the snapshot recommends other items than the model"
for precision in f32 bf16; do
    ends 0 snapshot --model m.safetensors --out m.snapshot --set serve.precision=$precision
    says out "serve.precision $precision"
    ends 0 recommend --snapshot m.snapshot --k 3 P000001 P000002
    cmp -s out of_model || fail "serve.precision $precision recommends other items"
done
ends 0 snapshot --model m.safetensors --out m.snapshot --set serve.encoder=bf16
says out "serve.encoder bf16"
ends 0 recommend --snapshot m.snapshot --k 3 P000001 P000002
ends 2 recommend --snapshot m.snapshot --model m.safetensors P000001
says err "both given"
ends 2 recommend P000001
says err "--snapshot FILE is missing"
ends 1 recommend --snapshot m.safetensors P000001
says err "is not a recommender's file, but a model file"
ends 1 inspect m.snapshot
says err "is not a model file, but a recommender's file"
ends 0 recommend --model m.safetensors P000001 NO_SUCH_ITEM
says err "warning: no item NO_SUCH_ITEM"
ends 1 recommend --model m.safetensors NO_SUCH_ITEM
says err "NO_SUCH_ITEM"
ends 0 recommend --model m.safetensors --k 300 --exclude-own --exclude P000003,P000004 --json \
    P000001 P000002
is_json_lines out
for key in P000001 P000002 P000003 P000004; do
    ! grep -q "{\"key\":\"$key\"" out || fail "$key was excluded, and recommended"
done
says out '{"key":"P000005"'
printf 'P000001 P000002\n\nNONE\nP000003\n' >sessions.txt
ends 1 recommend --model m.safetensors --sessions sessions.txt --json
[ "$(wc -l <out)" -eq 3 ] || fail "not an answer for each of the 3 sessions"
is_json_lines out
"$program" recommend --model m.safetensors --sessions - <b/items.tsv >out 2>err || true
says out "P000299"

ends 0 inspect m.safetensors
says out "id.embedding.weight"
says out "300 x 16"
says out "P000000"
printf 'not a model' >bad.safetensors
ends 1 inspect bad.safetensors
says err "bad.safetensors"
ends 1 recommend --model bad.safetensors P000001

# --- The small examples
mkdir e
"$program" generate --out e --items 60 --sessions 200 >out
printf 'model: {dim: 8}\ntrain: {epochs: 2}\ntext: {dim: 16}\n' >>e/shop.yaml
"$examples/01_train" e/shop.yaml e/model.safetensors >out 2>err || fail "01_train: $(cat err)"
says out "epoch  2"
"$examples/02_recommend" e/model.safetensors P000001 P000002 >out 2>err || fail "02_recommend: $(cat err)"
says out "5. P"
"$examples/03_evaluate" e/model.safetensors e/shop.yaml >out 2>err || fail "03_evaluate: $(cat err)"
says out "popularity"
"$examples/10_vectors" e/model.safetensors items.npy P000001 P000002 >out 2>err || fail "10_vectors: $(cat err)"
[ "$(grep -c '^  [1-5]\. P' out)" -eq 5 ] || fail "10_vectors: not 5 items"
! grep -q differs out || fail "10_vectors: an inner product ranks otherwise: $(cat out)"
"$program" vectors --model e/model.safetensors --items again.npy >out || fail "vectors"
cmp items.npy again.npy || fail "vectors: the program writes other vectors than the example"
printf 'P000001 P000002\nP000003\n' | "$program" vectors --model e/model.safetensors --sessions - \
    --session-vectors sessions.npy >out || fail "vectors of sessions"
grep -q "2 sessions" out || fail "vectors of sessions: $(cat out)"

"$examples/05_own_fusion" e/model.safetensors P000001 P000002 >out 2>err || fail "05_own_fusion: $(cat err)"
says out "by ranks"
[ "$(grep -c '^5\. P' out)" -eq 2 ] || fail "05_own_fusion: not 5 items twice"
head -n 1 e/items.tsv >e/more.tsv
tail -n 1 e/items.tsv >>e/more.tsv
printf 'N1\tred cotton shirt\nN2\tsteel teapot\n' >>e/more.tsv
"$examples/07_new_items" e/model.safetensors e/more.tsv e/larger.safetensors >out 2>err || fail "07_new_items: $(cat err)"
says out "2 of 3 items are new"
"$examples/02_recommend" e/larger.safetensors N1 P000002 >out 2>err || fail "02_recommend: $(cat err)"
! grep -q "no item" err || fail "02_recommend: $(cat err)"
"$examples/04_own_schedule" e/shop.yaml e/own.safetensors >out 2>err || fail "04_own_schedule: $(cat err)"
says out "epoch  1  text"
"$examples/06_own_negatives" >out 2>err || fail "06_own_negatives: $(cat err)"
[ "$(grep -c '^epoch.*same category' out)" -eq 4 ] || fail "06_own_negatives: not 4 epochs with its own"
"$examples/08_own_steps" e/shop.yaml e/own.safetensors >out 2>err || fail "08_own_steps: $(cat err)"
says out "of the own batch"
"$examples/02_recommend" e/own.safetensors P000001 >out 2>err || fail "08_own_steps left no model"
printf 'model: {dim: 8}\ntrain: {epochs: 4}\ntext: {dim: 16}\n' >>e/four.yaml
sed '/^model:/d; /^train:/d; /^text:/d' e/shop.yaml >>e/four.yaml
"$examples/09_resume" e/four.yaml e/checkpoint.safetensors >out 2>err || fail "09_resume: $(cat err)"
says out "resumed with epoch 3"
says out "after 4 epochs the weights are those of the uninterrupted training"
"$examples/01_train" missing.yaml x.safetensors >out 2>err && fail "01_train trained on nothing"
says err "missing.yaml"

# Small benchmarks: every kind of row is there, and the JSON has its figures.
tiny="--set model.dim=16 --set model.max_len=20"
# shellcheck disable=SC2086
"$program" bench serve --items 300,500 $tiny --batch 1,3 --threads 1 --seconds 0 --k 5 \
    --json serve.jsonl >out 2>err || fail "bench serve: $(cat err)"
[ "$(wc -l <serve.jsonl)" -eq 24 ] || fail "bench serve: $(wc -l <serve.jsonl) rows"
[ "$(grep -c '"guaranteed":1,' serve.jsonl)" -eq 24 ] || fail "bench serve: a list was not certain"
# shellcheck disable=SC2086
"$program" bench serve --items 300 $tiny --batch 1 --threads 1 --seconds 1 --rate 200 --clients 2 \
    --precision int8 --snapshot bench.snapshot --json - >out 2>err || fail "bench serve: $(cat err)"
[ "$(grep -c '"rate":200,' out)" -eq 2 ] || fail "bench serve at a rate: $(cat out)"
"$program" bench serve --precision f64 >out 2>err && fail "bench serve took f64"
says err "--precision is f64"
# shellcheck disable=SC2086
"$program" bench train --items 300 $tiny --steps 2 --features 8 --sharing example,batch \
    --positives 0,5 --batching prefix,session --set negatives.count=50 --set negatives.k2=100 \
    --json train.jsonl >out 2>err || fail "bench train: $(cat err)"
[ "$(grep -c '"share_of_rate":' train.jsonl)" -eq 32 ] || fail "bench train: $(wc -l <train.jsonl) rows"
# shellcheck disable=SC2086
"$program" bench evaluate --items 300,500 $tiny --features 8 --examples 100 --runs 2 --threads 1,2 \
    --json evaluate.jsonl >out 2>err || fail "bench evaluate: $(cat err)"
[ "$(grep -c '"share_of_rate":' evaluate.jsonl)" -eq 4 ] || fail "bench evaluate: $(cat evaluate.jsonl)"
# shellcheck disable=SC2086
"$program" bench evaluate --items 300 $tiny --features 0 --examples 100 --runs 1 --threads 1 --json - \
    >out 2>err || fail "bench evaluate without text: $(cat err)"
[ "$(grep -c '"towers":1,' out)" -eq 1 ] || fail "bench evaluate without text: $(cat out)"
"$program" bench evaluate --examples 0 >out 2>err && fail "bench evaluate took no examples"
says err "--examples"
"$program" bench nothing >out 2>err && fail "bench nothing"
says err "unknown benchmark"

[ "$failures" -eq 0 ] || exit 1
echo "the program does what it says"
