/* Live sessions: whatever way a session came about, its lists and scores are, bit for bit, those of
 * the whole session in a batch. */
#include "core/memory.h"
#include "support/small_model.h"
#include "support/torture.h"

#include <check.h>
#include <pthread.h>
#include <string.h>

enum { ITEMS = 60, VISITORS = 13, K = 12, LONGEST = 3 * SMALL_MAX_LEN };

static small_model small;
static alterrec_recommender *recommender;
static alterrec_batch *batch;
static int32_t items[VISITORS][LONGEST];

static void open_model(bool text) {
    small_model_open(&small, ITEMS, text);
    MUST(alterrec_config_set(small.config, "compute.threads", "1"));
    MUST(alterrec_recommender_create(&recommender, small.model, small.config));
    MUST(alterrec_batch_create(&batch));
    for (int s = 0; s < VISITORS; s++)
        for (int i = 0; i < LONGEST; i++)
            items[s][i] = (int32_t)ar_random_below(&small.random, ITEMS);
}

static void set_up(void) {
    open_model(true);
}

static void tear_down(void) {
    alterrec_batch_free(batch);
    alterrec_recommender_free(recommender);
    small_model_close(&small);
}

/* What a batch of the one session gives. */
typedef struct answer {
    int32_t items[K];
    float scores[K], fused[K], id[K], text[K];
} answer;

static void ask_batch(answer *expected, const int32_t *session, int64_t length, bool exclude_own) {
    MUST(alterrec_batch_clear(batch));
    MUST(alterrec_batch_add(batch, session, length));
    MUST(alterrec_batch_exclude_own(batch, exclude_own));
    MUST(alterrec_recommender_top_k(expected->items, expected->scores, NULL, recommender, batch, K,
                                    NULL));
    MUST(alterrec_recommender_score(expected->fused, expected->id, expected->text, recommender,
                                    batch, expected->items, K, NULL));
}

static void ask_live(answer *given, const alterrec_live_session *live) {
    MUST(alterrec_live_session_top_k(given->items, given->scores, NULL, live, K, NULL));
    MUST(alterrec_live_session_score(given->fused, given->id, given->text, live, given->items, K,
                                     NULL));
}

static void check_answer(const alterrec_live_session *live, const int32_t *session, int64_t length,
                         bool exclude_own) {
    answer expected, given;
    ask_batch(&expected, session, length, exclude_own);
    ask_live(&given, live);
    ck_assert_msg(memcmp(&given, &expected, sizeof given) == 0, "%lld items: %d first, not %d",
                  (long long)length, given.items[0], expected.items[0]);
    ck_assert_int_eq(alterrec_live_session_length(live), length);
    ck_assert_mem_eq(alterrec_live_session_items(live), session, (size_t)length * sizeof *session);
}

static alterrec_live_session *create(void) {
    alterrec_live_session *live;
    MUST(alterrec_live_session_create(&live, recommender));
    return live;
}

/* Past max_len too, and once more after a reset. */
START_TEST(push_is_the_whole_session) {
    alterrec_live_session *live = create();
    for (int s = 0; s < 3; s++) {
        MUST(alterrec_live_session_exclude_own(live, s == 1));
        for (int i = 0; i < LONGEST; i++) {
            MUST(alterrec_live_session_push(live, items[s][i]));
            check_answer(live, items[s], i + 1, s == 1);
        }
        alterrec_live_session_reset(live);
        ck_assert_int_eq(alterrec_live_session_length(live), 0);
        ck_assert_ptr_null(alterrec_live_session_items(live));
    }
    alterrec_live_session_free(live);
}
END_TEST

static void create_all(alterrec_live_session **sessions) {
    for (int s = 0; s < VISITORS; s++)
        sessions[s] = create();
}

static void free_all(alterrec_live_session **sessions) {
    for (int s = 0; s < VISITORS; s++)
        alterrec_live_session_free(sessions[s]);
}

/* Sessions of different lengths grow together, on one, two and three threads. */
START_TEST(many_at_once) {
    alterrec_live_session *sessions[VISITORS];
    create_all(sessions);
    int32_t next[VISITORS], best[VISITORS][K];
    float scores[VISITORS][K];
    for (int s = 0; s < VISITORS; s++)
        for (int i = 0; i < s % 5; i++)
            MUST(alterrec_live_session_push(sessions[s], items[s][i]));
    for (int step = 0; step < LONGEST - 5; step++) {
        for (int s = 0; s < VISITORS; s++)
            next[s] = items[s][s % 5 + step];
        MUST(alterrec_live_sessions_push(sessions, next, VISITORS, step % 4));
        alterrec_search search = {.struct_size = sizeof search, .threads = step % 3};
        MUST(
            alterrec_live_sessions_top_k(best[0], scores[0], NULL, sessions, VISITORS, K, &search));
        for (int s = 0; s < VISITORS; s++) {
            answer expected;
            ask_batch(&expected, items[s], s % 5 + step + 1, false);
            ck_assert_mem_eq(best[s], expected.items, sizeof best[s]);
            ck_assert_mem_eq(scores[s], expected.scores, sizeof scores[s]);
        }
    }
    free_all(sessions);
}
END_TEST

/* What is excluded stays away, in a list of one and in one of many. */
START_TEST(exclusions) {
    alterrec_live_session *sessions[VISITORS];
    create_all(sessions);
    for (int s = 0; s < VISITORS; s++)
        MUST(alterrec_live_session_push(sessions[s], items[s][0]));
    answer before;
    ask_live(&before, sessions[1]);
    MUST(alterrec_live_session_exclude(sessions[1], before.items, 2));
    MUST(alterrec_live_session_exclude(sessions[1], before.items + 3, 1));
    int32_t one[K], many[VISITORS][K];
    MUST(alterrec_live_session_top_k(one, NULL, NULL, sessions[1], K, NULL));
    MUST(alterrec_live_sessions_top_k(many[0], NULL, NULL, sessions, VISITORS, K, NULL));
    ck_assert_int_eq(one[0], before.items[2]);
    ck_assert_int_eq(one[1], before.items[4]);
    ck_assert_mem_eq(many[1], one, sizeof one);
    answer other;
    ask_batch(&other, items[0], 1, false);
    ck_assert_mem_eq(many[0], other.items, sizeof one); /* the neighbour's list is whole */
    alterrec_live_session_reset(sessions[1]);
    MUST(alterrec_live_session_push(sessions[1], items[1][0]));
    check_answer(sessions[1], items[1], 1, false);
    MUST(alterrec_live_session_exclude(sessions[1], NULL, 0));
    check_answer(sessions[1], items[1], 1, false);
    /* A session of a pool goes on as it was set up, as a batch does after clear. */
    MUST(alterrec_live_session_exclude_own(sessions[1], 1));
    alterrec_live_session_reset(sessions[1]);
    MUST(alterrec_live_session_push(sessions[1], items[1][0]));
    check_answer(sessions[1], items[1], 1, true);
    free_all(sessions);
}
END_TEST

/* ---- Bytes ---- */

enum { MOST_BYTES = 1024 };

static size_t store(unsigned char *bytes, const alterrec_live_session *live) {
    size_t size = alterrec_live_session_size(live);
    memset(bytes, 0x55, MOST_BYTES);
    MUST(alterrec_live_session_serialize(bytes, live, MOST_BYTES));
    for (size_t i = size; i < MOST_BYTES; i++)
        ck_assert_int_eq(bytes[i], 0x55);
    return size;
}

START_TEST(restored_goes_on) {
    unsigned char bytes[MOST_BYTES], again[MOST_BYTES];
    for (int length = 0; length < LONGEST; length++) {
        alterrec_live_session *live = create(), *restored = create();
        answer a, b;
        for (int i = 0; i < length; i++)
            MUST(alterrec_live_session_push(live, items[3][i]));
        MUST(alterrec_live_session_exclude_own(live, length % 2));
        MUST(alterrec_live_session_exclude(live, items[4], length % 4));
        size_t size = store(bytes, live);
        ck_assert_uint_eq(size, 48 + 4 * (size_t)(length + length % 4));
        MUST(alterrec_live_session_push(restored, 5)); /* to be replaced */
        MUST(alterrec_live_session_restore(restored, bytes, size));
        ck_assert_uint_eq(store(again, restored), size);
        ck_assert_mem_eq(again, bytes, size);
        for (int i = 0; i < 2; i++) {
            if (length + i > 0) {
                ask_live(&a, live);
                ask_live(&b, restored);
                ck_assert_mem_eq(&a, &b, sizeof a);
            }
            MUST(alterrec_live_session_push(live, items[3][length]));
            MUST(alterrec_live_session_push(restored, items[3][length]));
        }
        alterrec_live_session_free(live);
        alterrec_live_session_free(restored);
    }
}
END_TEST

/* Cut anywhere, or with any byte changed, they are refused, and the session is as it was. */
START_TEST(bad_bytes_are_refused) {
    unsigned char bytes[MOST_BYTES], changed[MOST_BYTES];
    alterrec_live_session *live = create(), *held = create();
    for (int i = 0; i < 4; i++)
        MUST(alterrec_live_session_push(live, items[0][i]));
    MUST(alterrec_live_session_push(held, items[1][0]));
    size_t size = store(bytes, live);
    for (size_t cut = 0; cut < size; cut++)
        ck_assert_int_eq(alterrec_live_session_restore(held, bytes, cut), ALTERREC_ERROR_PARSE);
    for (size_t i = 0; i < size; i++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(changed, bytes, size);
            changed[i] ^= (unsigned char)(1 << bit);
            alterrec_status status = alterrec_live_session_restore(held, changed, size);
            bool versioned = i >= 8 && i < 16; /* version and flags */
            ck_assert_int_eq(status, versioned && !(i == 12 && bit == 0)
                                         ? ALTERREC_ERROR_UNSUPPORTED
                                         : ALTERREC_ERROR_PARSE);
        }
    ck_assert_int_eq(alterrec_live_session_serialize(bytes, live, size - 1),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    check_answer(held, items[1], 1, false);
    alterrec_live_session_free(live);
    alterrec_live_session_free(held);
}
END_TEST

START_TEST(another_catalog_is_refused) {
    small_model other;
    alterrec_recommender *over_other;
    alterrec_live_session *live = create(), *elsewhere;
    unsigned char bytes[MOST_BYTES];
    small_model_open(&other, ITEMS + 5, true);
    MUST(alterrec_recommender_create(&over_other, other.model, NULL));
    MUST(alterrec_live_session_create(&elsewhere, over_other));
    MUST(alterrec_live_session_push(live, 1));
    size_t size = store(bytes, live);
    ck_assert_int_eq(alterrec_live_session_restore(elsewhere, bytes, size),
                     ALTERREC_ERROR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "65"));
    MUST(alterrec_live_session_push(elsewhere, 1));
    alterrec_live_session *both[] = {live, elsewhere};
    int32_t best[2 * K], next[] = {1, 2};
    ck_assert_int_eq(alterrec_live_sessions_push(both, next, 2, 1), ALTERREC_ERROR_MISMATCH);
    ck_assert_int_eq(alterrec_live_sessions_top_k(best, NULL, NULL, both, 2, K, NULL),
                     ALTERREC_ERROR_MISMATCH);
    ck_assert_int_eq(alterrec_live_session_length(live), 1);
    alterrec_live_session_free(live);
    alterrec_live_session_free(elsewhere);
    alterrec_recommender_free(over_other);
    small_model_close(&other);
}
END_TEST

/* ---- Errors ---- */

static void refused(alterrec_status status, const char *text) {
    ck_assert_int_eq(status, ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" is not in \"%s\"", text,
                  alterrec_last_error());
}

START_TEST(arguments) {
    alterrec_live_session *live = create(), *twice[] = {live, live}, *none[] = {live, NULL};
    int32_t best[K], bad[] = {1, ITEMS};
    alterrec_live_session *two[] = {live, create()};
    refused(alterrec_live_session_top_k(best, NULL, NULL, live, K, NULL), "session 0 has no item");
    refused(alterrec_live_session_score(NULL, NULL, NULL, live, best, 1, NULL), "has no item");
    refused(alterrec_live_session_push(live, -1), "item -1 is outside 0..59");
    refused(alterrec_live_session_push(live, ITEMS), "item 60 is outside 0..59");
    refused(alterrec_live_session_exclude(live, bad, 2), "item 60 is outside 0..59");
    refused(alterrec_live_session_exclude(live, bad, -1), "count is -1");
    refused(alterrec_live_session_exclude(live, NULL, 1), "argument `items` is NULL");
    refused(alterrec_live_sessions_push(twice, bad, 2, 1), "session 1 comes twice");
    refused(alterrec_live_sessions_push(none, bad, 2, 1), "session 1 is NULL");
    refused(alterrec_live_sessions_push(two, bad, 2, 1), "item 60 is outside 0..59");
    refused(alterrec_live_sessions_push(two, bad, 0, 1), "count is 0");
    refused(alterrec_live_sessions_push(two, best, 2, -1), "threads is -1, outside 0..1024");
    refused(alterrec_live_sessions_push(two, best, 2, 1025), "threads is 1025, outside 0..1024");
    refused(alterrec_live_sessions_top_k(best, NULL, NULL, none, 2, K, NULL), "session 1 is NULL");
    refused(alterrec_live_sessions_top_k(best, NULL, NULL, two, 0, K, NULL), "count is 0");
    ck_assert_int_eq(alterrec_live_session_length(live), 0);
    MUST(alterrec_live_sessions_push(two, (int32_t[]){items[0][0], 1}, 2, 1));
    refused(alterrec_live_session_top_k(best, NULL, NULL, live, ITEMS + 1, NULL),
            "alterrec_live_session_top_k: k 61 is outside 1..60");
    refused(alterrec_live_sessions_top_k(best, NULL, NULL, two, 2, 0, NULL),
            "alterrec_live_sessions_top_k: k 0 is outside 1..60");
    refused(alterrec_live_session_score(NULL, NULL, NULL, live, best, 0, NULL),
            "alterrec_live_session_score: count is 0");
    check_answer(live, items[0], 1, false);
    alterrec_live_session_free(two[1]);
    alterrec_live_session_free(live);
}
END_TEST

/* The recommender outlives its own handle in the session. */
START_TEST(session_keeps_its_recommender) {
    alterrec_live_session *live = create();
    int32_t before[K], after[K];
    MUST(alterrec_live_session_push(live, 3));
    MUST(alterrec_live_session_top_k(before, NULL, NULL, live, K, NULL));
    alterrec_recommender_free(recommender);
    recommender = NULL;
    MUST(alterrec_live_session_top_k(after, NULL, NULL, live, K, NULL));
    ck_assert_mem_eq(before, after, sizeof before);
    alterrec_live_session_free(live);
}
END_TEST

START_TEST(id_tower_alone) {
    answer given = {.items = {0}};
    int32_t expected[K];
    float scores[K];
    alterrec_live_session *live = create();
    for (int i = 0; i < SMALL_MAX_LEN + 2; i++) {
        MUST(alterrec_live_session_push(live, items[0][i]));
        MUST(alterrec_batch_clear(batch));
        MUST(alterrec_batch_add(batch, items[0], i + 1));
        MUST(alterrec_recommender_top_k(expected, scores, NULL, recommender, batch, K, NULL));
        MUST(alterrec_live_session_top_k(given.items, given.scores, NULL, live, K, NULL));
        ck_assert_mem_eq(given.items, expected, sizeof expected);
        ck_assert_mem_eq(given.scores, scores, sizeof scores);
    }
    ck_assert_int_eq(alterrec_live_session_score(NULL, NULL, given.text, live, expected, K, NULL),
                     ALTERREC_ERROR_MISMATCH);
    alterrec_live_session_free(live);
}
END_TEST

/* ---- Out of memory ---- */

static alterrec_live_session *tortured, *pair[2];
static unsigned char stored[MOST_BYTES];
static size_t stored_size;
static int32_t tortured_best[2 * K];
static int pushes;

static alterrec_status create_one(void) {
    alterrec_status status = alterrec_live_session_create(&tortured, recommender);
    return torture_made(status, tortured);
}

static void free_one(void) {
    alterrec_live_session_free(tortured);
    tortured = NULL;
}

/* Every attempt begins with a recommender whose pool is empty. */
static void renew(void) {
    alterrec_recommender_free(recommender);
    MUST(alterrec_recommender_create(&recommender, small.model, small.config));
    pushes = 0;
}

static alterrec_status grow_pair(void) {
    for (int s = 0; s < 2; s++)
        if (pair[s] == NULL) {
            alterrec_status status = alterrec_live_session_create(&pair[s], recommender);
            if (status != ALTERREC_OK)
                return status;
        }
    while (pushes < SMALL_MAX_LEN + 2) {
        int64_t before = alterrec_live_session_length(pair[0]);
        const int32_t next[] = {items[0][pushes], items[1][pushes]};
        alterrec_status status = alterrec_live_sessions_push(pair, next, 2, 1);
        ck_assert_int_eq(alterrec_live_session_length(pair[0]), before + (status == ALTERREC_OK));
        ck_assert_int_eq(alterrec_live_session_length(pair[1]),
                         alterrec_live_session_length(pair[0]));
        if (status != ALTERREC_OK)
            return status;
        pushes++;
    }
    alterrec_status status = alterrec_live_session_exclude(pair[0], items[2], 3);
    if (status == ALTERREC_OK)
        status = alterrec_live_sessions_top_k(tortured_best, NULL, NULL, pair, 2, K, NULL);
    return status;
}

static void free_pair(void) {
    int32_t expected[K];
    MUST(alterrec_batch_clear(batch));
    MUST(alterrec_batch_add(batch, items[1], SMALL_MAX_LEN + 2));
    MUST(alterrec_recommender_top_k(expected, NULL, NULL, recommender, batch, K, NULL));
    ck_assert_mem_eq(tortured_best + K, expected, sizeof expected);
    for (int s = 0; s < 2; s++) {
        alterrec_live_session_free(pair[s]);
        pair[s] = NULL;
    }
    renew();
}

static alterrec_status restore_one(void) {
    alterrec_status status = alterrec_live_session_restore(tortured, stored, stored_size);
    int64_t length = alterrec_live_session_length(tortured);
    ck_assert_int_eq(length, status == ALTERREC_OK ? LONGEST : 1);
    return status;
}

static void undo_restore(void) {
    renew();
    alterrec_live_session_free(tortured);
    MUST(alterrec_live_session_create(&tortured, recommender));
    MUST(alterrec_live_session_push(tortured, 1));
}

START_TEST(out_of_memory) {
    torture(create_one, free_one, 2);
    torture(grow_pair, free_pair, 10);
    MUST(alterrec_live_session_create(&tortured, recommender));
    for (int i = 0; i < LONGEST; i++)
        MUST(alterrec_live_session_push(tortured, items[0][i]));
    stored_size = store(stored, tortured);
    undo_restore();
    torture(restore_one, undo_restore, 5);
    free_one();
}
END_TEST

/* ---- Threads ---- */

enum { THREADS = 4 };

static answer of_threads[VISITORS];

static void *serve(void *context) {
    int first = *(const int *)context;
    for (int s = first; s < VISITORS; s += THREADS) {
        alterrec_live_session *live = create();
        for (int i = 0; i < LONGEST; i++) {
            MUST(alterrec_live_session_push(live, items[s][i]));
            ask_live(&of_threads[s], live);
        }
        alterrec_live_session_free(live);
    }
    return NULL;
}

/* One recommender, more threads than sessions each, as many sessions as visitors. */
START_TEST(threads_share_a_recommender) {
    pthread_t threads[THREADS];
    int first[THREADS];
    for (int t = 0; t < THREADS; t++) {
        first[t] = t;
        ck_assert_int_eq(pthread_create(&threads[t], NULL, serve, &first[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        (void)pthread_join(threads[t], NULL);
    for (int s = 0; s < VISITORS; s++) {
        answer expected;
        ask_batch(&expected, items[s], LONGEST, false);
        ck_assert_mem_eq(&of_threads[s], &expected, sizeof expected);
    }
}
END_TEST

static alterrec_live_session *of_all;
static answer of_readers[THREADS];

static void *read_one(void *place) {
    for (int round = 0; round < 20; round++)
        ask_live(place, of_all);
    return NULL;
}

/* What takes a session const only reads it: any number of threads at once. */
START_TEST(threads_read_one_session) {
    pthread_t threads[THREADS];
    answer expected;
    of_all = create();
    MUST(alterrec_live_session_exclude_own(of_all, 1));
    for (int i = 0; i < LONGEST; i++)
        MUST(alterrec_live_session_push(of_all, items[0][i]));
    for (int t = 0; t < THREADS; t++)
        ck_assert_int_eq(pthread_create(&threads[t], NULL, read_one, &of_readers[t]), 0);
    for (int t = 0; t < THREADS; t++)
        (void)pthread_join(threads[t], NULL);
    ask_batch(&expected, items[0], LONGEST, true);
    for (int t = 0; t < THREADS; t++)
        ck_assert_mem_eq(&of_readers[t], &expected, sizeof expected);
    alterrec_live_session_free(of_all);
}
END_TEST

static void set_up_id(void) {
    open_model(false);
}

int main(void) {
    Suite *suite = suite_create("live_session");
    TCase *group = tcase_create("two towers"), *id = tcase_create("one tower");
    tcase_add_checked_fixture(group, set_up, tear_down);
    tcase_add_checked_fixture(id, set_up_id, tear_down);
    tcase_add_test(group, push_is_the_whole_session);
    tcase_add_test(group, many_at_once);
    tcase_add_test(group, exclusions);
    tcase_add_test(group, restored_goes_on);
    tcase_add_test(group, bad_bytes_are_refused);
    tcase_add_test(group, another_catalog_is_refused);
    tcase_add_test(group, arguments);
    tcase_add_test(group, session_keeps_its_recommender);
    tcase_add_test(group, out_of_memory);
    tcase_add_test(group, threads_share_a_recommender);
    tcase_add_test(group, threads_read_one_session);
    tcase_add_test(id, id_tower_alone);
    suite_add_tcase(suite, group);
    suite_add_tcase(suite, id);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
