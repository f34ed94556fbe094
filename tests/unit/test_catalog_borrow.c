/* A catalog that looks at another one's arrays: as good as a copy, and no bad array passes. */
#include "core/memory.h"
#include "core/random.h"
#include "data/catalog.h"
#include "scratch.h"

enum { ITEMS = 3000 };

static alterrec_catalog *source;
static ar_catalog_arrays arrays;
static ar_shared_map *map;

/* Keys of several lengths, so that slots meet; every third text is empty. */
static void open_source(void) {
    static char keys[ITEMS][32], texts[ITEMS][32];
    const char *key_list[ITEMS], *text_list[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "%s%d", i % 2 == 0 ? "" : "a longer key ", i * 7);
        (void)snprintf(texts[i], sizeof texts[i], "%s", i % 3 == 0 ? "" : "some text");
        key_list[i] = keys[i];
        text_list[i] = texts[i];
    }
    ck_assert_int_eq(alterrec_catalog_create(&source, key_list, text_list, ITEMS), ALTERREC_OK);
    arrays = (ar_catalog_arrays){.keys = source->keys,
                                 .texts = source->texts,
                                 .text_starts = source->text_starts,
                                 .texts_size = source->texts_size};
    ar_map file;
    scratch_open();
    ck_assert_int_eq(ar_map_open(&file, scratch_write("arrays", "bytes")), ALTERREC_OK);
    ck_assert_int_eq(ar_shared_map_create(&map, &file), ALTERREC_OK);
    ck_assert_ptr_null(file.mapping);
}

static void close_source(void) {
    alterrec_catalog_free(source);
    ar_shared_map_free(map);
    scratch_close();
}

START_TEST(it_answers_as_its_source) {
    alterrec_catalog *borrowed;
    ck_assert_int_eq(ar_catalog_borrow(&borrowed, map, &arrays), ALTERREC_OK);
    ar_shared_map_free(map); /* the catalog has it as well */
    ck_assert_str_eq(borrowed->map->map.bytes, "bytes");
    ck_assert_int_eq(alterrec_catalog_items(borrowed), ITEMS);
    ck_assert(ar_catalog_same(borrowed, source));
    for (int32_t i = 0; i < ITEMS; i++) {
        ck_assert_str_eq(alterrec_catalog_key(borrowed, i), alterrec_catalog_key(source, i));
        ck_assert_str_eq(alterrec_catalog_text(borrowed, i), alterrec_catalog_text(source, i));
        ck_assert_int_eq(alterrec_catalog_find(borrowed, alterrec_catalog_key(source, i)), i);
    }
    ck_assert_int_eq(alterrec_catalog_find(borrowed, "none of them"), -1);
    ck_assert_int_eq(alterrec_catalog_find(borrowed, ""), -1);
    ck_assert_ptr_null(alterrec_catalog_features(borrowed));
    map = ar_shared_map_hold(borrowed->map);
    alterrec_catalog_free(borrowed);
}
END_TEST

/* An enlarged copy has arrays of its own. */
START_TEST(it_can_be_enlarged) {
    alterrec_catalog *borrowed, *enlarged;
    const char *const keys[] = {"one more"};
    ck_assert_int_eq(ar_catalog_borrow(&borrowed, map, &arrays), ALTERREC_OK);
    ck_assert_int_eq(ar_catalog_enlarge(&enlarged, borrowed,
                                        &(ar_more_items){.keys = keys, .count = 1}, "enlarge"),
                     ALTERREC_OK);
    alterrec_catalog_free(borrowed);
    ck_assert_int_eq(alterrec_catalog_find(enlarged, "one more"), ITEMS);
    ck_assert_str_eq(alterrec_catalog_key(enlarged, 5), alterrec_catalog_key(source, 5));
    alterrec_catalog_free(enlarged);
}
END_TEST

static void check_refused(const ar_catalog_arrays *bad) {
    alterrec_catalog *borrowed = source;
    ck_assert_int_eq(ar_catalog_borrow(&borrowed, map, bad), ALTERREC_ERROR_PARSE);
    ck_assert_ptr_null(borrowed);
}

START_TEST(bad_starts_are_refused) {
    const int64_t wrong[] = {-1, 0, INT64_MIN, INT64_MAX, arrays.keys.text_used};
    for (int i = 0; i < 5; i++)
        for (int64_t at = 0; at < ITEMS; at += 613) {
            if (at == 0 && wrong[i] == 0)
                continue;
            int64_t kept = arrays.keys.starts[at], *texts = source->text_starts;
            arrays.keys.starts[at] = wrong[i];
            check_refused(&arrays);
            arrays.keys.starts[at] = kept;
            kept = texts[at];
            texts[at] = wrong[i] == arrays.keys.text_used ? arrays.texts_size : wrong[i];
            check_refused(&arrays);
            texts[at] = kept;
        }
    ar_catalog_arrays bad = arrays;
    bad.keys.text_used--; /* the last key has no end */
    check_refused(&bad);
    bad = arrays;
    bad.texts_size = 0;
    check_refused(&bad);
}
END_TEST

START_TEST(bad_slots_are_refused) {
    int32_t *slots = arrays.keys.slots;
    const int32_t wrong[] = {-1, ITEMS + 1, INT32_MIN, INT32_MAX};
    for (int64_t at = 0; at < arrays.keys.slot_count; at += 101) {
        int32_t kept = slots[at];
        for (int i = 0; i < 4; i++) {
            slots[at] = wrong[i];
            check_refused(&arrays);
        }
        slots[at] = kept == 0 ? 1 : 0; /* one too many or too few */
        check_refused(&arrays);
        slots[at] = kept;
    }
    const int64_t counts[] = {0, 1, -64, arrays.keys.slot_count - 1, ITEMS / 2};
    for (int i = 0; i < 5; i++) {
        ar_catalog_arrays bad = arrays;
        bad.keys.slot_count = counts[i];
        check_refused(&bad);
    }
}
END_TEST

/* Arrays that are right in form and wrong in content give wrong answers at most. */
START_TEST(wrong_content_does_no_harm) {
    ar_random random;
    ar_random_seed(&random, 5);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 100; i++) {
            int64_t a = ar_random_below(&random, (uint32_t)arrays.keys.slot_count);
            int64_t b = ar_random_below(&random, (uint32_t)arrays.keys.slot_count);
            int32_t kept = arrays.keys.slots[a];
            arrays.keys.slots[a] = arrays.keys.slots[b];
            arrays.keys.slots[b] = kept;
            arrays.keys.text[ar_random_below(&random, (uint32_t)arrays.keys.text_used - 1)] =
                (char)ar_random_below(&random, 256);
        }
        alterrec_catalog *borrowed;
        ck_assert_int_eq(ar_catalog_borrow(&borrowed, map, &arrays), ALTERREC_OK);
        for (int32_t i = 0; i < ITEMS; i++) {
            int32_t found = alterrec_catalog_find(borrowed, alterrec_catalog_key(borrowed, i));
            ck_assert(found >= -1 && found < ITEMS);
        }
        alterrec_catalog_free(borrowed);
    }
}
END_TEST

START_TEST(out_of_memory) {
    alterrec_catalog *borrowed;
    ar_memory_fail_after(1);
    ck_assert_int_eq(ar_catalog_borrow(&borrowed, map, &arrays), ALTERREC_ERROR_OUT_OF_MEMORY);
    ck_assert_ptr_null(borrowed);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("catalog_borrow");
    TCase *tests = tcase_create("catalog_borrow");
    tcase_add_checked_fixture(tests, open_source, close_source);
    tcase_add_test(tests, it_answers_as_its_source);
    tcase_add_test(tests, it_can_be_enlarged);
    tcase_add_test(tests, bad_starts_are_refused);
    tcase_add_test(tests, bad_slots_are_refused);
    tcase_add_test(tests, wrong_content_does_no_harm);
    tcase_add_test(tests, out_of_memory);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
