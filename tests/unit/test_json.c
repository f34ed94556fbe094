/* The JSON reader: what it takes, what it refuses and where, and that no bytes make it crash. */
#include "core/json.h"
#include "core/memory.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ar_json_document document;

static void tear_down(void) {
    ar_json_free(&document);
}

static const ar_json *parse(const char *text) {
    ar_json_free(&document);
    ck_assert_msg(ar_json_parse(&document, text, strlen(text)) == ALTERREC_OK, "%s: %s", text,
                  alterrec_last_error());
    return document.root;
}

static void check_refused(const char *text, size_t size, const char *error) {
    ar_json_free(&document);
    ck_assert_msg(ar_json_parse(&document, text, size) == ALTERREC_ERROR_PARSE, "%s", text);
    ck_assert_str_eq(alterrec_last_error(), error);
    ck_assert_ptr_null(document.root);
    ck_assert_ptr_null(document.chunks);
}

START_TEST(test_every_kind) {
    const ar_json *root = parse(" {\"n\":null, \"t\":true,\"f\":false,\r\n\t\"i\":-12,\"d\":1.5e1,"
                                "\"s\":\"x\",\"a\":[1,[],{}],\"o\":{\"k\":2}} \n");
    ck_assert_int_eq(root->kind, AR_JSON_OBJECT);
    ck_assert_int_eq(root->count, 8);
    ck_assert_int_eq(ar_json_member(root, "n")->kind, AR_JSON_NULL);
    ck_assert(ar_json_member(root, "t")->kind == AR_JSON_BOOL && ar_json_member(root, "t")->truth);
    ck_assert(ar_json_member(root, "f")->kind == AR_JSON_BOOL && !ar_json_member(root, "f")->truth);
    ck_assert_int_eq(ar_json_member(root, "i")->kind, AR_JSON_INT);
    ck_assert_int_eq(ar_json_member(root, "i")->integer, -12);
    ck_assert_double_eq(ar_json_member(root, "i")->number, -12.0);
    ck_assert_int_eq(ar_json_member(root, "d")->kind, AR_JSON_DOUBLE);
    ck_assert_double_eq(ar_json_member(root, "d")->number, 15.0);
    ck_assert_str_eq(ar_json_member(root, "s")->text, "x");
    ck_assert_uint_eq(ar_json_member(root, "s")->offset, 56);
    const ar_json *array = ar_json_member(root, "a");
    ck_assert_int_eq(array->kind, AR_JSON_ARRAY);
    ck_assert_int_eq(array->count, 3);
    ck_assert_ptr_null(array->first->key);
    ck_assert_int_eq(array->first->integer, 1);
    ck_assert_int_eq(array->first->next->kind, AR_JSON_ARRAY);
    ck_assert_ptr_null(array->first->next->first);
    ck_assert_int_eq(array->first->next->next->kind, AR_JSON_OBJECT);
    ck_assert_ptr_null(array->first->next->next->next);
    ck_assert_int_eq(ar_json_member(ar_json_member(root, "o"), "k")->integer, 2);
    ck_assert_ptr_null(ar_json_member(root, "missing"));
    ck_assert_ptr_null(ar_json_member(array, "n"));
    ck_assert_ptr_null(ar_json_member(NULL, "n"));
}
END_TEST

START_TEST(test_numbers) {
    ck_assert_int_eq(parse("0")->integer, 0);
    ck_assert_int_eq(parse("9223372036854775807")->integer, INT64_MAX);
    ck_assert_int_eq(parse("-9223372036854775808")->integer, INT64_MIN);
    ck_assert_int_eq(parse("9223372036854775808")->kind, AR_JSON_DOUBLE);
    ck_assert_double_eq(parse("9223372036854775808")->number, 0x1p63);
    ck_assert_int_eq(parse("1e0")->kind, AR_JSON_DOUBLE);
    ck_assert_double_eq(parse("-0.25E+2")->number, -25.0);
    ck_assert_double_eq(parse("25e-2")->number, 0.25);
    static const char *const refused[][2] = {
        {"01", "offset 1: something stands behind the value"},
        {"+1", "offset 0: a value was expected"},
        {"-", "offset 1: a value was expected"},
        {".5", "offset 0: a value was expected"},
        {"1.", "offset 2: a digit was expected behind the decimal point"},
        {"1.e2", "offset 2: a digit was expected behind the decimal point"},
        {"1e", "offset 2: a digit was expected in the exponent"},
        {"1e+-1", "offset 3: a digit was expected in the exponent"},
        {"[1e999]", "offset 1: a number beyond a double, or longer than 63 characters"},
        {"0x10", "offset 1: something stands behind the value"},
        {"NaN", "offset 0: a value was expected"},
        {"Infinity", "offset 0: a value was expected"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        check_refused(refused[i][0], strlen(refused[i][0]), refused[i][1]);
}
END_TEST

START_TEST(test_strings) {
    ck_assert_str_eq(parse("\"\"")->text, "");
    ck_assert_str_eq(parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")->text, "\"\\/\b\f\n\r\t");
    ck_assert_str_eq(parse("\"a\\u0041\\u00e9\\u20AC\\ud83d\\uDE00z\"")->text,
                     "aA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
    ck_assert_str_eq(parse("\"\xC3\xA9\xF0\x9F\x98\x80\"")->text, "\xC3\xA9\xF0\x9F\x98\x80");
    ck_assert_str_eq(parse("\"\\uFFFF\\u0080\\u07ff\\u0800\"")->text,
                     "\xEF\xBF\xBF\xC2\x80\xDF\xBF\xE0\xA0\x80");
    ck_assert_ptr_nonnull(ar_json_member(parse("{\"\\u006b\":1}"), "k"));
    static const char *const refused[][2] = {
        {"\"abc", "offset 0: a string without its end"},
        {"\"abc\\\"", "offset 0: a string without its end"},
        {"\"abc\\", "offset 0: a string without its end"},
        {"\"a\nb\"", "offset 2: a control character in a string"},
        {"\"\\x\"", "offset 2: no such escape in a string"},
        {"\"\\u12\"", "offset 5: \\u needs four hexadecimal digits"},
        {"\"\\u12g4\"", "offset 5: \\u needs four hexadecimal digits"},
        {"\"\\udc00\"", "offset 7: low surrogate without a high one before it"},
        {"\"\\ud800\"", "offset 7: high surrogate without a low one behind it"},
        {"\"\\ud800x\"", "offset 7: high surrogate without a low one behind it"},
        {"\"\\ud800\\ud800\"", "offset 13: high surrogate without a low one behind it"},
        {"\"\\u0000\"", "offset 7: the character 0 is not supported"},
        {"\"\xC0\x80\"", "offset 1: not valid UTF-8"},
        {"\"\xED\xA0\x80\"", "offset 1: not valid UTF-8"},
        {"\"\xE2\x82\"", "offset 1: not valid UTF-8"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        check_refused(refused[i][0], strlen(refused[i][0]), refused[i][1]);
    check_refused("1\0", 2, "offset 1: not valid UTF-8");
}
END_TEST

START_TEST(test_structure_is_strict) {
    static const char *const refused[][2] = {
        {"", "offset 0: a value was expected"},
        {"  ", "offset 2: a value was expected"},
        {"tru", "offset 0: a value was expected"},
        {"nulL", "offset 0: a value was expected"},
        {"truefalse", "offset 4: something stands behind the value"},
        {"[1,]", "offset 3: a value was expected"},
        {"[,1]", "offset 1: a value was expected"},
        {"[1 2]", "offset 3: `,` or `]` was expected"},
        {"[1}", "offset 2: `,` or `]` was expected"},
        {"[", "offset 1: a value was expected"},
        {"{\"a\":1,}", "offset 7: a string was expected"},
        {"{a:1}", "offset 1: a string was expected"},
        {"{\"a\" 1}", "offset 5: `:` was expected behind a key"},
        {"{\"a\":}", "offset 5: a value was expected"},
        {"{\"a\":1", "offset 6: `,` or `}` was expected"},
        {"{\"a\":1]", "offset 6: `,` or `}` was expected"},
        {"[] // note", "offset 3: something stands behind the value"},
        {"\xEF\xBB\xBF{}", "offset 0: a value was expected"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        check_refused(refused[i][0], strlen(refused[i][0]), refused[i][1]);
}
END_TEST

START_TEST(test_keys_are_distinct) {
    check_refused("{\"a\":1,\"b\":2,\"a\":3}", 19, "offset 17: key \"a\" stands twice");
    check_refused("{\"a\":1,\"\\u0061\":3}", 18, "offset 16: key \"a\" stands twice");
    check_refused("[{\"o\":{\"a\":1,\"a\":2}}]", 21, "offset 17: key \"a\" stands twice");
    ck_assert_int_eq(parse("{\"a\":{\"a\":1},\"b\":{\"a\":1}}")->count, 2);

    /* Many keys take another way through the check. */
    char text[1000] = "{";
    for (int i = 0; i < 50; i++)
        sprintf(text + strlen(text), "\"k%d\":%d,", i, i);
    char *end = text + strlen(text);
    strcpy(end, "\"k50\":50}");
    ck_assert_int_eq(ar_json_member(parse(text), "k37")->integer, 37);
    ck_assert_int_eq(document.root->count, 51);
    strcpy(end, "\"k13\":0}");
    char error[80];
    sprintf(error, "offset %td: key \"k13\" stands twice", end - text + 6);
    check_refused(text, strlen(text), error);
}
END_TEST

START_TEST(test_depth_is_bounded) {
    char text[200] = "";
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    const ar_json *value = parse(text);
    for (int i = 1; i < 64; i++)
        value = value->first;
    ck_assert_ptr_null(value->first);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    check_refused(text, strlen(text), "offset 64: more than 64 levels");
}
END_TEST

START_TEST(test_large_documents) {
    /* More than the largest chunk, with one string larger than any chunk. */
    enum { VALUES = 100000, LETTERS = 3 << 20 };
    char *text = malloc(VALUES * 10 + LETTERS + 10), *end = text;
    *end++ = '[';
    for (int i = 0; i < VALUES; i++)
        end += sprintf(end, "%d,", i);
    *end++ = '"';
    memset(end, 'x', LETTERS);
    end += LETTERS;
    strcpy(end, "\"]");
    const ar_json *value = parse(text)->first;
    for (int i = 0; i < VALUES; i++, value = value->next)
        ck_assert_int_eq(value->integer, i);
    ck_assert_uint_eq(strlen(value->text), LETTERS);
    free(text);
}
END_TEST

static const char sample[] =
    "{\"__metadata__\":{\"a\":\"\\u00e9\\ud83d\\ude00\\n\"},\"t\":{\"shape\":[2,3],\"d\":-1.5e-3,"
    "\"o\":[true,false,null,\"\xC3\xA9\"]},\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":"
    "7}";

/* Each byte replaced by each other one, and each cut: read or refused, never worse. The text is in
 * memory of its own size, so that the sanitizers see a step beyond it. */
START_TEST(test_damaged_text) {
    size_t size = sizeof sample - 1;
    int refused = 0;
    for (size_t i = 0; i < size; i++)
        for (int byte = 0; byte < 256; byte++) {
            char *text = malloc(size);
            memcpy(text, sample, size);
            text[i] = (char)byte;
            alterrec_status status = ar_json_parse(&document, text, size);
            ck_assert(status == ALTERREC_OK || status == ALTERREC_ERROR_PARSE);
            ck_assert((document.root != NULL) == (status == ALTERREC_OK));
            refused += status != ALTERREC_OK;
            ar_json_free(&document);
            free(text);
        }
    ck_assert_int_gt(refused, 10000);
    for (size_t cut = 0; cut < size; cut++) {
        char *text = malloc(cut + (cut == 0));
        memcpy(text, sample, cut);
        ck_assert_int_eq(ar_json_parse(&document, text, cut), ALTERREC_ERROR_PARSE);
        free(text);
    }
}
END_TEST

START_TEST(test_out_of_memory) {
    int64_t n = 1;
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    for (; status == ALTERREC_ERROR_OUT_OF_MEMORY; n++) {
        ar_memory_fail_after(n);
        status = ar_json_parse(&document, sample, sizeof sample - 1);
        ar_memory_fail_after(0);
        ck_assert((document.root != NULL) == (status == ALTERREC_OK));
    }
    ck_assert_int_eq(status, ALTERREC_OK);
    ck_assert_int_gt(n, 4);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("json");
    TCase *cases = tcase_create("json");
    tcase_add_checked_fixture(cases, NULL, tear_down);
    tcase_add_test(cases, test_every_kind);
    tcase_add_test(cases, test_numbers);
    tcase_add_test(cases, test_strings);
    tcase_add_test(cases, test_structure_is_strict);
    tcase_add_test(cases, test_keys_are_distinct);
    tcase_add_test(cases, test_depth_is_bounded);
    tcase_add_test(cases, test_large_documents);
    tcase_add_test(cases, test_damaged_text);
    tcase_add_test(cases, test_out_of_memory);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
