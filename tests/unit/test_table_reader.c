#include "data/table_reader.h"

#include "core/memory.h"
#include "scratch.h"

/* Reads the whole table into one string, fields as [..], rows parted by a newline. */
static const char *read_table(const char *path, ar_format format) {
    static char all[4096];
    size_t used = 0;
    ar_table_reader table;
    ck_assert_msg(ar_table_reader_open(&table, path, format) == ALTERREC_OK, "%s",
                  alterrec_last_error());
    for (bool found = true; found;) {
        ck_assert_msg(ar_table_reader_next(&table, &found) == ALTERREC_OK, "%s",
                      alterrec_last_error());
        for (int64_t i = 0; found && i < table.columns; i++)
            used += (size_t)snprintf(all + used, sizeof all - used, "[%.*s]%s",
                                     (int)table.cells[i].length, table.cells[i].bytes,
                                     i + 1 == table.columns ? "\n" : "");
    }
    all[used] = '\0';
    ar_table_reader_close(&table);
    return all;
}

/* Reads until an error, which must be PARSE with `text` behind the path. */
static void expect_error(const char *name, ar_format format, const void *bytes, size_t size,
                         const char *text) {
    const char *path = scratch_write_bytes(name, bytes, size);
    ar_table_reader table;
    alterrec_status status = ar_table_reader_open(&table, path, format);
    for (bool found = true; status == ALTERREC_OK && found;)
        status = ar_table_reader_next(&table, &found);
    ar_table_reader_close(&table);
    ck_assert_int_eq(status, ALTERREC_ERROR_PARSE);
    char expected[700];
    snprintf(expected, sizeof expected, "%s%s", path, text);
    ck_assert_str_eq(alterrec_last_error(), expected);
}

#define EXPECT_CSV(text, error)                                                                    \
    expect_error("bad.csv", AR_FORMAT_CSV, text, sizeof(text) - 1, error)

START_TEST(csv_follows_rfc_4180) {
    const char *path = scratch_write("a.csv", "a,b,c\r\n"
                                              "1,\"two, too\",3\r\n"
                                              "\"say \"\"yes\"\"\",\"\"\"\",\"\"\n"
                                              "\"line\r\nbreak\",,\"z\"");
    ck_assert_str_eq(read_table(path, AR_FORMAT_CSV), "[1][two, too][3]\n"
                                                      "[say \"yes\"][\"][]\n"
                                                      "[line\r\nbreak][][z]\n");
}
END_TEST

START_TEST(byte_order_mark_empty_lines_and_last_comma_are_read) {
    const char *path = scratch_write("a.csv", "\xEF\xBB\xBF\na,b\n\n1,2\n\r\n3,");
    ck_assert_str_eq(read_table(path, AR_FORMAT_CSV), "[1][2]\n[3][]\n");
    ck_assert_str_eq(read_table(scratch_write("b.csv", "a\n1\n\n2\n"), AR_FORMAT_CSV),
                     "[1]\n[]\n[2]\n");
}
END_TEST

START_TEST(tsv_has_no_quotes) {
    const char *path = scratch_write("a.tsv", "a\tb\r\n\"1\t2\"\r\n\t\n");
    ck_assert_str_eq(read_table(path, AR_FORMAT_TSV), "[\"1][2\"]\n[][]\n");
}
END_TEST

START_TEST(recbole_types_are_stripped) {
    const char *path = scratch_write("a.inter", "item_id_list:token_seq\titem_id:token\tt:float\n"
                                                "1 2\t3\t4\n");
    ar_table_reader table;
    ck_assert_int_eq(ar_table_reader_open(&table, path, AR_FORMAT_RECBOLE), ALTERREC_OK);
    ck_assert_str_eq(table.header[0].name, "item_id_list");
    ck_assert(table.header[0].sequence);
    ck_assert_str_eq(table.header[1].name, "item_id");
    ck_assert(!table.header[1].sequence);
    ar_table_reader_close(&table);
    expect_error("b.inter", AR_FORMAT_RECBOLE, "a:token\tb:int\n1\t2\n", 19,
                 ":1:9: column `b:int` has no type, name:token, name:float, name:token_seq or "
                 "name:float_seq was expected");
}
END_TEST

START_TEST(malformed_csv_names_its_place) {
    EXPECT_CSV("a,b\n1,x\"y\n", ":2:4: a quote inside a field that does not begin with one");
    EXPECT_CSV("a,b\n1,\"x\"y\n",
               ":2:6: text behind a closing quote, a comma or the end of the line was expected");
    EXPECT_CSV("a,b\n\"1\n2\",3\n4,\"5\n6,7\n", ":4:3: the quote that begins here never ends");
    EXPECT_CSV("a,b\n1,2\n3\n", ":3:1: 1 columns, the header has 2");
    EXPECT_CSV("a,b\n1,2,3\n", ":2:5: 3 columns, the header has 2");
    EXPECT_CSV("a,b\n\xC3\xA4\xC3\xA4,\xFF\n", ":2:4: byte 0xFF is not part of valid UTF-8");
    EXPECT_CSV("a,b\n123456789,\xC3\n", ":2:11: byte 0xC3 is not part of valid UTF-8");
    EXPECT_CSV("a,b\n12345678901234\0,2\n", ":2:15: a 0 byte");
}
END_TEST

START_TEST(files_without_rows_are_errors) {
    EXPECT_CSV("", ":1:1: the file is empty");
    EXPECT_CSV("\xEF\xBB\xBF", ":1:1: the file is empty");
    EXPECT_CSV("\n\n", ":1:1: the file has no header");
    EXPECT_CSV("a,b\n", ":2:1: no row follows the header");
    EXPECT_CSV("a,b", ":1:4: no row follows the header");
}
END_TEST

START_TEST(missing_and_repeated_columns_are_named) {
    const char *path = scratch_write("a.csv", "item,session,x,x\n1,2,3,4\n");
    ar_table_reader table;
    ck_assert_int_eq(ar_table_reader_open(&table, path, AR_FORMAT_CSV), ALTERREC_OK);
    int64_t column;
    ck_assert_int_eq(ar_table_reader_column(&column, &table, "sesion", "data.session_column"),
                     ALTERREC_ERROR_NOT_FOUND);
    char expected[700];
    snprintf(expected, sizeof expected,
             "%s: no column `sesion` (data.session_column), did you mean `session`?; its columns "
             "are item, session, x, x",
             path);
    ck_assert_str_eq(alterrec_last_error(), expected);
    ck_assert_int_eq(ar_table_reader_column(&column, &table, "wholly other", "o"),
                     ALTERREC_ERROR_NOT_FOUND);
    ck_assert_ptr_null(strstr(alterrec_last_error(), "did you mean"));
    ck_assert_int_eq(ar_table_reader_column(&column, &table, "x", "data.time_column"),
                     ALTERREC_ERROR_PARSE);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "twice, as number 3 and 4"));
    ck_assert_int_eq(ar_table_reader_column(&column, &table, "session", "o"), ALTERREC_OK);
    ck_assert_int_eq(column, 1);
    ar_table_reader_close(&table);
}
END_TEST

START_TEST(many_columns_are_listed_within_the_error) {
    char text[3000];
    size_t used = 0;
    for (int i = 0; i < 200; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%scolumn%d", i ? "," : "", i);
    snprintf(text + used, sizeof text - used, "\n1\n");
    ar_table_reader table;
    ck_assert_int_eq(ar_table_reader_open(&table, scratch_write("a.csv", text), AR_FORMAT_CSV),
                     ALTERREC_OK);
    int64_t column;
    ck_assert_int_eq(ar_table_reader_column(&column, &table, "z", "o"), ALTERREC_ERROR_NOT_FOUND);
    const char *error = alterrec_last_error();
    ck_assert_str_eq(error + strlen(error) - 5, ", ...");
    ar_table_reader_close(&table);
}
END_TEST

START_TEST(what_is_no_file_is_an_io_error) {
    ar_table_reader table;
    ck_assert_int_eq(ar_table_reader_open(&table, scratch_path("none.csv"), AR_FORMAT_CSV),
                     ALTERREC_ERROR_IO);
    ck_assert_int_eq(ar_table_reader_open(&table, scratch_folder, AR_FORMAT_CSV),
                     ALTERREC_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "directory"));
}
END_TEST

START_TEST(every_failing_allocation_is_reported) {
    const char *path = scratch_write("a.csv", "a,b\n\"1\"\"\",\"2\"\"\"\n3,4\n");
    for (int64_t failing = 1;; failing++) {
        ar_table_reader table;
        ar_memory_fail_after(failing);
        alterrec_status status = ar_table_reader_open(&table, path, AR_FORMAT_CSV);
        for (bool found = true; status == ALTERREC_OK && found;)
            status = ar_table_reader_next(&table, &found);
        ar_memory_fail_after(0);
        ar_table_reader_close(&table);
        if (status == ALTERREC_OK) {
            ck_assert_int_ge(failing, 4);
            break;
        }
        ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
    }
}
END_TEST

START_TEST(suffixes_name_formats) {
    ck_assert_int_eq(ar_format_of_path("a/b.csv"), AR_FORMAT_CSV);
    ck_assert_int_eq(ar_format_of_path("B.TSV"), AR_FORMAT_TSV);
    ck_assert_int_eq(ar_format_of_path("x.inter"), AR_FORMAT_RECBOLE);
    ck_assert_int_eq(ar_format_of_path("x.item"), AR_FORMAT_RECBOLE);
    ck_assert_int_eq(ar_format_of_path("x.txt"), AR_FORMAT_AUTO);
    ck_assert_int_eq(ar_format_of_path("csv"), AR_FORMAT_AUTO);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("table_reader");
    TCase *tests = tcase_create("table_reader");
    tcase_add_checked_fixture(tests, scratch_open, scratch_close);
    tcase_add_test(tests, csv_follows_rfc_4180);
    tcase_add_test(tests, byte_order_mark_empty_lines_and_last_comma_are_read);
    tcase_add_test(tests, tsv_has_no_quotes);
    tcase_add_test(tests, recbole_types_are_stripped);
    tcase_add_test(tests, malformed_csv_names_its_place);
    tcase_add_test(tests, files_without_rows_are_errors);
    tcase_add_test(tests, missing_and_repeated_columns_are_named);
    tcase_add_test(tests, many_columns_are_listed_within_the_error);
    tcase_add_test(tests, what_is_no_file_is_an_io_error);
    tcase_add_test(tests, every_failing_allocation_is_reported);
    tcase_add_test(tests, suffixes_name_formats);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
