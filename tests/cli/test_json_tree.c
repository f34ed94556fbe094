/* The program's JSON reader: what it takes, what it refuses and where. */
#include "json_tree.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static json_value *tree;

static void tear_down(void) {
    json_free(tree);
    tree = NULL;
}

static const json_value *read_text(const char *text) {
    json_problem problem = {0, ""};
    json_free(tree);
    tree = json_read(&problem, text, strlen(text));
    ck_assert_msg(tree != NULL, "%s: %s", text, problem.what);
    return tree;
}

static void check_refused_bytes(const char *text, size_t size, size_t offset, const char *what) {
    json_problem problem = {0, ""};
    json_value *value = json_read(&problem, text, size);
    ck_assert_msg(value == NULL, "%s was read", text);
    ck_assert_str_eq(problem.what, what);
    ck_assert_msg(problem.offset == offset, "%s: at %zu, not %zu", text, problem.offset, offset);
}

static void check_refused(const char *text, size_t offset, const char *what) {
    check_refused_bytes(text, strlen(text), offset, what);
}

START_TEST(test_every_kind) {
    const json_value *root = read_text(" {\"n\":null,\"t\":true,\"f\":false,\r\n\t\"d\":-1.50e1,"
                                       "\"s\":\"x\",\"a\":[1,[],{}],\"o\":{\"k\":0}} \n");
    ck_assert_int_eq(root->kind, JSON_OBJECT);
    ck_assert_int_eq(root->count, 7);
    ck_assert_uint_eq(root->offset, 1);
    ck_assert_int_eq(json_member(root, "n")->kind, JSON_NULL);
    ck_assert(json_member(root, "t")->kind == JSON_TRUTH && json_member(root, "t")->truth);
    ck_assert(json_member(root, "f")->kind == JSON_TRUTH && !json_member(root, "f")->truth);
    ck_assert_int_eq(json_member(root, "d")->kind, JSON_NUMBER);
    ck_assert_double_eq(json_member(root, "d")->number, -15.0);
    ck_assert_str_eq(json_member(root, "d")->text, "-1.50e1");
    ck_assert_str_eq(json_member(root, "s")->text, "x");
    const json_value *array = json_member(root, "a");
    ck_assert_int_eq(array->count, 3);
    ck_assert_double_eq(array->first->number, 1.0);
    ck_assert_ptr_null(array->first->key);
    ck_assert_int_eq(array->first->next->kind, JSON_ARRAY);
    ck_assert_ptr_null(array->first->next->first);
    ck_assert_ptr_null(array->first->next->next->next);
    ck_assert_double_eq(json_member(json_member(root, "o"), "k")->number, 0.0);
    ck_assert_ptr_null(json_member(root, "missing"));
    ck_assert_ptr_null(json_member(array, "n"));
    ck_assert_ptr_null(json_member(NULL, "n"));
}
END_TEST

START_TEST(test_strings) {
    ck_assert_str_eq(read_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")->text, "\"\\/\b\f\n\r\t");
    ck_assert_str_eq(read_text("\"\\u0041\\u00e4\\u20AC\\ud83d\\uDE00\"")->text,
                     "A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    ck_assert_str_eq(read_text("\"\xC3\xA4\xF0\x9F\x98\x80\"")->text, "\xC3\xA4\xF0\x9F\x98\x80");
    check_refused("\"abc", 4, "a string without its end");
    check_refused("\"abc\\", 5, "no such escape in a string");
    check_refused("\"a\\x\"", 3, "no such escape in a string");
    check_refused("\"a\nb\"", 2, "a control character in a string");
    check_refused("\"\\u12g4\"", 5, "\\u needs four hexadecimal digits");
    check_refused("\"\\u0000\"", 7, "the character 0 is not supported");
    check_refused("\"\\ud800x\"", 7, "half a pair of surrogates");
    check_refused("\"\\ud800\\u0041\"", 13, "half a pair of surrogates");
    check_refused("\"\\udc00\"", 7, "half a pair of surrogates");
    check_refused_bytes("\"\0\"", 3, 1, "a control character in a string");
    static const char *const wrong[] = {"\"\x80\"",         "\"\xC3\"",
                                        "\"\xC0\xAF\"",     "\"\xE0\x80\x80\"",
                                        "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
                                        "\"\xFF\""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        check_refused(wrong[i], 1, "not valid UTF-8");
}
END_TEST

START_TEST(test_numbers) {
    ck_assert_double_eq(read_text("0")->number, 0.0);
    ck_assert_double_eq(read_text("-0.25")->number, -0.25);
    ck_assert_double_eq(read_text("1E+2")->number, 100.0);
    check_refused("1e999", 5, "a number beyond a double");
    check_refused("-", 1, "a value was expected");
    check_refused("01", 1, "something stands behind the value");
    check_refused("1.", 2, "a digit was expected behind the decimal point");
    check_refused("1e", 2, "a digit was expected in the exponent");
    check_refused("+1", 0, "a value was expected");
    check_refused("NaN", 0, "a value was expected");
}
END_TEST

START_TEST(test_structure_is_strict) {
    check_refused("", 0, "a value was expected");
    check_refused("nul", 0, "no such value");
    check_refused("{\"a\":1,}", 7, "a string was expected");
    check_refused("{\"a\" 1}", 5, "`:` was expected behind a key");
    check_refused("{\"a\":1 \"b\":2}", 7, "`,` or `}` was expected");
    check_refused("{\"a\":1,\"b\":2,\"a\":3}", 16, "this key stands twice");
    check_refused("[1,]", 3, "a value was expected");
    check_refused("[1 2]", 3, "`,` or `]` was expected");
    check_refused("[1", 2, "`,` or `]` was expected");
    check_refused("{} {}", 3, "something stands behind the value");
    check_refused_bytes("1\0", 2, 1, "something stands behind the value");
}
END_TEST

START_TEST(test_depth_is_bounded) {
    char text[131];
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    text[130] = '\0';
    check_refused(text, 64, "more than 64 levels");
    text[129] = '\0';
    ck_assert_int_eq(read_text(text + 1)->kind, JSON_ARRAY);
}
END_TEST

/* Cut anywhere, or with any byte replaced: an error or a value, and nothing out of bounds. */
START_TEST(test_damaged_text) {
    static const char sample[] =
        "{\"a\":[1,-2.5e3,\"\\u00e4\\ud83d\\ude00\",null],\"b\":{\"c\":true}}";
    static const char bytes[] = {'\0', '"', '\\', '}', '9', 'u', '\x80', '\xF0'};
    json_problem problem;
    char text[sizeof sample];
    for (size_t cut = 0; cut + 1 < sizeof sample; cut++) {
        /* memory of its own, so that a byte read behind the end is one read out of bounds */
        char *part = malloc(cut + 1);
        ck_assert_ptr_nonnull(part);
        memcpy(part, sample, cut);
        ck_assert_msg(json_read(&problem, part, cut) == NULL, "cut at %zu", cut);
        ck_assert_uint_le(problem.offset, cut);
        free(part);
    }
    for (size_t at = 0; at + 1 < sizeof sample; at++) {
        for (size_t b = 0; b < sizeof bytes; b++) {
            memcpy(text, sample, sizeof sample);
            text[at] = bytes[b];
            json_value *value = json_read(&problem, text, sizeof sample - 1);
            ck_assert(value != NULL || problem.offset <= sizeof sample - 1);
            json_free(value);
        }
    }
}
END_TEST

START_TEST(test_places) {
    int64_t line, column;
    json_place(&line, &column, "ab\nc\xC3\xA4x", 0);
    ck_assert(line == 1 && column == 1);
    json_place(&line, &column, "ab\nc\xC3\xA4x", 3);
    ck_assert(line == 2 && column == 1);
    json_place(&line, &column, "ab\nc\xC3\xA4x", 6);
    ck_assert(line == 2 && column == 3);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("json_tree");
    TCase *cases = tcase_create("json_tree");
    tcase_add_checked_fixture(cases, NULL, tear_down);
    tcase_add_test(cases, test_every_kind);
    tcase_add_test(cases, test_strings);
    tcase_add_test(cases, test_numbers);
    tcase_add_test(cases, test_structure_is_strict);
    tcase_add_test(cases, test_depth_is_bounded);
    tcase_add_test(cases, test_damaged_text);
    tcase_add_test(cases, test_places);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
