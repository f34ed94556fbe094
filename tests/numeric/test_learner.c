/* One training step: the batch's loss and all gradients against a naive forward pass, every tower,
 * every kind of negatives, augmented positives; and what a number that is not finite does. */
#include "core/memory.h"
#include "support/naive.h"
#include "support/numbers.h"
#include "train/learner.h"

#include <math.h>
#include <string.h>

enum {
    ITEMS = 23,
    FEATURES = 7,
    DIM = 12,
    MAX_LEN = 6,
    SEQUENCES = 4,
    EXPLICIT = 9,
    POSITIVES = 3
};

static const int64_t lengths[SEQUENCES] = {3, 1, 6, 4};

typedef struct training {
    alterrec_catalog *catalog;
    alterrec_model *model;
    ragged batch;
    int64_t rows[14];
    int32_t labels[14], negatives[14 * EXPLICIT];
    ar_example_batch examples;
    ar_learner learner;
    ar_step_options options;
} training;

static void make_model(training *t, int tower, ar_random *random) {
    static const char *const settings[][2] = {{"model.dim", "12"},
                                              {"model.heads", "2"},
                                              {"model.blocks", "2"},
                                              {"model.max_len", "6"},
                                              {"model.init", "usual"}};
    alterrec_config *config;
    MUST(alterrec_config_create(&config));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        MUST(alterrec_config_set(config, settings[i][0], settings[i][1]));
    if (tower == ALTERREC_FUSED)
        MUST(alterrec_config_set(config, "schedule.system", "naive_concat"));
    float *features = random_floats(ITEMS * FEATURES, random);
    MUST(alterrec_catalog_create(&t->catalog, NULL, NULL, ITEMS));
    MUST(alterrec_catalog_set_features(t->catalog, features, ITEMS, FEATURES));
    MUST(alterrec_model_create(&t->model, t->catalog, config));
    /* Scores of a few units, also after division by the temperature. */
    for (int side = 0; side < AR_MODEL_SIDES; side++) {
        const ar_tower *made = ar_model_side(t->model, side);
        for (int64_t j = 0; j < made->list.count; j++)
            made->block[j] = 0.3f * (float)ar_random_normal(random);
    }
    ar_free(features);
    alterrec_config_free(config);
}

static void open_training(training *t, int tower) {
    ar_random random;
    ar_random_seed(&random, 6);
    *t = (training){0};
    make_model(t, tower, &random);
    ragged_open(&t->batch, lengths, SEQUENCES, ITEMS, &random);
    /* Every token is an example but the first of the last sequence: one that only serves others. */
    int64_t count = 0;
    for (int64_t row = 0; row < t->batch.packed.tokens; row++) {
        if (row == t->batch.offsets[SEQUENCES - 1])
            continue;
        t->rows[count] = row;
        t->labels[count++] = (int32_t)ar_random_below(&random, ITEMS);
    }
    for (int64_t i = 0; i < count * EXPLICIT; i++) /* some are a label, some come twice */
        t->negatives[i] = (int32_t)ar_random_below(&random, ITEMS);
    t->examples = (ar_example_batch){t->batch.packed, t->rows, t->labels, count};
    MUST(ar_learner_create(&t->learner, t->model, tower, 2));
    t->options = (ar_step_options){
        .seed = 99,
        .explicit_negatives = t->negatives,
        .explicit_count = EXPLICIT,
        .adam = {.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}};
}

static void close_training(training *t) {
    ar_learner_free(&t->learner);
    alterrec_model_free(t->model);
    alterrec_catalog_free(t->catalog);
    ragged_close(&t->batch);
}

/* The learner's streams: 0 for the table, 1 for the encoder; each tower has its own. */
static uint64_t dropout_seed(const training *t, uint64_t stream) {
    return ar_random_key(ar_random_key(t->options.seed, AR_OBJECTIVE_STREAMS + stream),
                         (uint64_t)t->learner.kind);
}

/* Naive logits [count, items] of any tower, from its parameters in double; or of one part of a
 * joint one (AR_PARTS: of the whole). */
static void naive_logits(double *logits, const training *t, const ar_tower *tower, int part,
                         const double *block, float rate) {
    const ar_tower_shape *shape = &tower->shape;
    int64_t tokens = t->batch.packed.tokens;
    double *table = ar_new(ITEMS * DIM, sizeof *table), *h = ar_new(tokens * DIM, sizeof *h);
    ar_dropout dropout = {rate, dropout_seed(t, 0)};
    if (part < AR_PARTS)
        naive_part_table(table, block, shape, part, t->catalog->features, dropout);
    else
        naive_table(table, block, shape, t->catalog->features, dropout);
    naive_encoder(h, block + tower->list.count - ar_encoder_weights_count(&shape->encoder),
                  &shape->encoder, table, &t->batch.packed, (ar_dropout){rate, dropout_seed(t, 1)});
    for (int64_t e = 0; e < t->examples.count; e++)
        naive_matmul(logits + e * ITEMS, h + t->rows[e] * DIM, table, NULL, 1, ITEMS, DIM,
                     AR_WEIGHTS_TRANSPOSED);
    ar_free(table);
    ar_free(h);
}

/* The p best items of each example by the other tower, without dropout. */
static void naive_positives(int32_t *positives, const training *t, int64_t p) {
    const ar_tower *tower = t->learner.kind == ALTERREC_ID ? &t->model->text : &t->model->id;
    double *block = to_doubles(tower->block, tower->list.count);
    double *logits = ar_new(t->examples.count * ITEMS, sizeof *logits);
    naive_logits(logits, t, tower, AR_PARTS, block, 0.0f);
    for (int64_t e = 0; e < t->examples.count; e++) {
        float scores[ITEMS];
        int32_t order[ITEMS];
        for (int64_t j = 0; j < ITEMS; j++)
            scores[j] = (float)logits[e * ITEMS + j];
        naive_ranking(order, scores, ITEMS);
        memcpy(positives + e * p, order, (size_t)p * sizeof *positives);
    }
    ar_free(block);
    ar_free(logits);
}

/* A training's loss as a function of its tower's parameters. */
typedef struct loss_of {
    const training *training;
    double *block; /* all parameters; the point is a part of it */
    int32_t *positives;
} loss_of;

static void example_negatives(float *negatives, const training *t, int64_t e) {
    for (int64_t j = 0; j < ITEMS; j++)
        negatives[j] = t->options.negatives == ALTERREC_NEGATIVES_FULL ? 1.0f : 0.0f;
    for (int64_t i = 0; t->options.negatives != ALTERREC_NEGATIVES_FULL && i < EXPLICIT; i++)
        negatives[t->negatives[e * EXPLICIT + i]] += 1.0f;
    negatives[t->labels[e]] = 0.0f;
}

static void naive_losses(ar_step_result *result, const loss_of *l) {
    const training *t = l->training;
    int64_t count = t->examples.count, p = t->options.positives;
    double scale = (double)ar_model_score_scale(t->model, t->learner.kind);
    double *logits = ar_new(count * ITEMS, sizeof *logits);
    naive_logits(logits, t, t->learner.tower, AR_PARTS, l->block, t->options.dropout);
    *result = (ar_step_result){0};
    for (int64_t e = 0; e < count; e++) {
        float negatives[ITEMS];
        const double *row = logits + e * ITEMS;
        example_negatives(negatives, t, e);
        result->loss += naive_cost(row, negatives, ITEMS, t->labels[e], scale) / (double)count;
        for (int64_t i = 0; i < p; i++)
            result->positives_loss +=
                naive_cost(row, negatives, ITEMS, l->positives[e * p + i], scale) /
                (double)(count * p);
    }
    ar_free(logits);
}

/* What each part of a joint tower would lose. */
static void naive_part_losses(double losses[AR_PARTS], const loss_of *l) {
    const training *t = l->training;
    double *logits = ar_new(t->examples.count * ITEMS, sizeof *logits);
    for (int part = 0; part < AR_PARTS; part++) {
        losses[part] = 0.0;
        naive_logits(logits, t, t->learner.tower, part, l->block, t->options.dropout);
        for (int64_t e = 0; e < t->examples.count; e++) {
            float negatives[ITEMS];
            example_negatives(negatives, t, e);
            losses[part] += naive_cost(logits + e * ITEMS, negatives, ITEMS, t->labels[e], 1.0) /
                            (double)t->examples.count;
        }
    }
    ar_free(logits);
}

static double batch_loss(const double *point, void *context) {
    const loss_of *l = context;
    (void)point;
    ar_step_result result;
    naive_losses(&result, l);
    return result.loss + l->training->options.positives_weight * result.positives_loss;
}

/* Loss within 1e-5 of the naive one, each tensor's gradient within 2e-4 of its differences. */
static void check_step(training *t) {
    ar_step_result result, expected;
    const ar_tower *tower = t->learner.tower;
    loss_of l = {.training = t, .block = to_doubles(tower->block, tower->list.count)};
    if (t->options.positives > 0) {
        l.positives = ar_new(t->examples.count * t->options.positives, sizeof *l.positives);
        naive_positives(l.positives, t, t->options.positives);
    }
    MUST(ar_learner_gradients(&result, &t->learner, &t->examples, &t->options));
    naive_losses(&expected, &l);
    ck_assert_double_eq_tol(result.loss, expected.loss, 1e-5 * expected.loss);
    ck_assert_double_eq_tol(result.positives_loss, expected.positives_loss,
                            1e-5 * expected.positives_loss + 1e-12);
    for (int64_t i = 0; i < tower->list.tensor_count; i++) {
        const ar_tensor *tensor = &tower->list.tensors[i];
        check_gradient(tensor->name, t->learner.diff + tensor->offset, l.block + tensor->offset,
                       tensor->count, batch_loss, &l, 2e-4);
    }
    ar_free(l.block);
    ar_free(l.positives);
}

static const int towers[] = {ALTERREC_ID, ALTERREC_TEXT, ALTERREC_FUSED};
static const int32_t modes[] = {ALTERREC_NEGATIVES_RANDOM, ALTERREC_NEGATIVES_FULL};

/* Test number: tower, kind of negatives, dropout. */
START_TEST(loss_and_gradients) {
    training t;
    open_training(&t, towers[_i & 1]);
    t.options.negatives = modes[_i >> 1 & 1];
    t.options.dropout = _i >> 2 != 0 ? 0.2f : 0.0f;
    check_step(&t);
    close_training(&t);
}
END_TEST

/* Products of bf16 numbers, of which the first 8 bits are left, against differences of a loss that
 * rounds nothing, and against the gradients in f32. The yardstick is the whole gradient: a tensor
 * whose own entries are what is left of sums near 0, like the item table's shift, may be far off.
 * Test number: tower, kind of negatives, dropout. */
START_TEST(loss_and_gradients_in_bf16) {
    const double loss_tolerance = 3e-3, gradient_tolerance = 2e-2, distance_tolerance = 1.5e-2;
    training t;
    ar_step_result exact, rounded;
    open_training(&t, towers[_i & 1]);
    t.options.negatives = modes[_i >> 1 & 1];
    t.options.dropout = _i >> 2 != 0 ? 0.2f : 0.0f;
    int64_t parameters = t.learner.tower->list.count;
    loss_of l = {.training = &t, .block = to_doubles(t.learner.tower->block, parameters)};
    float *gradients = ar_new(parameters, sizeof *gradients);
    MUST(ar_learner_gradients(&exact, &t.learner, &t.examples, &t.options));
    memcpy(gradients, t.learner.diff, (size_t)parameters * sizeof *gradients);
    if (ar_learner_use_bf16(&t.learner) == ALTERREC_OK) { /* else no processor for it */
        double distance = 0.0, length = 0.0;
        MUST(ar_learner_gradients(&rounded, &t.learner, &t.examples, &t.options));
        for (int64_t i = 0; i < parameters; i++) {
            distance += pow((double)t.learner.diff[i] - (double)gradients[i], 2.0);
            length += pow((double)gradients[i], 2.0);
        }
        ck_assert(!same_bits(gradients, t.learner.diff, parameters));
        ck_assert_double_eq_tol(rounded.loss, exact.loss, loss_tolerance * exact.loss);
        ck_assert_double_le(distance, distance_tolerance * distance_tolerance * length);
        check_gradient("everything", t.learner.diff, l.block, parameters, batch_loss, &l,
                       gradient_tolerance);
    }
    ar_free(l.block);
    ar_free(gradients);
    close_training(&t);
}
END_TEST

/* Test number: kind of negatives, dropout. */
START_TEST(joint_tower) {
    training t;
    open_training(&t, ALTERREC_FUSED);
    t.options.negatives = modes[_i & 1];
    t.options.dropout = _i >> 1 != 0 ? 0.2f : 0.0f;
    check_step(&t);
    ar_step_result result;
    const ar_tower *tower = t.learner.tower;
    loss_of l = {.training = &t, .block = to_doubles(tower->block, tower->list.count)};
    double expected[AR_PARTS];
    t.learner.tile_rows = 5; /* several tiles */
    MUST(ar_learner_gradients(&result, &t.learner, &t.examples, &t.options));
    naive_part_losses(expected, &l);
    for (int part = 0; part < AR_PARTS; part++)
        ck_assert_double_eq_tol(result.part_loss[part], expected[part], 1e-5 * expected[part]);
    ar_free(l.block);
    close_training(&t);
}
END_TEST

START_TEST(loss_and_gradients_with_positives) {
    training t;
    ar_teacher labeller;
    open_training(&t, towers[_i & 1]);
    t.options.negatives = modes[_i >> 1 & 1];
    t.options.dropout = _i >> 2 != 0 ? 0.2f : 0.0f;
    MUST(ar_teacher_create(&labeller, t.model, towers[1 - (_i & 1)], false));
    t.options.labeller = &labeller;
    t.options.positives = POSITIVES;
    t.options.positives_weight = 0.5;
    check_step(&t);
    ar_teacher_free(&labeller);
    close_training(&t);
}
END_TEST

/* Hard negatives that are the whole rank window of the other tower, and no random ones: the same
 * as these items given by hand. */
START_TEST(hard_negatives_are_the_other_towers_ranks) {
    enum { K1 = 3, K2 = K1 + EXPLICIT };
    training t;
    ar_teacher ranker;
    open_training(&t, towers[_i]);
    int64_t parameters = t.learner.tower->list.count;
    int32_t *ranks = ar_new(t.examples.count * K2, sizeof *ranks);
    naive_positives(ranks, &t, K2);
    for (int64_t e = 0; e < t.examples.count; e++)
        memcpy(t.negatives + e * EXPLICIT, ranks + e * K2 + K1, EXPLICIT * sizeof *ranks);
    ar_step_result by_hand, by_rank;
    float *gradients = ar_new(parameters, sizeof *gradients);
    MUST(ar_learner_gradients(&by_hand, &t.learner, &t.examples, &t.options));
    memcpy(gradients, t.learner.diff, (size_t)parameters * sizeof *gradients);

    MUST(ar_teacher_create(&ranker, t.model, towers[1 - _i], _i != 0));
    t.options.explicit_negatives = NULL;
    t.options.negatives = ALTERREC_NEGATIVES_HARD;
    t.options.ranker = &ranker;
    t.options.k1 = K1;
    t.options.k2 = K2;
    t.options.negative_count = EXPLICIT;
    t.options.hard_share = 1.0;
    MUST(ar_learner_gradients(&by_rank, &t.learner, &t.examples, &t.options));
    ck_assert_double_eq(by_hand.loss, by_rank.loss);
    ck_assert(same_bits(gradients, t.learner.diff, parameters));
    ar_free(ranks);
    ar_free(gradients);
    ar_teacher_free(&ranker);
    close_training(&t);
}
END_TEST

/* With a pool, the window is that of the pool's items alone, in the order that they have in the
 * whole ranking. */
START_TEST(hard_negatives_of_a_pool) {
    enum { POOL = EXPLICIT + 5, K1 = 2, K2 = K1 + EXPLICIT };
    training t;
    ar_teacher ranker;
    open_training(&t, towers[_i]);
    int64_t parameters = t.learner.tower->list.count;
    MUST(ar_teacher_create(&ranker, t.model, towers[1 - _i], false));
    MUST(ar_teacher_draw_pool(&ranker, POOL, 99));
    int32_t *ranks = ar_new(t.examples.count * ITEMS, sizeof *ranks);
    naive_positives(ranks, &t, ITEMS);
    for (int64_t e = 0; e < t.examples.count; e++) {
        int64_t rank = 0;
        for (int64_t r = 0; r < ITEMS; r++) {
            int32_t item = ranks[e * ITEMS + r];
            bool pooled = false;
            for (int64_t i = 0; i < POOL; i++)
                pooled = pooled || ranker.pool[i] == item;
            rank += pooled;
            if (pooled && rank > K1 && rank <= K2)
                t.negatives[e * EXPLICIT + rank - K1 - 1] = item;
        }
        ck_assert_int_eq(rank, POOL);
    }
    ar_step_result by_hand, by_rank;
    float *gradients = ar_new(parameters, sizeof *gradients);
    MUST(ar_learner_gradients(&by_hand, &t.learner, &t.examples, &t.options));
    memcpy(gradients, t.learner.diff, (size_t)parameters * sizeof *gradients);
    t.options.explicit_negatives = NULL;
    t.options.negatives = ALTERREC_NEGATIVES_HARD;
    t.options.ranker = &ranker;
    t.options.k1 = K1;
    t.options.k2 = K2;
    t.options.negative_count = EXPLICIT;
    t.options.hard_share = 1.0;
    MUST(ar_learner_gradients(&by_rank, &t.learner, &t.examples, &t.options));
    ck_assert_double_eq(by_hand.loss, by_rank.loss);
    ck_assert(same_bits(gradients, t.learner.diff, parameters));
    ar_free(ranks);
    ar_free(gradients);
    ar_teacher_free(&ranker);
    close_training(&t);
}
END_TEST

/* A teacher with a copy keeps its scores while its tower goes on training. */
START_TEST(teacher_keeps_its_copy) {
    training t;
    ar_teacher teacher;
    float before[14 * ITEMS], after[14 * ITEMS];
    open_training(&t, towers[_i]);
    MUST(ar_teacher_create(&teacher, t.model, towers[_i], true));
    MUST(ar_teacher_encode(&teacher, &t.examples));
    MUST(ar_teacher_scores(before, &teacher, 0, t.examples.count));
    ar_step_result result;
    MUST(ar_learner_step(&result, &t.learner, &t.examples, &t.options));
    MUST(ar_teacher_encode(&teacher, &t.examples));
    MUST(ar_teacher_scores(after, &teacher, 0, t.examples.count));
    ck_assert(same_bits(before, after, t.examples.count * ITEMS));
    ar_teacher_free(&teacher);
    close_training(&t);
}
END_TEST

/* Per-example weights: each example's own gradient, weighted and added up. */
START_TEST(example_weights_weigh_the_loss) {
    training t;
    open_training(&t, towers[_i]);
    int64_t parameters = t.learner.tower->list.count, count = t.examples.count;
    double *expected = ar_new(parameters, sizeof *expected);
    float weights[14];
    ar_step_result result;
    for (int64_t e = 0; e < count; e++) {
        for (int64_t i = 0; i < count; i++)
            weights[i] = i == e ? 1.0f : 0.0f;
        t.options.example_weights = weights;
        MUST(ar_learner_gradients(&result, &t.learner, &t.examples, &t.options));
        for (int64_t i = 0; i < parameters; i++)
            expected[i] += (double)t.learner.diff[i] * 0.1 * (double)(e + 1);
    }
    for (int64_t e = 0; e < count; e++)
        weights[e] = 0.1f * (float)(e + 1);
    MUST(ar_learner_gradients(&result, &t.learner, &t.examples, &t.options));
    check_near("weighted gradients", t.learner.diff, expected, parameters, 1e-5);
    ar_free(expected);
    close_training(&t);
}
END_TEST

/* Everything that a step changes. */
typedef struct snapshot {
    float *block, *first, *second;
    int64_t count, steps;
} snapshot;

static float *copy_of(const float *values, int64_t count) {
    float *copy = ar_new(count, sizeof *copy);
    memcpy(copy, values, (size_t)count * sizeof *copy);
    return copy;
}

static snapshot take_snapshot(const ar_learner *learner) {
    int64_t count = learner->tower->list.count;
    return (snapshot){.block = copy_of(learner->tower->block, count),
                      .first = copy_of(learner->adam.first, count),
                      .second = copy_of(learner->adam.second, count),
                      .count = count,
                      .steps = learner->adam.steps};
}

static bool is_unchanged(const snapshot *s, const ar_learner *learner) {
    return same_bits(s->block, learner->tower->block, s->count) &&
           same_bits(s->first, learner->adam.first, s->count) &&
           same_bits(s->second, learner->adam.second, s->count) && s->steps == learner->adam.steps;
}

static void free_snapshot(snapshot *s) {
    ar_free(s->block);
    ar_free(s->first);
    ar_free(s->second);
}

/* Puts `value` in `place`, expects a step to refuse it and to change nothing, and takes it away. */
static void expect_not_finite(training *t, float *place, float value, const char *name) {
    float kept = *place;
    *place = value;
    snapshot before = take_snapshot(&t->learner);
    ar_step_result result;
    alterrec_status status = ar_learner_step(&result, &t->learner, &t->examples, &t->options);
    ck_assert_msg(status == ALTERREC_ERROR_NOT_FINITE, "%g in %s: status %d", (double)value, name,
                  (int)status);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "not finite"));
    ck_assert_msg(is_unchanged(&before, &t->learner), "%g in %s changed something", (double)value,
                  name);
    free_snapshot(&before);
    *place = kept;
}

START_TEST(not_finite_changes_nothing) {
    static const float values[] = {NAN, INFINITY, -INFINITY};
    training t;
    open_training(&t, towers[_i]);
    ar_step_result result;
    MUST(ar_learner_step(&result, &t.learner, &t.examples, &t.options)); /* moments are not 0 */
    const ar_tower *tower = t.learner.tower;
    for (int v = 0; v < 3; v++) {
        for (int64_t i = 0; i < tower->list.tensor_count; i++) {
            const ar_tensor *tensor = &tower->list.tensors[i];
            expect_not_finite(&t, tower->block + tensor->offset, values[v], tensor->name);
        }
        if (towers[_i] != ALTERREC_ID)
            expect_not_finite(&t, &t.catalog->features[5 * FEATURES + 2], values[v], "features");
    }
    MUST(ar_learner_step(&result, &t.learner, &t.examples, &t.options)); /* it still works */
    close_training(&t);
}
END_TEST

/* Finite weights whose scores or gradients overflow. */
START_TEST(overflow_changes_nothing) {
    training t;
    open_training(&t, towers[_i]);
    float *scale = t.learner.tower->weights.norm.scale;
    for (int64_t c = 0; c < DIM; c++)
        scale[c] = 1e30f;
    expect_not_finite(&t, scale, 2e30f, "norm.weight");
    close_training(&t);
}
END_TEST

/* Loss falls when a batch is trained on again and again, with everything switched on. */
START_TEST(training_learns) {
    training t;
    ar_teacher teacher;
    open_training(&t, towers[_i]);
    t.options.negatives = ALTERREC_NEGATIVES_FULL;
    if (towers[_i] != ALTERREC_FUSED) {
        MUST(ar_teacher_create(&teacher, t.model, towers[1 - _i], false));
        t.options.labeller = &teacher;
        t.options.positives = 1;
        t.options.positives_weight = 0.1;
    }
    t.options.adam.learning_rate = 3e-3;
    ar_step_result first, last;
    MUST(ar_learner_step(&first, &t.learner, &t.examples, &t.options));
    for (int step = 0; step < 100; step++)
        MUST(ar_learner_step(&last, &t.learner, &t.examples, &t.options));
    ck_assert_double_lt(last.loss, 0.8 * first.loss);
    if (t.options.labeller != NULL)
        ar_teacher_free(&teacher);
    close_training(&t);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("learner");
    tcase_add_loop_test(group, loss_and_gradients, 0, 8);
    tcase_add_loop_test(group, loss_and_gradients_in_bf16, 0, 8);
    tcase_add_loop_test(group, joint_tower, 0, 4);
    tcase_add_loop_test(group, loss_and_gradients_with_positives, 0, 8);
    tcase_add_loop_test(group, hard_negatives_are_the_other_towers_ranks, 0, 2);
    tcase_add_loop_test(group, hard_negatives_of_a_pool, 0, 2);
    tcase_add_loop_test(group, teacher_keeps_its_copy, 0, 2);
    tcase_add_loop_test(group, example_weights_weigh_the_loss, 0, 3);
    tcase_add_loop_test(group, not_finite_changes_nothing, 0, 3);
    tcase_add_loop_test(group, overflow_changes_nothing, 0, 3);
    tcase_add_loop_test(group, training_learns, 0, 3);
    return run_tests(group, "learner");
}
