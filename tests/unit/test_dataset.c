#include <alterrec/alterrec.h>

#include "core/memory.h"
#include "scratch.h"

static alterrec_config *config;
static const char *path; /* of a small table */

static const char small[] = "invoice,code,title,when,quantity\n"
                            "s1,a,Red  hat,10,1\n"
                            "s1,b,Blue hat,11,2\n"
                            "s2,a,red hat,30,1\n"
                            "s2,c,,31,1\n"
                            "s1,c,Green hat,12,1\n"
                            "s2,a,red hat ,32,1\n"
                            "s3,b,Blue hat,20,-1\n"
                            "s3,b,Blue hat,21,1\n"
                            "s3,d,Only once,22,1\n"
                            ",d,Only once,22,1\n"
                            "s3,c,Green hat,23,1\n"
                            "s4,a,RED HAT,40,1\n";

static void set(const char *key, const char *value) {
    ck_assert_msg(alterrec_config_set(config, key, value) == ALTERREC_OK, "%s",
                  alterrec_last_error());
}

static void open_all(void) {
    scratch_open();
    ck_assert_int_eq(alterrec_config_create(&config), ALTERREC_OK);
    path = scratch_write("small.csv", small);
    set("data.interactions", path);
    set("data.session_column", "invoice");
    set("data.item_column", "code");
    set("data.text_column", "title");
    set("data.time_column", "when");
    set("data.positive_column", "quantity");
    set("data.valid_share", "0.3");
    set("data.test_share", "0.3");
    set("text.source", "none");
}

static void close_all(void) {
    alterrec_config_free(config);
    scratch_close();
}

/* The sessions of one set as keys: "a b|c d". */
static const char *spell(const alterrec_dataset *dataset, int32_t split) {
    static char text[4096];
    size_t used = 0;
    const alterrec_catalog *catalog = alterrec_dataset_catalog(dataset);
    const alterrec_sessions *sessions = alterrec_dataset_sessions(dataset, split);
    for (int64_t s = 0; s < alterrec_sessions_count(sessions); s++) {
        const int32_t *items;
        int64_t length;
        ck_assert_int_eq(alterrec_sessions_get(&items, &length, sessions, s), ALTERREC_OK);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", s > 0 ? "|" : "");
        for (int64_t i = 0; i < length; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "",
                                     alterrec_catalog_key(catalog, items[i]));
    }
    text[used] = '\0';
    return text;
}

static alterrec_dataset *read_dataset(void) {
    alterrec_dataset *dataset;
    ck_assert_msg(alterrec_dataset_read(&dataset, config) == ALTERREC_OK, "%s",
                  alterrec_last_error());
    return dataset;
}

/* Reads, compares the three sets and frees. */
static void expect_sets(const char *train, const char *valid, const char *test) {
    alterrec_dataset *dataset = read_dataset();
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_TRAIN), train);
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_VALID), valid);
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_TEST), test);
    alterrec_dataset_free(dataset);
}

static void expect_error(alterrec_status expected, const char *text) {
    alterrec_dataset *dataset = (alterrec_dataset *)&scratch_folder;
    ck_assert_int_eq(alterrec_dataset_read(&dataset, config), expected);
    ck_assert_ptr_null(dataset);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "%s", alterrec_last_error());
}

static alterrec_data_report report_of(const alterrec_dataset *dataset) {
    alterrec_data_report report = {.struct_size = sizeof report};
    ck_assert_int_eq(alterrec_dataset_report(&report, dataset), ALTERREC_OK);
    return report;
}

START_TEST(interactions_become_ordered_split_sessions) {
    alterrec_dataset *dataset = read_dataset();
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_TRAIN), "a b c");
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_VALID), "b d c");
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_TEST), "a c a");
    const alterrec_catalog *catalog = alterrec_dataset_catalog(dataset);
    ck_assert_int_eq(alterrec_catalog_items(catalog), 4);
    ck_assert_str_eq(alterrec_catalog_key(catalog, 3), "d");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 0), "red hat");
    ck_assert_str_eq(alterrec_catalog_text(catalog, 2), "Green hat");
    alterrec_data_report report = report_of(dataset);
    ck_assert_int_eq(report.rows_read, 12);
    ck_assert_int_eq(report.rows_condition, 1);
    ck_assert_int_eq(report.rows_missing, 1);
    ck_assert_int_eq(report.rows_unknown_item, 0);
    ck_assert_int_eq(report.interactions_read, 10);
    ck_assert_int_eq(report.sessions_read, 4);
    ck_assert_int_eq(report.sessions_too_short, 1);
    ck_assert_int_eq(report.items, 4);
    ck_assert_int_eq(report.items_with_text, 4);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(report.sessions[i], 1);
        ck_assert_int_eq(report.interactions[i], 3);
    }
    alterrec_dataset_free(dataset);
}
END_TEST

START_TEST(filters_hold_together_when_they_end) {
    set("data.split", "none");
    set("data.min_item_count", "2");
    set("data.repeats", "all");
    alterrec_dataset *dataset = read_dataset();
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_TRAIN), "a b c|b c|a c");
    ck_assert_ptr_null(alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_VALID));
    alterrec_data_report report = report_of(dataset);
    ck_assert_int_eq(report.repeats_dropped, 1);
    ck_assert_int_eq(report.rare_items_dropped, 1);
    ck_assert_int_eq(report.rare_interactions, 1);
    ck_assert_int_eq(report.items, 3);
    alterrec_dataset_free(dataset);
    /* A long session goes, with it the only second x; then y stands alone. */
    set("data.interactions", scratch_write("s.txt", "x y\ny x z z z\nz z\n"));
    set("data.repeats", "keep");
    set("data.max_session_length", "4");
    expect_sets("z z", "", "");
    set("data.long_sessions", "cut");
    set("data.max_session_length", "3");
    expect_sets("z z z|z z", "", "");
}
END_TEST

START_TEST(removing_an_item_makes_no_repeat) {
    set("data.interactions", scratch_write("s.txt", "a x a b\na b\n"));
    set("data.split", "none");
    set("data.min_item_count", "2");
    set("data.repeats", "consecutive");
    expect_sets("a b|a b", "", "");
}
END_TEST

START_TEST(splits_round_to_the_nearest_and_are_repeatable) {
    char text[1000];
    size_t used = 0;
    for (int i = 0; i < 25; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "i%d j\n", i);
    set("data.interactions", scratch_write("s.txt", text));
    set("data.valid_share", "0.1");
    set("data.test_share", "0.09");
    alterrec_dataset *dataset = read_dataset();
    alterrec_data_report report = report_of(dataset);
    ck_assert_int_eq(report.sessions[0], 20);
    ck_assert_int_eq(report.sessions[1], 3);
    ck_assert_int_eq(report.sessions[2], 2);
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_VALID), "i20 j|i21 j|i22 j");
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_TEST), "i23 j|i24 j");
    alterrec_dataset_free(dataset);

    set("data.split", "random");
    char first[4096];
    dataset = read_dataset();
    snprintf(first, sizeof first, "%s", spell(dataset, ALTERREC_SPLIT_TRAIN));
    ck_assert_int_eq(report_of(dataset).sessions[1], 3);
    ck_assert_int_eq(alterrec_catalog_find(alterrec_dataset_catalog(dataset), "i24"), 25);
    alterrec_dataset_free(dataset);
    dataset = read_dataset();
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_TRAIN), first);
    alterrec_dataset_free(dataset);
    set("data.split_seed", "2");
    dataset = read_dataset();
    ck_assert_str_ne(spell(dataset, ALTERREC_SPLIT_TRAIN), first);
    alterrec_dataset_free(dataset);
}
END_TEST

START_TEST(an_item_file_is_the_catalog) {
    set("data.items", scratch_write("items.tsv", "item\ttext\nz\tZed\nc\tCee\nb\t\na\tA\n"));
    set("data.min_item_count", "2");
    set("data.split", "none");
    alterrec_dataset *dataset = read_dataset();
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_TRAIN), "a b c|b c|a c a");
    alterrec_data_report report = report_of(dataset);
    ck_assert_int_eq(report.items, 4);
    ck_assert_int_eq(report.items_with_text, 3);
    ck_assert_int_eq(report.rows_unknown_item, 1);
    ck_assert_str_eq(alterrec_catalog_key(alterrec_dataset_catalog(dataset), 0), "z");
    alterrec_dataset_free(dataset);
    set("data.unknown_items", "error");
    expect_error(ALTERREC_ERROR_NOT_FOUND, "small.csv:10:4: item `d` is not in the catalog");
}
END_TEST

START_TEST(files_already_split_are_read) {
    set("data.interactions", "");
    set("data.train", scratch_write("train.txt", "b a\nq\n"));
    set("data.test", scratch_write("test.txt", "c a\n"));
    expect_sets("b a", "", "c a");
    set("data.valid", scratch_write("valid.txt", "d a d\n"));
    alterrec_dataset *dataset = read_dataset();
    ck_assert_str_eq(spell(dataset, ALTERREC_SPLIT_VALID), "d a d");
    const alterrec_catalog *catalog = alterrec_dataset_catalog(dataset);
    ck_assert_int_eq(alterrec_catalog_items(catalog), 4);
    const char *order[] = {"b", "a", "d", "c"};
    for (int32_t i = 0; i < 4; i++)
        ck_assert_str_eq(alterrec_catalog_key(catalog, i), order[i]);
    alterrec_data_report report = report_of(dataset);
    ck_assert_int_eq(report.rows_read, 4);
    ck_assert_int_eq(report.sessions_read, 4);
    ck_assert_int_eq(report.sessions_too_short, 1);
    alterrec_dataset_free(dataset);
}
END_TEST

START_TEST(text_features_come_from_the_named_source) {
    set("text.dim", "16");
    set("text.source", "auto");
    alterrec_dataset *dataset = read_dataset();
    ck_assert_int_eq(alterrec_catalog_feature_dim(alterrec_dataset_catalog(dataset)), 16);
    alterrec_dataset_free(dataset);
    set("data.text_column", "");
    dataset = read_dataset();
    ck_assert_int_eq(alterrec_catalog_feature_dim(alterrec_dataset_catalog(dataset)), 0);
    alterrec_dataset_free(dataset);
    set("text.source", "hash");
    expect_error(ALTERREC_ERROR_MISMATCH, "text");
    set("text.source", "npy");
    expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "data.features names no file");
    set("data.features", scratch_path("none.npy"));
    expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "data.features needs data.items");
    set("data.items", scratch_write("items.tsv", "item\ttext\na\tA\nb\tB\nc\tC\n"));
    expect_error(ALTERREC_ERROR_IO, "none.npy");
    set("data.interactions", path);
    set("text.source", "none");
    alterrec_dataset_free(read_dataset());
}
END_TEST

START_TEST(contradicting_options_are_named) {
    for (int i = 0; i < 2; i++) {
        set("data.train", path);
        expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "set one or the other");
        set("data.interactions", "");
        set("data.min_item_count", "2");
        expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "data.min_item_count: 2, but it filters");
        set("data.min_item_count", "1");
        set("data.train", "");
        expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "no file is named");
        set("data.valid", path);
        expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "but data.train does not");
        set("data.valid", "");
        set("data.interactions", path);
        set("data.valid_share", "0.8");
        expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "leave no training session of 3");
        set("data.valid_share", "0.3");
        set("data.time_column", "");
        expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "data.time_column names no column");
        set("data.time_column", "when");
        alterrec_dataset_free(read_dataset());
    }
    alterrec_dataset *dataset;
    ck_assert_int_eq(alterrec_dataset_read(&dataset, NULL), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_dataset_read(NULL, config), ALTERREC_ERROR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(a_filter_that_leaves_nothing_is_named) {
    set("data.min_session_length", "9");
    expect_error(ALTERREC_ERROR_INVALID_ARGUMENT,
                 "small.csv: no session is left of 12 rows read; dropped were 1 rows for "
                 "data.positive_column, 1 rows without session or item, 4 sessions for "
                 "data.min_session_length");
    set("data.min_session_length", "2");
    set("data.min_item_count", "100");
    expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "10 interactions for data.min_item_count");
    set("data.min_item_count", "1");
    set("data.max_session_length", "2");
    expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "3 sessions for data.max_session_length");
    set("data.max_session_length", "0");
    set("data.items", scratch_write("items.tsv", "item\ttext\nother\tA\n"));
    expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "10 interactions for data.unknown_items");
    set("data.items", "");
    set("data.interactions", scratch_write("none.csv", "invoice,code,title,when,quantity\n"
                                                       "1,a,A,1,0\n1,b,B,2,0\n"));
    expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "dropped were 2 rows for data.positive_column");
}
END_TEST

START_TEST(the_report_fits_the_host) {
    alterrec_dataset *dataset = read_dataset();
    struct {
        alterrec_data_report report;
        int64_t beyond;
    } large = {.beyond = -7};
    large.report.struct_size = sizeof large;
    ck_assert_int_eq(alterrec_dataset_report(&large.report, dataset), ALTERREC_OK);
    ck_assert_uint_eq(large.report.struct_size, sizeof large);
    ck_assert_int_eq(large.report.interactions[2], 3);
    ck_assert_int_eq(large.beyond, -7);
    alterrec_data_report known = {.struct_size = sizeof known - 1, .rows_condition = -7};
    ck_assert_int_eq(alterrec_dataset_report(&known, dataset), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "alterrec_data_report: struct_size is"));
    ck_assert_int_eq(known.rows_condition, -7);
    known.struct_size = sizeof known;
    ck_assert_int_eq(alterrec_dataset_report(&known, dataset), ALTERREC_OK);
    ck_assert_int_eq(known.rows_read, 12);
    ck_assert_int_eq(alterrec_dataset_report(NULL, dataset), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_dataset_report(&known, NULL), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_null(alterrec_dataset_sessions(dataset, -1));
    ck_assert_ptr_null(alterrec_dataset_sessions(dataset, 3));
    ck_assert_ptr_null(alterrec_dataset_sessions(NULL, 0));
    ck_assert_ptr_null(alterrec_dataset_catalog(NULL));
    alterrec_dataset_free(dataset);
    alterrec_dataset_free(NULL);
}
END_TEST

START_TEST(every_failing_allocation_is_reported) {
    set("data.min_item_count", "2");
    set("text.source", "auto");
    set("text.dim", "8");
    for (int with_items = 0; with_items < 2; with_items++) {
        if (with_items == 1)
            set("data.items", scratch_write("items.tsv", "item\ttext\na\tA\nb\tB\nc\tC\n"));
        for (int64_t failing = 1;; failing++) {
            alterrec_dataset *dataset;
            ar_memory_fail_after(failing);
            alterrec_status status = alterrec_dataset_read(&dataset, config);
            ar_memory_fail_after(0);
            if (status == ALTERREC_OK) {
                alterrec_dataset_free(dataset);
                ck_assert_int_ge(failing, 30);
                break;
            }
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            ck_assert_ptr_null(dataset);
        }
    }
    set("data.items", "");
    set("data.min_item_count", "100");
    ar_memory_fail_after(0);
    expect_error(ALTERREC_ERROR_INVALID_ARGUMENT, "no session is left");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("dataset");
    TCase *tests = tcase_create("dataset");
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, interactions_become_ordered_split_sessions);
    tcase_add_test(tests, filters_hold_together_when_they_end);
    tcase_add_test(tests, removing_an_item_makes_no_repeat);
    tcase_add_test(tests, splits_round_to_the_nearest_and_are_repeatable);
    tcase_add_test(tests, an_item_file_is_the_catalog);
    tcase_add_test(tests, files_already_split_are_read);
    tcase_add_test(tests, text_features_come_from_the_named_source);
    tcase_add_test(tests, contradicting_options_are_named);
    tcase_add_test(tests, a_filter_that_leaves_nothing_is_named);
    tcase_add_test(tests, the_report_fits_the_host);
    tcase_add_test(tests, every_failing_allocation_is_reported);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
