/* Large files, which several threads read in parts: whatever the number of threads, the items,
 * their numbers, the sessions, the counts and the errors are those of one thread. */
#include "core/random.h"
#include "core/text.h"
#include "scratch.h"

#include <alterrec/alterrec.h>

enum { LARGE = 3 << 20 };

static alterrec_config *config;

static void open_all(void) {
    scratch_open();
    ck_assert_int_eq(alterrec_config_create(&config), ALTERREC_OK);
}

static void close_all(void) {
    alterrec_config_free(config);
    scratch_close();
}

static void set(const char *key, const char *value) {
    ck_assert_msg(alterrec_config_set(config, key, value) == ALTERREC_OK, "%s",
                  alterrec_last_error());
}

/* Short keys and long ones; some occur in one part of the file alone. */
static void put_key(ar_text *text, ar_random *random) {
    uint32_t number = ar_random_below(random, 3000);
    if (ar_random_below(random, 50) == 0)
        number = 1000000 + (uint32_t)text->length;
    ar_text_print(text, number % 7 == 0 ? "an-item-with-a-long-key-%u" : "%u", number);
}

/* Sessions one a line, with blank lines, tabs and a last line without an end. */
static const char *write_lines(void) {
    ar_random random;
    ar_random_seed(&random, 3);
    ar_text text = {0};
    while (text.length < LARGE) {
        for (uint32_t i = ar_random_below(&random, 9); i > 0; i--) {
            put_key(&text, &random);
            ar_text_print(&text, i % 3 == 0 ? " \t" : " ");
        }
        ar_text_print(&text, ar_random_below(&random, 4) == 0 ? "\r\n" : "\n");
    }
    ar_text_print(&text, "7 8 9");
    const char *path = scratch_write_bytes("lines", text.bytes, (size_t)text.length);
    ar_text_free(&text);
    return path;
}

static alterrec_dataset *read_with(const char *path, const char *threads) {
    alterrec_dataset *dataset;
    set("data.train", path);
    set("compute.threads", threads);
    ck_assert_msg(alterrec_dataset_read(&dataset, config) == ALTERREC_OK, "%s",
                  alterrec_last_error());
    return dataset;
}

static void check_same(const alterrec_dataset *a, const alterrec_dataset *b) {
    const alterrec_catalog *left = alterrec_dataset_catalog(a),
                           *right = alterrec_dataset_catalog(b);
    const alterrec_sessions *some = alterrec_dataset_sessions(a, ALTERREC_SPLIT_TRAIN);
    const alterrec_sessions *same = alterrec_dataset_sessions(b, ALTERREC_SPLIT_TRAIN);
    ck_assert_int_eq(alterrec_catalog_items(left), alterrec_catalog_items(right));
    for (int32_t i = 0; i < alterrec_catalog_items(left); i++)
        if (strcmp(alterrec_catalog_key(left, i), alterrec_catalog_key(right, i)) != 0)
            ck_abort_msg("item %d is %s and %s", i, alterrec_catalog_key(left, i),
                         alterrec_catalog_key(right, i));
    ck_assert_int_eq(alterrec_sessions_count(some), alterrec_sessions_count(same));
    for (int64_t s = 0; s < alterrec_sessions_count(some); s++) {
        const int32_t *items, *others;
        int64_t length, other;
        (void)alterrec_sessions_get(&items, &length, some, s);
        (void)alterrec_sessions_get(&others, &other, same, s);
        if (length != other || memcmp(items, others, (size_t)length * sizeof *items) != 0)
            ck_abort_msg("session %lld differs", (long long)s);
    }
    alterrec_data_report one = {.struct_size = sizeof one}, two = {.struct_size = sizeof two};
    ck_assert_int_eq(alterrec_dataset_report(&one, a), ALTERREC_OK);
    ck_assert_int_eq(alterrec_dataset_report(&two, b), ALTERREC_OK);
    ck_assert_mem_eq(&one, &two, sizeof one);
}

static void check_threads(const char *path) {
    alterrec_dataset *one = read_with(path, "1");
    ck_assert_int_gt(alterrec_sessions_count(alterrec_dataset_sessions(one, ALTERREC_SPLIT_TRAIN)),
                     1000);
    static const char *const threads[] = {"2", "3"};
    for (int t = 0; t < 2; t++) {
        alterrec_dataset *more = read_with(path, threads[t]);
        check_same(one, more);
        alterrec_dataset_free(more);
    }
    alterrec_dataset_free(one);
}

START_TEST(threads_change_nothing_about_lines) {
    check_threads(write_lines());
    set("data.max_session_length", "5");
    check_threads(write_lines());
    set("data.long_sessions", "cut");
    set("data.min_session_length", "3");
    check_threads(write_lines());
}
END_TEST

enum { RISING, MIXED, SHAPES };

/* Interactions one a row: sessions one after the other, their keys rising, or mixed; some rows lack
 * a key, some times fall. */
static const char *write_rows(const char *name, int shape) {
    char separator = strstr(name, ".csv") != NULL ? ',' : '\t';
    ar_random random;
    ar_random_seed(&random, 4);
    ar_text text = {0};
    ar_text_print(&text, "time%csession%citem\r\n", separator, separator);
    for (int session = 0; text.length < LARGE; session++)
        for (uint32_t i = ar_random_below(&random, 6); i > 0; i--) {
            int key = shape == RISING ? session : (int)ar_random_below(&random, 40000);
            ar_text_print(&text, "%u%s%c%d%c", 1000 + ar_random_below(&random, 100000),
                          i == 2 ? ".5" : "", separator, key, separator);
            if (ar_random_below(&random, 100) > 0)
                put_key(&text, &random);
            ar_text_print(&text, ar_random_below(&random, 500) == 0 ? "\r\n\r\n" : "\n");
        }
    const char *path = scratch_write_bytes(name, text.bytes, (size_t)text.length);
    ar_text_free(&text);
    return path;
}

START_TEST(threads_change_nothing_about_rows) {
    check_threads(write_rows("rows.tsv", RISING));
    check_threads(write_rows("mixed.tsv", MIXED));
    check_threads(write_rows("rows.csv", RISING));
    check_threads(write_rows("mixed.csv", MIXED));
    set("data.time_column", "time");
    check_threads(write_rows("rows.tsv", RISING));
    check_threads(write_rows("mixed.csv", MIXED));
}
END_TEST

/* What a naive reading of a mixed table gives: the sessions in the order of their first rows. */
START_TEST(mixed_rows_are_grouped_in_order) {
    enum { SESSIONS = 5000, ROWS = 300000 };
    static int32_t items[ROWS];
    static int session_of[ROWS], first[SESSIONS], order[SESSIONS];
    ar_random random;
    ar_random_seed(&random, 5);
    ar_text text = {0};
    ar_text_print(&text, "session\titem\n");
    int sessions = 0, row = 0;
    for (; row < ROWS; row++) {
        session_of[row] = (int)ar_random_below(&random, SESSIONS);
        items[row] = row < 2 ? row : (int32_t)ar_random_below(&random, 2);
        if (first[session_of[row]] == 0) {
            first[session_of[row]] = 1;
            order[sessions++] = session_of[row];
        }
        ar_text_print(&text, "s%d\t%d\n", session_of[row], items[row]);
    }
    const char *path = scratch_write_bytes("grouped.tsv", text.bytes, (size_t)text.length);
    ar_text_free(&text);
    alterrec_dataset *dataset = read_with(path, "2");
    const alterrec_sessions *read = alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_TRAIN);
    ck_assert_int_eq(alterrec_sessions_count(read), sessions);
    for (int s = 0; s < sessions; s += 250) {
        const int32_t *got;
        int64_t length, at = 0;
        (void)alterrec_sessions_get(&got, &length, read, s);
        for (row = 0; row < ROWS; row++)
            if (session_of[row] == order[s])
                ck_assert_int_eq(got[at++], items[row]);
        ck_assert_int_eq(at, length);
    }
    alterrec_dataset_free(dataset);
}
END_TEST

/* A catalog of some of the items: the others are dropped, or the first of them is an error. */
START_TEST(threads_change_nothing_about_unknown_items) {
    const char *path = write_lines();
    alterrec_catalog *catalog;
    enum { SOME = 500 };
    static char texts[SOME][8];
    const char *keys[SOME];
    for (int i = 0; i < SOME; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%d", 2 * i + 1);
        keys[i] = texts[i];
    }
    ck_assert_int_eq(alterrec_catalog_create(&catalog, keys, NULL, SOME), ALTERREC_OK);
    alterrec_sessions *sessions[2];
    for (int t = 0; t < 2; t++) {
        set("compute.threads", t == 0 ? "1" : "3");
        ck_assert_int_eq(alterrec_sessions_read(&sessions[t], catalog, path, config), ALTERREC_OK);
    }
    int64_t count = alterrec_sessions_count(sessions[0]);
    ck_assert_int_gt(count, 1000);
    ck_assert_int_eq(alterrec_sessions_count(sessions[1]), count);
    for (int64_t s = 0; s < count; s++) {
        const int32_t *items[2];
        int64_t length[2];
        for (int t = 0; t < 2; t++)
            (void)alterrec_sessions_get(&items[t], &length[t], sessions[t], s);
        ck_assert_int_eq(length[0], length[1]);
        ck_assert_mem_eq(items[0], items[1], (size_t)length[0] * sizeof **items);
    }
    char error[1024];
    set("data.unknown_items", "error");
    for (int t = 0; t < 2; t++) {
        alterrec_sessions_free(sessions[t]);
        set("compute.threads", t == 0 ? "1" : "3");
        ck_assert_int_eq(alterrec_sessions_read(&sessions[t], catalog, path, config),
                         ALTERREC_ERROR_NOT_FOUND);
        if (t == 0)
            (void)alterrec_last_error_copy(error, sizeof error);
    }
    ck_assert_str_eq(alterrec_last_error(), error);
    alterrec_catalog_free(catalog);
}
END_TEST

/* Of errors in two parts the first is told, with its line. */
START_TEST(the_first_error_is_told) {
    ar_text text = {0};
    for (int line = 0; text.length < LARGE; line++)
        ar_text_print(&text, line == 100000 || line == 190000 ? "a \xFF b\n" : "12345 67890 12\n");
    const char *path = scratch_write_bytes("broken", text.bytes, (size_t)text.length);
    ar_text_free(&text);
    set("data.train", path);
    set("compute.threads", "3");
    alterrec_dataset *dataset;
    ck_assert_int_eq(alterrec_dataset_read(&dataset, config), ALTERREC_ERROR_PARSE);
    ck_assert_msg(strstr(alterrec_last_error(),
                         "broken:100001:3: byte 0xFF is not part of valid UTF-8") != NULL,
                  "%s", alterrec_last_error());
}
END_TEST

/* A row with too few columns in one part, and an item that is unknown in an earlier one. */
START_TEST(the_first_error_of_rows_is_told) {
    ar_text text = {0};
    ar_text_print(&text, "session\titem\n");
    for (int row = 1; text.length < LARGE; row++)
        ar_text_print(&text, row == 200000 ? "too few\n" : "%d\t%s\n", row / 4,
                      row == 150000 ? "strange" : "known");
    const char *path = scratch_write_bytes("rows.tsv", text.bytes, (size_t)text.length);
    ar_text_free(&text);
    set("data.train", path);
    for (int t = 0; t < 2; t++) {
        set("compute.threads", t == 0 ? "1" : "3");
        alterrec_dataset *dataset;
        ck_assert_int_eq(alterrec_dataset_read(&dataset, config), ALTERREC_ERROR_PARSE);
        ck_assert_msg(strstr(alterrec_last_error(), "rows.tsv:200001:") != NULL, "%s",
                      alterrec_last_error());
        alterrec_catalog *catalog;
        alterrec_sessions *sessions;
        ck_assert_int_eq(alterrec_catalog_create(&catalog, (const char *const[]){"known"}, NULL, 1),
                         ALTERREC_OK);
        set("data.unknown_items", "error");
        ck_assert_int_eq(alterrec_sessions_read(&sessions, catalog, path, config),
                         ALTERREC_ERROR_NOT_FOUND);
        ck_assert_msg(strstr(alterrec_last_error(), "rows.tsv:150001:") != NULL, "%s",
                      alterrec_last_error());
        set("data.unknown_items", "drop");
        alterrec_catalog_free(catalog);
    }
}
END_TEST

START_TEST(a_line_longer_than_a_part_is_one_session) {
    ar_text text = {0};
    ar_text_print(&text, "a b\n");
    while (text.length < LARGE)
        ar_text_print(&text, "c d ");
    ar_text_print(&text, "\ne f\n");
    const char *path = scratch_write_bytes("long", text.bytes, (size_t)text.length);
    ar_text_free(&text);
    alterrec_dataset *dataset = read_with(path, "3");
    ck_assert_int_eq(
        alterrec_sessions_count(alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_TRAIN)), 3);
    alterrec_dataset_free(dataset);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("file_parts");
    TCase *group = tcase_create("file_parts");
    tcase_add_checked_fixture(group, open_all, close_all);
    tcase_set_timeout(group, 120);
    tcase_add_test(group, threads_change_nothing_about_lines);
    tcase_add_test(group, threads_change_nothing_about_rows);
    tcase_add_test(group, mixed_rows_are_grouped_in_order);
    tcase_add_test(group, threads_change_nothing_about_unknown_items);
    tcase_add_test(group, the_first_error_is_told);
    tcase_add_test(group, the_first_error_of_rows_is_told);
    tcase_add_test(group, a_line_longer_than_a_part_is_one_session);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
