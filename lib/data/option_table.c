#include "data/option_table.h"

#include "core/host_struct.h"
#include "core/text.h"
#include "data/option_value.h"

#include <string.h>

/* Adding an option is adding a row. Rows of one group stand together; the text before the first dot
 * is the group. */
static const ar_option table[] = {
    {"compute.precision", AR_CHOICE, "f32", "f32 | bf16",
     "products of a training step; bf16: of numbers rounded to 8 bits, about twice as fast where "
     "the "
     "processor has them; sums, weights and Adam stay f32"},
    {"compute.ranking", AR_CHOICE, "same", "same | bf16",
     "products of the frozen tower that ranks items for hard negatives and augmented positives; "
     "same: as compute.precision; bf16: of rounded numbers, of which only the order counts"},
    {"compute.threads", AR_INT, "0", "0..1024",
     "threads of a call's parallel loops; 0: as OpenMP decides"},

    {"model.dim", AR_INT, "300", "1..4096",
     "hidden size d of both towers; a multiple of model.heads"},
    {"model.heads", AR_INT, "2", "1..64", "attention heads of a session encoder's block"},
    {"model.blocks", AR_INT, "2", "1..32", "transformer blocks of a session encoder"},
    {"model.max_len", AR_INT, "50", "1..4096",
     "items of a session that an encoder sees; of a longer session, the last ones"},
    {"model.dropout", AR_FLOAT, "0.1", "0..0.9", "share of activations dropped in training"},
    {"model.temperature", AR_FLOAT, "0.07", "0.0001..100",
     "tau, the number that text scores are divided by"},
    {"model.init", AR_CHOICE, "reference", "reference | usual",
     "first weights; reference: all parameters uniform in +-1/sqrt(dim); usual: Xavier normal "
     "weights, norms with gain 1, offsets 0"},
    {"model.new_items", AR_CHOICE, "neighbours", "neighbours | mean",
     "ID embedding of an item added to a model; neighbours: that of the items with the most "
     "similar "
     "text features; mean: one whose ID score is the mean of all"},
    {"model.new_item_neighbours", AR_INT, "10", "1..1000",
     "items at most of which an added item gets its ID embedding"},

    {"fusion.alpha", AR_FLOAT, "0.5", "auto | 0..1",
     "alpha, the ID score's weight in the fused score; the text score has 1 - alpha; auto: at the "
     "end of training the best on the validation sessions, 0.5 until then"},

    {"serve.encoder", AR_CHOICE, "f32", "f32 | bf16 | int8",
     "products of a recommender's session encoders; bf16: of numbers rounded to 8 bits, twice as "
     "fast where the processor has them, and scores that differ by as much; int8: weights of one "
     "byte, as fast, and half as much to read for a single session"},
    {"serve.precision", AR_CHOICE, "int8", "f32 | bf16 | int8",
     "numbers in the table that a recommender searches before it scores the best items in f32: the "
     "lists are the same, memory and time are not; f32: no such table"},
    {"serve.verify", AR_BOOL, "false", "true | false",
     "whether a recommender's file is read as a whole when it is opened, and checked by its "
     "checksum"},

    {"train.seed", AR_INT, "1", "0..4611686018427387904",
     "seed of every random choice: first weights, order, negatives, dropout"},
    {"train.batch_size", AR_INT, "512", "1..1000000", "examples (prefixes with a label) a step"},
    {"train.batching", AR_CHOICE, "session", "session | prefix",
     "what is shuffled; session: all prefixes of a session stay in one step; prefix: each prefix "
     "on its own"},
    {"train.epochs", AR_INT, "30", "1..100000", "epochs at most, both towers' together"},
    {"train.patience", AR_INT, "15", "0..100000",
     "epochs without a better validation metric before training stops; 0: never stop early"},
    {"train.valid_metric", AR_CHOICE, "hits", "hits | mrr | ndcg",
     "metric that chooses the best epoch on the validation sessions"},
    {"train.valid_k", AR_INT, "20", "1..1000", "K of train.valid_metric, in ranks"},
    {"train.valid_scorer", AR_CHOICE, "fused", "fused | id | text",
     "whose scores train.valid_metric ranks by"},

    {"optimizer.learning_rate", AR_FLOAT, "0.001", ">0..10", "Adam's learning rate before decay"},
    {"optimizer.beta1", AR_FLOAT, "0.9", "0..0.999999", "Adam's decay of the mean of gradients"},
    {"optimizer.beta2", AR_FLOAT, "0.999", "0..0.999999",
     "Adam's decay of the mean of squared gradients"},
    {"optimizer.epsilon", AR_FLOAT, "1e-08", ">0..1", "number added to Adam's denominator"},
    {"optimizer.weight_decay", AR_FLOAT, "0", "0..10",
     "L2 penalty: this times the weight is added to its gradient; 0: none"},
    {"optimizer.decay", AR_CHOICE, "step", "step | cosine | plateau | none",
     "how a tower's learning rate falls; step: times decay_factor after every so many epochs; "
     "cosine: to 0 over train.epochs; plateau: times decay_factor when validation stops improving"},
    {"optimizer.decay_factor", AR_FLOAT, "0.1", ">0..1",
     "factor of the learning rate at each decay by step or plateau"},
    {"optimizer.id_decay_epochs", AR_INT, "2", "1..100000",
     "epochs between decays of the ID tower, counted in epochs that this tower trained"},
    {"optimizer.text_decay_epochs", AR_INT, "5", "1..100000",
     "epochs between decays of the text tower, counted in epochs that this tower trained"},

    {"schedule.system", AR_CHOICE, "alterrec",
     "alterrec | separate | id | text | naive_sum | naive_concat",
     "what trains; alterrec: the towers in turns with hard negatives; separate: in turns with "
     "random negatives only; id, text: one tower alone; naive_sum: both at once, one loss on the "
     "sum of their scores; naive_concat: one tower of both, for which the model is made with it"},
    {"schedule.first", AR_CHOICE, "id", "id | text", "the tower that trains first"},
    {"schedule.gap", AR_INT, "2", "1..100000",
     "m_gap, epochs that a tower trains before the other one takes its turn"},
    {"schedule.random_epochs", AR_INT, "4", "0..100000",
     "m_random, epochs with random negatives before the hard ones begin"},

    {"negatives.mode", AR_CHOICE, "sampled", "sampled | full | batch",
     "sampled: negatives.count items an example; full: all other items (full softmax); batch: the "
     "labels of the batch's other examples"},
    {"negatives.sharing", AR_CHOICE, "example", "example | batch",
     "whether random negatives are drawn for each example or once for all of a batch; such a step "
     "touches no other items, and hard negatives are sought among these"},
    {"negatives.popularity", AR_FLOAT, "0", "0..2",
     "random negatives are drawn by (occurrences in the training set)^this; 0: uniformly"},
    {"negatives.correct", AR_BOOL, "false", "true | false",
     "logQ correction of random and in-batch negatives: their sum estimates the full softmax's"},
    {"negatives.k1", AR_INT, "20", "0..2147483646",
     "k1, ranks of the other tower that are skipped before the hard negatives"},
    {"negatives.k2", AR_INT, "20000", "1..2147483647",
     "k2, last rank of the other tower that is a hard negative; clipped to the catalog"},
    {"negatives.pool", AR_INT, "0", "0..2147483647",
     "items, drawn at random for each step, that hard negatives are ranked among, for large "
     "catalogs; k1 and k2 shrink with it; 0: the whole catalog; without effect where a batch "
     "shares its negatives"},
    {"negatives.count", AR_INT, "0", "0..2147483647",
     "negatives an example; 0: k2 - k1, after k2 is clipped to the catalog"},
    {"negatives.hard_share", AR_FLOAT, "0.5", "0..1",
     "share of the negatives from ranks k1..k2 once they are hard; the rest are random"},

    {"positives.count", AR_INT, "0", "0..1000",
     "p, augmented labels an example, from the hard negatives' first epoch on; the paper's value "
     "is 5; 0: none"},
    {"positives.weight", AR_FLOAT, "0.5", "0..100",
     "lambda, the weight of the augmented labels' mean loss"},
    {"positives.source", AR_CHOICE, "other", "other | id",
     "tower whose best items are the augmented labels; other: the one that does not train"},

    {"eval.ks", AR_LIST, "1,3,5,10,20,50", "1..1000000, ascending, at most 16",
     "the values of K, in ranks, at which metrics are given"},
    {"eval.groups", AR_RANGES, "[0,10) [10,30) [0,30] [30,100) [100,inf)",
     "intervals of whole numbers, at most 16",
     "popularity groups: how often the label occurs in the training sessions; empty: none"},

    {"data.interactions", AR_TEXT, "", "",
     "file of all sessions, split by data.split; empty: data.train is named instead"},
    {"data.train", AR_TEXT, "", "", "file of the training sessions; empty: none"},
    {"data.valid", AR_TEXT, "", "", "file of the validation sessions; empty: none"},
    {"data.test", AR_TEXT, "", "", "file of the test sessions; empty: none"},
    {"data.items", AR_TEXT, "", "",
     "file of the items and their texts; empty: the items are those of the sessions"},
    {"data.features", AR_TEXT, "", "",
     ".npy file of the items' text features [items, f], rows in catalog order; empty: none"},
    {"data.format", AR_CHOICE, "auto", "auto | sessions | csv | tsv | recbole",
     "form of the session files; auto: by the name's ending; sessions: a session of item keys a "
     "line"},
    {"data.session_column", AR_TEXT, "session", "not empty", "column of the session's key"},
    {"data.item_column", AR_TEXT, "item", "not empty", "column of the item's key"},
    {"data.time_column", AR_TEXT, "", "",
     "column of the time, as seconds or ISO 8601; empty: rows are in order"},
    {"data.text_column", AR_TEXT, "", "",
     "column of the item's text in a session file; empty: none"},
    {"data.positive_column", AR_TEXT, "", "",
     "column of a number; rows where it is not above 0 are dropped; empty: all rows are kept"},
    {"data.item_key_column", AR_TEXT, "item", "not empty", "column of the key in the item file"},
    {"data.item_text_column", AR_TEXT, "text", "",
     "column of the text in the item file; several, separated by commas, are joined by a space"},
    {"data.unknown_items", AR_CHOICE, "drop", "drop | error",
     "what an item that the catalog does not have is: left out, or an error"},
    {"data.min_session_length", AR_INT, "2", "1..2147483647",
     "sessions of fewer items are dropped"},
    {"data.max_session_length", AR_INT, "0", "0..2147483647",
     "sessions of more items are long, see data.long_sessions; 0: no limit"},
    {"data.long_sessions", AR_CHOICE, "drop", "drop | cut",
     "what becomes of long sessions; cut: their last items are kept"},
    {"data.min_item_count", AR_INT, "1", "1..2147483647",
     "items that occur less often in all sessions are dropped"},
    {"data.repeats", AR_CHOICE, "keep", "keep | consecutive | all",
     "which repeats of an item within a session are dropped: none, those right behind each other, "
     "all but the first"},
    {"data.split", AR_CHOICE, "time", "time | random | none",
     "how data.interactions is split; time: the latest sessions are the test's, those before them "
     "the validation's"},
    {"data.valid_share", AR_FLOAT, "0.1", "0..0.9", "share of the sessions for validation"},
    {"data.test_share", AR_FLOAT, "0.1", "0..0.9", "share of the sessions for the test"},
    {"data.split_seed", AR_INT, "1", "0..4611686018427387904", "seed of the random split"},

    {"text.source", AR_CHOICE, "auto", "auto | npy | hash | none",
     "text features; auto: data.features if it is named, else hashing if the items have texts"},
    {"text.dim", AR_INT, "512", "8..65536", "size f of hashed text features"},
    {"text.word_ngrams", AR_INT, "2", "0..5", "words of the longest word n-gram hashed; 0: none"},
    {"text.char_min", AR_INT, "3", "1..10", "characters of the shortest character n-gram hashed"},
    {"text.char_max", AR_INT, "5", "0..10",
     "characters of the longest character n-gram hashed; 0: none"},
    {"text.tfidf", AR_BOOL, "true", "true | false",
     "weight n-grams by how few items have them (TF-IDF)"},
};

enum { COUNT = sizeof table / sizeof table[0] };

int64_t alterrec_option_count(void) {
    return COUNT;
}

const ar_option *ar_option_at(int64_t index) {
    return &table[index];
}

const char *ar_option_type_name(ar_option_type type) {
    static const char *const names[] = {
        [AR_INT] = "int",       [AR_FLOAT] = "float", [AR_BOOL] = "bool",    [AR_TEXT] = "text",
        [AR_CHOICE] = "choice", [AR_LIST] = "list",   [AR_RANGES] = "ranges"};
    return names[type];
}

alterrec_status alterrec_option_describe(alterrec_option *option, int64_t index) {
    AR_NOT_NULL(option);
    AR_TRY(ar_host_struct_check(&ar_option_struct, option, __func__));
    if (index < 0 || index >= COUNT)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "alterrec_option_describe: index %lld is outside 0..%d", (long long)index,
                       COUNT - 1);
    const ar_option *row = &table[index];
    alterrec_option known = {.key = row->key,
                             .type = ar_option_type_name(row->type),
                             .default_value = row->default_value,
                             .range = row->range,
                             .help = row->help};
    ar_host_struct_fill(option, &known, &ar_option_struct);
    return ALTERREC_OK;
}

int64_t ar_option_find(const char *key) {
    for (int64_t i = 0; i < COUNT; i++)
        if (strcmp(table[i].key, key) == 0)
            return i;
    return -1;
}

static size_t group_length(const char *key) {
    return strcspn(key, ".");
}

bool ar_option_is_group(const char *name) {
    size_t length = strlen(name);
    for (int64_t i = 0; i < COUNT; i++)
        if (strncmp(table[i].key, name, length) == 0 && table[i].key[length] == '.')
            return true;
    return false;
}

static const char *last_component(const char *key) {
    const char *dot = strrchr(key, '.');
    return dot != NULL ? dot + 1 : key;
}

/* A distance at which two words are not alike. */
enum { FAR = 1000 };

static int likeness(const char *given, const char *known) {
    int distance = ar_text_distance(given, known);
    return 3 * (size_t)distance <= strlen(known) + 1 ? distance : FAR;
}

/* The key most like `key`, as a whole or in its last component; NULL if none is near. */
static const char *nearest_key(const char *key) {
    bool has_group = strchr(key, '.') != NULL;
    const char *nearest = NULL;
    int best = FAR, best_whole = FAR;
    for (int64_t i = 0; i < COUNT; i++) {
        const char *known = table[i].key;
        int near = likeness(key, known);
        int near_last = likeness(last_component(key), last_component(known));
        if (near_last < near)
            near = near_last;
        /* Of equals the one in the group most like the given one, else the first. */
        int whole = has_group ? ar_text_distance(key, known) : 0;
        if (near < best || (near < FAR && near == best && whole < best_whole)) {
            nearest = known;
            best = near;
            best_whole = whole;
        }
    }
    return nearest;
}

alterrec_status ar_option_unknown(const char *key) {
    char shown[80];
    ar_option_quote(shown, sizeof shown, key, strlen(key));
    if (ar_option_is_group(key))
        return ar_fail(ALTERREC_ERROR_NOT_FOUND, "%s is a group of options, not an option", shown);
    const char *nearest = nearest_key(key);
    if (nearest == NULL)
        return ar_fail(ALTERREC_ERROR_NOT_FOUND, "no option %s", shown);
    return ar_fail(ALTERREC_ERROR_NOT_FOUND, "no option %s; did you mean \"%s\"?", shown, nearest);
}

alterrec_status ar_option_unknown_group(const char *name) {
    char shown[80], nearest[80] = "";
    int best = FAR;
    for (int64_t i = 0; i < COUNT; i++) {
        char group[sizeof nearest] = "";
        memcpy(group, table[i].key, group_length(table[i].key));
        int near = likeness(name, group);
        if (near < best) {
            best = near;
            memcpy(nearest, group, sizeof nearest);
        }
    }
    ar_option_quote(shown, sizeof shown, name, strlen(name));
    if (best == FAR)
        return ar_fail(ALTERREC_ERROR_NOT_FOUND, "no group of options %s", shown);
    return ar_fail(ALTERREC_ERROR_NOT_FOUND, "no group of options %s; did you mean \"%s\"?", shown,
                   nearest);
}
