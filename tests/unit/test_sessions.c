#include "data/sessions.h"

#include "core/memory.h"
#include "data/catalog.h"
#include "scratch.h"

static alterrec_config *config;
static alterrec_catalog *catalog; /* a b c d e */

static void open_all(void) {
    static const char *const keys[] = {"a", "b", "c", "d", "e"};
    scratch_open();
    ck_assert_int_eq(alterrec_config_create(&config), ALTERREC_OK);
    ck_assert_int_eq(alterrec_catalog_create(&catalog, keys, NULL, 5), ALTERREC_OK);
}

static void close_all(void) {
    alterrec_config_free(config);
    alterrec_catalog_free(catalog);
    scratch_close();
}

static void set(const char *key, const char *value) {
    ck_assert_msg(alterrec_config_set(config, key, value) == ALTERREC_OK, "%s",
                  alterrec_last_error());
}

/* The sessions as keys: "ab|cd". */
static const char *spell(const alterrec_sessions *sessions) {
    static char text[1024];
    size_t used = 0;
    for (int64_t s = 0; s < alterrec_sessions_count(sessions); s++) {
        const int32_t *items;
        int64_t length;
        ck_assert_int_eq(alterrec_sessions_get(&items, &length, sessions, s), ALTERREC_OK);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", s > 0 ? "|" : "");
        for (int64_t i = 0; i < length; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s",
                                     alterrec_catalog_key(catalog, items[i]));
    }
    text[used] = '\0';
    return text;
}

static void expect_read(const char *path, const char *spelt) {
    alterrec_sessions *sessions;
    ck_assert_msg(alterrec_sessions_read(&sessions, catalog, path, config) == ALTERREC_OK, "%s",
                  alterrec_last_error());
    ck_assert_str_eq(spell(sessions), spelt);
    alterrec_sessions_free(sessions);
}

static void expect_read_error(alterrec_status expected, const char *path, const char *text) {
    alterrec_sessions *sessions = (alterrec_sessions *)&scratch_folder;
    ck_assert_int_eq(alterrec_sessions_read(&sessions, catalog, path, config), expected);
    ck_assert_ptr_null(sessions);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "%s", alterrec_last_error());
}

static void expect_create_error(const int32_t *items, const int64_t *offsets, int64_t count,
                                const char *text) {
    alterrec_sessions *sessions = (alterrec_sessions *)&scratch_folder;
    ck_assert_int_eq(alterrec_sessions_create(&sessions, catalog, items, offsets, count),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_null(sessions);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "%s", alterrec_last_error());
}

START_TEST(arrays_are_copied) {
    int32_t items[] = {0, 1, 2, 2, 4};
    int64_t offsets[] = {0, 2, 2, 5};
    alterrec_sessions *sessions;
    ck_assert_int_eq(alterrec_sessions_create(&sessions, catalog, items, offsets, 3), ALTERREC_OK);
    items[0] = 4;
    offsets[1] = 1;
    ck_assert_str_eq(spell(sessions), "ab||cce");
    ck_assert_int_eq(alterrec_sessions_count(sessions), 3);
    ck_assert_int_eq(alterrec_sessions_interactions(sessions), 5);
    int64_t counts[5];
    ar_sessions_count_items(counts, sessions);
    ck_assert_int_eq(counts[0], 1);
    ck_assert_int_eq(counts[2], 2);
    ck_assert_int_eq(counts[3], 0);
    alterrec_sessions_free(sessions);
}
END_TEST

START_TEST(sessions_keep_their_catalog_alive) {
    const int32_t items[] = {0, 1};
    const int64_t offsets[] = {0, 2};
    alterrec_catalog *own;
    alterrec_sessions *sessions;
    ck_assert_int_eq(alterrec_catalog_create(&own, NULL, NULL, 2), ALTERREC_OK);
    ck_assert_int_eq(alterrec_sessions_create(&sessions, own, items, offsets, 1), ALTERREC_OK);
    alterrec_catalog_free(own);
    alterrec_sessions *held = ar_sessions_hold(sessions);
    alterrec_sessions_free(sessions);
    ck_assert_str_eq(alterrec_catalog_key(held->catalog, 1), "1");
    alterrec_sessions_free(held);
}
END_TEST

START_TEST(bad_arrays_are_named) {
    const int32_t items[] = {0, 5, -1};
    const int64_t good[] = {0, 1}, late[] = {1, 2}, falling[] = {0, 2, 1}, all[] = {0, 3},
                  negative[] = {0, -1};
    for (int i = 0; i < 2; i++) {
        expect_create_error(NULL, good, 1, "argument `items` is NULL");
        expect_create_error(items, NULL, 1, "argument `offsets` is NULL");
        expect_create_error(items, good, -1, "count is -1, below 0");
        expect_create_error(items, late, 1, "offsets[0] is 1, 0 was expected");
        expect_create_error(items, falling, 2, "offsets[2] is 1, less than the 2 before it");
        expect_create_error(items, negative, 1, "offsets[1] is -1, less than the 0 before it");
        expect_create_error(items, all, 1, "items[1] is 5, outside 0..4");
        expect_create_error(items + 2, good, 1, "items[0] is -1, outside 0..4");
    }
    alterrec_sessions *sessions;
    ck_assert_int_eq(alterrec_sessions_create(NULL, catalog, items, good, 1),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_sessions_create(&sessions, NULL, items, good, 1),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_sessions_create(&sessions, catalog, items, good, 1), ALTERREC_OK);
    const int32_t *got;
    int64_t length;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(alterrec_sessions_get(&got, &length, sessions, 1),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
        ck_assert_str_eq(alterrec_last_error(), "alterrec_sessions_get: index 1 is outside 0..0");
        ck_assert_int_eq(alterrec_sessions_get(NULL, &length, sessions, 0),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
        ck_assert_int_eq(alterrec_sessions_get(&got, NULL, sessions, 0),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
        ck_assert_int_eq(alterrec_sessions_get(&got, &length, NULL, 0),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
    }
    ck_assert_int_eq(alterrec_sessions_get(&got, &length, sessions, 0), ALTERREC_OK);
    alterrec_sessions_free(sessions);
    ck_assert_int_eq(alterrec_sessions_count(NULL), 0);
    ck_assert_int_eq(alterrec_sessions_interactions(NULL), 0);
    alterrec_sessions_free(NULL);
}
END_TEST

START_TEST(lines_are_sessions) {
    expect_read(scratch_write("s.txt", "a b c\r\n\n  \t\r\n d\te  a \nb b"), "abc|dea|bb");
    expect_read(scratch_write("bom.txt", "\xEF\xBB\xBF"
                                         "a b\n"),
                "ab");
}
END_TEST

static alterrec_data_report report_of(const alterrec_sessions *sessions) {
    alterrec_data_report report = {.struct_size = sizeof report};
    ck_assert_int_eq(alterrec_sessions_report(&report, sessions), ALTERREC_OK);
    return report;
}

START_TEST(what_reading_met_is_reported) {
    alterrec_sessions *sessions;
    alterrec_data_report report = {.struct_size = sizeof report - 1};
    const int64_t offsets[] = {0, 2};
    set("data.min_session_length", "2");
    for (int table = 0; table < 2; table++) {
        const char *path = table ? scratch_write("s.csv", "session,item\n1,a\n1,x\n1,b\n2,y\n2,c\n")
                                 : scratch_write("s.txt", "a x b\ny c\n");
        ck_assert_int_eq(alterrec_sessions_read(&sessions, catalog, path, config), ALTERREC_OK);
        ck_assert_int_eq(alterrec_sessions_report(&report, sessions),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
        alterrec_data_report met = report_of(sessions);
        ck_assert_int_eq(met.rows_read, table ? 5 : 2);
        ck_assert_int_eq(met.rows_unknown_item, 2);
        ck_assert_int_eq(met.interactions_read, 3);
        ck_assert_int_eq(met.sessions_read, 2);
        ck_assert_int_eq(met.sessions_too_short, 1);
        ck_assert_int_eq(met.items, 0);
        alterrec_sessions_free(sessions);
    }
    ck_assert_int_eq(
        alterrec_sessions_create(&sessions, catalog, (const int32_t[]){0, 1}, offsets, 1),
        ALTERREC_OK);
    ck_assert_int_eq(report_of(sessions).interactions_read, 0);
    alterrec_sessions_free(sessions);
}
END_TEST

START_TEST(unknown_items_are_dropped_or_an_error) {
    const char *path = scratch_write("s.txt", "a x b\nx y\nx c\nc d\n");
    expect_read(path, "ab|cd");
    expect_read(scratch_write("u.txt", "x y\n"), "");
    set("data.unknown_items", "error");
    for (int i = 0; i < 2; i++)
        expect_read_error(ALTERREC_ERROR_NOT_FOUND, path,
                          "s.txt:1:3: item `x` is not in the catalog");
    set("data.format", "csv");
    expect_read_error(ALTERREC_ERROR_NOT_FOUND,
                      scratch_write("s.csv", "session,item\n1,a\n1,\"x\"\"\"\n"),
                      "s.csv:3:3: item `x\"` is not in the catalog");
}
END_TEST

START_TEST(length_filters_apply_and_the_item_filter_does_not) {
    const char *path = scratch_write("s.txt", "a\na b\na b c d\nb b c c b\n");
    set("data.min_item_count", "100");
    expect_read(path, "ab|abcd|bbccb");
    set("data.max_session_length", "3");
    expect_read(path, "ab");
    set("data.long_sessions", "cut");
    expect_read(path, "ab|bcd|ccb");
    set("data.repeats", "consecutive");
    expect_read(path, "ab|bcd|bcb");
    set("data.repeats", "all");
    expect_read(path, "ab|bcd|bc");
    set("data.min_session_length", "1");
    expect_read(path, "a|ab|bcd|bc");
}
END_TEST

START_TEST(tables_are_grouped_and_ordered) {
    const char *path = scratch_write("s.csv", "when,session,item\n"
                                              "2020-01-01 10:00:00,one,b\n"
                                              "5,two,c\n"
                                              "2020-01-01 09:00:00,one,a\n"
                                              "5,two,d\n"
                                              "4,two,e\n"
                                              "2020-01-01 10:00:00, one ,c\n");
    expect_read(path, "bac|cde");
    set("data.time_column", "when");
    expect_read(path, "ecd|abc");
    set("data.session_column", "sess");
    expect_read_error(ALTERREC_ERROR_NOT_FOUND, path, "no column `sess` (data.session_column)");
}
END_TEST

START_TEST(recbole_tables_have_rows_or_lists) {
    set("data.session_column", "session_id");
    set("data.item_column", "item_id");
    expect_read(scratch_write("r.inter", "session_id:token\titem_id:token\ttimestamp:float\n"
                                         "1\ta\t3\n2\tb\t1\n1\tc\t2\n2\td\t2\n"),
                "ac|bd");
    const char *lists = scratch_write(
        "l.inter", "session_id:token\titem_id_list:token_seq\titem_id:token\tt:float\n"
                   "1\ta b\tc\t9\n2\td\te\t8\n3\t\t\t1\n");
    expect_read(lists, "abc|de");
    set("data.time_column", "t");
    expect_read(lists, "de|abc");
    set("data.time_column", "");
    expect_read(scratch_write("m.inter", "item_id_list:token_seq\nd e\na\n"), "de");
    set("data.item_column", "good");
    expect_read(scratch_write("n.inter", "good:token\tgood_list:token_seq\nd\te a\n"), "ead");
}
END_TEST

/* Large enough for the shortcuts that a small file does not take: keys of all lengths around the
 * limits of the key cache, many more than it has places for, and some unknown ones. */
START_TEST(large_files_read_as_small_ones) {
    enum { ITEMS = 70000, LINES = 20000, LENGTH = 7 };
    static const char tail[] = "bcdefghijklmnopqrstuvwxyz";
    char(*keys)[32] = calloc(ITEMS, sizeof *keys);
    const char **pointers = calloc(ITEMS, sizeof *pointers);
    char *text = calloc(LINES, LENGTH * 33);
    ck_assert(keys != NULL && pointers != NULL && text != NULL);
    for (int i = 0; i < ITEMS; i++) {
        snprintf(keys[i], sizeof keys[i], "%d%.*s", i, i % 20, tail);
        pointers[i] = keys[i];
    }
    size_t used = 0;
    for (int s = 0; s < LINES; s++)
        for (int i = 0; i < LENGTH; i++)
            used += (size_t)sprintf(text + used, "%s%s", i == 3 ? "?" : keys[(s * 31 + i) % ITEMS],
                                    i + 1 < LENGTH  ? " "
                                    : s + 1 < LINES ? "\n"
                                                    : "");
    alterrec_catalog *large;
    alterrec_sessions *sessions;
    ck_assert_int_eq(alterrec_catalog_create(&large, pointers, NULL, ITEMS), ALTERREC_OK);
    const char *path = scratch_write("large.txt", text);
    ck_assert_int_eq(alterrec_sessions_read(&sessions, large, path, NULL), ALTERREC_OK);
    ck_assert_int_eq(alterrec_sessions_count(sessions), LINES);
    for (int s = 0; s < LINES; s++) {
        const int32_t *items;
        int64_t length;
        ck_assert_int_eq(alterrec_sessions_get(&items, &length, sessions, s), ALTERREC_OK);
        ck_assert_int_eq(length, LENGTH - 1);
        for (int i = 0; i < LENGTH - 1; i++)
            if (items[i] != (s * 31 + i + (i >= 3)) % ITEMS)
                ck_abort_msg("session %d, position %d: item %d", s, i, items[i]);
    }
    alterrec_sessions_free(sessions);
    alterrec_catalog_free(large);
    free(keys);
    free(pointers);
    free(text);
}
END_TEST

/* Lines of every length, up to some that are longer than what is read at once, with all that may
 * stand between keys; the same sessions as a text file and as tables. */
START_TEST(lists_and_rows_of_a_large_file_agree) {
    enum { LINES = 3000, KEYS = 400000, SIZE = 1 << 23 };
    static const char *const gaps[] = {" ", "  ", "\t", " \t "};
    static const char *const ends[] = {"\n", "\r\n", " \n", "\n\n \n"};
    char *text = malloc(SIZE), *table = malloc(SIZE), *lists = malloc(SIZE);
    ck_assert(text != NULL && table != NULL && lists != NULL);
    size_t t = 0, r = (size_t)sprintf(table, "session\titem\n");
    size_t l = (size_t)sprintf(lists, "item_list:token_seq\n");
    for (int s = 0, key = 0; s < LINES; s++) {
        int length = s % 1000 == 999 ? 20000 : 1 + s * 7 % 23;
        for (int i = 0; i < length; i++) {
            char name[24];
            sprintf(name, key % 5 == 0 ? "item-%09d-x" : key % 3 == 0 ? "%012d" : "%d", key % 9001);
            key = (key * 31 + i + 7) % KEYS;
            t += (size_t)sprintf(text + t, "%s%s", name, i + 1 < length ? gaps[key % 4] : "");
            r += (size_t)sprintf(table + r, "%d\t%s\n", s, name);
            l += (size_t)sprintf(lists + l, "%s%s", name, i + 1 < length ? " " : "\n");
        }
        t += (size_t)sprintf(text + t, "%s", s + 1 < LINES ? ends[s % 4] : "");
    }
    const char *paths[] = {scratch_write("a.txt", text), scratch_write("a.tsv", table),
                           scratch_write("a.inter", lists)};
    alterrec_dataset *sets[3];
    for (int f = 0; f < 3; f++) {
        set("data.train", paths[f]);
        ck_assert_msg(alterrec_dataset_read(&sets[f], config) == ALTERREC_OK, "%s",
                      alterrec_last_error());
    }
    const alterrec_sessions *first = alterrec_dataset_sessions(sets[0], ALTERREC_SPLIT_TRAIN);
    int64_t count = first->count;
    ck_assert_int_gt(count, LINES * 9 / 10);
    for (int f = 1; f < 3; f++) {
        const alterrec_sessions *other = alterrec_dataset_sessions(sets[f], ALTERREC_SPLIT_TRAIN);
        ck_assert_int_eq(other->count, count);
        ck_assert_mem_eq(other->offsets, first->offsets, (size_t)(count + 1) * sizeof(int64_t));
        ck_assert_mem_eq(other->items, first->items,
                         (size_t)first->offsets[count] * sizeof(int32_t));
        for (int32_t item = 0; item < first->catalog->items; item++)
            ck_assert_str_eq(alterrec_catalog_key(other->catalog, item),
                             alterrec_catalog_key(first->catalog, item));
    }
    for (int f = 0; f < 3; f++)
        alterrec_dataset_free(sets[f]);
    free(text);
    free(table);
    free(lists);
}
END_TEST

START_TEST(bad_files_are_named) {
    for (int i = 0; i < 2; i++) {
        expect_read_error(ALTERREC_ERROR_IO, scratch_path("none.txt"), "none.txt: cannot open");
        expect_read_error(ALTERREC_ERROR_IO, scratch_folder, "directory");
        expect_read_error(ALTERREC_ERROR_PARSE, scratch_write("e.txt", ""),
                          "e.txt:1:1: the file is empty");
        expect_read_error(ALTERREC_ERROR_PARSE, scratch_write("b.txt", " \n\n"),
                          "b.txt:1:1: the file has only blank lines");
        expect_read_error(ALTERREC_ERROR_PARSE, scratch_write("u.txt", "a b\nc \xC3\x28\n"),
                          "u.txt:2:3: byte 0xC3 is not part of valid UTF-8");
        expect_read_error(ALTERREC_ERROR_PARSE, scratch_write_bytes("z.txt", "a b\nc\0d\n", 8),
                          "z.txt:2:2: a 0 byte");
        alterrec_sessions *sessions;
        ck_assert_int_eq(alterrec_sessions_read(NULL, catalog, "x", NULL),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
        ck_assert_int_eq(alterrec_sessions_read(&sessions, NULL, "x", NULL),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
        ck_assert_int_eq(alterrec_sessions_read(&sessions, catalog, NULL, NULL),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
    }
    set("data.time_column", "t");
    expect_read_error(ALTERREC_ERROR_PARSE,
                      scratch_write("t.csv", "session,item,t\n1,a,1\n1,b,soon\n"),
                      "t.csv:3:5: `soon` in column `t` (data.time_column) is not a time");
    set("data.time_column", "");
    set("data.positive_column", "q");
    expect_read_error(ALTERREC_ERROR_PARSE, scratch_write("q.csv", "session,item,q\n1,a,1\n1,b,\n"),
                      "q.csv:3:5: `` in column `q` (data.positive_column) is not a number");
}
END_TEST

START_TEST(every_failing_allocation_is_reported) {
    const int32_t items[] = {0, 1};
    const int64_t offsets[] = {0, 2};
    set("data.time_column", "t");
    const char *path = scratch_write("s.csv", "session,item,t\n2,a,4\n2,b,3\n1,a,2\n1,b,1\n");
    for (int from_file = 0; from_file < 2; from_file++) {
        for (int64_t failing = 1;; failing++) {
            alterrec_sessions *sessions;
            ar_memory_fail_after(failing);
            alterrec_status status =
                from_file ? alterrec_sessions_read(&sessions, catalog, path, config)
                          : alterrec_sessions_create(&sessions, catalog, items, offsets, 1);
            ar_memory_fail_after(0);
            if (status == ALTERREC_OK) {
                alterrec_sessions_free(sessions);
                ck_assert_int_ge(failing, from_file ? 15 : 4);
                break;
            }
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            ck_assert_ptr_null(sessions);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sessions");
    TCase *tests = tcase_create("sessions");
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, arrays_are_copied);
    tcase_add_test(tests, sessions_keep_their_catalog_alive);
    tcase_add_test(tests, bad_arrays_are_named);
    tcase_add_test(tests, lines_are_sessions);
    tcase_add_test(tests, what_reading_met_is_reported);
    tcase_add_test(tests, unknown_items_are_dropped_or_an_error);
    tcase_add_test(tests, length_filters_apply_and_the_item_filter_does_not);
    tcase_add_test(tests, tables_are_grouped_and_ordered);
    tcase_add_test(tests, recbole_tables_have_rows_or_lists);
    tcase_add_test(tests, large_files_read_as_small_ones);
    tcase_add_test(tests, lists_and_rows_of_a_large_file_agree);
    tcase_add_test(tests, bad_files_are_named);
    tcase_add_test(tests, every_failing_allocation_is_reported);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
