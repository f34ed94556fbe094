/* The option table, values set and got by key, typed reading, and what happens out of memory. */
#include "core/file.h"
#include "core/memory.h"
#include "data/config.h"
#include "data/option_value.h"

#include <check.h>
#include <glob.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static alterrec_config *config;

static void set_up(void) {
    ck_assert_int_eq(alterrec_config_create(&config), ALTERREC_OK);
}

static void tear_down(void) {
    alterrec_config_free(config);
}

static const char *get(const char *key) {
    const char *value = NULL;
    ck_assert_int_eq(alterrec_config_get(&value, config, key), ALTERREC_OK);
    return value;
}

static void set(const char *key, const char *value) {
    ck_assert_msg(alterrec_config_set(config, key, value) == ALTERREC_OK, "%s",
                  alterrec_last_error());
}

/* `key` takes `given` and gives it back as `kept`. */
static void check_kept(const char *key, const char *given, const char *kept) {
    set(key, given);
    ck_assert_str_eq(get(key), kept);
    set(key, get(key));
    ck_assert_str_eq(get(key), kept);
}

/* `key` refuses `value` with exactly this text and keeps what it has, the borrowed pointer too. */
static void check_refused(const char *key, const char *value, const char *text) {
    const char *before = get(key);
    ck_assert_int_eq(alterrec_config_set(config, key, value), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_str_eq(alterrec_last_error(), text);
    ck_assert_ptr_eq(get(key), before);
}

static void check_unknown(const char *key, const char *text) {
    const char *value = "untouched";
    ck_assert_int_eq(alterrec_config_set(config, key, "1"), ALTERREC_ERROR_NOT_FOUND);
    ck_assert_str_eq(alterrec_last_error(), text);
    ck_assert_int_eq(alterrec_config_get(&value, config, key), ALTERREC_ERROR_NOT_FOUND);
    ck_assert_str_eq(alterrec_last_error(), text);
    ck_assert_str_eq(value, "untouched");
}

START_TEST(test_table_is_sound) {
    int64_t count = alterrec_option_count();
    ck_assert_int_gt(count, 60);
    for (int64_t i = 0; i < count; i++) {
        const ar_option *option = ar_option_at(i);
        ck_assert_int_eq(ar_option_find(option->key), i); /* also: no key twice */
        ck_assert_uint_lt(strlen(option->key), 64);       /* ar_text_distance compares no more */
        ck_assert_msg(strchr(option->key, '.') != NULL, "%s has no group", option->key);
        ck_assert_uint_gt(strlen(option->help), 9);
        ck_assert_ptr_null(strpbrk(option->help, "\n\t"));
        ck_assert_msg(option->help[strlen(option->help) - 1] != '.', "%s", option->key);
        set(option->key, option->default_value);
        ck_assert_str_eq(get(option->key), option->default_value);
    }
}
END_TEST

START_TEST(test_groups_stand_together) {
    for (int64_t i = 1; i < alterrec_option_count(); i++) {
        const char *key = ar_option_at(i)->key, *before = ar_option_at(i - 1)->key;
        size_t group = strcspn(key, ".") + 1;
        if (strncmp(key, before, group) == 0)
            continue;
        for (int64_t j = 0; j < i; j++)
            ck_assert_msg(strncmp(key, ar_option_at(j)->key, group) != 0, "%s stands apart", key);
    }
}
END_TEST

START_TEST(test_describe) {
    int64_t count = alterrec_option_count();
    bool seen = false;
    for (int64_t i = 0; i < count; i++) {
        alterrec_option option = {.struct_size = sizeof option, .reserved = 7};
        ck_assert_int_eq(alterrec_option_describe(&option, i), ALTERREC_OK);
        ck_assert_uint_eq(option.struct_size, sizeof option);
        ck_assert_uint_eq(option.reserved, 0);
        ck_assert_str_eq(get(option.key), option.default_value);
        if (strcmp(option.key, "model.dim") == 0) {
            seen = true;
            ck_assert_str_eq(option.type, "int");
            ck_assert_str_eq(option.default_value, "300");
            ck_assert_str_eq(option.range, "1..4096");
        }
    }
    ck_assert(seen);
}
END_TEST

START_TEST(test_describe_refuses) {
    alterrec_option option = {.struct_size = sizeof option};
    ck_assert_int_eq(alterrec_option_describe(NULL, 0), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_option_describe(&option, -1), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "index -1 is outside 0.."));
    ck_assert_int_eq(alterrec_option_describe(&option, alterrec_option_count()),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_null(option.key);
    option.struct_size = 0;
    ck_assert_int_eq(alterrec_option_describe(&option, 0), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "struct_size is 0"));
    option.struct_size = sizeof option + 8; /* a host with a later header */
    ck_assert_int_eq(alterrec_option_describe(&option, 0), ALTERREC_OK);
}
END_TEST

START_TEST(test_values_have_one_form) {
    check_kept("model.dim", "0064", "64");
    check_kept("model.dim", "+1", "1");
    check_kept("model.dim", "4096", "4096");
    check_kept("train.seed", "4611686018427387904", "4611686018427387904");
    check_kept("fusion.alpha", "0.50", "0.5");
    check_kept("fusion.alpha", "-0", "0");
    check_kept("fusion.alpha", ".25", "0.25");
    check_kept("fusion.alpha", "1e-1", "0.1");
    check_kept("fusion.alpha", "0.1234567890123456", "0.1234567890123456");
    check_kept("fusion.alpha", "auto", "auto");
    check_kept("optimizer.learning_rate", "10", "10");
    check_kept("optimizer.learning_rate", "5e-324", "4.94066e-324");
    check_kept("text.tfidf", "false", "false");
    check_kept("model.init", "usual", "usual");
    check_kept("data.train", "", "");
    check_kept("data.train", " a \"b\"\n: # é 日本 ", " a \"b\"\n: # é 日本 ");
    check_kept("eval.ks", " 1 , 3,20 ", "1,3,20");
    check_kept("eval.ks", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,1000000",
               "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,1000000");
    check_kept("eval.groups", "", "");
    check_kept("eval.groups", " [0, 5) ,(5,9]( 9 , inf )", "[0,5) (5,9] (9,inf)");
}
END_TEST

START_TEST(test_numbers_are_checked) {
    check_refused("model.dim", "0", "model.dim: \"0\" is outside 1..4096");
    check_refused("model.dim", "4097", "model.dim: \"4097\" is outside 1..4096");
    check_refused("model.dim", "", "model.dim: \"\" is not a whole number in 1..4096");
    check_refused("model.dim", "3.0", "model.dim: \"3.0\" is not a whole number in 1..4096");
    check_refused("model.dim", " 3", "model.dim: \" 3\" is not a whole number in 1..4096");
    check_refused("model.dim", "99999999999999999999",
                  "model.dim: \"99999999999999999999\" is not a whole number in 1..4096");
    check_refused("fusion.alpha", "1.0000001",
                  "fusion.alpha: \"1.0000001\" is outside auto | 0..1");
    check_refused("fusion.alpha", "-1e-9", "fusion.alpha: \"-1e-9\" is outside auto | 0..1");
    check_refused("fusion.alpha", "nan", "fusion.alpha: \"nan\" is none of auto | 0..1");
    check_refused("fusion.alpha", "aut", "fusion.alpha: \"aut\" is none of auto | 0..1");
    check_refused("fusion.alpha", "auto ", "fusion.alpha: \"auto \" is none of auto | 0..1");
    check_refused("model.dropout", "auto",
                  "model.dropout: \"auto\" is not a finite number in 0..0.9");
    check_refused("fusion.alpha", "inf", "fusion.alpha: \"inf\" is none of auto | 0..1");
    check_refused("fusion.alpha", "1e999", "fusion.alpha: \"1e999\" is none of auto | 0..1");
    check_refused("fusion.alpha", "0,5", "fusion.alpha: \"0,5\" is none of auto | 0..1");
    check_refused("fusion.alpha", "", "fusion.alpha: \"\" is none of auto | 0..1");
    check_refused("optimizer.learning_rate", "0",
                  "optimizer.learning_rate: \"0\" is outside >0..10");
    check_refused("optimizer.beta1", "1", "optimizer.beta1: \"1\" is outside 0..0.999999");
}
END_TEST

START_TEST(test_words_are_checked) {
    check_refused("text.tfidf", "yes", "text.tfidf: \"yes\" is none of true | false");
    check_refused("text.tfidf", "", "text.tfidf: \"\" is none of true | false");
    check_refused("model.init", "Usual", "model.init: \"Usual\" is none of reference | usual");
    check_refused("model.init", "reference | usual",
                  "model.init: \"reference | usual\" is none of reference | usual");
    check_refused("model.init", "us", "model.init: \"us\" is none of reference | usual");
    check_refused("data.item_column", "", "data.item_column: the value is empty");
    check_refused("data.train", "a\xff", "data.train: the value's byte 2, 0xFF, is not UTF-8 text");
}
END_TEST

START_TEST(test_lists_are_checked) {
#define RANGE " 1..1000000, ascending, at most 16"
    check_refused("eval.ks", "", "eval.ks: \"\" is not a list of whole numbers in" RANGE);
    check_refused("eval.ks", "1,,2", "eval.ks: \"1,,2\" is not a list of whole numbers in" RANGE);
    check_refused("eval.ks", "1,2,", "eval.ks: \"1,2,\" is not a list of whole numbers in" RANGE);
    check_refused("eval.ks", "1 2", "eval.ks: \"1 2\" is not a list of whole numbers in" RANGE);
    check_refused("eval.ks", "0,1", "eval.ks: \"0,1\" has a number outside" RANGE);
    check_refused("eval.ks", "1000001", "eval.ks: \"1000001\" has a number outside" RANGE);
    check_refused("eval.ks", "5,5",
                  "eval.ks: \"5,5\" does not ascend; expected are numbers in" RANGE);
    check_refused("eval.ks", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
                  "eval.ks: \"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\" has too many numbers; "
                  "expected are numbers in" RANGE);
#undef RANGE
}
END_TEST

START_TEST(test_ranges_are_checked) {
#define EXPECTED "; expected are intervals of whole numbers, at most 16"
    static const char *const malformed[] = {
        "0,10",   "[0,10",   "[a,10)", "[0;10)",
        "[-1,5)", "[0,10)x", "[,5)",   "[0,99999999999999999999)"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "eval.groups: \"%s\" is not like \"[0,10) [10,30] (30,inf)\"" EXPECTED,
                 malformed[i]);
        check_refused("eval.groups", malformed[i], text);
    }
    check_refused("eval.groups", "[5,inf]", "eval.groups: \"[5,inf]\" includes inf" EXPECTED);
    check_refused("eval.groups", "[5,5)",
                  "eval.groups: \"[5,5)\" has an interval that holds no number" EXPECTED);
    check_refused("eval.groups", "(5,6)",
                  "eval.groups: \"(5,6)\" has an interval that holds no number" EXPECTED);
    check_refused("eval.groups", "[0,1),", "eval.groups: \"[0,1),\" ends with a comma" EXPECTED);
    char many[17 * 6 + 1] = "";
    for (int i = 0; i < 16; i++)
        strcat(many, "[0,1) ");
    set("eval.groups", many);
    strcat(many, "[0,1)");
    ck_assert_int_eq(alterrec_config_set(config, "eval.groups", many),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "has too many intervals" EXPECTED));
#undef EXPECTED
}
END_TEST

START_TEST(test_long_values_are_cut_in_errors) {
    char value[400] = "";
    for (int i = 0; i < 150; i++)
        strcat(value, "é");
    ck_assert_int_eq(alterrec_config_set(config, "model.dim", value),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    const char *text = alterrec_last_error();
    ck_assert(ar_text_is_utf8(text, strlen(text), NULL));
    ck_assert_ptr_nonnull(strstr(text, "é\"... is not a whole number in 1..4096"));
    ck_assert_uint_lt(strlen(text), 150);

    char shown[10];
    ck_assert_str_eq(ar_option_quote(shown, sizeof shown, "a\nb", 3), "\"a?b\"");
    ck_assert_str_eq(ar_option_quote(shown, sizeof shown, "abcde", 5), "\"abcd\"...");
}
END_TEST

START_TEST(test_unknown_keys) {
    check_unknown("model.dmi", "no option \"model.dmi\"; did you mean \"model.dim\"?");
    check_unknown("modle.dim", "no option \"modle.dim\"; did you mean \"model.dim\"?");
    check_unknown("model.dims", "no option \"model.dims\"; did you mean \"model.dim\"?");
    check_unknown("Model.Dim", "no option \"Model.Dim\"; did you mean \"model.dim\"?");
    check_unknown("dim", "no option \"dim\"; did you mean \"model.dim\"?");
    check_unknown("learning-rate",
                  "no option \"learning-rate\"; did you mean \"optimizer.learning_rate\"?");
    check_unknown("train.max_len", "no option \"train.max_len\"; did you mean \"model.max_len\"?");
    check_unknown("text.dimm", "no option \"text.dimm\"; did you mean \"text.dim\"?");
    check_unknown("model", "\"model\" is a group of options, not an option");
    check_unknown("completely.different", "no option \"completely.different\"");
    check_unknown("", "no option \"\"");
    check_unknown("model.", "no option \"model.\"; did you mean \"model.dim\"?");
}
END_TEST

START_TEST(test_null_arguments) {
    const char *value = "untouched";
    ck_assert_int_eq(alterrec_config_create(NULL), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_str_eq(alterrec_last_error(), "alterrec_config_create: argument `config` is NULL");
    ck_assert_int_eq(alterrec_config_clone(NULL, config), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_config_set(NULL, "model.dim", "3"), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_config_set(config, NULL, "3"), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_config_set(config, "model.dim", NULL),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_str_eq(alterrec_last_error(), "alterrec_config_set: argument `value` is NULL");
    ck_assert_int_eq(alterrec_config_get(NULL, config, "model.dim"),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_config_get(&value, config, NULL), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_str_eq(value, "untouched");
    alterrec_config_free(NULL);
    ck_assert_str_eq(get("model.dim"), "300");
}
END_TEST

START_TEST(test_null_config_is_all_defaults) {
    const char *value = NULL;
    ck_assert_int_eq(alterrec_config_get(&value, NULL, "model.dim"), ALTERREC_OK);
    ck_assert_str_eq(value, "300");
    alterrec_config *copy;
    ck_assert_int_eq(alterrec_config_clone(&copy, NULL), ALTERREC_OK);
    ck_assert_int_eq(ar_config_int(copy, "negatives.k2"), 20000);
    alterrec_config_free(copy);
}
END_TEST

START_TEST(test_clone_stands_alone) {
    set("model.dim", "64");
    alterrec_config *copy;
    ck_assert_int_eq(alterrec_config_clone(&copy, config), ALTERREC_OK);
    set("model.dim", "128");
    set("data.train", "a.tsv");
    ck_assert_int_eq(ar_config_int(copy, "model.dim"), 64);
    ck_assert_str_eq(ar_config_text(copy, "data.train"), "");
    alterrec_config_free(copy);
    ck_assert_int_eq(ar_config_int(config, "model.dim"), 128);
}
END_TEST

START_TEST(test_borrowed_text_may_be_set) {
    set("data.train", "a.tsv");
    const char *borrowed = get("data.train");
    set("data.valid", borrowed);
    ck_assert_str_eq(borrowed, "a.tsv"); /* setting another option leaves it alive */
    set("data.train", borrowed);
    ck_assert_str_eq(get("data.train"), "a.tsv");
}
END_TEST

/* The typed readers, on `from`, which holds the defaults. */
static void check_typed_defaults(const alterrec_config *from) {
    int64_t ks[16], low[16], high[16];
    ck_assert_int_eq(ar_config_int(from, "model.dim"), 300);
    ck_assert_double_eq(ar_config_float(from, "model.temperature"), 0.07);
    ck_assert_double_eq(ar_config_float(from, "optimizer.epsilon"), 1e-8);
    ck_assert(ar_config_bool(from, "text.tfidf"));
    ck_assert_str_eq(ar_config_text(from, "data.session_column"), "session");
    ck_assert_int_eq(ar_config_choice(from, "optimizer.decay"), 0);
    ck_assert_int_eq(ar_config_list(ks, 16, from, "eval.ks"), 6);
    ck_assert_int_eq(ks[0], 1);
    ck_assert_int_eq(ks[5], 50);
    ck_assert_int_eq(ar_config_ranges(low, high, 16, from, "eval.groups"), 5);
    static const int64_t lows[] = {0, 10, 0, 30, 100}, highs[] = {10, 30, 31, 100, -1};
    ck_assert_mem_eq(low, lows, sizeof lows);
    ck_assert_mem_eq(high, highs, sizeof highs);
}

START_TEST(test_typed_reading) {
    check_typed_defaults(NULL);
    check_typed_defaults(config);
    set("text.tfidf", "false");
    ck_assert(!ar_config_bool(config, "text.tfidf"));
    static const char *const decays[] = {"step", "cosine", "plateau", "none"};
    for (int i = 0; i < 4; i++) {
        set("optimizer.decay", decays[i]);
        ck_assert_int_eq(ar_config_choice(config, "optimizer.decay"), i);
    }
    int64_t ks[3] = {0, 0, 7}, low[2] = {0, 7}, high[2] = {0, 7};
    ck_assert_int_eq(ar_config_list(ks, 2, config, "eval.ks"), 6);
    ck_assert_int_eq(ks[1], 3);
    ck_assert_int_eq(ks[2], 7); /* not more than asked for */
    set("eval.groups", "(3,7] [9,inf)");
    ck_assert_int_eq(ar_config_ranges(low, high, 1, config, "eval.groups"), 2);
    ck_assert_int_eq(low[0], 4);
    ck_assert_int_eq(high[0], 8);
    ck_assert_int_eq(low[1], 7);
    set("eval.groups", "");
    ck_assert_int_eq(ar_config_ranges(low, high, 1, config, "eval.groups"), 0);
}
END_TEST

START_TEST(test_every_locale_reads_alike) {
    /* Where the machine has a locale with a decimal comma, it makes no difference. */
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "de_DE.utf8") == NULL &&
        setlocale(LC_ALL, "fr_FR.UTF-8") == NULL)
        return;
    check_kept("fusion.alpha", "0.25", "0.25");
    ck_assert_double_eq(ar_config_float(config, "fusion.alpha"), 0.25);
}
END_TEST

/* The key inside the call at `call`, if it is written out there; its end is *end. */
static const char *literal_key(const char *call, size_t *length) {
    const char *mark = call + strcspn(call, "\";{");
    if (*mark != '"')
        return NULL;
    *length = strcspn(mark + 1, "\"");
    return mark + 1;
}

/* Checks every ar_config_<type>(..., "key") of one source; returns how many there are. */
static int check_source(const char *path, const char *source) {
    static const struct {
        const char *call;
        ar_option_type type;
    } calls[] = {{"ar_config_int(", AR_INT},       {"ar_config_float(", AR_FLOAT},
                 {"ar_config_bool(", AR_BOOL},     {"ar_config_text(", AR_TEXT},
                 {"ar_config_is_auto(", AR_FLOAT}, {"ar_config_choice(", AR_CHOICE},
                 {"ar_config_list(", AR_LIST},     {"ar_config_ranges(", AR_RANGES}};
    int found = 0;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        for (const char *at = source; (at = strstr(at, calls[i].call)) != NULL; at++) {
            size_t length;
            const char *literal = literal_key(at, &length);
            if (literal == NULL)
                continue;
            char key[128];
            snprintf(key, sizeof key, "%.*s", (int)length, literal);
            int64_t index = ar_option_find(key);
            ck_assert_msg(index >= 0, "%s: no option \"%s\"", path, key);
            ck_assert_msg(ar_option_at(index)->type == calls[i].type, "%s: %s\"%s\"): it is %s",
                          path, calls[i].call, key, ar_option_type_name(ar_option_at(index)->type));
            found++;
        }
    return found;
}

START_TEST(test_keys_in_the_source_are_in_the_table) {
    ck_assert_int_eq(check_source("here", "x = ar_config_int(config, \"model.dim\");"), 1);
    glob_t sources;
    ck_assert_int_eq(glob(TEST_DATA "/../../lib/*/*.c", 0, NULL, &sources), 0);
    for (size_t i = 0; i < sources.gl_pathc; i++) {
        ar_map map;
        ck_assert_int_eq(ar_map_open(&map, sources.gl_pathv[i]), ALTERREC_OK);
        char *source = ar_copy_text(map.bytes, map.size);
        (void)check_source(sources.gl_pathv[i], source);
        ar_free(source);
        ar_map_close(&map);
    }
    globfree(&sources);
}
END_TEST

START_TEST(test_create_and_clone_without_memory) {
    set("model.dim", "64");
    set("data.train", "a.tsv");
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    int failures = 0;
    for (int64_t n = 1; status != ALTERREC_OK; n++) {
        alterrec_config *copy = config;
        ar_memory_fail_after(n);
        status = alterrec_config_clone(&copy, config);
        ar_memory_fail_after(0);
        if (status != ALTERREC_OK) {
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            ck_assert_ptr_null(copy);
            failures++;
            continue;
        }
        ck_assert_int_eq(ar_config_int(copy, "model.dim"), 64);
        alterrec_config_free(copy);
    }
    ck_assert_int_eq(failures, 4); /* the handle, its array, two texts */
    alterrec_config *fresh = config;
    ar_memory_fail_after(2);
    ck_assert_int_eq(alterrec_config_create(&fresh), ALTERREC_ERROR_OUT_OF_MEMORY);
    ar_memory_fail_after(0);
    ck_assert_ptr_null(fresh);
}
END_TEST

START_TEST(test_set_without_memory) {
    static const char *const settings[][2] = {
        {"model.dim", "64"}, {"fusion.alpha", "0.25"},       {"data.train", "some/long/path.tsv"},
        {"eval.ks", "1,2"},  {"eval.groups", "[0,5) [5,9)"}, {"model.init", "usual"}};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const char *key = settings[i][0], *before = get(key);
        alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
        int64_t n = 1;
        for (; status != ALTERREC_OK; n++) {
            ck_assert_ptr_eq(get(key), before);
            ar_memory_fail_after(n);
            status = alterrec_config_set(config, key, settings[i][1]);
            ar_memory_fail_after(0);
            ck_assert(status == ALTERREC_OK || status == ALTERREC_ERROR_OUT_OF_MEMORY);
        }
        ck_assert_int_gt(n, 2); /* at least one allocation did fail */
        ck_assert_str_eq(get(key), settings[i][1]);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("config");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_table_is_sound);
    tcase_add_test(cases, test_groups_stand_together);
    tcase_add_test(cases, test_describe);
    tcase_add_test(cases, test_describe_refuses);
    tcase_add_test(cases, test_values_have_one_form);
    tcase_add_test(cases, test_numbers_are_checked);
    tcase_add_test(cases, test_words_are_checked);
    tcase_add_test(cases, test_lists_are_checked);
    tcase_add_test(cases, test_ranges_are_checked);
    tcase_add_test(cases, test_long_values_are_cut_in_errors);
    tcase_add_test(cases, test_unknown_keys);
    tcase_add_test(cases, test_null_arguments);
    tcase_add_test(cases, test_null_config_is_all_defaults);
    tcase_add_test(cases, test_clone_stands_alone);
    tcase_add_test(cases, test_borrowed_text_may_be_set);
    tcase_add_test(cases, test_typed_reading);
    tcase_add_test(cases, test_every_locale_reads_alike);
    tcase_add_test(cases, test_keys_in_the_source_are_in_the_table);
    tcase_add_test(cases, test_create_and_clone_without_memory);
    tcase_add_test(cases, test_set_without_memory);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
