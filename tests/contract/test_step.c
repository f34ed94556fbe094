/* Training driven by the host: its own batches, negatives and plans. */
#include "core/memory.h"
#include "model/model.h"
#include "support/golden.h"
#include "support/shop.h"
#include "train/learner.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

typedef struct training {
    shop shop;
    alterrec_model *model;
    alterrec_trainer *trainer;
    alterrec_batch *batch;
} training;

static void open_training(training *t, const char *system) {
    shop_open(&t->shop, 40, 60);
    shop_set(&t->shop, "model.dropout", "0.1");
    shop_set(&t->shop, "schedule.system", system);
    MUST(alterrec_model_create(&t->model, t->shop.catalog, t->shop.config));
    MUST(alterrec_trainer_create(&t->trainer, t->model, t->shop.train, t->shop.valid, NULL));
    MUST(alterrec_batch_create(&t->batch));
}

static void close_training(training *t) {
    alterrec_batch_free(t->batch);
    alterrec_trainer_free(t->trainer);
    alterrec_model_free(t->model);
    shop_close(&t->shop);
}

static bool same_model(const alterrec_model *a, const alterrec_model *b) {
    return memcmp(a->id.block, b->id.block, (size_t)a->id.list.count * sizeof(float)) == 0 &&
           memcmp(a->text.block, b->text.block, (size_t)a->text.list.count * sizeof(float)) == 0;
}

static alterrec_plan plan_of(const alterrec_trainer *trainer) {
    alterrec_plan plan = {.struct_size = sizeof plan};
    MUST(alterrec_trainer_plan(&plan, trainer));
    return plan;
}

START_TEST(an_epoch_by_hand_is_an_epoch) {
    training whole, by_hand;
    open_training(&whole, "alterrec");
    open_training(&by_hand, "alterrec");
    for (int epoch = 0; epoch < 5; epoch++) {
        alterrec_epoch_report a = {.struct_size = sizeof a}, b = a;
        alterrec_step_report step = {.struct_size = sizeof step};
        MUST(alterrec_trainer_epoch(&a, whole.trainer, NULL));
        int64_t batches = alterrec_trainer_batches(by_hand.trainer), examples = 0;
        for (int64_t i = 0; i < batches; i++) {
            MUST(alterrec_trainer_batch(by_hand.batch, by_hand.trainer, i));
            MUST(alterrec_trainer_step(&step, by_hand.trainer, by_hand.batch, NULL));
            ck_assert_int_eq(step.examples, alterrec_batch_examples(by_hand.batch));
            examples += step.examples;
        }
        MUST(alterrec_trainer_end_epoch(&b, by_hand.trainer));
        ck_assert_int_eq(b.examples, examples);
        ck_assert_int_eq(b.steps, batches);
        a.seconds = b.seconds = a.valid_seconds = b.valid_seconds = 0.0;
        ck_assert_mem_eq(&a, &b, sizeof a);
        ck_assert(same_model(whole.model, by_hand.model));
    }
    ck_assert_int_eq(alterrec_trainer_end_epoch(NULL, by_hand.trainer),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    close_training(&whole);
    close_training(&by_hand);
}
END_TEST

/* The golden case's sessions, each with its label at its end, its last max_len items. */
static void add_golden(alterrec_batch *batch, const golden *g) {
    int64_t max_len = g->model->shape.max_len;
    for (int64_t s = 0; s < g->count; s++) {
        int64_t end = g->offsets[s + 1], start = g->offsets[s];
        start = end - start > max_len ? end - max_len : start;
        int32_t *labels = ar_new(end - start, sizeof *labels);
        for (int64_t t = 0; t < end - start; t++)
            labels[t] = t == end - start - 1 ? g->labels[s] : -1;
        MUST(alterrec_batch_add_labelled(batch, g->items + start, labels, end - start));
        ar_free(labels);
    }
}

START_TEST(golden_losses_by_public_calls) {
    static const int32_t towers[] = {ALTERREC_ID, ALTERREC_TEXT};
    static const char *const names[][3] = {{"negatives.id", "loss.id", "loss_full.id"},
                                           {"negatives.text", "loss.text", "loss_full.text"}};
    golden g;
    golden_open(&g, _i == 0 ? "tiny" : "moderate");
    alterrec_batch *batch;
    alterrec_trainer *trainer;
    alterrec_sessions *sessions;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_sessions_create(&sessions, g.catalog, (int32_t[]){0, 1}, (int64_t[]){0, 2}, 1));
    MUST(alterrec_trainer_create(&trainer, g.model, sessions, NULL, NULL));
    add_golden(batch, &g);
    alterrec_plan plan = plan_of(trainer);
    plan.learning_rate = 0.0;
    for (int t = 0; t < 2; t++) {
        const ar_tensor_view *view = ar_tensor_file_find(&g.expected, names[t][0]);
        alterrec_step_report report = {.struct_size = sizeof report};
        plan.tower = towers[t];
        plan.negatives = ALTERREC_NEGATIVES_RANDOM;
        MUST(alterrec_batch_set_negatives(batch, view->data, view->shape[0], view->shape[1]));
        MUST(alterrec_trainer_step(&report, trainer, batch, &plan));
        double expected = golden_double(&g.expected, names[t][1]);
        ck_assert_double_eq_tol(report.loss, expected, 1e-5 * expected);
        plan.negatives = ALTERREC_NEGATIVES_FULL;
        MUST(alterrec_trainer_step(&report, trainer, batch, &plan));
        expected = golden_double(&g.expected, names[t][2]);
        ck_assert_double_eq_tol(report.loss, expected, 1e-5 * expected);
    }
    alterrec_trainer_free(trainer);
    alterrec_sessions_free(sessions);
    alterrec_batch_free(batch);
    golden_close(&g);
}
END_TEST

/* A host that names three negatives, and answers `answer` at call number `at`. */
typedef struct naming {
    int64_t calls, at;
    int32_t answer, first;
} naming;

static int32_t name_negatives(int32_t *negatives, const alterrec_examples *examples,
                              int64_t per_example, void *user_data) {
    naming *n = user_data;
    int64_t last = 0;
    ck_assert_uint_eq(examples->struct_size, sizeof *examples);
    ck_assert_int_gt(examples->count, 0);
    for (int64_t e = 0; e < examples->count; e++) {
        ck_assert_int_ge(examples->lengths[e], 1);
        ck_assert_int_le(examples->starts[e] + examples->lengths[e], examples->item_count);
        last = examples->starts[e] + examples->lengths[e];
        ck_assert_int_eq(negatives[e * per_example], -1);
        for (int64_t i = 0; i < 3; i++)
            negatives[e * per_example + i] = n->first + (int32_t)i;
    }
    /* The last example of a trainer's own batch is a whole sequence. */
    ck_assert_int_eq(last, examples->item_count);
    return ++n->calls == n->at ? n->answer : 0;
}

START_TEST(the_host_names_negatives) {
    training named, given;
    open_training(&named, "id");
    open_training(&given, "id");
    naming n = {.first = 5};
    MUST(alterrec_trainer_on_negatives(named.trainer, name_negatives, &n));
    alterrec_plan plan = plan_of(named.trainer);
    plan.negatives = ALTERREC_NEGATIVES_HOST;
    ck_assert_int_eq(alterrec_trainer_epoch(NULL, given.trainer, &plan),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    MUST(alterrec_trainer_epoch(NULL, named.trainer, &plan));
    ck_assert_int_eq(n.calls, alterrec_trainer_batches(given.trainer));
    plan.negatives = ALTERREC_NEGATIVES_RANDOM;
    for (int64_t i = 0, batches = alterrec_trainer_batches(given.trainer); i < batches; i++) {
        MUST(alterrec_trainer_batch(given.batch, given.trainer, i));
        int64_t examples = alterrec_batch_examples(given.batch);
        int32_t *list = ar_new(3 * examples, sizeof *list);
        for (int64_t k = 0; k < 3 * examples; k++)
            list[k] = 5 + (int32_t)(k % 3);
        MUST(alterrec_batch_set_negatives(given.batch, list, examples, 3));
        MUST(alterrec_trainer_step(NULL, given.trainer, given.batch, &plan));
        ar_free(list);
    }
    MUST(alterrec_trainer_end_epoch(NULL, given.trainer));
    ck_assert(same_model(named.model, given.model));
    close_training(&named);
    close_training(&given);
}
END_TEST

START_TEST(failing_and_wandering_negatives) {
    for (int64_t at = 1; at <= 3; at++) {
        training t, drawn;
        open_training(&t, "id");
        open_training(&drawn, "id");
        naming n = {.first = 5, .at = at, .answer = -44};
        MUST(alterrec_trainer_on_negatives(t.trainer, name_negatives, &n));
        alterrec_plan plan = plan_of(t.trainer);
        plan.negatives = ALTERREC_NEGATIVES_HOST;
        ck_assert_int_eq(alterrec_trainer_epoch(NULL, t.trainer, &plan), -44);
        ck_assert_int_eq(n.calls, at);
        ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 0);
        n.first = 39; /* and so 40 and 41, which are no items */
        ck_assert_int_eq(alterrec_trainer_epoch(NULL, t.trainer, &plan),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "40"));
        n.first = 0;
        MUST(alterrec_trainer_epoch(NULL, t.trainer, &plan));
        close_training(&t);
        close_training(&drawn);
    }
}
END_TEST

/* A positive answer leaves the batch to us: the same as random negatives. */
START_TEST(declined_negatives_are_random) {
    training left, drawn;
    open_training(&left, "id");
    open_training(&drawn, "id");
    alterrec_plan plan = plan_of(left.trainer);
    plan.negatives = ALTERREC_NEGATIVES_HOST;
    MUST(alterrec_trainer_batch(left.batch, left.trainer, 0));
    naming n = {.first = 5, .at = 1, .answer = 1};
    MUST(alterrec_trainer_on_negatives(left.trainer, name_negatives, &n));
    MUST(alterrec_trainer_step(NULL, left.trainer, left.batch, &plan));
    plan.negatives = ALTERREC_NEGATIVES_RANDOM;
    MUST(alterrec_trainer_step(NULL, drawn.trainer, left.batch, &plan));
    ck_assert(same_model(left.model, drawn.model));
    close_training(&left);
    close_training(&drawn);
}
END_TEST

START_TEST(batches_that_do_not_fit) {
    training t;
    open_training(&t, "id");
    static const int32_t items[] = {1, 2, 3, 4, 5, 6}, labels[] = {-1, -1, -1, -1, -1, 7};
#define REFUSED(status, text)                                                                      \
    do {                                                                                           \
        ck_assert_int_eq(alterrec_trainer_step(NULL, t.trainer, t.batch, NULL), status);           \
        ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "%s", alterrec_last_error());   \
        MUST(alterrec_batch_clear(t.batch));                                                       \
    } while (0)
    REFUSED(ALTERREC_ERROR_INVALID_ARGUMENT, "no label");
    MUST(alterrec_batch_add(t.batch, items, 3));
    REFUSED(ALTERREC_ERROR_INVALID_ARGUMENT, "no label");
    MUST(alterrec_batch_add_labelled(t.batch, items, labels, 6));
    REFUSED(ALTERREC_ERROR_INVALID_ARGUMENT, "max_len");
    MUST(alterrec_batch_add_labelled(t.batch, (int32_t[]){40}, (int32_t[]){1}, 1));
    REFUSED(ALTERREC_ERROR_INVALID_ARGUMENT, "40");
    MUST(alterrec_batch_add_labelled(t.batch, (int32_t[]){1}, (int32_t[]){40}, 1));
    REFUSED(ALTERREC_ERROR_INVALID_ARGUMENT, "label 40");
    MUST(alterrec_batch_add_labelled(t.batch, (int32_t[]){1}, (int32_t[]){4}, 1));
    MUST(alterrec_batch_set_negatives(t.batch, (int32_t[]){40}, 1, 1));
    REFUSED(ALTERREC_ERROR_INVALID_ARGUMENT, "negative 40");
#undef REFUSED
    ck_assert_int_eq(alterrec_batch_set_negatives(t.batch, items, 2, 1), ALTERREC_ERROR_MISMATCH);
    MUST(alterrec_batch_add_labelled(t.batch, (int32_t[]){1}, (int32_t[]){4}, 1));
    MUST(alterrec_trainer_step(NULL, t.trainer, t.batch, NULL));
    close_training(&t);
}
END_TEST

/* -log softmax of the label among all items, or among those with a weight. */
static double naive_loss(const float *scores, const float *weights, int64_t items, int32_t label) {
    double sum = exp((double)scores[label]);
    for (int64_t j = 0; j < items; j++)
        if (j != label)
            sum += (weights != NULL ? (double)weights[j] : 1.0) * exp((double)scores[j]);
    return log(sum) - (double)scores[label];
}

/* A batch of single items, whose scores the public calls give as well. */
enum { SINGLES = 20, ITEMS = 40 };

static void add_singles(training *t, float *id, float *text, int32_t *labels) {
    alterrec_batch *plain;
    MUST(alterrec_batch_create(&plain));
    for (int32_t e = 0; e < SINGLES; e++) {
        labels[e] = (3 * e + 1) % ITEMS;
        MUST(alterrec_batch_add_labelled(t->batch, &e, &labels[e], 1));
        MUST(alterrec_batch_add(plain, &e, 1));
    }
    MUST(alterrec_model_score(id, t->model, ALTERREC_ID, plain));
    MUST(alterrec_model_score(text, t->model, ALTERREC_TEXT, plain));
    alterrec_batch_free(plain);
}

static void open_without_dropout(training *t, const char *system) {
    shop_open(&t->shop, ITEMS, 60);
    shop_set(&t->shop, "schedule.system", system);
    MUST(alterrec_model_create(&t->model, t->shop.catalog, t->shop.config));
    MUST(alterrec_trainer_create(&t->trainer, t->model, t->shop.train, t->shop.valid, NULL));
    MUST(alterrec_batch_create(&t->batch));
}

START_TEST(both_towers_in_one_loss) {
    training t;
    open_without_dropout(&t, "naive_sum");
    float *id = ar_new(SINGLES * ITEMS, sizeof *id), *text = ar_new(SINGLES * ITEMS, sizeof *text);
    int32_t labels[SINGLES];
    add_singles(&t, id, text, labels);
    double expected[3] = {0.0, 0.0, 0.0};
    for (int64_t e = 0; e < SINGLES; e++) {
        float *row_id = id + e * ITEMS, *row_text = text + e * ITEMS;
        expected[0] += naive_loss(row_id, NULL, ITEMS, labels[e]) / SINGLES;
        expected[1] += naive_loss(row_text, NULL, ITEMS, labels[e]) / SINGLES;
        for (int64_t j = 0; j < ITEMS; j++)
            row_id[j] += row_text[j];
        expected[2] += naive_loss(row_id, NULL, ITEMS, labels[e]) / SINGLES;
    }
    alterrec_plan plan = plan_of(t.trainer);
    ck_assert_int_eq(plan.tower, ALTERREC_FUSED);
    plan.negatives = ALTERREC_NEGATIVES_FULL;
    alterrec_step_report report = {.struct_size = sizeof report};
    MUST(alterrec_trainer_step(&report, t.trainer, t.batch, &plan));
    ck_assert_double_eq_tol(report.part_loss[0], expected[0], 1e-5 * expected[0]);
    ck_assert_double_eq_tol(report.part_loss[1], expected[1], 1e-5 * expected[1]);
    ck_assert_double_eq_tol(report.loss, expected[2], 1e-5 * expected[2]);
    plan.negatives = ALTERREC_NEGATIVES_HARD;
    ck_assert_int_eq(alterrec_trainer_step(NULL, t.trainer, t.batch, &plan),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    MUST(alterrec_trainer_run(t.trainer));
    alterrec_epoch_report first = {.struct_size = sizeof first}, last = first;
    MUST(alterrec_trainer_report(&first, t.trainer, 0));
    MUST(alterrec_trainer_report(&last, t.trainer, 5));
    ck_assert_double_lt(last.loss, first.loss);
    ck_assert_double_gt(last.part_loss[0], 0.0);
    ar_free(id);
    ar_free(text);
    close_training(&t);
}
END_TEST

/* The loss of both towers at once, for central differences. */
static double fused_loss(ar_learner *id, ar_learner *text, const ar_example_batch *batch) {
    ar_step_result result;
    ar_step_options options = {.negatives = ALTERREC_NEGATIVES_FULL, .partner = text};
    MUST(ar_learner_gradients(&result, id, batch, &options));
    return result.loss;
}

START_TEST(gradients_of_one_loss_reach_both_towers) {
    training t;
    open_without_dropout(&t, "naive_sum");
    static const int32_t items[] = {1, 5, 9, 2, 7}, labels[] = {5, 9, 3, 7, 30};
    static const int64_t offsets[] = {0, 3, 5}, rows[] = {0, 1, 2, 3, 4};
    ar_example_batch batch = {{items, offsets, 2, 5}, rows, labels, 5};
    ar_learner learners[2];
    MUST(ar_learner_create(&learners[0], t.model, ALTERREC_ID, 2));
    MUST(ar_learner_create(&learners[1], t.model, ALTERREC_TEXT, 2));
    for (int side = 0; side < 2; side++) {
        ar_tower *tower = learners[side].tower;
        (void)fused_loss(&learners[0], &learners[1], &batch);
        float *diff = ar_new(tower->list.count, sizeof *diff);
        memcpy(diff, learners[side].diff, (size_t)tower->list.count * sizeof *diff);
        double error = 0.0, norm = 0.0;
        for (int64_t i = 0; i < tower->list.count; i += 7) {
            const float step = 4e-3f;
            float held = tower->block[i];
            tower->block[i] = held + step;
            double above = fused_loss(&learners[0], &learners[1], &batch);
            tower->block[i] = held - step;
            double below = fused_loss(&learners[0], &learners[1], &batch);
            tower->block[i] = held;
            double numeric = (above - below) / (2.0 * (double)step);
            error += (numeric - (double)diff[i]) * (numeric - (double)diff[i]);
            norm += numeric * numeric;
        }
        /* f32 losses of about 10 differ by rounding of 1e-6, a step of 4e-3 makes 1e-4 of it. */
        ck_assert_msg(sqrt(error / norm) < 1e-2, "side %d: %g", side, sqrt(error / norm));
        ar_free(diff);
    }
    ar_learner_free(&learners[0]);
    ar_learner_free(&learners[1]);
    close_training(&t);
}
END_TEST

START_TEST(in_batch_negatives_are_the_other_labels) {
    training t;
    open_without_dropout(&t, "id");
    float *id = ar_new(SINGLES * ITEMS, sizeof *id), *text = ar_new(SINGLES * ITEMS, sizeof *text);
    float weights[ITEMS] = {0.0f};
    int32_t labels[SINGLES];
    add_singles(&t, id, text, labels);
    double expected = 0.0;
    for (int e = 0; e < SINGLES; e++)
        weights[labels[e]] += 1.0f;
    for (int e = 0; e < SINGLES; e++)
        expected += naive_loss(id + e * ITEMS, weights, ITEMS, labels[e]) / SINGLES;
    alterrec_plan plan = plan_of(t.trainer);
    plan.negatives = ALTERREC_NEGATIVES_BATCH;
    plan.learning_rate = 0.0;
    alterrec_step_report report = {.struct_size = sizeof report};
    MUST(alterrec_trainer_step(&report, t.trainer, t.batch, &plan));
    ck_assert_double_eq_tol(report.loss, expected, 1e-5 * expected);
    ar_free(id);
    ar_free(text);
    close_training(&t);
}
END_TEST

/* With the correction, a large draw estimates the full softmax, however it was drawn. */
START_TEST(corrected_draws_estimate_the_full_softmax) {
    static const struct {
        double popularity;
        int32_t shared;
    } draws[] = {{0.0, 0}, {0.0, 1}, {0.75, 0}, {0.75, 1}};
    training t;
    open_without_dropout(&t, "id");
    float *id = ar_new(SINGLES * ITEMS, sizeof *id), *text = ar_new(SINGLES * ITEMS, sizeof *text);
    int32_t labels[SINGLES];
    add_singles(&t, id, text, labels);
    alterrec_plan plan = plan_of(t.trainer);
    alterrec_step_report full = {.struct_size = sizeof full}, sampled = full;
    plan.learning_rate = 0.0;
    plan.negatives = ALTERREC_NEGATIVES_FULL;
    MUST(alterrec_trainer_step(&full, t.trainer, t.batch, &plan));
    plan.negatives = ALTERREC_NEGATIVES_RANDOM;
    plan.negative_count = 200000;
    plan.correct = 1;
    for (int d = 0; d < 4; d++) {
        plan.popularity = draws[d].popularity;
        plan.shared = draws[d].shared;
        MUST(alterrec_trainer_step(&sampled, t.trainer, t.batch, &plan));
        ck_assert_double_eq_tol(sampled.loss, full.loss, 0.01 * full.loss);
    }
    plan.negatives = ALTERREC_NEGATIVES_HARD;
    ck_assert_int_eq(alterrec_trainer_step(NULL, t.trainer, t.batch, &plan),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ar_free(id);
    ar_free(text);
    close_training(&t);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("step");
    TCase *group = tcase_create("step");
    tcase_add_test(group, an_epoch_by_hand_is_an_epoch);
    tcase_add_loop_test(group, golden_losses_by_public_calls, 0, 2);
    tcase_add_test(group, the_host_names_negatives);
    tcase_add_test(group, failing_and_wandering_negatives);
    tcase_add_test(group, declined_negatives_are_random);
    tcase_add_test(group, batches_that_do_not_fit);
    tcase_add_test(group, both_towers_in_one_loss);
    tcase_add_test(group, gradients_of_one_loss_reach_both_towers);
    tcase_add_test(group, in_batch_negatives_are_the_other_labels);
    tcase_add_test(group, corrected_draws_estimate_the_full_softmax);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
