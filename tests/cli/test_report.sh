#!/bin/sh
# alterrec report: pages of a log that a training wrote, of logs that lack something, and the errors
# of logs that are none.
#
#   test_report.sh PROGRAM
set -eu
program=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/alterrec_report.XXXXXX")
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

# says FILE TEXT: the file holds the text.
says() {
    grep -qF -- "$2" "$1" || fail "no \"$2\" in $1: $(head -c 300 "$1")"
}

lacks() {
    ! grep -qF -- "$2" "$1" || fail "\"$2\" in $1"
}

# page LOG [ARGUMENTS...]: makes page.html of the log: well-formed, and in want of no network.
page() {
    log=$1
    shift
    ends 0 report --log "$log" --out page.html "$@"
    if command -v xmllint >/dev/null; then
        xmllint --noout page.html || fail "the page of $log is not well-formed"
    elif command -v python3 >/dev/null; then
        python3 -c 'import xml.dom.minidom
xml.dom.minidom.parse("page.html")' || fail "the page of $log is not well-formed"
    fi
    for word in http: https: //cdn url\( @import '<script' '<link' '<img' ' src='; do
        lacks page.html "$word"
    done
    ! grep -E '([">LM]|[LM][0-9.]+,)-?(nan|inf)' page.html || fail "no number in the page of $log"
}

# refused TEXT: the log `bad.jsonl` gives this error, and no page.
refused() {
    rm -f bad.html
    ends 1 report --log bad.jsonl --out bad.html
    says err "alterrec: $1"
    [ ! -e bad.html ] || fail "a page of a bad log"
}

small="shop/shop.yaml --quiet --set model.dim=8 --set train.epochs=3 --set train.batch_size=128
    --set schedule.gap=1 --set schedule.random_epochs=2 --set text.dim=32 --set compute.threads=1
    --model m.safetensors"
ends 0 generate --out shop --items 120 --sessions 300 --categories 4
ends 0 train $small --log log.jsonl

# --- The page of a whole log
page log.jsonl
for id in validation loss groups alpha lengths occurrences; do
    says page.html "<title id=\"$id-title\">"
    says page.html "<desc id=\"$id-about\">"
done
for class in fused id text; do
    [ "$(grep -c "<path class=\"line $class" page.html)" -ge 1 ] || fail "no line of $class"
    [ "$(grep -c "<rect class=\"bar $class\"" page.html)" -ge 3 ] || fail "no bars of $class"
done
lacks page.html 'class="missing"'
says page.html 'rect class="bar popularity"'
says page.html 'rect class="band-id"'
says page.html 'rect class="band-text"'
says page.html 'best: epoch '
says page.html 'hard negatives'
says page.html 'used: 0.5'
says page.html '<code>model.dim</code>'
says page.html '(prefers-color-scheme:dark)'
says page.html '<meta name="viewport"'
# Figures: those of the log, to four places.
hits=$(sed -n 's/.*"examples":[0-9]*,"ks":[^]]*\],"fused":{"hits":{[^}]*"20":\([0-9.]*\).*/\1/p' log.jsonl)
says page.html "<td>$(printf %.4f "$hits")</td>"
loss=$(sed -n 's/.*"epoch":2,.*"loss":\([0-9.]*\),"positives.*/\1/p' log.jsonl)
says page.html "<td>$(printf %.4f "$loss")</td>"
changed=$(sed '/options that have their default/,$d' page.html | grep -c '<code>train.epochs</code>')
[ "$changed" -eq 1 ] || fail "train.epochs is not among the options that differ"

# --- Options and titles are text, whatever they hold
sed 's#"data.interactions":"[^"]*"#"data.interactions":"<script>\&\\u0001\\""#' log.jsonl >odd.jsonl
page odd.jsonl --title '<b>"A & B"</b>'
says page.html '&lt;script&gt;&amp;'
says page.html '<h1>&lt;b&gt;&quot;A &amp; B&quot;&lt;/b&gt;</h1>'

# --- Logs that lack something
head -n 3 log.jsonl >killed.jsonl
page killed.jsonl
says page.html 'ends without a test'
says page.html '<title id="validation-title">'
lacks page.html '<title id="groups-title">'
{ head -n 3 log.jsonl && sed -n 4p log.jsonl | cut -c 1-60 | tr -d '\n'; } >torn.jsonl
page torn.jsonl
says page.html 'last line of the log is cut off'
head -n 1 log.jsonl >begun.jsonl
page begun.jsonl
says page.html 'The log holds no epoch'
says page.html '<title id="lengths-title">'
sed 1d log.jsonl >headless.jsonl
page headless.jsonl
says page.html 'The log has no start'
sed 's/,"defaults":{[^}]*}//; s/,"histograms":.*/}/; s/"alpha":[^]]*\],//' log.jsonl >old.jsonl
page old.jsonl
says page.html 'The log holds no histograms'
says page.html 'The log holds no curve of alpha'
says page.html "compared with this version's"
says page.html '<code>model.dim</code>'
page old.jsonl --config shop/shop.yaml
says page.html '<title id="lengths-title">'
page log.jsonl
sed -n '/id="lengths-title"/,/<\/figure>/p' page.html >new.part
page old.jsonl --config shop/shop.yaml
sed -n '/id="lengths-title"/,/<\/figure>/p' page.html >old.part
cmp new.part old.part || fail "--config counts other lengths than train"
ends 0 generate --out other --items 120 --sessions 200 --categories 4
ends 1 report --log old.jsonl --out bad.html --config other/shop.yaml
says err "other data"
sed 's/"loss":[0-9.]*,/"loss":null,/; s/"negatives"/"later":[{}],"negatives"/' log.jsonl >null.jsonl
echo '{"event":"later","x":1}' >>null.jsonl
page null.jsonl
says page.html 'no epoch with a loss'

ends 0 train $small --log id.jsonl --set schedule.system=id --set text.source=none
page id.jsonl
lacks page.html 'class="line text'
says page.html 'class="line id'
says page.html 'The log holds no curve of alpha'
ends 0 train $small --log alone.jsonl --set schedule.system=id --set text.source=none \
    --set data.valid_share=0 --set data.test_share=0
page alone.jsonl
says page.html 'no validation sessions'
says page.html 'There were no test sessions'
ends 0 train $small --log naive.jsonl --set schedule.system=naive_sum
page naive.jsonl
says page.html 'class="band-fused"'
sed -n '/id="loss-title"/,/<\/figure>/p' page.html >loss.part
for class in fused id text; do
    says loss.part "class=\"line $class"
done

ends 0 train $small --log joint.jsonl --set schedule.system=naive_concat
page joint.jsonl
says page.html 'The log holds no curve of alpha'
says page.html 'class="band-fused"'

# --- An evaluation in the place of the test
ends 0 evaluate --model m.safetensors shop/shop.yaml --json --set eval.ks=7,9 --set eval.groups=
mv out evaluation.json
page killed.jsonl --evaluation evaluation.json
says page.html 'evaluation.json'
says page.html '@9'
says page.html 'no popularity groups'
lacks page.html 'ends without a test'
printf '{\n "examples": 3,\n "ks": [10],\n "fused": {"hits": {}}\n}\n' >bad.json
ends 1 report --log log.jsonl --out bad.html --evaluation bad.json
says err 'bad.json:4:20: "10" is missing'
printf '{"examples": 3, "ks": [1],' >bad.json
ends 1 report --log log.jsonl --out bad.html --evaluation bad.json
says err 'bad.json:1:27: a string was expected'

# --- Errors
ends 1 report --log missing.jsonl --out bad.html
says err 'missing.jsonl: '
ends 2 report --log log.jsonl
says err '--out FILE is missing'
ends 1 report --log log.jsonl --out no/such/folder/page.html
says err 'no/such/folder'
if [ -e /dev/full ]; then
    ends 1 report --log log.jsonl --out /dev/full
    says err "/dev/full: can't be written"
fi
: >bad.jsonl
refused 'bad.jsonl: no start, no epoch, no test'
echo 'epoch,loss' >bad.jsonl
refused 'bad.jsonl:1:1: a value was expected'
printf 'not json' >bad.jsonl
refused 'bad.jsonl:1:1: no such value'
{ head -n 2 log.jsonl && echo '{"event":"epoch"' && sed -n 3p log.jsonl; } >bad.jsonl
refused 'bad.jsonl:3:17: '
{ head -n 2 log.jsonl && echo '[1]'; } >bad.jsonl
refused 'bad.jsonl:3:1: a line of a log is an object'
echo '{"epoch":1}' >bad.jsonl
refused 'bad.jsonl:1:1: "event" is missing'
echo '{"event":"epoch","epoch":0,"tower":"ID"}' >bad.jsonl
refused 'bad.jsonl:1:1: "loss" is missing'
echo '{"event":"epoch","epoch":0,"tower":"ID","loss":"low"}' >bad.jsonl
refused 'bad.jsonl:1:48: "loss" is text, not a number'
echo '{"event":"epoch","epoch":0.5,"tower":"ID","loss":1}' >bad.jsonl
refused 'bad.jsonl:1:26: a whole number'
echo '{"event":"epoch","epoch":-1,"tower":"ID","loss":1}' >bad.jsonl
refused 'bad.jsonl:1:26: a whole number'
echo '{"event":"epoch","epoch":0,"tower":"both","loss":1}' >bad.jsonl
refused 'bad.jsonl:1:36: "both" is no tower'
{ cat killed.jsonl && sed -n 2p log.jsonl; } >bad.jsonl
refused 'bad.jsonl:4:1: epoch 0 stands behind epoch 1'
cat log.jsonl log.jsonl >bad.jsonl
refused 'bad.jsonl:6:1: a start in the middle'
{ cat log.jsonl && tail -n 1 log.jsonl; } >bad.jsonl
refused 'bad.jsonl:6:1: a second test'
echo '{"event":"start","options":[]}' >bad.jsonl
refused 'bad.jsonl:1:28: "options" is an array, not an object'
echo '{"event":"start","options":{"model.dim":[1]}}' >bad.jsonl
refused 'bad.jsonl:1:41: option "model.dim" is no single value'
echo '{"event":"start","histograms":{"lengths":[[1,2]]}}' >bad.jsonl
refused 'bad.jsonl:1:43: a bin is [low, high, count]'
echo '{"event":"start","data":{"items":-3}}' >bad.jsonl
refused 'bad.jsonl:1:34: a whole number'
echo '{"event":"start","data":{"sessions":[1,2]}}' >bad.jsonl
refused 'bad.jsonl:1:37: "sessions" is not three numbers'
echo '{"event":"test","evaluation":{"examples":1,"ks":[1],"groups":[{"low":0}]}}' >bad.jsonl
refused 'bad.jsonl:1:63: "examples" is missing'
echo '{"event":"test","evaluation":{"examples":1,"ks":[1]},"alpha_curve":[1]}' >bad.jsonl
refused 'bad.jsonl:1:68: "alpha_curve" has less than 2'
echo '{"event":"test","evaluation":{"examples":1,"ks":[]}}' >bad.jsonl
refused 'bad.jsonl:1:49: "ks" has 0 values'

[ "$failures" -eq 0 ] || exit 1
echo "reports show what logs hold"
