/* Saving and loading: what is saved is loaded, a failed save keeps the old file, no damage passes.
 */
#include "core/file.h"
#include "core/memory.h"
#include "data/config.h"
#include "scratch.h"
#include "support/model_bytes.h"
#include "support/small_model.h"

#include <fcntl.h>
#include <inttypes.h>

static alterrec_model *model, *loaded;

static void open_tiny(bool text) {
    model = tiny_model(text);
}

static void tear_down(void) {
    alterrec_model_free(model);
    alterrec_model_free(loaded);
    scratch_close();
}

static float *scores_of(const alterrec_model *scored, int32_t scorer) {
    alterrec_batch *batch;
    float *scores = ar_new(3 * TINY_ITEMS, sizeof *scores);
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, (int32_t[]){0}, 1));
    MUST(alterrec_batch_add(batch, (int32_t[]){2, 1}, 2));
    MUST(alterrec_batch_add(batch, (int32_t[]){1, 1, 0, 2}, 4));
    MUST(alterrec_model_score(scores, scored, scorer, batch));
    alterrec_batch_free(batch);
    return scores;
}

static void check_same_scores(const alterrec_model *a, const alterrec_model *b, int32_t scorer) {
    float *one = scores_of(a, scorer), *other = scores_of(b, scorer);
    ck_assert_mem_eq(one, other, 3 * TINY_ITEMS * sizeof *one);
    ar_free(one);
    ar_free(other);
}

static void check_same_tensors(const alterrec_model *a, const alterrec_model *b) {
    ck_assert_int_eq(alterrec_model_tensor_count(a), alterrec_model_tensor_count(b));
    for (int64_t i = 0; i < alterrec_model_tensor_count(a); i++) {
        alterrec_tensor one = {.struct_size = sizeof one}, other = {.struct_size = sizeof other};
        MUST(alterrec_model_tensor_describe(&one, a, i));
        MUST(alterrec_model_tensor_describe(&other, b, i));
        ck_assert_str_eq(one.name, other.name);
        ck_assert_int_eq(one.count, other.count);
        float *values = ar_new(2 * one.count, sizeof *values);
        MUST(alterrec_model_get_tensor(values, a, one.name, one.count));
        MUST(alterrec_model_get_tensor(values + one.count, b, one.name, one.count));
        ck_assert_mem_eq(values, values + one.count, (size_t)one.count * sizeof *values);
        ar_free(values);
    }
}

static void check_same_catalogs(const alterrec_catalog *a, const alterrec_catalog *b) {
    int64_t items = alterrec_catalog_items(a), dim = alterrec_catalog_feature_dim(a);
    ck_assert_int_eq(items, alterrec_catalog_items(b));
    ck_assert_int_eq(dim, alterrec_catalog_feature_dim(b));
    for (int32_t i = 0; i < items; i++) {
        ck_assert_str_eq(alterrec_catalog_key(a, i), alterrec_catalog_key(b, i));
        ck_assert_str_eq(alterrec_catalog_text(a, i), alterrec_catalog_text(b, i));
        ck_assert_int_eq(alterrec_catalog_find(b, alterrec_catalog_key(a, i)), i);
    }
    if (dim > 0)
        ck_assert_mem_eq(alterrec_catalog_features(a), alterrec_catalog_features(b),
                         (size_t)(items * dim) * sizeof(float));
    else
        ck_assert_ptr_null(alterrec_catalog_features(b));
}

static bool is_place(const char *key) {
    return strncmp(key, "data.", 5) == 0;
}

/* All but the group data, which is at its defaults. */
static void check_same_options(const alterrec_config *a, const alterrec_config *b) {
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        alterrec_option option = {.struct_size = sizeof option};
        const char *one, *other;
        MUST(alterrec_option_describe(&option, i));
        MUST(alterrec_config_get(&one, a, option.key));
        MUST(alterrec_config_get(&other, b, option.key));
        ck_assert_str_eq(other, is_place(option.key) ? option.default_value : one);
    }
}

START_TEST(test_saved_is_loaded) {
    bool text = _i == 1;
    const char *path = scratch_path("tiny.safetensors");
    open_tiny(text);
    MUST(alterrec_model_save(model, path));
    ck_assert_int_eq(scratch_count(), 1);
    MUST(alterrec_model_load(&loaded, path));
    check_same_tensors(model, loaded);
    check_same_catalogs(alterrec_model_catalog(model), alterrec_model_catalog(loaded));
    check_same_options(alterrec_model_config(model), alterrec_model_config(loaded));
    check_same_scores(model, loaded, ALTERREC_ID);
    check_same_scores(model, loaded, ALTERREC_FUSED);
    if (text)
        check_same_scores(model, loaded, ALTERREC_TEXT);
    /* The file does not depend on where the model came from. */
    model_bytes first, second;
    MUST(alterrec_model_save(loaded, scratch_path("again.safetensors")));
    model_bytes_read(&first, path);
    model_bytes_read(&second, scratch_path("again.safetensors"));
    ck_assert_uint_eq(first.size, second.size);
    ck_assert_mem_eq(first.bytes, second.bytes, first.size);
    model_bytes_free(&first);
    model_bytes_free(&second);
}
END_TEST

/* Sets every option to what its row allows beside the default, where there is such a value. */
static void set_other_values(alterrec_config *config) {
    static const char *const values[][2] = {{"model.dim", "8"},
                                            {"model.heads", "4"},
                                            {"model.blocks", "3"},
                                            {"model.max_len", "7"},
                                            {"model.temperature", "0.123456789012345"},
                                            {"model.init", "usual"},
                                            {"fusion.alpha", "0.1"},
                                            {"train.seed", "4611686018427387904"},
                                            {"optimizer.learning_rate", "1e-05"},
                                            {"optimizer.decay", "plateau"},
                                            {"eval.ks", "7,9"},
                                            {"eval.groups", "[0,5] (5,inf)"},
                                            {"text.source", "none"},
                                            {"text.tfidf", "false"},
                                            {"data.train", "/srv/shop/sessions \"new\".tsv"},
                                            {"data.item_column", "article"},
                                            {"data.split", "random"}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        MUST(alterrec_config_set(config, values[i][0], values[i][1]));
}

START_TEST(test_options_are_saved_but_not_the_place) {
    alterrec_config *config;
    open_tiny(false);
    MUST(alterrec_config_clone(&config, alterrec_model_config(model)));
    set_other_values(config);
    MUST(alterrec_model_create(&loaded, alterrec_model_catalog(model), config));
    alterrec_model_free(model);
    model = loaded;
    loaded = NULL;
    const char *path = scratch_path("options.safetensors");
    MUST(alterrec_model_save(model, path));
    MUST(alterrec_model_load(&loaded, path));
    check_same_options(alterrec_model_config(model), alterrec_model_config(loaded));
    check_same_options(config, alterrec_model_config(loaded));
    model_bytes file;
    size_t length;
    model_bytes_read(&file, path);
    char *header = model_bytes_header(&file, &length);
    header[length - 1] = '\0';
    ck_assert_ptr_nonnull(strstr(header, "fusion:\\u000a  alpha: 0.1\\u000a"));
    ck_assert_ptr_null(strstr(header, "/srv/"));
    ck_assert_ptr_null(strstr(header, "data:"));
    ck_assert_ptr_null(strstr(header, "item_column"));
    model_bytes_free(&file);
    alterrec_config_free(config);
}
END_TEST

START_TEST(test_keys_and_texts_of_any_kind) {
    static const char *const keys[] = {"with space", "\xF0\x9F\x8D\xB5", "\"quoted\\\"", "\n", "0"};
    static const char *const texts[] = {NULL, "", "\x01\x7F", "two\nlines", " "};
    alterrec_catalog *catalog;
    MUST(alterrec_catalog_create(&catalog, keys, texts, 5));
    MUST(alterrec_model_create(&model, catalog, NULL));
    alterrec_catalog_free(catalog);
    MUST(alterrec_model_save(model, scratch_path("keys")));
    MUST(alterrec_model_load(&loaded, scratch_path("keys")));
    check_same_catalogs(alterrec_model_catalog(model), alterrec_model_catalog(loaded));
}
END_TEST

/* ---- As another program reads it ---- */

static void check_tensor(const model_bytes *file, const char *name, const char *dtype, int dims,
                         const int64_t *shape, const void *expected, size_t size) {
    size_t found;
    const char *data = model_bytes_tensor(file, name, dtype, dims, shape, &found);
    ck_assert_uint_eq(found, size);
    ck_assert_mem_eq(data, expected, size);
}

/* Every byte behind the header belongs to a tensor that the test knows. */
static void check_parameters(const model_bytes *file, size_t *total) {
    for (int64_t i = 0; i < alterrec_model_tensor_count(model); i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        MUST(alterrec_model_tensor_describe(&tensor, model, i));
        float *values = ar_new(tensor.count, sizeof *values);
        MUST(alterrec_model_get_tensor(values, model, tensor.name, tensor.count));
        size_t size = (size_t)tensor.count * sizeof *values;
        check_tensor(file, tensor.name, "F32", (int)tensor.dims, tensor.shape, values, size);
        *total += size;
        ar_free(values);
    }
}

START_TEST(test_another_program_reads_it) {
    static const char keys[] = "a\0b\0c", texts[] = "caf\xC3\xA9 \"noir\"\0\0tea\tpot";
    static const int64_t shape[] = {TINY_ITEMS, TINY_FEATURES};
    model_bytes file;
    size_t length, total = 0;
    open_tiny(true);
    MUST(alterrec_model_save(model, scratch_path("tiny")));
    model_bytes_read(&file, scratch_path("tiny"));
    check_parameters(&file, &total);
    const float *features = alterrec_catalog_features(alterrec_model_catalog(model));
    check_tensor(&file, "catalog.features", "F32", 2, shape, features,
                 TINY_ITEMS * TINY_FEATURES * sizeof *features);
    check_tensor(&file, "catalog.keys", "U8", 1, (int64_t[]){sizeof keys}, keys, sizeof keys);
    check_tensor(&file, "catalog.texts", "U8", 1, (int64_t[]){sizeof texts}, texts, sizeof texts);
    total += TINY_ITEMS * TINY_FEATURES * sizeof *features + sizeof keys + sizeof texts;
    char *header = model_bytes_header(&file, &length);
    ck_assert_uint_eq(8 + length + total, file.size);
    ck_assert_uint_eq((8 + length) % 64, 0);
    ck_assert_int_eq(header[0], '{');
    header[length - 1] = '\0'; /* a space, or the last brace */
    ck_assert_ptr_nonnull(strstr(header, "\"format\":\"alterrec-model\""));
    ck_assert_ptr_nonnull(strstr(header, "\"format_version\":\"1\""));
    ck_assert_ptr_nonnull(strstr(header, "\"items\":\"3\""));
    ck_assert_ptr_nonnull(strstr(
        header,
        "\"config\":\"compute:\\u000a  precision: f32\\u000a  ranking: same\\u000a  threads: 0\\u000amodel:\\u000a"));
    model_bytes_free(&file);
}
END_TEST

static uint64_t mix(uint64_t value) {
    value += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

/* As docs/formats.md says it is computed. */
START_TEST(test_the_checksum_is_the_documented_one) {
    static const char entry[] = "\"checksum\":\"";
    model_bytes file;
    size_t length;
    char digits[17] = "", expected[17];
    open_tiny(true);
    MUST(alterrec_model_save(model, scratch_path("tiny")));
    model_bytes_read(&file, scratch_path("tiny"));
    char *place = strstr(model_bytes_header(&file, &length), entry);
    ck_assert_ptr_nonnull(place);
    place += sizeof entry - 1;
    memcpy(digits, place, 16);
    memset(place, '0', 16);
    uint64_t hash = 0;
    for (size_t i = 0; i < file.size; i += 8) {
        uint64_t word = 0;
        for (size_t j = 0; j < 8 && i + j < file.size; j++)
            word |= (uint64_t)(unsigned char)file.bytes[i + j] << (8 * j);
        hash = mix(hash ^ word);
    }
    (void)snprintf(expected, sizeof expected, "%016" PRIx64, mix(hash ^ file.size));
    ck_assert_str_eq(digits, expected);
    model_bytes_free(&file);
}
END_TEST

/* ---- A save that fails ---- */

static void check_kept(const char *path, const model_bytes *old) {
    model_bytes now;
    ck_assert_int_eq(scratch_count(), 1);
    model_bytes_read(&now, path);
    ck_assert_uint_eq(now.size, old->size);
    ck_assert_mem_eq(now.bytes, old->bytes, old->size);
    model_bytes_free(&now);
}

/* Features that need several writes. */
static alterrec_model *wide_model(void) {
    enum { WIDE = 30000 };
    alterrec_catalog *catalog;
    alterrec_model *wide;
    float *features = ar_new(3 * WIDE, sizeof *features);
    MUST(alterrec_catalog_create(&catalog, NULL, NULL, 3));
    MUST(alterrec_catalog_set_features(catalog, features, 3, WIDE));
    MUST(alterrec_model_create(&wide, catalog, alterrec_model_config(model)));
    alterrec_catalog_free(catalog);
    ar_free(features);
    return wide;
}

static void torture_save(void (*arm)(int64_t), alterrec_status expected, int least) {
    const char *path = scratch_path("tiny.safetensors");
    model_bytes old;
    open_tiny(true);
    alterrec_model *wide = wide_model();
    MUST(alterrec_model_save(model, path));
    model_bytes_read(&old, path);
    int failures = 0;
    for (int64_t n = 1;; n++) {
        arm(n);
        alterrec_status status = alterrec_model_save(wide, path);
        arm(0);
        if (status == ALTERREC_OK)
            break;
        failures++;
        ck_assert_int_eq(status, expected);
        check_kept(path, &old);
    }
    ck_assert_int_ge(failures, least);
    model_bytes_free(&old);
    MUST(alterrec_model_load(&loaded, path));
    check_same_tensors(wide, loaded);
    ck_assert_int_eq(scratch_count(), 1);
    alterrec_model_free(wide);
}

START_TEST(test_without_space_the_old_file_stays) {
    torture_save(ar_writer_fail_after, ALTERREC_ERROR_IO, 4);
}
END_TEST

START_TEST(test_without_memory_the_old_file_stays) {
    torture_save(ar_memory_fail_after, ALTERREC_ERROR_OUT_OF_MEMORY, 10);
}
END_TEST

START_TEST(test_paths_that_can_not_be_written) {
    char folder[600];
    open_tiny(true);
    (void)snprintf(folder, sizeof folder, "%s/missing/tiny", scratch_folder);
    ck_assert_int_eq(alterrec_model_save(model, folder), ALTERREC_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), folder));
    ck_assert_int_eq(alterrec_model_save(model, ""), ALTERREC_ERROR_IO);
    /* A folder stands where the file would go: it is found out only at the end. */
    ck_assert_int_eq(alterrec_model_save(model, scratch_folder), ALTERREC_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), scratch_folder));
    ck_assert_int_eq(scratch_count(), 0);
    MUST(alterrec_model_save(model, scratch_path("tiny")));
}
END_TEST

/* ---- Damage ---- */

/* A saved file that a test damages in place, byte by byte: writing it anew each time is slow. */
static const char *victim;
static int descriptor;
static model_bytes whole;

static void open_victim(bool checksum) {
    open_tiny(true);
    MUST(alterrec_model_save(model, scratch_path("tiny")));
    model_bytes_read(&whole, scratch_path("tiny"));
    if (!checksum)
        model_bytes_drop_checksum(&whole);
    victim = scratch_write_bytes("victim", whole.bytes, whole.size);
    descriptor = open(victim, O_WRONLY);
    ck_assert_int_ge(descriptor, 0);
}

static void close_victim(void) {
    ck_assert_int_eq(close(descriptor), 0);
    model_bytes_free(&whole);
}

static void put_byte(size_t place, unsigned char pattern) {
    unsigned char byte = (unsigned char)whole.bytes[place] ^ pattern;
    ck_assert_int_eq(pwrite(descriptor, &byte, 1, (off_t)place), 1);
}

/* No whole model file: refused, and the text says which file. */
static void check_refused(const char *what, size_t where) {
    alterrec_model *none = model;
    alterrec_status status = alterrec_model_load(&none, victim);
    ck_assert_msg(status == ALTERREC_ERROR_PARSE || status == ALTERREC_ERROR_UNSUPPORTED,
                  "%s %zu: %s, %s", what, where, alterrec_status_name(status),
                  alterrec_last_error());
    ck_assert_ptr_null(none);
    ck_assert_msg(strncmp(alterrec_last_error(), victim, strlen(victim)) == 0, "%s %zu: %s", what,
                  where, alterrec_last_error());
}

START_TEST(test_every_cut_is_refused) {
    open_victim(true);
    for (size_t longer = 64; longer > 0; longer--) {
        ck_assert_int_eq(ftruncate(descriptor, (off_t)(whole.size + longer)), 0);
        check_refused("longer by", longer);
    }
    ck_assert_int_eq(ftruncate(descriptor, (off_t)whole.size), 0);
    MUST(alterrec_model_load(&loaded, victim));
    for (size_t cut = whole.size; cut-- > 0;) {
        ck_assert_int_eq(ftruncate(descriptor, (off_t)cut), 0);
        check_refused("cut at", cut);
    }
    close_victim();
}
END_TEST

START_TEST(test_every_flipped_byte_is_refused) {
    static const unsigned char patterns[] = {0x01, 0x20, 0x80, 0xFF};
    open_victim(true);
    for (size_t i = 0; i < whole.size; i++) {
        put_byte(i, patterns[_i]);
        check_refused("flipped at", i);
        put_byte(i, 0);
    }
    MUST(alterrec_model_load(&loaded, victim));
    close_victim();
}
END_TEST

/* A file without a checksum may be wrong in ways that nobody can see, but it does no harm. */
START_TEST(test_flips_without_a_checksum_do_no_harm) {
    int harmless = 0;
    open_victim(false);
    for (size_t i = 0; i < whole.size; i++) {
        put_byte(i, (unsigned char)(1u << (i + (size_t)_i) % 8));
        alterrec_model *other;
        alterrec_status status = alterrec_model_load(&other, victim);
        ck_assert_int_eq(status == ALTERREC_OK, other != NULL);
        if (status == ALTERREC_OK) {
            harmless++;
            if (harmless % 16 == 0)
                ar_free(scores_of(other, ALTERREC_FUSED));
        } else {
            ck_assert_msg(status == ALTERREC_ERROR_PARSE || status == ALTERREC_ERROR_UNSUPPORTED,
                          "byte %zu: %s", i, alterrec_last_error());
            ck_assert_ptr_eq(strstr(alterrec_last_error(), victim), alterrec_last_error());
        }
        alterrec_model_free(other);
        put_byte(i, 0);
    }
    ck_assert_int_gt(harmless, 100);
    close_victim();
}
END_TEST

START_TEST(test_paths_that_are_no_files) {
    open_tiny(false);
    loaded = model;
    model = NULL;
    alterrec_model *none = loaded;
    ck_assert_int_eq(alterrec_model_load(&none, scratch_path("missing")), ALTERREC_ERROR_IO);
    ck_assert_ptr_null(none);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), scratch_path("missing")));
    none = loaded;
    ck_assert_int_eq(alterrec_model_load(&none, scratch_folder), ALTERREC_ERROR_IO);
    ck_assert_ptr_null(none);
    none = loaded;
    ck_assert_int_eq(alterrec_model_load(&none, TEST_DATA "/golden/tiny/model.safetensors"),
                     ALTERREC_ERROR_PARSE);
    ck_assert_ptr_null(none);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "is not a model file"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("model_file");
    TCase *cases = tcase_create("model_file");
    tcase_add_checked_fixture(cases, scratch_open, tear_down);
    tcase_add_loop_test(cases, test_saved_is_loaded, 0, 2);
    tcase_add_test(cases, test_options_are_saved_but_not_the_place);
    tcase_add_test(cases, test_keys_and_texts_of_any_kind);
    tcase_add_test(cases, test_another_program_reads_it);
    tcase_add_test(cases, test_the_checksum_is_the_documented_one);
    tcase_add_test(cases, test_without_space_the_old_file_stays);
    tcase_add_test(cases, test_without_memory_the_old_file_stays);
    tcase_add_test(cases, test_paths_that_can_not_be_written);
    tcase_add_test(cases, test_every_cut_is_refused);
    tcase_add_loop_test(cases, test_every_flipped_byte_is_refused, 0, 4);
    tcase_add_loop_test(cases, test_flips_without_a_checksum_do_no_harm, 0, 2);
    tcase_add_test(cases, test_paths_that_are_no_files);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
