/* How examples are put together changes nothing of what they give: whole sessions or single
 * prefixes, whatever batch-mates, the same numbers; the same seed, the same bits. */
#include "core/memory.h"
#include "core/threads.h"
#include "support/numbers.h"
#include "train/learner.h"

#include <math.h>
#include <string.h>

enum {
    ITEMS = 40,
    FEATURES = 6,
    DIM = 12,
    MAX_LEN = 5,
    SESSIONS = 30,
    LONGEST = 12,
    EXPLICIT = 11
};

static const int towers[] = {ALTERREC_ID, ALTERREC_TEXT};

typedef struct shop_floor {
    alterrec_catalog *catalog;
    alterrec_sessions *sessions;
    alterrec_model *model;
    ar_random random;
} shop_floor;

/* Sessions of 2 to 12 items: half of them longer than max_len. */
static void open_floor(shop_floor *f) {
    static const char *const settings[][2] = {
        {"model.dim", "12"}, {"model.heads", "2"}, {"model.blocks", "2"}, {"model.max_len", "5"}};
    alterrec_config *config;
    ar_random_seed(&f->random, 3);
    MUST(alterrec_config_create(&config));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        MUST(alterrec_config_set(config, settings[i][0], settings[i][1]));
    float *features = random_floats(ITEMS * FEATURES, &f->random);
    MUST(alterrec_catalog_create(&f->catalog, NULL, NULL, ITEMS));
    MUST(alterrec_catalog_set_features(f->catalog, features, ITEMS, FEATURES));
    MUST(alterrec_model_create(&f->model, f->catalog, config));
    int64_t lengths[SESSIONS];
    for (int64_t s = 0; s < SESSIONS; s++)
        lengths[s] = 2 + s % (LONGEST - 1);
    ragged batch;
    ragged_open(&batch, lengths, SESSIONS, ITEMS, &f->random);
    MUST(alterrec_sessions_create(&f->sessions, f->catalog, batch.items, batch.offsets, SESSIONS));
    ragged_close(&batch);
    ar_free(features);
    alterrec_config_free(config);
}

static void close_floor(shop_floor *f) {
    alterrec_model_free(f->model);
    alterrec_sessions_free(f->sessions);
    alterrec_catalog_free(f->catalog);
}

/* All examples as one batch, their negatives a function of what the example is. */
typedef struct whole {
    ar_examples examples;
    ar_batch_memory memory;
    ar_example_batch batch;
    int32_t *negatives; /* [count, EXPLICIT] */
} whole;

/* A number that an example has in every batching: its label and the items before it. */
static uint64_t identity(const ar_example_batch *batch, int64_t e) {
    int64_t s = 0;
    while (batch->packed.offsets[s + 1] <= batch->rows[e])
        s++;
    uint64_t key = (uint64_t)batch->labels[e];
    for (int64_t t = batch->packed.offsets[s]; t <= batch->rows[e]; t++)
        key = ar_random_key(key, (uint64_t)batch->packed.items[t]);
    return key;
}

static void open_whole(whole *w, const shop_floor *f, bool by_prefix) {
    *w = (whole){0};
    MUST(ar_examples_create(&w->examples, f->sessions, MAX_LEN, by_prefix));
    ar_examples_shuffle(&w->examples, by_prefix ? 1 : 2);
    MUST(ar_examples_pack(&w->batch, &w->memory, &w->examples, 0, w->examples.unit_count));
    w->negatives = ar_new(w->batch.count * EXPLICIT, sizeof *w->negatives);
    for (int64_t e = 0; e < w->batch.count; e++) {
        ar_random random;
        ar_random_seed(&random, identity(&w->batch, e));
        for (int64_t i = 0; i < EXPLICIT; i++)
            w->negatives[e * EXPLICIT + i] = (int32_t)ar_random_below(&random, ITEMS);
    }
}

static void close_whole(whole *w) {
    ar_examples_free(&w->examples);
    ar_batch_memory_free(&w->memory);
    ar_free(w->negatives);
}

/* Loss and gradients of the whole; the caller frees the gradients. */
static double *gradients_of(ar_step_result *result, const shop_floor *f, const whole *w, int tower,
                            int32_t negatives, ar_teacher *teacher) {
    ar_learner learner;
    MUST(ar_learner_create(&learner, f->model, tower, 2));
    ar_step_options options = {.negatives = negatives,
                               .explicit_negatives = w->negatives,
                               .explicit_count = EXPLICIT,
                               .labeller = teacher,
                               .positives = 3,
                               .positives_weight = 0.5};
    MUST(ar_learner_gradients(result, &learner, &w->batch, &options));
    double *gradients = to_doubles(learner.diff, learner.tower->list.count);
    ar_learner_free(&learner);
    return gradients;
}

/* Sums run in another order, so not the same bits: within 5e-5 of the tensor's largest gradient. */
START_TEST(sessions_and_prefixes_give_the_same_gradients) {
    int tower = towers[_i & 1];
    int32_t negatives = _i >> 1 != 0 ? ALTERREC_NEGATIVES_FULL : ALTERREC_NEGATIVES_RANDOM;
    shop_floor f;
    whole by_session, by_prefix;
    ar_teacher teacher;
    ar_step_result a, b;
    open_floor(&f);
    open_whole(&by_session, &f, false);
    open_whole(&by_prefix, &f, true);
    ck_assert_int_eq(by_session.batch.count, by_prefix.batch.count);
    ck_assert_int_lt(by_session.batch.packed.tokens, by_prefix.batch.packed.tokens);
    MUST(ar_teacher_create(&teacher, f.model, towers[1 - (_i & 1)], false));
    double *g = gradients_of(&a, &f, &by_session, tower, negatives, &teacher);
    double *h = gradients_of(&b, &f, &by_prefix, tower, negatives, &teacher);
    ck_assert_double_eq_tol(a.loss, b.loss, 1e-6 * a.loss);
    ck_assert_double_eq_tol(a.positives_loss, b.positives_loss, 1e-6 * a.positives_loss);
    const ar_parameter_list *list = &ar_model_tower(f.model, tower)->list;
    for (int64_t t = 0; t < list->tensor_count; t++) {
        const ar_tensor *tensor = &list->tensors[t];
        float *values = ar_new(tensor->count, sizeof *values);
        for (int64_t i = 0; i < tensor->count; i++)
            values[i] = (float)g[tensor->offset + i];
        check_near(tensor->name, values, h + tensor->offset, tensor->count, 5e-5);
        ar_free(values);
    }
    ar_free(g);
    ar_free(h);
    ar_teacher_free(&teacher);
    close_whole(&by_session);
    close_whole(&by_prefix);
    close_floor(&f);
}
END_TEST

/* Vectors and scores of sessions `first` to `first + count - 1`, in a batch of their own. */
static void score(float *vectors, float *scores, const shop_floor *f, alterrec_batch *batch,
                  int scorer, int64_t first, int64_t count) {
    MUST(alterrec_batch_clear(batch));
    for (int64_t s = first; s < first + count; s++) {
        const int32_t *items;
        int64_t length;
        MUST(alterrec_sessions_get(&items, &length, f->sessions, s % SESSIONS));
        MUST(alterrec_batch_add(batch, items, 1 + s % length));
    }
    if (scorer != ALTERREC_FUSED)
        MUST(alterrec_model_session_vectors(vectors, f->model, scorer, batch));
    MUST(alterrec_model_score(scores, f->model, scorer, batch));
}

START_TEST(batch_mates_do_not_change_a_bit) {
    enum { MOST = 130 };
    static const int64_t counts[] = {1, 2, 15, 16, 17, 100};
    static const int scorers[] = {ALTERREC_ID, ALTERREC_TEXT, ALTERREC_FUSED};
    int scorer = scorers[_i];
    shop_floor f;
    alterrec_batch *batch;
    open_floor(&f);
    MUST(alterrec_batch_create(&batch));
    float *vectors = ar_new(MOST * DIM, sizeof *vectors),
          *scores = ar_new(MOST * ITEMS, sizeof *scores);
    float *some_vectors = ar_new(MOST * DIM, sizeof *vectors);
    float *some_scores = ar_new(MOST * ITEMS, sizeof *scores);
    score(vectors, scores, &f, batch, scorer, 0, MOST);
    for (int c = 0; c < 6; c++)
        for (int64_t first = 0; first + counts[c] <= MOST; first += counts[c] < 3 ? 9 : 6) {
            score(some_vectors, some_scores, &f, batch, scorer, first, counts[c]);
            ck_assert_msg(same_bits(some_vectors, vectors + first * DIM, counts[c] * DIM) ||
                              scorer == ALTERREC_FUSED,
                          "vectors of sessions %d to %d", (int)first, (int)(first + counts[c]));
            ck_assert_msg(same_bits(some_scores, scores + first * ITEMS, counts[c] * ITEMS),
                          "scores of sessions %d to %d", (int)first, (int)(first + counts[c]));
        }
    ar_free(vectors);
    ar_free(scores);
    ar_free(some_vectors);
    ar_free(some_scores);
    alterrec_batch_free(batch);
    close_floor(&f);
}
END_TEST

/* Three epochs of small steps with everything random switched on; the trained block is a copy. */
static float *train(float **frozen, int tower, uint64_t seed, int threads) {
    shop_floor f;
    ar_learner learner;
    ar_examples examples;
    ar_batch_memory memory = {0};
    ar_teacher teacher;
    int before = ar_threads_enter(threads);
    open_floor(&f);
    MUST(ar_learner_create(&learner, f.model, tower, threads));
    MUST(ar_examples_create(&examples, f.sessions, MAX_LEN, false));
    MUST(ar_teacher_create(&teacher, f.model, tower == ALTERREC_ID ? ALTERREC_TEXT : ALTERREC_ID,
                           false));
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        ar_examples_shuffle(&examples, ar_random_key(seed, epoch));
        for (int64_t u = 0, next; u < examples.unit_count; u = next) {
            ar_example_batch batch;
            ar_step_result result;
            next = ar_examples_next(&examples, u, 40);
            MUST(ar_examples_pack(&batch, &memory, &examples, u, next));
            ar_step_options options = {.negatives = ALTERREC_NEGATIVES_HARD,
                                       .k1 = 2,
                                       .k2 = 30,
                                       .negative_count = 16,
                                       .hard_share = 0.5,
                                       .positives = 2,
                                       .positives_weight = 0.5,
                                       .dropout = 0.1f,
                                       .seed = ar_random_key(seed, epoch * 100 + (uint64_t)u),
                                       .adam = {1e-3, 0.9, 0.999, 1e-8, 0.0},
                                       .ranker = &teacher,
                                       .labeller = &teacher};
            MUST(ar_learner_step(&result, &learner, &batch, &options));
        }
    }
    const ar_tower *other = ar_model_tower(f.model, teacher.kind);
    float *trained = ar_new(learner.tower->list.count, sizeof *trained);
    memcpy(trained, learner.tower->block, (size_t)learner.tower->list.count * sizeof *trained);
    if (frozen != NULL) {
        *frozen = ar_new(other->list.count, sizeof **frozen);
        memcpy(*frozen, other->block, (size_t)other->list.count * sizeof **frozen);
    }
    ar_teacher_free(&teacher);
    ar_examples_free(&examples);
    ar_batch_memory_free(&memory);
    ar_learner_free(&learner);
    close_floor(&f);
    ar_threads_leave(before);
    return trained;
}

START_TEST(same_seed_same_bits_and_the_other_tower_stays) {
    shop_floor fresh;
    float *frozen;
    int threads = 1 + (_i >> 1), tower = towers[_i & 1];
    float *first = train(&frozen, tower, 5, threads), *second = train(NULL, tower, 5, threads);
    float *other_seed = train(NULL, tower, 6, threads);
    open_floor(&fresh);
    const ar_tower *trained = ar_model_tower(fresh.model, tower);
    const ar_tower *kept = ar_model_tower(fresh.model, towers[1 - (_i & 1)]);
    ck_assert(same_bits(first, second, trained->list.count));
    ck_assert(!same_bits(first, other_seed, trained->list.count));
    ck_assert(!same_bits(first, trained->block, trained->list.count));
    ck_assert(same_bits(frozen, kept->block, kept->list.count));
    ar_free(first);
    ar_free(second);
    ar_free(other_seed);
    ar_free(frozen);
    close_floor(&fresh);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("batching");
    tcase_add_loop_test(group, sessions_and_prefixes_give_the_same_gradients, 0, 4);
    tcase_add_loop_test(group, batch_mates_do_not_change_a_bit, 0, 3);
    tcase_add_loop_test(group, same_seed_same_bits_and_the_other_tower_stays, 0, 4);
    return run_tests(group, "batching");
}
