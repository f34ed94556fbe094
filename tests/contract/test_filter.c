/* Filters, the scores of given items and vectors: what alterrec.h promises, against whole rows of
 * scores. */
#include "core/memory.h"
#include "support/small_model.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { ITEMS = 203, COUNT = 9, K = 20 };

/* What a filter is made of, beside itself. */
typedef struct wish {
    bool allowed[ITEMS];
    int32_t categories[ITEMS];
    int64_t per_list; /* 0: no cap */
} wish;

typedef struct fixture {
    small_model small;
    alterrec_sessions *sessions;
    alterrec_batch *batch;
    alterrec_recommender *recommender;
    float rows[COUNT * ITEMS]; /* every fused score */
} fixture;

static fixture f;

static void set_up(void) {
    static int32_t all[COUNT * ITEMS];
    small_model_open(&f.small, ITEMS, true);
    f.sessions = small_sessions(&f.small, COUNT, 2 * SMALL_MAX_LEN);
    MUST(alterrec_batch_create(&f.batch));
    MUST(alterrec_recommender_create(&f.recommender, f.small.model, NULL));
    for (int64_t s = 0; s < COUNT; s++)
        small_add(f.batch, f.sessions, s);
    for (int32_t i = 0; i < COUNT * ITEMS; i++)
        all[i] = i % ITEMS;
    MUST(alterrec_recommender_score(f.rows, NULL, NULL, f.recommender, f.batch, all, ITEMS, NULL));
}

static void tear_down(void) {
    alterrec_recommender_free(f.recommender);
    alterrec_batch_free(f.batch);
    alterrec_sessions_free(f.sessions);
    small_model_close(&f.small);
}

/* From the front of the sorted scores, passing over what is not allowed or whose category is full.
 */
static void naive(int32_t *items, float *scores, const float *row, const wish *wanted) {
    bool used[ITEMS] = {false};
    int64_t held[ITEMS] = {0};
    for (int64_t r = 0; r < K; r++) {
        int32_t best = -1;
        for (int32_t i = 0; i < ITEMS; i++) {
            int32_t category = wanted->categories[i];
            bool full = wanted->per_list > 0 && category >= 0 && held[category] == wanted->per_list;
            if (wanted->allowed[i] && !used[i] && !full && (best < 0 || row[i] > row[best]))
                best = i;
        }
        items[r] = best;
        scores[r] = best < 0 ? -INFINITY : row[best];
        if (best < 0)
            continue;
        used[best] = true;
        if (wanted->categories[best] >= 0)
            held[wanted->categories[best]]++;
    }
}

static void check(const alterrec_filter *filter, const wish *wanted, int32_t threads) {
    int32_t items[COUNT * K], expected[K];
    float scores[COUNT * K], best[K];
    alterrec_search search = {.struct_size = sizeof search, .threads = threads, .filter = filter};
    alterrec_search_report report = {.struct_size = sizeof report, .guaranteed = -1};
    MUST(alterrec_recommender_top_k(items, scores, &report, f.recommender, f.batch, K, &search));
    ck_assert_int_eq(report.guaranteed, COUNT);
    for (int64_t s = 0; s < COUNT; s++) {
        naive(expected, best, f.rows + s * ITEMS, wanted);
        ck_assert_mem_eq(items + s * K, expected, sizeof expected);
        ck_assert_mem_eq(scores + s * K, best, sizeof best);
    }
}

static void put_bitmap(alterrec_filter *filter, wish *wanted, uint32_t of_eight) {
    uint8_t bits[(ITEMS + 7) / 8];
    memset(bits, 0xFF, sizeof bits); /* the bits behind the last item say nothing */
    for (int i = 0; i < ITEMS; i++)
        if (ar_random_below(&f.small.random, 8) >= of_eight) {
            bits[i / 8] &= (uint8_t) ~(1u << i % 8);
            wanted->allowed[i] = false;
        }
    MUST(alterrec_filter_allow_bitmap(filter, bits, ITEMS));
}

static int random_items(int32_t items[ITEMS], uint32_t most) {
    int count = (int)ar_random_below(&f.small.random, most);
    for (int i = 0; i < count; i++)
        items[i] = (int32_t)ar_random_below(&f.small.random, ITEMS);
    return count;
}

static void put_exclusions(alterrec_filter *filter, wish *wanted) {
    int32_t items[ITEMS];
    int count = random_items(items, ITEMS);
    for (int i = 0; i < count; i++)
        wanted->allowed[items[i]] = false;
    MUST(alterrec_filter_exclude(filter, items, count));
}

static void put_only(alterrec_filter *filter, wish *wanted, uint32_t most) {
    int32_t items[ITEMS];
    bool listed[ITEMS] = {false};
    int count = random_items(items, most);
    for (int i = 0; i < count; i++)
        listed[items[i]] = true;
    for (int i = 0; i < ITEMS; i++)
        wanted->allowed[i] = wanted->allowed[i] && listed[i];
    MUST(alterrec_filter_allow_only(filter, items, count));
}

static void put_cap(alterrec_filter *filter, wish *wanted) {
    uint32_t categories = 1 + ar_random_below(&f.small.random, 12);
    for (int i = 0; i < ITEMS; i++)
        wanted->categories[i] = (int32_t)ar_random_below(&f.small.random, categories + 1) - 1;
    wanted->per_list = 1 + ar_random_below(&f.small.random, 5);
    MUST(alterrec_filter_cap(filter, wanted->categories, ITEMS, wanted->per_list));
}

START_TEST(lists_are_what_is_left_of_a_full_sort) {
    for (int round = 0; round < 200; round++) {
        alterrec_filter *filter;
        wish wanted = {.per_list = 0};
        memset(wanted.allowed, true, sizeof wanted.allowed);
        MUST(alterrec_filter_create(&filter, ITEMS));
        if (round % 2 == 1)
            put_bitmap(filter, &wanted, 1 + ar_random_below(&f.small.random, 7));
        if (round / 2 % 2 == 1)
            put_exclusions(filter, &wanted);
        if (round / 4 % 2 == 1)
            put_only(filter, &wanted, round % 3 == 0 ? 20 : ITEMS);
        if (round / 8 % 2 == 1)
            put_cap(filter, &wanted);
        check(filter, &wanted, round % 3);
        alterrec_filter_free(filter);
    }
}
END_TEST

/* The batch's exclusions and the filter's hold together; a filter that allows nothing gives
 * nothing.
 */
START_TEST(filter_and_exclusions_together) {
    alterrec_filter *filter;
    wish wanted = {.per_list = 0};
    int32_t out[] = {5, 9, 100}, none[1];
    memset(wanted.allowed, true, sizeof wanted.allowed);
    MUST(alterrec_filter_create(&filter, ITEMS));
    put_bitmap(filter, &wanted, 4);
    MUST(alterrec_batch_exclude(f.batch, -1, out, 3));
    for (int i = 0; i < 3; i++)
        wanted.allowed[out[i]] = false;
    check(filter, &wanted, 1);
    MUST(alterrec_filter_allow_only(filter, none, 0));
    memset(wanted.allowed, false, sizeof wanted.allowed);
    check(filter, &wanted, 1);
    alterrec_filter_free(filter);
}
END_TEST

/* After a refused call the filter says what it said. */
START_TEST(wrong_filters) {
    const alterrec_status wrong = ALTERREC_ERROR_INVALID_ARGUMENT;
    const alterrec_status mismatch = ALTERREC_ERROR_MISMATCH;
    alterrec_filter *filter = NULL, *other;
    wish wanted = {.per_list = 0};
    uint8_t bits[64] = {0};
    int32_t items[] = {3, ITEMS}, low[] = {-1}, top[K];
    memset(wanted.allowed, true, sizeof wanted.allowed);
    ck_assert_int_eq(alterrec_filter_create(&filter, 0), wrong);
    ck_assert_int_eq(alterrec_filter_create(&filter, INT32_MAX), wrong);
    ck_assert_ptr_null(filter);
    MUST(alterrec_filter_create(&filter, ITEMS));
    MUST(alterrec_filter_create(&other, ITEMS + 1));
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(alterrec_filter_allow_bitmap(filter, bits, ITEMS + 1), mismatch);
        ck_assert_int_eq(alterrec_filter_allow_only(filter, items, 2), wrong);
        ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "item 203 at position 1"));
        ck_assert_int_eq(alterrec_filter_allow_only(filter, items, -1), wrong);
        ck_assert_int_eq(alterrec_filter_exclude(filter, low, 1), wrong);
        ck_assert_int_eq(alterrec_filter_cap(filter, wanted.categories, ITEMS, 0), wrong);
        ck_assert_int_eq(alterrec_filter_cap(filter, wanted.categories, 1, 1), mismatch);
        check(filter, &wanted, 0);
    }
    alterrec_search search = {.struct_size = sizeof search, .filter = other};
    ck_assert_int_eq(
        alterrec_recommender_top_k(top, NULL, NULL, f.recommender, f.batch, 1, &search), mismatch);
    search = (alterrec_search){.struct_size = sizeof search, .threads = -1};
    ck_assert_int_eq(
        alterrec_recommender_top_k(top, NULL, NULL, f.recommender, f.batch, 1, &search), wrong);
    search = (alterrec_search){.struct_size = sizeof search, .candidates = 4};
    ck_assert_int_eq(
        alterrec_recommender_top_k(top, NULL, NULL, f.recommender, f.batch, 5, &search), wrong);
    search = (alterrec_search){.struct_size = 4};
    ck_assert_int_eq(
        alterrec_recommender_top_k(top, NULL, NULL, f.recommender, f.batch, 1, &search), wrong);
    alterrec_filter_free(other);
    alterrec_filter_free(filter);
}
END_TEST

START_TEST(out_of_memory) {
    int32_t items[] = {3, 7};
    wish wanted = {.per_list = 0};
    memset(wanted.allowed, true, sizeof wanted.allowed);
    for (int64_t countdown = 1;; countdown++) {
        alterrec_filter *filter = NULL;
        ar_memory_fail_after(countdown);
        alterrec_status status = alterrec_filter_create(&filter, ITEMS);
        if (status == ALTERREC_OK)
            status = alterrec_filter_allow_only(filter, items, 2);
        ar_memory_fail_after(0);
        if (status != ALTERREC_OK)
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
        if (status != ALTERREC_OK && filter != NULL)
            check(filter, &wanted, 1);
        alterrec_filter_free(filter);
        if (status == ALTERREC_OK) {
            ck_assert_int_gt(countdown, 4);
            break;
        }
    }
}
END_TEST

/* ---- Scores of given items ---- */

START_TEST(scores_explain_a_list) {
    enum { ALL = COUNT * ITEMS };
    static int32_t items[ALL];
    static float scores[ALL], fused[ALL], id[ALL], text[ALL], alone[ALL];
    int32_t out[] = {1, 2, 3};
    MUST(alterrec_batch_exclude(f.batch, -1, out, 3));
    MUST(alterrec_recommender_top_k(items, scores, NULL, f.recommender, f.batch, ITEMS, NULL));
    MUST(alterrec_recommender_score(fused, id, text, f.recommender, f.batch, items, ITEMS, NULL));
    ck_assert_mem_eq(fused, scores, sizeof fused);
    MUST(alterrec_recommender_score(NULL, alone, NULL, f.recommender, f.batch, items, ITEMS, NULL));
    ck_assert_mem_eq(alone, id, sizeof id);
    float rest = 1.0f - 0.3f;
    for (int i = 0; i < ALL; i++)
        if (items[i] >= 0) {
            float left = 0.3f * id[i], right = rest * text[i];
            ck_assert(fused[i] == left + right);
        } else {
            ck_assert(fused[i] == -INFINITY && id[i] == -INFINITY && text[i] == -INFINITY);
        }
}
END_TEST

/* A short list's scores are those of the whole row, whatever stands beside them. */
START_TEST(scores_do_not_depend_on_the_list) {
    for (int round = 0; round < 50; round++) {
        int32_t items[COUNT * 7];
        float fused[COUNT * 7];
        int64_t count = 1 + ar_random_below(&f.small.random, 7);
        for (int64_t i = 0; i < COUNT * count; i++)
            items[i] = (int32_t)ar_random_below(&f.small.random, ITEMS);
        alterrec_search search = {.struct_size = sizeof search, .threads = round % 3};
        MUST(alterrec_recommender_score(fused, NULL, NULL, f.recommender, f.batch, items, count,
                                        &search));
        for (int64_t i = 0; i < COUNT * count; i++)
            ck_assert(fused[i] == f.rows[i / count * ITEMS + items[i]]);
    }
}
END_TEST

START_TEST(wrong_scores) {
    const alterrec_status wrong = ALTERREC_ERROR_INVALID_ARGUMENT;
    int32_t items[COUNT] = {0}, far[COUNT] = {ITEMS}, low[COUNT] = {-2};
    float fused[COUNT], text[COUNT];
    alterrec_recommender *r = f.recommender;
    ck_assert_int_eq(alterrec_recommender_score(fused, NULL, NULL, r, f.batch, items, 0, NULL),
                     wrong);
    ck_assert_int_eq(alterrec_recommender_score(fused, NULL, NULL, r, f.batch, far, 1, NULL),
                     wrong);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "item 203, number 0 of session 0"));
    ck_assert_int_eq(alterrec_recommender_score(fused, NULL, NULL, r, f.batch, low, 1, NULL),
                     wrong);
    ck_assert_int_eq(
        alterrec_recommender_score(fused, NULL, NULL, r, f.batch, items, INT64_MAX / 2, NULL),
        wrong);
    MUST(alterrec_recommender_score(fused, NULL, text, r, f.batch, items, 1, NULL));
    small_model id_only;
    small_model_open(&id_only, ITEMS, false);
    MUST(alterrec_recommender_create(&r, id_only.model, NULL));
    ck_assert_int_eq(alterrec_recommender_score(fused, NULL, text, r, f.batch, items, 1, NULL),
                     ALTERREC_ERROR_MISMATCH);
    float id[COUNT];
    MUST(alterrec_recommender_score(fused, id, NULL, r, f.batch, items, 1, NULL));
    ck_assert_mem_eq(fused, id, sizeof id);
    alterrec_recommender_free(r);
    small_model_close(&id_only);
}
END_TEST

/* ---- Vectors ---- */

START_TEST(inner_products_are_the_fused_scores) {
    static float items[ITEMS * 2 * SMALL_DIM], some[5 * 2 * SMALL_DIM];
    static float sessions[COUNT * 2 * SMALL_DIM];
    int64_t width = alterrec_recommender_width(f.recommender);
    ck_assert_int_eq(width, 2 * SMALL_DIM);
    MUST(alterrec_recommender_item_vectors(items, f.recommender, 0, ITEMS));
    MUST(alterrec_recommender_session_vectors(sessions, f.recommender, f.batch));
    for (int64_t s = 0; s < COUNT; s++)
        for (int64_t i = 0; i < ITEMS; i++) {
            double product = 0;
            for (int64_t j = 0; j < width; j++)
                product += (double)sessions[s * width + j] * (double)items[i * width + j];
            ck_assert_double_eq_tol(product, (double)f.rows[s * ITEMS + i], 1e-4);
        }
    MUST(alterrec_recommender_item_vectors(some, f.recommender, 198, 5));
    ck_assert_mem_eq(some, items + 198 * width, sizeof some);
    MUST(alterrec_recommender_item_vectors(some, f.recommender, ITEMS, 0));
    const int64_t bad[][2] = {{-1, 1}, {199, 5}, {0, -1}, {204, 0}, {1, INT64_MAX}};
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(
            alterrec_recommender_item_vectors(some, f.recommender, bad[i][0], bad[i][1]),
            ALTERREC_ERROR_INVALID_ARGUMENT);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("filter");
    TCase *cases = tcase_create("contract");
    suite_add_tcase(suite, cases);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, lists_are_what_is_left_of_a_full_sort);
    tcase_add_test(cases, filter_and_exclusions_together);
    tcase_add_test(cases, wrong_filters);
    tcase_add_test(cases, out_of_memory);
    tcase_add_test(cases, scores_explain_a_list);
    tcase_add_test(cases, scores_do_not_depend_on_the_list);
    tcase_add_test(cases, wrong_scores);
    tcase_add_test(cases, inner_products_are_the_fused_scores);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
