/* The towers, losses, gradients and Adam against the numbers of the reference implementation. */
#include "core/memory.h"
#include "support/golden.h"
#include "train/learner.h"
#include "train/losses.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

static const char *const cases[] = {"tiny", "moderate"};
static const int towers[] = {ALTERREC_ID, ALTERREC_TEXT};

static const char *tower_name(int tower) {
    return tower == ALTERREC_ID ? "id" : tower == ALTERREC_TEXT ? "text" : "fused";
}

static void check_floats(const float *actual, const ar_tensor_file *file, const char *kind,
                         int tower, int64_t count) {
    char name[64];
    (void)snprintf(name, sizeof name, "%s.%s", kind, tower_name(tower));
    double error = relative_error(actual, golden_floats(file, name), count);
    ck_assert_msg(error < 1e-4, "%s: relative error %g", name, error);
}

START_TEST(vectors_and_scores) {
    golden g;
    golden_open(&g, cases[_i]);
    int64_t items = g.catalog->items, dim = g.model->shape.dim;
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    for (int64_t s = 0; s < g.count; s++)
        MUST(alterrec_batch_add(batch, g.items + g.offsets[s], g.offsets[s + 1] - g.offsets[s]));
    float *out = ar_new(items * (dim > g.count ? dim : g.count), sizeof *out);
    for (int t = 0; t < 2; t++) {
        MUST(alterrec_model_item_vectors(out, g.model, towers[t]));
        check_floats(out, &g.expected, "items", towers[t], items * dim);
        MUST(alterrec_model_session_vectors(out, g.model, towers[t], batch));
        check_floats(out, &g.expected, "session", towers[t], g.count * dim);
    }
    for (int scorer = ALTERREC_ID; scorer <= ALTERREC_FUSED; scorer++) {
        MUST(alterrec_model_score(out, g.model, scorer, batch));
        check_floats(out, &g.expected, "scores", scorer, g.count * items);
    }
    ar_free(out);
    alterrec_batch_free(batch);
    golden_close(&g);
}
END_TEST

/* The case's sessions as one training batch, cut to max_len. */
typedef struct training_batch {
    ar_example_batch batch;
    int32_t *items;
    int64_t *offsets, *rows;
    float *weights; /* of each example in loss_aug_mix */
} training_batch;

static void make_batch(training_batch *b, const golden *g) {
    int64_t max_len = g->model->shape.max_len, tokens = 0, augmented = 0;
    b->items = ar_new(g->offsets[g->count], sizeof *b->items);
    b->offsets = ar_new(g->count + 1, sizeof *b->offsets);
    b->rows = ar_new(g->count, sizeof *b->rows);
    b->weights = ar_new(g->count, sizeof *b->weights);
    for (int64_t s = 0; s < g->count; s++) {
        int64_t end = g->offsets[s + 1], start = g->offsets[s];
        start = end - start > max_len ? end - max_len : start;
        for (int64_t i = start; i < end; i++)
            b->items[tokens++] = g->items[i];
        b->offsets[s + 1] = tokens;
        b->rows[s] = tokens - 1;
        augmented += g->augmented[s];
    }
    for (int64_t s = 0; s < g->count; s++)
        b->weights[s] =
            g->augmented[s] ? 0.5f / (float)augmented : 1.0f / (float)(g->count - augmented);
    b->batch =
        (ar_example_batch){{b->items, b->offsets, g->count, tokens}, b->rows, g->labels, g->count};
}

static void free_batch(training_batch *b) {
    ar_free(b->items);
    ar_free(b->offsets);
    ar_free(b->rows);
    ar_free(b->weights);
}

static ar_step_options explicit_options(const golden *g, int tower) {
    char name[32];
    (void)snprintf(name, sizeof name, "negatives.%s", tower_name(tower));
    const ar_tensor_view *view = ar_tensor_file_find(&g->expected, name);
    return (ar_step_options){.explicit_negatives = view->data,
                             .explicit_count = view->shape[1],
                             .adam = {1e-3, 0.9, 0.999, 1e-8, 0.0}};
}

static double expected_loss(const golden *g, const char *kind, int tower) {
    char name[32];
    (void)snprintf(name, sizeof name, "%s.%s", kind, tower_name(tower));
    return golden_double(&g->expected, name);
}

static void check_loss(double loss, double expected, const char *what) {
    ck_assert_msg(fabs(loss - expected) < 1e-5 * fabs(expected), "%s: %.9g, expected %.9g", what,
                  loss, expected);
}

START_TEST(losses_and_gradients) {
    golden g;
    golden_open(&g, cases[_i]);
    training_batch b;
    make_batch(&b, &g);
    for (int t = 0; t < 2; t++) {
        ar_learner learner;
        ar_step_result result;
        MUST(ar_learner_create(&learner, g.model, towers[t], 2));
        ar_step_options options = explicit_options(&g, towers[t]);
        MUST(ar_learner_gradients(&result, &learner, &b.batch, &options));
        check_loss(result.loss, expected_loss(&g, "loss", towers[t]), "loss");
        for (int64_t i = 0; i < learner.tower->list.tensor_count; i++) {
            const ar_tensor *tensor = &learner.tower->list.tensors[i];
            char name[128];
            (void)snprintf(name, sizeof name, "grad.%s", tensor->name);
            double error = relative_error(learner.diff + tensor->offset,
                                          golden_floats(&g.gradients, name), tensor->count);
            ck_assert_msg(error < 1e-3, "%s: relative error %g", name, error);
        }
        options.example_weights = b.weights;
        MUST(ar_learner_gradients(&result, &learner, &b.batch, &options));
        double mixed = 0.0;
        for (int64_t e = 0; e < g.count; e++)
            mixed += (double)b.weights[e] * learner.losses[AR_LOSSES * e + AR_LOSS_LABEL];
        check_loss(mixed, expected_loss(&g, "loss_aug_mix", towers[t]), "loss_aug_mix");
        options = (ar_step_options){.negatives = ALTERREC_NEGATIVES_FULL};
        MUST(ar_learner_gradients(&result, &learner, &b.batch, &options));
        check_loss(result.loss, expected_loss(&g, "loss_full", towers[t]), "loss_full");
        ar_learner_free(&learner);
    }
    free_batch(&b);
    golden_close(&g);
}
END_TEST

/* Every parameter within 1e-5 of the reference's. Adam divides a gradient by its own size, so where
 * a gradient is as small as Adam's epsilon (1e-8), and with it as f32's rounding of the sums that
 * make it, the step's size and sign are noise in any f32 implementation: such an element, of a
 * gradient below 3e-8 where its tensor has gradients of 0.1, is only held to three steps of lr.
 * Returns how many there are. */
static int64_t check_after_adam(const golden *g, const ar_tensor *tensor, const float *values) {
    char name[128];
    (void)snprintf(name, sizeof name, "grad.%s", tensor->name);
    const float *gradient = golden_floats(&g->gradients, name);
    (void)snprintf(name, sizeof name, "adam3.%s", tensor->name);
    const float *expected = golden_floats(&g->after, name);
    int64_t unresolved = 0;
    for (int64_t i = 0; i < tensor->count; i++) {
        float error = fabsf(values[i] - expected[i]);
        if (error < 1e-5f)
            continue;
        ck_assert_msg(error < 3e-3f && fabsf(gradient[i]) < 3e-8f, "%s[%lld]: error %g", name,
                      (long long)i, (double)error);
        unresolved++;
    }
    return unresolved;
}

START_TEST(three_adam_steps) {
    golden g;
    golden_open(&g, cases[_i]);
    training_batch b;
    make_batch(&b, &g);
    for (int t = 0; t < 2; t++) {
        ar_learner learner;
        MUST(ar_learner_create(&learner, g.model, towers[t], 2));
        ar_step_options options = explicit_options(&g, towers[t]);
        char name[128];
        (void)snprintf(name, sizeof name, "adam3_loss.%s", tower_name(towers[t]));
        const float *losses = golden_floats(&g.expected, name);
        for (int step = 0; step < 3; step++) {
            ar_step_result result;
            MUST(ar_learner_step(&result, &learner, &b.batch, &options));
            check_loss(result.loss, (double)losses[step], name);
        }
        int64_t unresolved = 0;
        for (int64_t i = 0; i < learner.tower->list.tensor_count; i++) {
            const ar_tensor *tensor = &learner.tower->list.tensors[i];
            unresolved += check_after_adam(&g, tensor, learner.tower->block + tensor->offset);
        }
        ck_assert_int_le(unresolved, 3);
        ar_learner_free(&learner);
    }
    free_batch(&b);
    golden_close(&g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("golden");
    TCase *group = tcase_create("golden");
    tcase_add_loop_test(group, vectors_and_scores, 0, 2);
    tcase_add_loop_test(group, losses_and_gradients, 0, 2);
    tcase_add_loop_test(group, three_adam_steps, 0, 2);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
