/* Steps whose examples share their negatives and so touch only some rows: against steps on the
 * whole table with the same negatives named for each example, and the window of ranks against a
 * sort. */
#include "core/memory.h"
#include "support/numbers.h"
#include "train/learner.h"
#include "train/rank_window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 900, FEATURES = 7, DIM = 12, SEQUENCES = 4, EXAMPLES = 13, DRAWS = 40 };

static const int64_t lengths[SEQUENCES] = {3, 1, 6, 4};

typedef struct pair {
    alterrec_catalog *catalog;
    alterrec_model *models[2]; /* alike at first */
    ar_learner learners[2];    /* with a part of the table, with all of it */
    ragged batch;
    int64_t rows[EXAMPLES];
    int32_t labels[EXAMPLES], named[EXAMPLES * DRAWS];
    ar_example_batch examples;
    ar_step_options options[2];
    ar_sampler sampler; /* even draws, whose counts can be named; without one there are fractions */
} pair;

static void open_pair(pair *p, int tower) {
    static const char *const settings[][2] = {
        {"model.dim", "12"}, {"model.max_len", "6"}, {"model.init", "usual"}};
    ar_random random;
    alterrec_config *config;
    *p = (pair){0};
    ar_random_seed(&random, 4);
    MUST(alterrec_config_create(&config));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        MUST(alterrec_config_set(config, settings[i][0], settings[i][1]));
    float *features = random_floats(ITEMS * FEATURES, &random);
    MUST(alterrec_catalog_create(&p->catalog, NULL, NULL, ITEMS));
    MUST(alterrec_catalog_set_features(p->catalog, features, ITEMS, FEATURES));
    ar_free(features);
    for (int i = 0; i < 2; i++) {
        MUST(alterrec_model_create(&p->models[i], p->catalog, config));
        MUST(ar_learner_create(&p->learners[i], p->models[i], tower, 2));
        p->options[i] = (ar_step_options){
            .negatives = ALTERREC_NEGATIVES_RANDOM,
            .negative_count = DRAWS,
            .adam = {.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}};
    }
    int64_t counts[ITEMS] = {0};
    MUST(ar_sampler_create(&p->sampler, counts, ITEMS, 0.0));
    p->options[0].shared = true;
    p->options[0].sampler = &p->sampler;
    p->options[1].explicit_negatives = p->named;
    p->options[1].explicit_count = DRAWS;
    alterrec_config_free(config);
}

static void close_pair(pair *p) {
    for (int i = 0; i < 2; i++) {
        ar_learner_free(&p->learners[i]);
        alterrec_model_free(p->models[i]);
    }
    alterrec_catalog_free(p->catalog);
    ar_sampler_free(&p->sampler);
}

/* A batch of its own for each seed, and the negatives that its examples share, named for each. */
static void set_batch(pair *p, uint64_t seed) {
    static float drawn[ITEMS];
    ar_random random;
    ar_random_seed(&random, seed);
    ragged_open(&p->batch, lengths, SEQUENCES, ITEMS, &random);
    int64_t count = 0;
    for (int64_t row = 0; row < p->batch.packed.tokens; row++) {
        if (row == p->batch.offsets[SEQUENCES - 1])
            continue;
        p->rows[count] = row;
        p->labels[count++] = (int32_t)ar_random_below(&random, ITEMS);
    }
    ck_assert_int_eq(count, EXAMPLES);
    p->examples = (ar_example_batch){p->batch.packed, p->rows, p->labels, count};
    p->options[0].seed = p->options[1].seed = seed;
    ar_objective_shared(drawn, ITEMS, &p->examples, &p->options[0]);
    int64_t named = 0;
    for (int32_t j = 0; j < ITEMS; j++)
        for (float n = drawn[j]; n > 0.5f; n -= 1.0f)
            p->named[named++] = j;
    ck_assert_int_eq(named, DRAWS);
    for (int64_t e = 1; e < EXAMPLES; e++)
        memcpy(p->named + e * DRAWS, p->named, DRAWS * sizeof *p->named);
}

static void check_floats(const char *what, const float *actual, const float *expected,
                         int64_t count, double tolerance) {
    double *wide = to_doubles(expected, count);
    check_near(what, actual, wide, count, tolerance);
    ar_free(wide);
}

START_TEST(gradients_are_those_of_the_whole_table) {
    int tower = _i == 0 ? ALTERREC_ID : ALTERREC_TEXT;
    pair p;
    ar_step_result results[2];
    open_pair(&p, tower);
    set_batch(&p, 17);
    for (int i = 0; i < 2; i++)
        MUST(ar_learner_gradients(&results[i], &p.learners[i], &p.examples, &p.options[i]));
    const ar_stage *stage = &p.learners[0].stage;
    ck_assert(stage->is_part && !p.learners[1].stage.is_part);
    ck_assert_int_le(stage->count, DRAWS + EXAMPLES + p.batch.packed.tokens);
    ck_assert_double_eq_tol(results[0].loss, results[1].loss, 1e-6 * results[1].loss);
    int64_t others = p.models[0]->text.list.count;
    const float *part = p.learners[0].diff, *all = p.learners[1].diff;
    if (tower == ALTERREC_ID) {
        float *expected = ar_new(ITEMS * DIM, sizeof *expected); /* 0 where nothing is touched */
        for (int64_t row = 0; row < stage->count; row++)
            memcpy(expected + stage->items[row] * DIM, part + row * DIM, DIM * sizeof *expected);
        check_floats("gradient of the embedding", expected, all, ITEMS * DIM, 1e-5);
        ar_free(expected);
        others = p.models[0]->id.list.count - ITEMS * DIM;
        part += stage->rows * DIM;
        all += ITEMS * DIM;
    }
    check_floats("other gradients", part, all, others, 1e-5);
    ragged_close(&p.batch);
    close_pair(&p);
}
END_TEST

/* Also with steps on the whole table in between, before which every row has to catch up. */
START_TEST(training_is_that_of_the_whole_table) {
    enum { STEPS = 40 };
    int tower = _i % 2 == 0 ? ALTERREC_ID : ALTERREC_TEXT;
    bool mixed = _i >= 2;
    pair p;
    ar_step_result results[2];
    open_pair(&p, tower);
    for (int step = 0; step < STEPS; step++) {
        set_batch(&p, (uint64_t)step + 1);
        bool whole = mixed && step % 10 == 9;
        for (int i = 0; i < 2; i++)
            MUST(ar_learner_step(&results[i], &p.learners[i], &p.examples,
                                 &p.options[whole ? 1 : i]));
        ck_assert_double_eq_tol(results[0].loss, results[1].loss, 2e-4 * results[1].loss);
        ragged_close(&p.batch);
    }
    const ar_tower *towers[2];
    for (int i = 0; i < 2; i++)
        towers[i] = ar_model_tower(p.models[i], tower);
    int64_t count = towers[0]->list.count;
    if (tower == ALTERREC_ID)
        ck_assert(!same_bits(towers[0]->block, towers[1]->block, ITEMS * DIM)); /* some lag */
    MUST(ar_learner_settle(&p.learners[0]));
    MUST(ar_learner_settle(&p.learners[0])); /* nothing is left to do */
    check_floats("weights", towers[0]->block, towers[1]->block, count, 1e-3);
    check_floats("first moments", p.learners[0].adam.first, p.learners[1].adam.first, count, 1e-3);
    close_pair(&p);
}
END_TEST

/* ---- the draw ---- */

/* Every item counts as often as a draw with replacement would take it on average: the batch's own
 * in every step, the others once in some. An honest draw fails once in a hundred thousand seeds,
 * and seeds are fixed. */
START_TEST(shared_draws_are_even) {
    enum { STEPS = 4000 };
    static double sums[ITEMS];
    int64_t count = _i == 0 ? DRAWS : 2 * ITEMS + DRAWS;
    double mean = (double)count / ITEMS, whole = floor(mean), chance = mean - whole;
    pair p;
    open_pair(&p, ALTERREC_ID);
    set_batch(&p, 5);
    ar_step_options options = p.options[0];
    options.sampler = NULL;
    options.negative_count = count;
    bool own[ITEMS] = {false};
    int64_t wrong = 0;
    for (int64_t i = 0; i < p.batch.packed.tokens; i++)
        own[p.batch.packed.items[i]] = true;
    for (int64_t e = 0; e < EXAMPLES; e++)
        own[p.labels[e]] = true;
    for (int step = 0; step < STEPS; step++) {
        float negatives[ITEMS];
        options.seed = (uint64_t)step;
        ar_objective_shared(negatives, ITEMS, &p.examples, &options);
        for (int j = 0; j < ITEMS; j++) {
            double taken = (double)negatives[j];
            wrong += own[j] ? fabs(taken - mean) > 1e-6 : taken != whole && taken != whole + 1.0;
            sums[j] += taken;
        }
    }
    ck_assert_int_eq(wrong, 0);
    double error = 5.5 * sqrt(chance * (1.0 - chance) / STEPS);
    for (int j = 0; j < ITEMS; j++) {
        HOLDS(fabs(sums[j] / STEPS - mean) <= error + 1e-6, "item %d: %g, not %g", j,
              sums[j] / STEPS, mean);
        sums[j] = 0.0;
    }
    ragged_close(&p.batch);
    close_pair(&p);
}
END_TEST

/* 1 over the root of the share that is drawn, where it is known; 4 at most. */
START_TEST(rows_that_are_drawn_learn_faster) {
    ar_sampler sampler = {0};
    ar_step_options options = {
        .negatives = ALTERREC_NEGATIVES_RANDOM, .negative_count = 100, .shared = true};
    ck_assert_double_eq_tol(ar_objective_row_rate(&options, 400), 2.0, 1e-12);
    ck_assert_double_eq_tol(ar_objective_row_rate(&options, 100), 1.0, 1e-12);
    ck_assert_double_eq_tol(ar_objective_row_rate(&options, 50), 1.0, 1e-12);
    ck_assert_double_eq_tol(ar_objective_row_rate(&options, 1000000), 4.0, 1e-12);
    options.negatives = ALTERREC_NEGATIVES_HARD;
    ck_assert_double_eq_tol(ar_objective_row_rate(&options, 400), 2.0, 1e-12);
    options.negatives = ALTERREC_NEGATIVES_BATCH;
    ck_assert_double_eq_tol(ar_objective_row_rate(&options, 400), 1.0, 1e-12);
    options.negatives = ALTERREC_NEGATIVES_RANDOM;
    options.sampler = &sampler;
    ck_assert_double_eq_tol(ar_objective_row_rate(&options, 400), 1.0, 1e-12);
    options.sampler = NULL;
    options.shared = false;
    ck_assert_double_eq_tol(ar_objective_row_rate(&options, 400), 1.0, 1e-12);
}
END_TEST

/* ---- hard negatives among shared ones ---- */

typedef struct ranked {
    float score;
    int32_t item;
} ranked;

static int compare_ranked(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score ? 1 : x->item - y->item;
}

START_TEST(window_is_where_a_sort_puts_it) {
    enum { CATALOG = 1000, MOST = 400 };
    static const int64_t counts[] = {400, 37, 100, 3};
    int64_t count = counts[_i % 4];
    ar_step_options options = {.negatives = ALTERREC_NEGATIVES_HARD,
                               .k1 = 20,
                               .k2 = 420,
                               .negative_count = 300,
                               .hard_share = _i < 4 ? 0.5 : 1.0,
                               .shared = true};
    ar_random random;
    ranked order[MOST];
    float scores[MOST], negatives[MOST], expected[MOST], drawn = 0.0f, total = 0.0f;
    void *work = ar_new(count, AR_RANK_WORK);
    ar_random_seed(&random, (uint64_t)_i);
    for (int64_t j = 0; j < count; j++) {
        scores[j] = (float)ar_random_below(&random, 100); /* with ties */
        negatives[j] = expected[j] = (float)ar_random_below(&random, 3);
        order[j] = (ranked){scores[j], (int32_t)j};
        drawn += negatives[j];
    }
    qsort(order, (size_t)count, sizeof order[0], compare_ranked);
    int64_t hard = (int64_t)(options.hard_share * 300.0), k1 = 20 * count / CATALOG;
    int64_t k2 = (420 * count + CATALOG - 1) / CATALOG;
    for (int64_t j = 0; j < count; j++)
        expected[j] *= (float)(300 - hard) / 300.0f;
    for (int64_t rank = k1; rank < k2; rank++)
        expected[order[rank].item] += (float)hard / (float)(k2 - k1);
    ar_objective_window(negatives, work, scores, count, CATALOG, &options);
    for (int64_t j = 0; j < count; j++) {
        HOLDS(fabsf(negatives[j] - expected[j]) <= 1e-5f * (1.0f + expected[j]),
              "item %lld: %g, expected %g", (long long)j, (double)negatives[j],
              (double)expected[j]);
        total += negatives[j];
    }
    float share = (float)hard / 300.0f;
    ck_assert(fabsf(total - ((float)hard + (1.0f - share) * drawn)) < 1e-3f * total);
    ar_free(work);
}
END_TEST

/* The loss goes by the window: with the other tower's ranks turned around it is another one. */
START_TEST(hard_negatives_come_from_the_other_tower) {
    pair p;
    ar_step_result random, hard;
    ar_teacher teacher;
    open_pair(&p, ALTERREC_ID);
    set_batch(&p, 5);
    p.options[0].k1 = 9;
    p.options[0].k2 = 200;
    p.options[0].hard_share = 0.5;
    MUST(ar_learner_gradients(&random, &p.learners[0], &p.examples, &p.options[0]));
    MUST(ar_teacher_create(&teacher, p.models[0], ALTERREC_TEXT, false));
    p.options[0].negatives = ALTERREC_NEGATIVES_HARD;
    p.options[0].ranker = &teacher;
    MUST(ar_learner_gradients(&hard, &p.learners[0], &p.examples, &p.options[0]));
    ck_assert(fabs(hard.loss - random.loss) > 1e-4);
    /* The same by hand: the teacher's scores of the touched rows, the window of each example. */
    const ar_stage *stage = &p.learners[0].stage;
    float *ranking = ar_new(EXAMPLES * stage->rows, sizeof *ranking);
    float *negatives = ar_new(stage->rows, sizeof *negatives);
    void *work = ar_new(stage->rows, AR_RANK_WORK);
    double loss = 0.0;
    MUST(ar_teacher_encode(&teacher, &p.examples));
    MUST(ar_teacher_row_scores(ranking, &teacher, stage, 0, EXAMPLES));
    for (int64_t e = 0; e < EXAMPLES; e++) {
        const float *vector = p.learners[0].vectors + e * DIM;
        double sum = 0.0, label = 0.0;
        for (int64_t row = 0; row < stage->count; row++)
            negatives[row] = p.learners[0].drawn[stage->items[row]];
        ar_objective_window(negatives, work, ranking + e * stage->rows, stage->count, ITEMS,
                            &p.options[0]);
        for (int64_t row = 0; row < stage->count; row++) {
            double score = 0.0;
            for (int64_t c = 0; c < DIM; c++)
                score += (double)vector[c] * (double)p.learners[0].table[row * DIM + c];
            if (stage->items[row] == p.labels[e])
                sum += label = exp(score);
            else
                sum += (double)negatives[row] * exp(score);
        }
        loss += log(sum / label) / EXAMPLES;
    }
    ck_assert_double_eq_tol(hard.loss, loss, 1e-5 * loss);
    ar_free(ranking);
    ar_free(negatives);
    ar_free(work);
    ar_teacher_free(&teacher);
    ragged_close(&p.batch);
    close_pair(&p);
}
END_TEST

/* Positives are the best of all items, also of those that no draw has met. */
START_TEST(positives_are_sought_among_all_items) {
    enum { POSITIVES = 3 };
    pair p;
    ar_step_result results[2];
    ar_teacher teacher;
    open_pair(&p, ALTERREC_ID);
    set_batch(&p, 8);
    MUST(ar_teacher_create(&teacher, p.models[0], ALTERREC_TEXT, false));
    for (int i = 0; i < 2; i++) {
        p.options[i].positives = POSITIVES;
        p.options[i].positives_weight = 0.5;
        p.options[i].labeller = &teacher;
        MUST(ar_learner_gradients(&results[i], &p.learners[i], &p.examples, &p.options[i]));
    }
    ck_assert_double_eq_tol(results[0].loss, results[1].loss, 1e-6 * results[1].loss);
    ck_assert_double_eq_tol(results[0].positives_loss, results[1].positives_loss,
                            1e-6 * results[1].positives_loss);
    ar_teacher_free(&teacher);
    ragged_close(&p.batch);
    close_pair(&p);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("stage");
    tcase_add_loop_test(group, gradients_are_those_of_the_whole_table, 0, 2);
    tcase_add_loop_test(group, training_is_that_of_the_whole_table, 0, 4);
    tcase_add_loop_test(group, window_is_where_a_sort_puts_it, 0, 8);
    tcase_add_loop_test(group, shared_draws_are_even, 0, 2);
    tcase_add_test(group, rows_that_are_drawn_learn_faster);
    tcase_add_test(group, hard_negatives_come_from_the_other_tower);
    tcase_add_test(group, positives_are_sought_among_all_items);
    return run_tests(group, "stage");
}
