#include "data/catalog.h"

#include "core/memory.h"
#include "scratch.h"

static alterrec_config *config;

static void open_config(void) {
    scratch_open();
    ck_assert_int_eq(alterrec_config_create(&config), ALTERREC_OK);
}

static void close_config(void) {
    alterrec_config_free(config);
    scratch_close();
}

static void set(const char *key, const char *value) {
    ck_assert_msg(alterrec_config_set(config, key, value) == ALTERREC_OK, "%s",
                  alterrec_last_error());
}

/* Expects `status` and, somewhere in the error, `text`; the result must be NULL. */
static void expect_read_error(alterrec_status expected, const char *path, const char *text) {
    alterrec_catalog *catalog = (alterrec_catalog *)&scratch_folder;
    ck_assert_int_eq(alterrec_catalog_read(&catalog, path, config), expected);
    ck_assert_ptr_null(catalog);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "%s", alterrec_last_error());
}

static void expect_create_error(const char *const *keys, const char *const *texts, int64_t items,
                                const char *text) {
    alterrec_catalog *catalog = (alterrec_catalog *)&scratch_folder;
    ck_assert_int_eq(alterrec_catalog_create(&catalog, keys, texts, items),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_null(catalog);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "%s", alterrec_last_error());
}

START_TEST(keys_and_texts_are_kept) {
    const char *keys[] = {"b", "a", "\xC3\xA4"};
    const char *texts[] = {"Bee", NULL, "umlaut"};
    alterrec_catalog *catalog;
    ck_assert_int_eq(alterrec_catalog_create(&catalog, keys, texts, 3), ALTERREC_OK);
    ck_assert_int_eq(alterrec_catalog_items(catalog), 3);
    ck_assert_str_eq(alterrec_catalog_key(catalog, 0), "b");
    ck_assert_str_eq(alterrec_catalog_key(catalog, 2), "\xC3\xA4");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 0), "Bee");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 1), "");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 2), "umlaut");
    ck_assert_int_eq(alterrec_catalog_find(catalog, "a"), 1);
    ck_assert_int_eq(alterrec_catalog_find(catalog, "aa"), -1);
    ck_assert_int_eq(alterrec_catalog_find(catalog, ""), -1);
    ck_assert_int_eq(alterrec_catalog_feature_dim(catalog), 0);
    ck_assert_ptr_null(alterrec_catalog_features(catalog));
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null(alterrec_catalog_key(catalog, -1));
        ck_assert_ptr_null(alterrec_catalog_text(catalog, 3));
    }
    alterrec_catalog_free(catalog);
}
END_TEST

START_TEST(keys_left_out_are_numbers) {
    alterrec_catalog *catalog;
    ck_assert_int_eq(alterrec_catalog_create(&catalog, NULL, NULL, 1000), ALTERREC_OK);
    ck_assert_str_eq(alterrec_catalog_key(catalog, 999), "999");
    ck_assert_int_eq(alterrec_catalog_find(catalog, "17"), 17);
    ck_assert_str_eq(alterrec_catalog_text(catalog, 17), "");
    alterrec_catalog_free(catalog);
}
END_TEST

START_TEST(a_held_catalog_outlives_its_first_holder) {
    alterrec_catalog *catalog;
    ck_assert_int_eq(alterrec_catalog_create(&catalog, NULL, NULL, 2), ALTERREC_OK);
    alterrec_catalog *held = alterrec_catalog_hold(catalog);
    ck_assert_ptr_eq(held, catalog);
    alterrec_catalog_free(catalog);
    ck_assert_str_eq(alterrec_catalog_key(held, 1), "1");
    alterrec_catalog_free(held);
    ck_assert_ptr_null(alterrec_catalog_hold(NULL));
}
END_TEST

START_TEST(bad_arguments_are_named) {
    const char *repeated[] = {"a", "b", "a"}, *empty[] = {"a", ""}, *none[] = {"a", NULL};
    const char *binary[] = {"a", "\xFF"};
    for (int i = 0; i < 2; i++) {
        expect_create_error(NULL, NULL, 0, "items 0 is outside 1..2147483646");
        expect_create_error(NULL, NULL, INT32_MAX, "items 2147483647 is outside");
        expect_create_error(repeated, NULL, 3, "items 0 and 2 have the same key `a`");
        expect_create_error(empty, NULL, 2, "the key of item 1 is empty");
        expect_create_error(none, NULL, 2, "the key of item 1 is NULL");
        expect_create_error(binary, NULL, 2, "the key of item 1 is not UTF-8");
        expect_create_error(NULL, binary, 2, "the text of item 1 is not UTF-8");
    }
    ck_assert_int_eq(alterrec_catalog_create(NULL, NULL, NULL, 1), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_catalog_read(NULL, "x", NULL), ALTERREC_ERROR_INVALID_ARGUMENT);
    expect_read_error(ALTERREC_ERROR_INVALID_ARGUMENT, NULL, "argument `path` is NULL");
}
END_TEST

START_TEST(null_is_an_empty_catalog) {
    ck_assert_int_eq(alterrec_catalog_items(NULL), 0);
    ck_assert_ptr_null(alterrec_catalog_key(NULL, 0));
    ck_assert_ptr_null(alterrec_catalog_text(NULL, 0));
    ck_assert_int_eq(alterrec_catalog_find(NULL, "a"), -1);
    ck_assert_int_eq(alterrec_catalog_feature_dim(NULL), 0);
    ck_assert_ptr_null(alterrec_catalog_features(NULL));
    alterrec_catalog_free(NULL);
    alterrec_catalog *catalog;
    ck_assert_int_eq(alterrec_catalog_create(&catalog, NULL, NULL, 1), ALTERREC_OK);
    ck_assert_int_eq(alterrec_catalog_find(catalog, NULL), -1);
    alterrec_catalog_free(catalog);
}
END_TEST

START_TEST(item_files_are_read_in_their_order) {
    const char *tsv = scratch_write("items.tsv", "text\titem\n  red \t 7 \n\t3\nblue  ball\t5\n");
    const char *csv = scratch_write("items.csv", "item,name,brand\nb,\"Bee, \"\"big\"\"\",Acme\n"
                                                 "a,,Bolt\n");
    const char *recbole =
        scratch_write("shop.item", "item_id:token\ttitle:token_seq\n1\tred hat\n2\tblue hat\n");
    alterrec_catalog *catalog;
    ck_assert_int_eq(alterrec_catalog_read(&catalog, tsv, NULL), ALTERREC_OK);
    ck_assert_int_eq(alterrec_catalog_items(catalog), 3);
    ck_assert_str_eq(alterrec_catalog_key(catalog, 0), "7");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 0), "red");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 1), "");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 2), "blue ball");
    alterrec_catalog_free(catalog);

    set("data.item_text_column", "name, brand");
    ck_assert_int_eq(alterrec_catalog_read(&catalog, csv, config), ALTERREC_OK);
    ck_assert_str_eq(alterrec_catalog_text(catalog, 0), "Bee, \"big\" Acme");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 1), "Bolt");
    alterrec_catalog_free(catalog);

    set("data.item_key_column", "item_id");
    set("data.item_text_column", "title");
    ck_assert_int_eq(alterrec_catalog_read(&catalog, recbole, config), ALTERREC_OK);
    ck_assert_str_eq(alterrec_catalog_text(catalog, 1), "blue hat");
    alterrec_catalog_free(catalog);

    set("data.item_text_column", "");
    ck_assert_int_eq(alterrec_catalog_read(&catalog, recbole, config), ALTERREC_OK);
    ck_assert_str_eq(alterrec_catalog_text(catalog, 1), "");
    ck_assert_ptr_null(catalog->texts);
    alterrec_catalog_free(catalog);
}
END_TEST

START_TEST(bad_item_files_are_named) {
    const char *good = scratch_write("good.tsv", "item\ttext\na\tb\n");
    for (int i = 0; i < 2; i++) {
        expect_read_error(ALTERREC_ERROR_IO, scratch_path("none.tsv"), "none.tsv: cannot open");
        expect_read_error(ALTERREC_ERROR_IO, scratch_folder, "directory");
        expect_read_error(ALTERREC_ERROR_PARSE, scratch_write("e.tsv", ""), "e.tsv:1:1: ");
        expect_read_error(ALTERREC_ERROR_PARSE, scratch_write("r.tsv", "item\ttext\na\t1\na\t2\n"),
                          "r.tsv:3:1: item `a` stands in the file twice, first as item 0");
        expect_read_error(ALTERREC_ERROR_PARSE, scratch_write("k.tsv", "text\titem\na\t \n"),
                          "k.tsv:2:3: the item's key is empty");
        expect_read_error(ALTERREC_ERROR_NOT_FOUND, scratch_write("c.tsv", "items\ttext\na\tb\n"),
                          "no column `item` (data.item_key_column), did you mean `items`?");
        expect_read_error(ALTERREC_ERROR_NOT_FOUND, scratch_write("t.tsv", "item\na\n"),
                          "no column `text` (data.item_text_column); its columns are item");
        alterrec_catalog *catalog;
        ck_assert_int_eq(alterrec_catalog_read(&catalog, good, config), ALTERREC_OK);
        alterrec_catalog_free(catalog);
    }
    set("data.item_text_column", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q");
    expect_read_error(ALTERREC_ERROR_INVALID_ARGUMENT,
                      scratch_write("m.csv", "item,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\n"
                                             "1,,,,,,,,,,,,,,,,,\n"),
                      "data.item_text_column: more than 16 columns");
}
END_TEST

START_TEST(every_failing_allocation_is_reported) {
    const char *keys[] = {"a", "b"}, *texts[] = {"x", "y"};
    const char *path = scratch_write("items.csv", "item,text\na,\"x\"\"\"\nb,y\n");
    for (int from_file = 0; from_file < 2; from_file++) {
        for (int64_t failing = 1;; failing++) {
            alterrec_catalog *catalog;
            ar_memory_fail_after(failing);
            alterrec_status status = from_file ? alterrec_catalog_read(&catalog, path, NULL)
                                               : alterrec_catalog_create(&catalog, keys, texts, 2);
            ar_memory_fail_after(0);
            if (status == ALTERREC_OK) {
                alterrec_catalog_free(catalog);
                ck_assert_int_ge(failing, 6);
                break;
            }
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            ck_assert_ptr_null(catalog);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("catalog");
    TCase *tests = tcase_create("catalog");
    tcase_add_checked_fixture(tests, open_config, close_config);
    tcase_add_test(tests, keys_and_texts_are_kept);
    tcase_add_test(tests, keys_left_out_are_numbers);
    tcase_add_test(tests, a_held_catalog_outlives_its_first_holder);
    tcase_add_test(tests, bad_arguments_are_named);
    tcase_add_test(tests, null_is_an_empty_catalog);
    tcase_add_test(tests, item_files_are_read_in_their_order);
    tcase_add_test(tests, bad_item_files_are_named);
    tcase_add_test(tests, every_failing_allocation_is_reported);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
