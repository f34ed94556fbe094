/* The host's fusion: the same callback in evaluating, validating and recommending. */
#include "core/memory.h"
#include "support/fusing.h"
#include "support/shop.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Several tiles of items in one product; several tiles of sessions in a batch. */
enum { MANY_ITEMS = 17000, MANY_SESSIONS = 300 };

static int32_t decline(const alterrec_fusion_tile *tile, void *user_data) {
    (void)user_data;
    tile->fused[0] = 1e9F;
    return 1;
}

static int32_t rank_in(const float *row, int64_t items, int64_t item) {
    int32_t rank = 1;
    for (int64_t i = 0; i < items; i++)
        rank += row[i] > row[item] || (row[i] == row[item] && i < item);
    return rank;
}

static void fuse_ranks(float *fused, const float *id, const float *text, int64_t items) {
    for (int64_t i = 0; i < items; i++)
        fused[i] = 1.0F / (60.0F + (float)rank_in(id, items, i)) +
                   1.0F / (60.0F + (float)rank_in(text, items, i));
}

/* Reciprocal rank fusion. */
static int32_t by_ranks(const alterrec_fusion_tile *tile, void *user_data) {
    (void)user_data;
    for (int64_t s = 0; s < tile->sessions; s++) {
        int64_t at = s * tile->items;
        fuse_ranks(tile->fused + at, tile->id + at, tile->text + at, tile->items);
    }
    return 0;
}

static int32_t take_id(const alterrec_fusion_tile *tile, void *user_data) {
    (void)user_data;
    memcpy(tile->fused, tile->id, (size_t)(tile->sessions * tile->items) * sizeof(float));
    return 0;
}

START_TEST(the_weighted_sum_as_a_callback) {
    static const alterrec_fusion_fn callbacks[] = {fusing_add_up, decline};
    const int64_t items = _i == 0 ? 60 : MANY_ITEMS;
    small_model small;
    small_model_open(&small, items, true);
    alterrec_sessions *sessions = small_sessions(&small, MANY_SESSIONS, 2 * SMALL_MAX_LEN);
    alterrec_batch *batch = fusing_batch(sessions);
    MUST(alterrec_batch_exclude_own(batch, 1));
    MUST(alterrec_batch_exclude(batch, -1, (int32_t[]){3, 17, 59}, 3));
    fusing_lists expected = fusing_recommend(&small, batch, 12, NULL, NULL);
    alterrec_evaluation *figures = fusing_evaluate(&small, sessions, NULL, NULL), *whole;
    MUST(alterrec_evaluate(&whole, small.model, sessions, sessions, NULL, NULL, NULL));
    fusing_check_figures(whole, figures);
    for (int c = 0; c < 2; c++) {
        fusing_lists best = fusing_recommend(&small, batch, 12, callbacks[c], NULL);
        fusing_check_same(&best, &expected);
        fusing_free(&best);
        fusing_check_figures(fusing_evaluate(&small, sessions, callbacks[c], NULL), figures);
    }
    fusing_listener heard = {.items = items, .thread = pthread_self()};
    fusing_lists best = fusing_recommend(&small, batch, 12, fusing_listen, &heard);
    fusing_check_same(&best, &expected);
    ck_assert_int_gt(heard.calls, 1);
    ck_assert_int_eq(heard.sessions, MANY_SESSIONS);
    heard = (fusing_listener){.items = items, .thread = pthread_self()};
    fusing_check_figures(fusing_evaluate(&small, sessions, fusing_listen, &heard), figures);
    ck_assert_int_gt(heard.calls, 1);
    ck_assert_int_eq(heard.sessions, alterrec_evaluation_examples(figures));
    fusing_free(&best);
    fusing_free(&expected);
    alterrec_evaluation_free(figures);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

/* Pairs: one prefix of one item each, so that the batch of first items is the evaluation's. */
static alterrec_sessions *pairs(small_model *small, int64_t count) {
    alterrec_sessions *sessions;
    int32_t *items = ar_new(2 * count, sizeof *items);
    int64_t *offsets = ar_new(count + 1, sizeof *offsets);
    for (int64_t i = 0; i < 2 * count; i++)
        items[i] = (int32_t)ar_random_below(&small->random, (uint32_t)small->items);
    for (int64_t s = 0; s <= count; s++)
        offsets[s] = 2 * s;
    MUST(alterrec_sessions_create(&sessions, small->catalog, items, offsets, count));
    ar_free(items);
    ar_free(offsets);
    return sessions;
}

static int32_t pair_item(const alterrec_sessions *sessions, int64_t session, int position) {
    const int32_t *items;
    int64_t length;
    MUST(alterrec_sessions_get(&items, &length, sessions, session));
    return items[position];
}

/* Every session's items in the order of the naive fusion of public scores; the mean of 1 / rank. */
static double check_ranked_lists(const small_model *small, alterrec_batch *batch,
                                 const fusing_lists *best, const alterrec_sessions *sessions) {
    int64_t items = small->items, count = alterrec_batch_count(batch);
    float *id = ar_new(count * items, sizeof *id), *text = ar_new(count * items, sizeof *text);
    float *fused = ar_new(items, sizeof *fused);
    double sum = 0.0;
    MUST(alterrec_model_score(id, small->model, ALTERREC_ID, batch));
    MUST(alterrec_model_score(text, small->model, ALTERREC_TEXT, batch));
    for (int64_t s = 0; s < count; s++) {
        fuse_ranks(fused, id + s * items, text + s * items, items);
        for (int64_t i = 0; i < items; i++) {
            int64_t at = s * items + rank_in(fused, items, i) - 1;
            ck_assert_int_eq(best->items[at], i);
            ck_assert(best->scores[at] == fused[i]);
        }
        int32_t rank = rank_in(fused, items, pair_item(sessions, s, 1));
        sum += rank <= 20 ? 1.0 / rank : 0.0;
    }
    ar_free(id);
    ar_free(text);
    ar_free(fused);
    return sum / (double)count;
}

START_TEST(ranks_are_fused_as_by_hand) {
    enum { ITEMS = 41, COUNT = 140 };
    small_model small;
    double value;
    small_model_open(&small, ITEMS, true);
    alterrec_sessions *sessions = pairs(&small, COUNT);
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    for (int64_t s = 0; s < COUNT; s++)
        MUST(alterrec_batch_add(batch, &(int32_t){pair_item(sessions, s, 0)}, 1));
    fusing_lists best = fusing_recommend(&small, batch, ITEMS, by_ranks, NULL);
    double expected = check_ranked_lists(&small, batch, &best, sessions);
    alterrec_evaluation *evaluation = fusing_evaluate(&small, sessions, by_ranks, NULL);
    MUST(alterrec_evaluation_metric(&value, evaluation, ALTERREC_FUSED, ALTERREC_MRR, 20, -1));
    ck_assert_double_eq_tol(value, expected, 1e-12);
    ck_assert_double_gt(expected, 0.0);
    alterrec_evaluation_free(evaluation);
    fusing_free(&best);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

START_TEST(without_a_text_tower_it_is_not_called) {
    small_model small;
    small_model_open(&small, 20, false);
    alterrec_sessions *sessions = small_sessions(&small, 5, 4);
    alterrec_batch *batch = fusing_batch(sessions);
    fusing_listener heard = {.at = 1, .answer = -1};
    fusing_lists expected = fusing_recommend(&small, batch, 4, NULL, NULL);
    fusing_lists best = fusing_recommend(&small, batch, 4, fusing_listen, &heard);
    fusing_check_same(&best, &expected);
    alterrec_evaluation *figures = fusing_evaluate(&small, sessions, NULL, NULL);
    fusing_check_figures(fusing_evaluate(&small, sessions, fusing_listen, &heard), figures);
    ck_assert_int_eq(heard.calls, 0);
    alterrec_evaluation_free(figures);
    fusing_free(&best);
    fusing_free(&expected);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

enum { VISITORS = 40, BEST = 8 };

typedef struct worker {
    const alterrec_recommender *recommender;
    const alterrec_sessions *sessions;
    int32_t items[VISITORS * BEST];
    float scores[VISITORS * BEST];
    alterrec_status status;
} worker;

static void *serve(void *argument) {
    worker *w = argument;
    alterrec_batch *batch = NULL;
    alterrec_search search = fusing_search(by_ranks, NULL);
    w->status = alterrec_batch_create(&batch);
    for (int64_t s = 0; w->status == ALTERREC_OK && s < VISITORS; s++) {
        const int32_t *items;
        int64_t length;
        (void)alterrec_batch_clear(batch);
        (void)alterrec_sessions_get(&items, &length, w->sessions, s);
        w->status = alterrec_batch_add(batch, items, length);
        if (w->status == ALTERREC_OK)
            w->status = alterrec_recommender_top_k(w->items + s * BEST, w->scores + s * BEST, NULL,
                                                   w->recommender, batch, BEST, &search);
    }
    alterrec_batch_free(batch);
    return NULL;
}

START_TEST(threads_fuse_on_one_recommender) {
    small_model small;
    small_model_open(&small, 200, true);
    MUST(alterrec_config_set(small.config, "compute.threads", "1"));
    alterrec_sessions *sessions = small_sessions(&small, VISITORS, 2 * SMALL_MAX_LEN);
    alterrec_recommender *recommender;
    MUST(alterrec_recommender_create(&recommender, small.model, small.config));
    static worker workers[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        workers[i] = (worker){.recommender = recommender, .sessions = sessions};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, serve, &workers[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    alterrec_batch *batch = fusing_batch(sessions);
    fusing_lists together = fusing_recommend(&small, batch, BEST, by_ranks, NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(workers[i].status, ALTERREC_OK);
        ck_assert_mem_eq(workers[i].items, together.items, sizeof workers[i].items);
        ck_assert_mem_eq(workers[i].scores, together.scores, sizeof workers[i].scores);
    }
    fusing_free(&together);
    alterrec_batch_free(batch);
    alterrec_recommender_free(recommender);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

static int32_t intrude_on_trainer(const alterrec_fusion_tile *tile, void *user_data) {
    alterrec_trainer *trainer = user_data;
    fusing_check_fails(alterrec_trainer_on_fusion(trainer, NULL, NULL), ALTERREC_ERROR_BUSY,
                       "alterrec_trainer_on_fusion");
    fusing_check_fails(alterrec_trainer_epoch(NULL, trainer, NULL), ALTERREC_ERROR_BUSY,
                       "inside a call");
    return take_id(tile, NULL);
}

static int32_t refuse(const alterrec_fusion_tile *tile, void *user_data) {
    (void)tile;
    (void)user_data;
    return -4712;
}

START_TEST(validation_uses_it) {
    shop s;
    alterrec_model *model;
    alterrec_trainer *trainer;
    alterrec_epoch_report report = {.struct_size = sizeof report};
    shop_open(&s, 40, 60);
    MUST(alterrec_model_create(&model, s.catalog, s.config));
    MUST(alterrec_trainer_create(&trainer, model, s.train, s.valid, s.config));
    fusing_check_fails(alterrec_trainer_on_fusion(NULL, take_id, NULL),
                       ALTERREC_ERROR_INVALID_ARGUMENT, "`trainer`");
    MUST(alterrec_trainer_epoch(&report, trainer, NULL));
    ck_assert(report.valid_metric[0] != report.valid_metric[1]);
    MUST(alterrec_trainer_on_fusion(trainer, refuse, NULL));
    ck_assert_int_eq(alterrec_trainer_epoch(&report, trainer, NULL), -4712);
    MUST(alterrec_trainer_on_fusion(trainer, intrude_on_trainer, trainer));
    MUST(alterrec_trainer_epoch(&report, trainer, NULL));
    ck_assert(report.valid_metric[0] == report.valid_metric[1]);
    alterrec_trainer_free(trainer);
    alterrec_model_free(model);
    shop_close(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fusion");
    TCase *group = tcase_create("fusion");
    tcase_add_loop_test(group, the_weighted_sum_as_a_callback, 0, 2);
    tcase_add_test(group, ranks_are_fused_as_by_hand);
    tcase_add_test(group, without_a_text_tower_it_is_not_called);
    tcase_add_test(group, threads_fuse_on_one_recommender);
    tcase_add_test(group, validation_uses_it);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
