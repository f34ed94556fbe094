/* Hosts that use OpenMP themselves: their settings neither change the figures nor are changed. */
#include "support/small_model.h"

#include <check.h>
#include <omp.h>
#include <string.h>

enum { ITEMS = 3000, SESSIONS = 40, K = 10, CALLERS = 6 };

static small_model small;
static alterrec_sessions *sessions;
static alterrec_recommender *recommender;
static int32_t expected[SESSIONS * K];

static alterrec_status recommend(int32_t items[SESSIONS * K]) {
    alterrec_batch *batch;
    alterrec_status status = alterrec_batch_create(&batch);
    if (status != ALTERREC_OK)
        return status;
    for (int64_t s = 0; status == ALTERREC_OK && s < SESSIONS; s++) {
        const int32_t *session = NULL;
        int64_t length = 0;
        status = alterrec_sessions_get(&session, &length, sessions, s);
        if (status == ALTERREC_OK)
            status = alterrec_batch_add(batch, session, length);
    }
    if (status == ALTERREC_OK)
        status = alterrec_recommender_top_k(items, NULL, NULL, recommender, batch, K, NULL);
    alterrec_batch_free(batch);
    return status;
}

static void set_up(void) {
    small_model_open(&small, ITEMS, true);
    sessions = small_sessions(&small, SESSIONS, SMALL_MAX_LEN);
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    omp_set_num_threads(1);
    MUST(recommend(expected));
}

static void tear_down(void) {
    alterrec_recommender_free(recommender);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}

/* OpenMP may then give fewer threads than are asked for, and it does: 16 are more than there are
 * processors to spare. */
START_TEST(dynamic_teams_change_no_figure) {
    int32_t items[SESSIONS * K];
    omp_set_dynamic(1);
    omp_set_num_threads(16);
    MUST(recommend(items));
    ck_assert_mem_eq(items, expected, sizeof expected);
    ck_assert_int_ne(omp_get_dynamic(), 0);
    ck_assert_int_eq(omp_get_max_threads(), 16);
}
END_TEST

START_TEST(a_parallel_region_of_the_host_changes_no_figure) {
    static int32_t items[CALLERS][SESSIONS * K];
    alterrec_status statuses[CALLERS];
    omp_set_num_threads(3);
#pragma omp parallel for
    for (int caller = 0; caller < CALLERS; caller++)
        statuses[caller] = recommend(items[caller]);
    for (int caller = 0; caller < CALLERS; caller++) {
        ck_assert_int_eq(statuses[caller], ALTERREC_OK);
        ck_assert_mem_eq(items[caller], expected, sizeof expected);
    }
    ck_assert_int_eq(omp_get_dynamic(), 0);
    ck_assert_int_eq(omp_get_max_threads(), 3);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("openmp");
    TCase *tcase = tcase_create("openmp");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, dynamic_teams_change_no_figure);
    tcase_add_test(tcase, a_parallel_region_of_the_host_changes_no_figure);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
