/* Options from YAML and back: places of errors, all or nothing, files, out of memory. */
#include "core/file.h"
#include "core/memory.h"
#include "data/config.h"
#include "data/option_table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static alterrec_config *config;
static char folder[256];
static char path[300]; /* of a file in `folder` */

static void set_up(void) {
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/config_yaml_XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/options.yaml", folder);
    ck_assert_int_eq(alterrec_config_create(&config), ALTERREC_OK);
}

static void tear_down(void) {
    alterrec_config_free(config);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left behind */
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

static void read_text(const char *text) {
    ck_assert_msg(alterrec_config_read_text(config, text, strlen(text)) == ALTERREC_OK, "%s: %s",
                  text, alterrec_last_error());
}

/* The text is refused with this status and exactly this error; no option changes. */
static void check_refused_bytes(const char *text, size_t size, alterrec_status status,
                                const char *error) {
    set("model.blocks", "7");
    const char *before = get("model.blocks");
    ck_assert_msg(alterrec_config_read_text(config, text, size) == status, "%s: status, %s", text,
                  alterrec_last_error());
    ck_assert_str_eq(alterrec_last_error(), error);
    ck_assert_ptr_eq(get("model.blocks"), before);
    for (int64_t i = 0; i < alterrec_option_count(); i++)
        if (strcmp(ar_option_at(i)->key, "model.blocks") != 0)
            ck_assert_str_eq(ar_config_text_at(config, i), ar_option_at(i)->default_value);
}

static void check_refused(const char *text, alterrec_status status, const char *error) {
    check_refused_bytes(text, strlen(text), status, error);
}

static void write_file(const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(test_every_spelling) {
    read_text("model:\n  dim: 64\n  init: 'usual'\nfusion.alpha: \"0.25\" # a comment\n");
    ck_assert_str_eq(get("model.dim"), "64");
    ck_assert_str_eq(get("model.init"), "usual");
    ck_assert_str_eq(get("fusion.alpha"), "0.25");
    read_text("{model: {dim: 32, heads: 4}, \"text.tfidf\": false}");
    ck_assert_str_eq(get("model.dim"), "32");
    ck_assert_str_eq(get("model.heads"), "4");
    ck_assert_str_eq(get("text.tfidf"), "false");
    ck_assert_str_eq(get("model.init"), "usual"); /* what a text does not name stays */
    read_text("model:\n  dim: 16\ntrain:\n  seed: 2\nmodel:\n  heads: 2\n");
    ck_assert_str_eq(get("model.dim"), "16");
    ck_assert_str_eq(get("model.heads"), "2");
    read_text("%YAML 1.1\n---\nmodel.dim: 8\n...\n");
    ck_assert_str_eq(get("model.dim"), "8");
    read_text("\xEF\xBB\xBFmodel.dim: 9\r\nmodel.heads: 3\r\n"); /* byte order mark, CRLF */
    ck_assert_str_eq(get("model.dim"), "9");
    ck_assert_str_eq(get("model.heads"), "3");
}
END_TEST

START_TEST(test_lists) {
    read_text("eval.ks: 1,5\neval.groups: \"[0,5) [5,inf)\"");
    ck_assert_str_eq(get("eval.ks"), "1,5");
    ck_assert_str_eq(get("eval.groups"), "[0,5) [5,inf)");
    read_text("eval:\n  ks:\n    - 2\n    - 10\n  groups: ['[0,9]', \"(9,inf)\"]\n");
    ck_assert_str_eq(get("eval.ks"), "2,10");
    ck_assert_str_eq(get("eval.groups"), "[0,9] (9,inf)");
    read_text("eval.ks: [20]\neval.groups: []");
    ck_assert_str_eq(get("eval.ks"), "20");
    ck_assert_str_eq(get("eval.groups"), "");
}
END_TEST

START_TEST(test_nothing_set) {
    static const char *const texts[] = {
        "",          "\n\n",     "# only a comment",           "---\n", "~", "null", "{}", "model:",
        "model: {}", "model: ~", "model:\n#  dim: 3\ntrain:\n"};
    set("model.dim", "64");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        read_text(texts[i]);
        ck_assert_str_eq(get("model.dim"), "64");
    }
    ck_assert_int_eq(alterrec_config_read_text(config, "model.dim: 3", 0), ALTERREC_OK);
    ck_assert_str_eq(get("model.dim"), "64");
}
END_TEST

START_TEST(test_null_values) {
    set("data.train", "a.tsv");
    set("data.valid", "b.tsv");
    read_text("data:\n  train:\n  valid: ~\n  test: 'null'\n");
    ck_assert_str_eq(get("data.train"), "");
    ck_assert_str_eq(get("data.valid"), "");
    ck_assert_str_eq(get("data.test"), "null");
}
END_TEST

START_TEST(test_unknown_names) {
    check_refused("model:\n  dim: 64\n  hedas: 2\n", ALTERREC_ERROR_NOT_FOUND,
                  "<text>:3:3: no option \"model.hedas\"; did you mean \"model.heads\"?");
    check_refused("modle:\n  dim: 64\n", ALTERREC_ERROR_NOT_FOUND,
                  "<text>:1:1: no group of options \"modle\"; did you mean \"model\"?");
    check_refused("zzz: {dim: 64}", ALTERREC_ERROR_NOT_FOUND,
                  "<text>:1:1: no group of options \"zzz\"");
    check_refused("model: 5", ALTERREC_ERROR_NOT_FOUND,
                  "<text>:1:1: \"model\" is a group of options, not an option");
    check_refused("model: [5]", ALTERREC_ERROR_NOT_FOUND,
                  "<text>:1:1: \"model\" is a group of options, not an option");
    check_refused("<<: {dim: 5}", ALTERREC_ERROR_NOT_FOUND,
                  "<text>:1:1: no group of options \"<<\"");
    check_refused("model: {\"\": 5}", ALTERREC_ERROR_NOT_FOUND,
                  "<text>:1:9: no option \"model.\"; did you mean \"model.dim\"?");
    char key[400] = "model: {";
    for (int i = 0; i < 30; i++)
        strcat(key, "long_long_");
    strcat(key, ": 3}");
    ck_assert_int_eq(alterrec_config_read_text(config, key, strlen(key)), ALTERREC_ERROR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "<text>:1:9: no option \"long_long_"));
}
END_TEST

START_TEST(test_values_are_checked) {
    check_refused("model:\n  dim: 0\n", ALTERREC_ERROR_INVALID_ARGUMENT,
                  "<text>:2:8: model.dim: \"0\" is outside 1..4096");
    check_refused("model.dim:", ALTERREC_ERROR_INVALID_ARGUMENT,
                  "<text>:1:11: model.dim: \"\" is not a whole number in 1..4096");
    check_refused("model.dim: ~", ALTERREC_ERROR_INVALID_ARGUMENT,
                  "<text>:1:12: model.dim: \"\" is not a whole number in 1..4096");
    check_refused("fusion: {alpha: .nan}", ALTERREC_ERROR_INVALID_ARGUMENT,
                  "<text>:1:17: fusion.alpha: \".nan\" is none of auto | 0..1");
    check_refused("data.train: \"a\\0b\"", ALTERREC_ERROR_INVALID_ARGUMENT,
                  "<text>:1:13: data.train: the value's byte 2, 0x00, is not UTF-8 text");
    check_refused("eval:\n  ks: [5, 3]\n", ALTERREC_ERROR_INVALID_ARGUMENT,
                  "<text>:2:7: eval.ks: \"5,3\" does not ascend; expected are numbers in "
                  "1..1000000, ascending, at most 16");
    check_refused("eval.ks: []", ALTERREC_ERROR_INVALID_ARGUMENT,
                  "<text>:1:10: eval.ks: \"\" is not a list of whole numbers in 1..1000000, "
                  "ascending, at most 16");
    /* Columns count characters, not bytes. */
    check_refused("{data.train: é日, model.dim: 0}", ALTERREC_ERROR_INVALID_ARGUMENT,
                  "<text>:1:29: model.dim: \"0\" is outside 1..4096");
}
END_TEST

START_TEST(test_node_kinds) {
    check_refused("model:\n  dim: [1]\n", ALTERREC_ERROR_PARSE,
                  "<text>:2:8: model.dim: a sequence stands where one value is expected");
    check_refused("model.dim: {a: 1}", ALTERREC_ERROR_PARSE,
                  "<text>:1:12: model.dim: a mapping stands where one value is expected");
    check_refused("eval.ks: {a: 1}", ALTERREC_ERROR_PARSE,
                  "<text>:1:10: eval.ks: a mapping stands where a list is expected");
    check_refused("eval.ks: [1, [2]]", ALTERREC_ERROR_PARSE,
                  "<text>:1:14: a list has single values only");
    check_refused("? [a]\n: 3", ALTERREC_ERROR_PARSE,
                  "<text>:1:3: a key is a single value, the name of an option");
    check_refused("\"a\\0b\": 3", ALTERREC_ERROR_PARSE, "<text>:1:1: a key has no zero byte");
    check_refused("- model.dim", ALTERREC_ERROR_PARSE, "<text>:1:1: \"key: value\" is expected");
    check_refused("model.dim=3", ALTERREC_ERROR_PARSE, "<text>:1:1: \"key: value\" is expected");
    check_refused("''", ALTERREC_ERROR_PARSE, "<text>:1:1: \"key: value\" is expected");
}
END_TEST

START_TEST(test_set_twice) {
    check_refused("model.dim: 5\nmodel:\n  heads: 2\n  dim: 6\n", ALTERREC_ERROR_PARSE,
                  "<text>:4:3: model.dim is already set at 1:1");
    check_refused("model: {dim: 5, dim: 5}", ALTERREC_ERROR_PARSE,
                  "<text>:1:17: model.dim is already set at 1:9");
}
END_TEST

START_TEST(test_refused_features) {
    check_refused("model.dim: &a 3", ALTERREC_ERROR_PARSE,
                  "<text>:1:12: anchors (&) are not supported");
    check_refused("model: &a {dim: 3}", ALTERREC_ERROR_PARSE,
                  "<text>:1:8: anchors (&) are not supported");
    check_refused("eval.ks: &a [3]", ALTERREC_ERROR_PARSE,
                  "<text>:1:10: anchors (&) are not supported");
    check_refused("model.dim: *a", ALTERREC_ERROR_PARSE,
                  "<text>:1:12: aliases (*) are not supported");
    check_refused("*a : 3", ALTERREC_ERROR_PARSE, "<text>:1:1: aliases (*) are not supported");
    check_refused("eval.ks: [*a]", ALTERREC_ERROR_PARSE,
                  "<text>:1:11: aliases (*) are not supported");
    check_refused("model.dim: !!int 3", ALTERREC_ERROR_PARSE,
                  "<text>:1:12: tags (!) are not supported");
    check_refused("--- !x\nmodel.dim: 3", ALTERREC_ERROR_PARSE,
                  "<text>:1:5: tags (!) are not supported");
    check_refused("eval.ks: !!seq [3]", ALTERREC_ERROR_PARSE,
                  "<text>:1:10: tags (!) are not supported");
    check_refused("model.dim: 3\n---\nmodel.heads: 2\n", ALTERREC_ERROR_PARSE,
                  "<text>:2:1: a second document; one holds all options");
}
END_TEST

START_TEST(test_malformed_text) {
    check_refused("model:\n\tdim: 3", ALTERREC_ERROR_PARSE,
                  "<text>:2:1: found character that cannot start any token (it is a tab; use "
                  "spaces), while scanning for the next token");
    check_refused("model:\n  dim: 3\n heads: 3", ALTERREC_ERROR_PARSE,
                  "<text>:3:2: did not find expected key, while parsing a block mapping");
    check_refused("eval.groups: [0,10) [1,2]", ALTERREC_ERROR_PARSE,
                  "<text>:1:21: did not find expected ',' or ']', while parsing a flow sequence");
    check_refused("data.train: a\x01", ALTERREC_ERROR_PARSE,
                  "<text>:1:14: control characters are not allowed");
    check_refused("model.dim: 3\ndata.train: é\xff", ALTERREC_ERROR_PARSE,
                  "<text>:2:14: byte 0xFF is not UTF-8 text");
    check_refused_bytes("model.dim: 3\0 ", 14, ALTERREC_ERROR_PARSE,
                        "<text>:1:13: byte 0x00 is not UTF-8 text");
    check_refused_bytes("m\0o\0d\0e\0l\0", 10, ALTERREC_ERROR_PARSE, /* UTF-16 */
                        "<text>:1:2: byte 0x00 is not UTF-8 text");
}
END_TEST

START_TEST(test_every_cut_text_is_handled) {
    static const char text[] = "model:\n  dim: 64\neval:\n  ks: [1, \"5\"]\n  groups: '[0,5)'\n"
                               "data: {train: \"a\\u00e9\", valid: b}\n";
    for (size_t size = 0; size < sizeof text; size++) {
        alterrec_config *copy;
        ck_assert_int_eq(alterrec_config_clone(&copy, config), ALTERREC_OK);
        alterrec_status status = alterrec_config_read_text(copy, text, size);
        if (status != ALTERREC_OK)
            for (int64_t i = 0; i < alterrec_option_count(); i++)
                ck_assert_str_eq(ar_config_text_at(copy, i), ar_option_at(i)->default_value);
        alterrec_config_free(copy);
    }
}
END_TEST

START_TEST(test_deep_and_long_texts) {
    enum { SIZE = 200000 };
    static const char *const pieces[] = {"[", "{", "- ", "? ", "model: ", "a: {"};
    char *text = malloc(SIZE + 16);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t length = strlen(pieces[i]), used = 0;
        for (; used + length < SIZE; used += length)
            memcpy(text + used, pieces[i], length);
        alterrec_status status = alterrec_config_read_text(config, text, used);
        ck_assert(status == ALTERREC_ERROR_PARSE || status == ALTERREC_ERROR_NOT_FOUND);
    }
    memset(text, 'x', SIZE);
    memcpy(text, "data.train: ", 12);
    ck_assert_int_eq(alterrec_config_read_text(config, text, SIZE), ALTERREC_OK);
    ck_assert_uint_eq(strlen(get("data.train")), SIZE - 12);
    free(text);
}
END_TEST

START_TEST(test_read_keeps_borrowed_text_of_other_options) {
    set("data.train", "a.tsv");
    const char *borrowed = get("data.train");
    read_text("data.valid: b.tsv");
    ck_assert_ptr_eq(get("data.train"), borrowed);
    ck_assert_str_eq(borrowed, "a.tsv");
}
END_TEST

START_TEST(test_read_files) {
    char error[400];
    write_file("model:\n  dim: 64\n");
    ck_assert_int_eq(alterrec_config_read(config, path), ALTERREC_OK);
    ck_assert_str_eq(get("model.dim"), "64");
    write_file("");
    ck_assert_int_eq(alterrec_config_read(config, path), ALTERREC_OK);
    write_file("model:\n  dim: x\n");
    ck_assert_int_eq(alterrec_config_read(config, path), ALTERREC_ERROR_INVALID_ARGUMENT);
    snprintf(error, sizeof error, "%s:2:8: model.dim: \"x\" is not a whole number in 1..4096",
             path);
    ck_assert_str_eq(alterrec_last_error(), error);
    ck_assert_str_eq(get("model.dim"), "64");
    ck_assert_int_eq(alterrec_config_read(config, folder), ALTERREC_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "is a directory"));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(alterrec_config_read(config, path), ALTERREC_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), path));
}
END_TEST

/* Writes `config`, reads it into a fresh one, and compares every value; then the same with the
 * compact form. */
static void check_round_trip(void) {
    ck_assert_msg(alterrec_config_write(config, path) == ALTERREC_OK, "%s", alterrec_last_error());
    alterrec_config *file, *text;
    ck_assert_int_eq(alterrec_config_create(&file), ALTERREC_OK);
    ck_assert_int_eq(alterrec_config_create(&text), ALTERREC_OK);
    ck_assert_msg(alterrec_config_read(file, path) == ALTERREC_OK, "%s", alterrec_last_error());
    ar_text compact = {0};
    ck_assert_int_eq(ar_config_print(&compact, config, NULL), ALTERREC_OK);
    ck_assert_msg(ar_config_read_named(text, "m.safetensors", compact.bytes,
                                       (size_t)compact.length) == ALTERREC_OK,
                  "%s", alterrec_last_error());
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        ck_assert_str_eq(ar_config_text_at(file, i), ar_config_text_at(config, i));
        ck_assert_str_eq(ar_config_text_at(text, i), ar_config_text_at(config, i));
    }
    ar_text_free(&compact);
    alterrec_config_free(file);
    alterrec_config_free(text);
}

START_TEST(test_round_trip_of_settings) {
    check_round_trip();
    set("model.dim", "64");
    set("optimizer.learning_rate", "0.0012345678901234567");
    set("text.tfidf", "false");
    set("optimizer.decay", "none");
    set("eval.ks", "7");
    set("eval.groups", "[0,5] (5,inf)");
    check_round_trip();
    set("eval.groups", "");
    check_round_trip();
}
END_TEST

START_TEST(test_round_trip_of_nasty_texts) {
    static const char *const texts[] = {
        "",
        " ",
        " both ends ",
        "null",
        "~",
        "true",
        "0x10",
        "1e3",
        "'single' \"double\" \\back\\slash\\",
        "a: b",
        "a #b",
        "# a",
        "- a",
        "? a",
        "[a, b]",
        "{a: b}",
        "&a *b !c %d @e `f |g >h",
        "---",
        "...",
        "\\u0041 \\n",
        "line\nbreak\r\nand\rmore\n",
        "\ttab\t",
        "\x01\x02\x1b[31m\x7f",
        "\xC2\x80\xC2\x85\xC2\x9F\xC2\xA0", /* C1 controls, next line, no-break space */
        "\xE2\x80\xA8 \xE2\x80\xA9",        /* line and paragraph separators */
        "\xEF\xBB\xBF byte order mark \xEF\xBF\xBE\xEF\xBF\xBF", /* and two noncharacters */
        "\xED\x9F\xBF\xEE\x80\x80",                              /* around the surrogates */
        "日本語 ünï 😀 \xF4\x8F\xBF\xBF",
        "C:\\data\\sessions.tsv",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        set("data.train", texts[i]);
        set("data.item_text_column", texts[i]);
        check_round_trip();
    }
    char every[2] = "";
    for (int byte = 1; byte < 128; byte++) {
        every[0] = (char)byte;
        set("data.train", every);
        check_round_trip();
    }
}
END_TEST

START_TEST(test_written_form) {
    set("data.train", "a \"b\"");
    ck_assert_int_eq(alterrec_config_write(config, path), ALTERREC_OK);
    ar_map map;
    ck_assert_int_eq(ar_map_open(&map, path), ALTERREC_OK);
    char *text = ar_copy_text(map.bytes, map.size);
    ar_map_close(&map);
    ar_text compact = {0};
    ck_assert_int_eq(ar_config_print(&compact, config, NULL), ALTERREC_OK);
    ck_assert_ptr_null(strchr(compact.bytes, '#'));
    ck_assert_ptr_eq(strstr(compact.bytes, "compute:\n  precision: f32\n  ranking: same\n  threads: 0\nmodel:\n"), compact.bytes);
    ar_text_free(&compact);
    ck_assert_ptr_eq(strstr(text, "compute:\n  # "), text);
    ck_assert_ptr_nonnull(strstr(text, "\n\nmodel:\n  # "));
    ck_assert_ptr_nonnull(strstr(text, " (1..4096)\n  dim: 300\n  # "));
    ck_assert_ptr_nonnull(strstr(text, "\n  ks: [1,3,5,10,20,50]\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n  train: \"a \\u0022b\\u0022\"\n"));
    ar_free(text);
}
END_TEST

START_TEST(test_write_failures) {
    write_file("keep me");
    ar_writer_fail_after(1);
    ck_assert_int_eq(alterrec_config_write(config, path), ALTERREC_ERROR_IO);
    ar_writer_fail_after(0);
    ar_map map;
    ck_assert_int_eq(ar_map_open(&map, path), ALTERREC_OK);
    ck_assert_uint_eq(map.size, 7); /* the old file is whole; tear_down sees that it is alone */
    ar_map_close(&map);
    char missing[400];
    snprintf(missing, sizeof missing, "%s/no/such/folder.yaml", folder);
    ck_assert_int_eq(alterrec_config_write(config, missing), ALTERREC_ERROR_IO);
    ck_assert_int_eq(alterrec_config_write(config, folder), ALTERREC_ERROR_IO);
}
END_TEST

START_TEST(test_null_arguments) {
    ck_assert_int_eq(alterrec_config_read(NULL, path), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_config_read(config, NULL), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_str_eq(alterrec_last_error(), "alterrec_config_read: argument `path` is NULL");
    ck_assert_int_eq(alterrec_config_read_text(NULL, "", 0), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_config_read_text(config, NULL, 1), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_config_write(config, NULL), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_config_write(NULL, path), ALTERREC_OK); /* all defaults */
    ck_assert_int_eq(alterrec_config_read(config, path), ALTERREC_OK);
    ck_assert_str_eq(get("model.dim"), "300");
}
END_TEST

START_TEST(test_read_without_memory) {
    static const char text[] = "model: {dim: 64}\neval.ks: [1, 2]\ndata.train: a.tsv\n";
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    int64_t n = 1;
    for (; status != ALTERREC_OK; n++) {
        ck_assert_str_eq(get("model.dim"), "300");
        ck_assert_str_eq(get("data.train"), "");
        ar_memory_fail_after(n);
        status = alterrec_config_read_text(config, text, strlen(text));
        ar_memory_fail_after(0);
        ck_assert(status == ALTERREC_OK || status == ALTERREC_ERROR_OUT_OF_MEMORY);
    }
    ck_assert_int_gt(n, 6); /* two arrays, three values, a joined list */
    ck_assert_str_eq(get("model.dim"), "64");
    ck_assert_str_eq(get("eval.ks"), "1,2");
    ck_assert_str_eq(get("data.train"), "a.tsv");
}
END_TEST

START_TEST(test_write_without_memory) {
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    for (int64_t n = 1; status != ALTERREC_OK; n++) {
        ck_assert_int_ne(access(path, F_OK), 0);
        ar_memory_fail_after(n);
        status = alterrec_config_write(config, path);
        ar_memory_fail_after(0);
        ck_assert(status == ALTERREC_OK || status == ALTERREC_ERROR_OUT_OF_MEMORY);
    }
    ck_assert_int_eq(alterrec_config_read(config, path), ALTERREC_OK);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config_yaml");
    TCase *cases = tcase_create("config_yaml");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_every_spelling);
    tcase_add_test(cases, test_lists);
    tcase_add_test(cases, test_nothing_set);
    tcase_add_test(cases, test_null_values);
    tcase_add_test(cases, test_unknown_names);
    tcase_add_test(cases, test_values_are_checked);
    tcase_add_test(cases, test_node_kinds);
    tcase_add_test(cases, test_set_twice);
    tcase_add_test(cases, test_refused_features);
    tcase_add_test(cases, test_malformed_text);
    tcase_add_test(cases, test_every_cut_text_is_handled);
    tcase_add_test(cases, test_deep_and_long_texts);
    tcase_add_test(cases, test_read_keeps_borrowed_text_of_other_options);
    tcase_add_test(cases, test_read_files);
    tcase_add_test(cases, test_round_trip_of_settings);
    tcase_add_test(cases, test_round_trip_of_nasty_texts);
    tcase_add_test(cases, test_written_form);
    tcase_add_test(cases, test_write_failures);
    tcase_add_test(cases, test_null_arguments);
    tcase_add_test(cases, test_read_without_memory);
    tcase_add_test(cases, test_write_without_memory);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
