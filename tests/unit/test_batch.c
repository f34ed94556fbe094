/* Batches: packing, exclusions, and what a refused call leaves behind. */
#include "core/memory.h"
#include "data/batch.h"

#include <check.h>
#include <stdlib.h>

static alterrec_batch *batch;

static void set_up(void) {
    ck_assert_int_eq(alterrec_batch_create(&batch), ALTERREC_OK);
}

static void tear_down(void) {
    alterrec_batch_free(batch);
}

static void add(const int32_t *items, int64_t length) {
    ck_assert_int_eq(alterrec_batch_add(batch, items, length), ALTERREC_OK);
}

static void check_refused(alterrec_status status, const char *text) {
    ck_assert_int_eq(status, ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_str_eq(alterrec_last_error(), text);
}

START_TEST(test_sessions_are_packed) {
    ck_assert_int_eq(alterrec_batch_count(batch), 0);
    add((int32_t[]){3, 1, 4}, 3);
    add((int32_t[]){0}, 1);
    for (int32_t i = 0; i < 1000; i++)
        add((int32_t[]){i, i}, 2);
    ck_assert_int_eq(alterrec_batch_count(batch), 1002);
    ck_assert_int_eq(batch->offsets[0], 0);
    ck_assert_int_eq(batch->offsets[1], 3);
    ck_assert_int_eq(batch->offsets[2], 4);
    ck_assert_int_eq(batch->offsets[1002], 2004);
    ck_assert_int_eq(batch->items[2], 4);
    ck_assert_int_eq(batch->items[3], 0);
    ck_assert_int_eq(batch->items[2003], 999);
}
END_TEST

START_TEST(test_add_refuses_and_keeps) {
    add((int32_t[]){7}, 1);
    check_refused(alterrec_batch_add(batch, (int32_t[]){1, 2, -3}, 3),
                  "alterrec_batch_add: item -3 at position 2 is negative");
    check_refused(alterrec_batch_add(batch, (int32_t[]){1}, 0),
                  "alterrec_batch_add: length is 0, a session has at least 1 item");
    check_refused(alterrec_batch_add(batch, (int32_t[]){1}, -1),
                  "alterrec_batch_add: length is -1, a session has at least 1 item");
    check_refused(alterrec_batch_add(NULL, (int32_t[]){1}, 1),
                  "alterrec_batch_add: argument `batch` is NULL");
    check_refused(alterrec_batch_add(batch, NULL, 1),
                  "alterrec_batch_add: argument `items` is NULL");
    ck_assert_int_eq(alterrec_batch_count(batch), 1);
    add((int32_t[]){8, 9}, 2);
    ck_assert_int_eq(batch->offsets[2], 3);
    ck_assert_int_eq(batch->items[2], 9);
}
END_TEST

START_TEST(test_null_handles) {
    ck_assert_int_eq(alterrec_batch_count(NULL), 0);
    alterrec_batch_free(NULL);
    check_refused(alterrec_batch_create(NULL), "alterrec_batch_create: argument `batch` is NULL");
    check_refused(alterrec_batch_clear(NULL), "alterrec_batch_clear: argument `batch` is NULL");
    check_refused(alterrec_batch_exclude(NULL, -1, (int32_t[]){1}, 1),
                  "alterrec_batch_exclude: argument `batch` is NULL");
    check_refused(alterrec_batch_exclude(batch, -1, NULL, 1),
                  "alterrec_batch_exclude: argument `items` is NULL");
    check_refused(alterrec_batch_exclude_own(NULL, 1),
                  "alterrec_batch_exclude_own: argument `batch` is NULL");
}
END_TEST

/* Session s's own list is exactly these `count` items. */
static void check_excluded(int64_t session, const int32_t *items, int64_t count) {
    ck_assert_int_eq(ar_batch_index_exclusions(batch), ALTERREC_OK);
    int64_t from = batch->excluded_offsets[session];
    ck_assert_int_eq(batch->excluded_offsets[session + 1] - from, count);
    for (int64_t i = 0; i < count; i++)
        ck_assert_int_eq(batch->excluded_items[from + i], items[i]);
}

START_TEST(test_exclusions_are_indexed_by_session) {
    ck_assert_int_eq(ar_batch_index_exclusions(batch), ALTERREC_OK); /* of no session at all */
    for (int i = 0; i < 4; i++)
        add((int32_t[]){1}, 1);
    check_excluded(0, NULL, 0);
    ck_assert_int_eq(alterrec_batch_exclude(batch, 2, (int32_t[]){5, 4}, 2), ALTERREC_OK);
    ck_assert_int_eq(alterrec_batch_exclude(batch, -1, (int32_t[]){9}, 1), ALTERREC_OK);
    ck_assert_int_eq(alterrec_batch_exclude(batch, 0, (int32_t[]){6}, 1), ALTERREC_OK);
    ck_assert_int_eq(alterrec_batch_exclude(batch, 1, (int32_t[]){6}, 0), ALTERREC_OK);
    ck_assert_int_eq(alterrec_batch_exclude(batch, 2, (int32_t[]){7}, 1), ALTERREC_OK);
    check_excluded(0, (int32_t[]){6}, 1);
    check_excluded(1, NULL, 0);
    check_excluded(2, (int32_t[]){5, 4, 7}, 3);
    check_excluded(3, NULL, 0);
    ck_assert_int_eq(batch->shared_exclusion_count, 1);
    ck_assert_int_eq(batch->shared_exclusions[0], 9);

    /* Whatever comes later is seen too. */
    add((int32_t[]){1}, 1);
    ck_assert_int_eq(alterrec_batch_exclude(batch, 4, (int32_t[]){3}, 1), ALTERREC_OK);
    check_excluded(2, (int32_t[]){5, 4, 7}, 3);
    check_excluded(4, (int32_t[]){3}, 1);
}
END_TEST

START_TEST(test_exclude_refuses_and_keeps) {
    add((int32_t[]){1}, 1);
    ck_assert_int_eq(alterrec_batch_exclude(batch, 0, (int32_t[]){2}, 1), ALTERREC_OK);
    check_refused(alterrec_batch_exclude(batch, 1, (int32_t[]){2}, 1),
                  "alterrec_batch_exclude: session is 1, the batch has 1 (-1: of every session)");
    check_refused(alterrec_batch_exclude(batch, -2, (int32_t[]){2}, 1),
                  "alterrec_batch_exclude: session is -2, the batch has 1 (-1: of every session)");
    check_refused(alterrec_batch_exclude(batch, 0, (int32_t[]){2}, -1),
                  "alterrec_batch_exclude: count is -1, below 0");
    check_refused(alterrec_batch_exclude(batch, 0, (int32_t[]){3, -1}, 2),
                  "alterrec_batch_exclude: item -1 at position 1 is negative");
    check_refused(alterrec_batch_exclude(batch, -1, (int32_t[]){3, -1}, 2),
                  "alterrec_batch_exclude: item -1 at position 1 is negative");
    check_excluded(0, (int32_t[]){2}, 1);
    ck_assert_int_eq(batch->shared_exclusion_count, 0);
}
END_TEST

START_TEST(test_check_names_the_place) {
    check_refused(ar_batch_check(batch, 10, "score"), "score: the batch has no session");
    add((int32_t[]){9, 0}, 2);
    add((int32_t[]){0, 10}, 2);
    ck_assert_int_eq(ar_batch_check(batch, 11, "score"), ALTERREC_OK);
    check_refused(ar_batch_check(batch, 10, "score"),
                  "score: session 1: item 10 at position 1 is outside the catalog, which has items "
                  "0..9");
    ck_assert_int_eq(alterrec_batch_clear(batch), ALTERREC_OK);
    add((int32_t[]){1}, 1);
    ck_assert_int_eq(alterrec_batch_exclude(batch, 0, (int32_t[]){12}, 1), ALTERREC_OK);
    check_refused(ar_batch_check(batch, 12, "score"),
                  "score: excluded item 12 is outside the catalog, which has items 0..11");
    ck_assert_int_eq(alterrec_batch_clear(batch), ALTERREC_OK);
    add((int32_t[]){1}, 1);
    ck_assert_int_eq(alterrec_batch_exclude(batch, -1, (int32_t[]){12}, 1), ALTERREC_OK);
    check_refused(ar_batch_check(batch, 12, "score"),
                  "score: excluded item 12 is outside the catalog, which has items 0..11");
}
END_TEST

START_TEST(test_clear_keeps_memory_and_setting) {
    add((int32_t[]){1, 2, 3}, 3);
    ck_assert_int_eq(alterrec_batch_exclude(batch, 0, (int32_t[]){2}, 1), ALTERREC_OK);
    ck_assert_int_eq(alterrec_batch_exclude(batch, -1, (int32_t[]){2}, 1), ALTERREC_OK);
    ck_assert(!batch->exclude_own);
    ck_assert_int_eq(alterrec_batch_exclude_own(batch, 5), ALTERREC_OK);
    check_excluded(0, (int32_t[]){2}, 1);
    const int32_t *items = batch->items;
    ck_assert_int_eq(alterrec_batch_clear(batch), ALTERREC_OK);
    ck_assert_int_eq(alterrec_batch_count(batch), 0);
    ck_assert_int_eq(batch->shared_exclusion_count, 0);
    ck_assert(batch->exclude_own);
    add((int32_t[]){4, 5}, 2);
    ck_assert_ptr_eq(batch->items, items);
    ck_assert_int_eq(batch->items[0], 4);
    ck_assert_int_eq(batch->offsets[1], 2);
    check_excluded(0, NULL, 0);
    ck_assert_int_eq(alterrec_batch_exclude_own(batch, 0), ALTERREC_OK);
    ck_assert(!batch->exclude_own);
}
END_TEST

static int freed;

static void count_free(struct ar_workspace *workspace) {
    ck_assert_ptr_eq(workspace, (struct ar_workspace *)&freed);
    freed++;
}

START_TEST(test_workspace_goes_with_the_batch) {
    alterrec_batch *other;
    ck_assert_int_eq(alterrec_batch_create(&other), ALTERREC_OK);
    other->workspace = (struct ar_workspace *)&freed;
    other->workspace_free = count_free;
    ck_assert_int_eq(alterrec_batch_clear(other), ALTERREC_OK);
    ck_assert_int_eq(freed, 0);
    alterrec_batch_free(other);
    ck_assert_int_eq(freed, 1);
}
END_TEST

START_TEST(test_out_of_memory_changes_nothing) {
    for (int64_t n = 1; n <= 2; n++) {
        alterrec_batch *made = batch;
        ar_memory_fail_after(n);
        ck_assert_int_eq(alterrec_batch_create(&made), ALTERREC_ERROR_OUT_OF_MEMORY);
        ck_assert_ptr_null(made);
    }
    int32_t many[100] = {0};
    for (int round = 0; round < 50; round++) {
        for (int64_t n = 1; n <= 2; n++) {
            int64_t count = batch->count, exclusions = batch->exclusion_count;
            ar_memory_fail_after(n);
            alterrec_status status = alterrec_batch_add(batch, many, 100);
            if (status == ALTERREC_OK && batch->count > 0)
                status = alterrec_batch_exclude(batch, batch->count - 1, many, 100);
            if (status == ALTERREC_OK)
                status = ar_batch_index_exclusions(batch);
            ar_memory_fail_after(0);
            ck_assert(status == ALTERREC_OK || status == ALTERREC_ERROR_OUT_OF_MEMORY);
            ck_assert_int_ge(batch->count, count);
            ck_assert_int_eq(batch->offsets[batch->count], 100 * batch->count);
            ck_assert(batch->exclusion_count == exclusions ||
                      batch->exclusion_count == exclusions + 100);
        }
    }
    ck_assert_int_ge(batch->count, 50);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("batch");
    TCase *cases = tcase_create("batch");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_sessions_are_packed);
    tcase_add_test(cases, test_add_refuses_and_keeps);
    tcase_add_test(cases, test_null_handles);
    tcase_add_test(cases, test_exclusions_are_indexed_by_session);
    tcase_add_test(cases, test_exclude_refuses_and_keeps);
    tcase_add_test(cases, test_check_names_the_place);
    tcase_add_test(cases, test_clear_keeps_memory_and_setting);
    tcase_add_test(cases, test_workspace_goes_with_the_batch);
    tcase_add_test(cases, test_out_of_memory_changes_nothing);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
