/* The loss of one example: its value against the formula, its gradient by differences of it. */
#include "core/memory.h"
#include "nn/exp.h"
#include "nn/loss.h"
#include "support/naive.h"
#include "support/numbers.h"

#include <math.h>
#include <string.h>

/* Items on both sides of the chunk (4096) in which the row is summed. */
static const int64_t catalog_sizes[] = {2, 13, 1000, 4095, 4096, 4097, 9001};
enum { SIZES = sizeof catalog_sizes / sizeof catalog_sizes[0], POSITIVES = 5 };

typedef struct row {
    int64_t items;
    float *logits, *negatives;
    double *wide;
    int32_t positives[POSITIVES];
    ar_targets targets;
} row;

/* Which items are negatives, and how often. */
enum { NEGATIVES_NONE, NEGATIVES_SOME, NEGATIVES_ALL, NEGATIVES_MANY_TIMES, NEGATIVES_KINDS };

static void open_row(row *r, int64_t items, int negatives, int64_t positives) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)items);
    *r = (row){.items = items};
    r->logits = random_floats(items, &random);
    for (int64_t j = 0; j < items; j++)
        r->logits[j] *= 2.0f;
    r->wide = to_doubles(r->logits, items);
    r->negatives = ar_new(items, sizeof *r->negatives);
    for (int64_t j = 0; j < items; j++) {
        uint32_t draw = ar_random_below(&random, 4);
        r->negatives[j] = negatives == NEGATIVES_ALL          ? 1.0f
                          : negatives == NEGATIVES_SOME       ? (draw == 0 ? 1.0f : 0.0f)
                          : negatives == NEGATIVES_MANY_TIMES ? (float)draw
                                                              : 0.0f;
    }
    int32_t label = (int32_t)(items / 2);
    r->negatives[label] = 0.0f; /* the learner masks the label out */
    int64_t count = positives < items - 1 ? positives : items - 1;
    for (int64_t t = 0; t < count; t++)
        r->positives[t] = (int32_t)((label + 1 + t) % items);
    r->targets = (ar_targets){label, r->positives, count, 0.25f, 0.125f};
}

static void close_row(row *r) {
    ar_free(r->logits);
    ar_free(r->negatives);
    ar_free(r->wide);
}

static double batch_loss(const double *logits, void *context) {
    const row *r = context;
    double sum = (double)r->targets.label_weight *
                 naive_cost(logits, r->negatives, r->items, r->targets.label, 1.0);
    for (int64_t t = 0; t < r->targets.positive_count; t++)
        sum += (double)r->targets.positive_weight *
               naive_cost(logits, r->negatives, r->items, r->positives[t], 1.0);
    return sum;
}

/* The whole gradient too: softmax over each target's own negatives, less one at the target. */
static void naive_gradient(double *gradient, const row *r) {
    memset(gradient, 0, (size_t)r->items * sizeof *gradient);
    for (int64_t t = 0; t < 1 + r->targets.positive_count; t++) {
        int64_t target = t == 0 ? r->targets.label : r->positives[t - 1];
        double weight = (double)(t == 0 ? r->targets.label_weight : r->targets.positive_weight);
        double cost = naive_cost(r->wide, r->negatives, r->items, target, 1.0);
        for (int64_t j = 0; j < r->items; j++) {
            /* exp(y_j) / Z = exp(y_j - y_target) * exp(-cost) */
            double share = exp(r->wide[j] - r->wide[target] - cost);
            if (j == target)
                gradient[j] += weight * (share - 1.0);
            else if (r->negatives[j] > 0.0f)
                gradient[j] += weight * (double)r->negatives[j] * share;
        }
    }
}

static void check_row(row *r) {
    double loss, positives_loss, expected = 0.0;
    double *gradient = ar_new(r->items, sizeof *gradient);
    naive_gradient(gradient, r);
    ar_loss_row(&loss, &positives_loss, r->logits, r->logits, r->negatives, r->items,
                &r->targets);
    double cost = naive_cost(r->wide, r->negatives, r->items, r->targets.label, 1.0);
    ck_assert_double_eq_tol(loss, cost, 2e-6 * (1.0 + cost));
    for (int64_t t = 0; t < r->targets.positive_count; t++)
        expected += naive_cost(r->wide, r->negatives, r->items, r->positives[t], 1.0);
    ck_assert_double_eq_tol(positives_loss, expected, 2e-6 * (1.0 + expected));
    check_near("gradient", r->logits, gradient, r->items, 3e-6);
    ar_free(gradient);
}

START_TEST(row_is_the_formula) {
    for (int kind = 0; kind < NEGATIVES_KINDS; kind++)
        for (int64_t positives = 0; positives <= POSITIVES; positives += POSITIVES) {
            row r;
            open_row(&r, catalog_sizes[_i], kind, positives);
            check_row(&r);
            close_row(&r);
        }
}
END_TEST

START_TEST(gradient_is_that_of_the_loss) {
    for (int kind = 0; kind < NEGATIVES_KINDS; kind++) {
        row r;
        open_row(&r, 13, kind, kind == NEGATIVES_SOME ? 0 : 3);
        double loss, positives_loss;
        ar_loss_row(&loss, &positives_loss, r.logits, r.logits, r.negatives, r.items, &r.targets);
        check_gradient("logits", r.logits, r.wide, r.items, batch_loss, &r, 1e-5);
        close_row(&r);
    }
}
END_TEST

/* Without a negative the loss is 0 and pulls at nothing. */
START_TEST(no_negatives_no_loss) {
    row r;
    open_row(&r, 13, NEGATIVES_NONE, 0);
    double loss, positives_loss;
    ar_loss_row(&loss, &positives_loss, r.logits, r.logits, r.negatives, r.items, &r.targets);
    ck_assert_double_eq_tol(loss, 0.0, 1e-12);
    ck_assert_double_eq(positives_loss, 0.0);
    for (int j = 0; j < 13; j++)
        ck_assert_double_eq_tol((double)r.logits[j], 0.0, 1e-7);
    close_row(&r);
}
END_TEST

/* Logits of +-1e4: label far above, far below, between; an item that is no negative above all. */
START_TEST(huge_logits_stay_finite) {
    static const float label_logits[] = {1e4f, -1e4f, 0.0f};
    for (int kind = 0; kind < NEGATIVES_KINDS; kind++)
        for (int s = 0; s < 2; s++) {
            row r;
            open_row(&r, 1000, kind, 3);
            for (int64_t j = 0; j < r.items; j++)
                r.logits[j] = j % 3 == 0 ? 1e4f : j % 3 == 1 ? -1e4f : r.logits[j];
            r.logits[r.targets.label] = label_logits[_i];
            if (s == 1) { /* the best item of all is no negative */
                r.negatives[3] = 0.0f;
                r.logits[3] = 3e4f;
            }
            ar_free(r.wide);
            r.wide = to_doubles(r.logits, r.items);
            check_row(&r); /* compares, so NaN and infinity fail */
            close_row(&r);
        }
}
END_TEST

START_TEST(exp_is_exp) {
    for (int i = -870000; i <= 880000; i += 37) {
        float x = (float)i * 1e-4f;
        double expected = exp((double)x);
        HOLDS(fabs((double)ar_exp(x) - expected) <= 3e-7 * expected, "exp(%g)", (double)x);
    }
    ck_assert_double_le((double)ar_exp(-1e30f), 2e-38);
    ck_assert_double_le((double)ar_exp(-INFINITY), 2e-38);
    ck_assert(isfinite(ar_exp(1e30f)) && isfinite(ar_exp(INFINITY)));
    ck_assert(isnan(ar_exp(NAN)));
}
END_TEST

int main(void) {
    TCase *group = tcase_create("loss");
    tcase_add_loop_test(group, row_is_the_formula, 0, SIZES);
    tcase_add_test(group, gradient_is_that_of_the_loss);
    tcase_add_test(group, no_negatives_no_loss);
    tcase_add_loop_test(group, huge_logits_stay_finite, 0, 3);
    tcase_add_test(group, exp_is_exp);
    return run_tests(group, "loss");
}
