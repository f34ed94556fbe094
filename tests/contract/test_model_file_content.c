/* Model files whose container is sound and whose content is not, and those of other writers. */
#include "core/memory.h"
#include "model/tensor_file.h"
#include "scratch.h"
#include "support/model_bytes.h"
#include "support/small_model.h"

#include <math.h>

static alterrec_model *model, *loaded;
static model_bytes file;

/* A saved model without a checksum, so that only its content is judged. */
static void set_up(void) {
    scratch_open();
    model = tiny_model(true);
    MUST(alterrec_model_save(model, scratch_path("tiny")));
    model_bytes_read(&file, scratch_path("tiny"));
    model_bytes_drop_checksum(&file);
}

static void tear_down(void) {
    alterrec_model_free(model);
    alterrec_model_free(loaded);
    model_bytes_free(&file);
    scratch_close();
}

static const char *write_file(void) {
    return scratch_write_bytes("edited", file.bytes, file.size);
}

static void check_refused(alterrec_status expected, const char *text) {
    const char *path = write_file();
    alterrec_model *none = model;
    alterrec_status status = alterrec_model_load(&none, path);
    ck_assert_msg(status == expected, "%s instead of \"%s\": %s", alterrec_status_name(status),
                  text, alterrec_last_error());
    ck_assert_ptr_null(none);
    ck_assert_msg(strncmp(alterrec_last_error(), path, strlen(path)) == 0, "%s",
                  alterrec_last_error());
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

static void load(void) {
    alterrec_model_free(loaded);
    MUST(alterrec_model_load(&loaded, write_file()));
}

/* One edit of the header that makes the file no model. */
typedef struct edit {
    const char *from, *to;
    alterrec_status status;
    const char *text;
} edit;

static void check_edits(const edit *edits, size_t count) {
    model_bytes whole = {.bytes = ar_new((int64_t)file.size, 1), .size = file.size};
    memcpy(whole.bytes, file.bytes, file.size);
    for (size_t i = 0; i < count; i++) {
        model_bytes_edit(&file, edits[i].from, edits[i].to);
        check_refused(edits[i].status, edits[i].text);
        free(file.bytes);
        file.size = whole.size;
        file.bytes = malloc(whole.size);
        ck_assert_ptr_nonnull(file.bytes);
        memcpy(file.bytes, whole.bytes, whole.size);
    }
    load();
    ar_free(whole.bytes);
}

#define PARSE       ALTERREC_ERROR_PARSE
#define UNSUPPORTED ALTERREC_ERROR_UNSUPPORTED
#define LATER       "written by a later version of the library, or damaged: config:"

START_TEST(test_metadata) {
    static const edit edits[] = {
        {"\"format\":\"alterrec-model\"", "\"format\":\"pt\"", PARSE, "is not a model file"},
        {"\"format\":", "\"formal\":", PARSE, "is not a model file"},
        {"\"format_version\":\"1\"", "\"format_version\":\"2\"", UNSUPPORTED,
         "model format version \"2\", this library reads 1"},
        {"\"format_version\":\"1\"", "\"format_version\":\"\"", UNSUPPORTED, "version \"\""},
        {"\"format_version\":", "\"version\":", UNSUPPORTED, "version \"(none)\""},
        {"\"checksum\":", "\"checksums\":", PARSE, "the metadata have no checksum"},
        {"\"checksum\":\"none\"", "\"checksum\":\"\"", PARSE, "does not have its checksum"},
        {"\"checksum\":\"none\"", "\"checksum\":\"0123456789abcdef\"", PARSE,
         "does not have its checksum"},
        {"\"items\":\"3\"", "\"items\":\"0\"", PARSE, "items \"0\" is no number of items"},
        {"\"items\":\"3\"", "\"items\":\"-3\"", PARSE, "items \"-3\" is no number of items"},
        {"\"items\":\"3\"", "\"items\":\"3.0\"", PARSE, "items \"3.0\" is no number of items"},
        {"\"items\":\"3\"", "\"items\":\" 3\"", PARSE, "items \" 3\" is no number of items"},
        {"\"items\":\"3\"", "\"items\":\"\"", PARSE, "items \"\" is no number of items"},
        {"\"items\":\"3\"", "\"items\":\"three\"", PARSE, "is no number of items"},
        {"\"items\":\"3\"", "\"items\":\"2147483647\"", PARSE, "is no number of items"},
        {"\"items\":\"3\"", "\"items\":\"99999999999999999999999\"", PARSE,
         "is no number of items"},
        {"\"items\":\"3\"", "\"items\":\"2147483646\"", PARSE,
         "\"catalog.features\" is F32 [3, 2], F32 [2147483646, any] is expected"},
        {"\"items\":\"3\"", "\"items\":\"2\"", PARSE,
         "\"catalog.features\" is F32 [3, 2], F32 [2, any] is expected"},
        {"\"items\":", "\"item\":", PARSE, "items \"(none)\" is no number of items"},
        {"\"config\":", "\"configs\":", PARSE, "the metadata have no config"},
    };
    check_edits(edits, sizeof edits / sizeof *edits);
}
END_TEST

START_TEST(test_options) {
    static const edit edits[] = {
        {"  dim: 4", "  dim: 4\\u000a  width: 7", UNSUPPORTED, LATER "7:3: "},
        {"model:", "shape:\\u000a  width: 7\\u000amodel:", UNSUPPORTED, LATER "5:"},
        {"init: reference", "init: orthogonal", UNSUPPORTED, LATER},
        {"  dim: 4", "  dim: 8192", UNSUPPORTED, "\"8192\""},
        {"  dim: 4", "  dim: four", UNSUPPORTED, "\"four\""},
        {"model:", "model", PARSE, "config:"},
        {"  dim: 4", "  dim: [4", PARSE, "config:"},
        {"  heads: 2", "  heads: 3", PARSE, "model.dim 4 is not a multiple of model.heads 3"},
        {"  dim: 4", "  dim: 8", PARSE,
         "tensor \"id.embedding.weight\" is F32 [3, 4], F32 [3, 8] is expected"},
        {"  blocks: 1", "  blocks: 2", PARSE,
         "no tensor \"id.encoder.blocks.1.attention.query.weight\""},
        {"  max_len: 3", "  max_len: 4", PARSE,
         "\"id.encoder.position.weight\" is F32 [3, 4], F32 [4, 4] is expected"},
    };
    check_edits(edits, sizeof edits / sizeof *edits);
}
END_TEST

START_TEST(test_tensors) {
    static const edit edits[] = {
        {"\"id.embedding.weight\"", "\"id.embeddings.weight\"", PARSE,
         "no tensor \"id.embedding.weight\""},
        {"\"id.encoder.norm.bias\"", "\"id.encoder.norm.base\"", PARSE,
         "no tensor \"id.encoder.norm.bias\""},
        {"\"text.norm.weight\"", "\"text.norm.gain\"", PARSE, "no tensor \"text.norm.weight\""},
        {"\"catalog.features\"", "\"catalog.feature\"", PARSE, "no tensor \"catalog.features\""},
        {"\"catalog.keys\"", "\"catalog.ids\"", PARSE, "no tensor \"catalog.keys\""},
        {"\"id.embedding.weight\":{\"dtype\":\"F32\"", "\"id.embedding.weight\":{\"dtype\":\"I32\"",
         PARSE, "is I32 [3, 4], F32 [3, 4] is expected"},
        {"\"id.embedding.weight\":{\"dtype\":\"F32\",\"shape\":[3,4]",
         "\"id.embedding.weight\":{\"dtype\":\"F32\",\"shape\":[4,3]", PARSE, "is F32 [4, 3]"},
        {"\"id.embedding.weight\":{\"dtype\":\"F32\",\"shape\":[3,4]",
         "\"id.embedding.weight\":{\"dtype\":\"F32\",\"shape\":[12]", PARSE, "is F32 [12]"},
        {"\"id.embedding.weight\":{\"dtype\":\"F32\",\"shape\":[3,4]",
         "\"id.embedding.weight\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4]", PARSE,
         "the shape is too large for any file"},
        {"\"id.embedding.weight\":{\"dtype\":\"F32\",\"shape\":[3,4]",
         "\"id.embedding.weight\":{\"dtype\":\"F32\",\"shape\":[4611686018427387907,4]", PARSE,
         "the shape is too large for any file"},
        {"\"catalog.features\":{\"dtype\":\"F32\",\"shape\":[3,2]",
         "\"catalog.features\":{\"dtype\":\"F32\",\"shape\":[2,3]", PARSE,
         "\"catalog.features\" is F32 [2, 3], F32 [3, any] is expected"},
        {"\"catalog.keys\":{\"dtype\":\"U8\"", "\"catalog.keys\":{\"dtype\":\"I8\"", PARSE,
         "\"catalog.keys\" is I8 [6], U8 [any] is expected"},
        {"\"catalog.texts\":{\"dtype\":\"U8\"", "\"catalog.texts\":{\"dtype\":\"C64\"", UNSUPPORTED,
         "dtype \"C64\""},
    };
    check_edits(edits, sizeof edits / sizeof *edits);
}
END_TEST

/* Of a file whose header claims more than it holds, nothing of that size may be allocated: this
 * model would have 26 gigabytes. */
START_TEST(test_claims_are_checked_before_memory_is_taken) {
    enum { DIM = 4096 };
    static const char config[] = "model: {dim: 4096, heads: 1, blocks: 32, max_len: 4096}";
    ar_tensor_writer writer;
    float *row = ar_new(DIM, sizeof *row);
    MUST(ar_tensor_writer_open(&writer, scratch_path("large")));
    ar_tensor_writer_metadata(&writer, "format", "alterrec-model");
    ar_tensor_writer_metadata(&writer, "format_version", "1");
    ar_tensor_writer_metadata(&writer, "items", "1");
    ar_tensor_writer_metadata(&writer, "config", config);
    ar_tensor_writer_declare(&writer, "id.embedding.weight", AR_DTYPE_F32, 2, (int64_t[]){1, DIM});
    ar_tensor_writer_declare(&writer, "catalog.keys", AR_DTYPE_U8, 1, (int64_t[]){2});
    ar_tensor_writer_put(&writer, row, DIM * (int64_t)sizeof *row);
    ar_tensor_writer_put(&writer, "a", 2);
    MUST(ar_tensor_writer_commit(&writer));
    ar_free(row);
    ck_assert_int_eq(alterrec_model_load(&loaded, scratch_path("large")), PARSE);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "no tensor \"id.norm.weight\""));
}
END_TEST

START_TEST(test_header_lengths) {
    static const uint64_t lengths[] = {0,         1,         100000000,  100000001,
                                       INT32_MAX, INT64_MAX, UINT64_MAX, 64};
    uint64_t header;
    memcpy(&header, file.bytes, sizeof header);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(file.bytes, &lengths[i], sizeof lengths[i]);
        check_refused(PARSE, "header");
    }
    for (uint64_t more = 1; more <= 9; more++) {
        uint64_t beyond = file.size - 9 + more;
        memcpy(file.bytes, &beyond, sizeof beyond);
        check_refused(PARSE, "header");
    }
    memcpy(file.bytes, &header, sizeof header);
    load();
}
END_TEST

/* The bytes of a tensor, to be overwritten. */
static char *data_of(const char *name, const char *dtype, size_t *size) {
    return model_bytes_tensor(&file, name, dtype, 0, NULL, size);
}

START_TEST(test_keys) {
    static const struct {
        char bytes[6];
        const char *text;
    } cases[] = {
        {{'a', 0, 'b', 'b', 'c', 0}, "\"catalog.keys\" holds 2 strings, not 3"},
        {{'a', 0, 0, 0, 'c', 0}, "\"catalog.keys\" holds 4 strings, not 3"},
        {{0, 0, 0, 0, 0, 0}, "\"catalog.keys\" holds 6 strings, not 3"},
        {{'a', 0, 'b', 0, 'c', 'd'}, "\"catalog.keys\" holds 2 strings, not 3"},
        {{'a', 'b', 'c', 'd', 'e', 'f'}, "\"catalog.keys\" holds 0 strings, not 3"},
        {{0, 0, 0, 'a', 'b', 'c'}, "\"catalog.keys\" holds 3 strings, not 3"},
        {{'a', 0, 'b', 0, 'a', 0}, "same key"},
        {{0, 'b', 'b', 0, 'c', 0}, "is empty"},
        {{'a', 0, (char)0xFF, 0, 'c', 0}, "not UTF-8"},
        {{'a', 0, 'b', 0, (char)0xC3, 0}, "not UTF-8"},
    };
    size_t size;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *keys = data_of("catalog.keys", "U8", &size);
        ck_assert_uint_eq(size, sizeof cases[i].bytes);
        memcpy(keys, cases[i].bytes, size);
        check_refused(PARSE, cases[i].text);
    }
    memcpy(data_of("catalog.keys", "U8", &size), "x\0y\0z", 6);
    load();
    ck_assert_str_eq(alterrec_catalog_key(alterrec_model_catalog(loaded), 2), "z");
}
END_TEST

START_TEST(test_texts) {
    size_t size;
    char *texts = data_of("catalog.texts", "U8", &size);
    texts[0] = (char)0xFF;
    check_refused(PARSE, "the text of item 0 is not UTF-8");
    texts[0] = '\0';
    check_refused(PARSE, "\"catalog.texts\" holds 4 strings, not 3");
    texts[0] = 'K';
    load();
    ck_assert_str_eq(alterrec_catalog_text(alterrec_model_catalog(loaded), 0),
                     "Kaf\xC3\xA9 \"noir\"");
}
END_TEST

START_TEST(test_values_that_are_not_finite) {
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"id.embedding.weight", "tensor \"id.embedding.weight\": value 1 is not finite"},
        {"text.encoder.norm.bias", "tensor \"text.encoder.norm.bias\": value 1 is not finite"},
        {"catalog.features", "tensor \"catalog.features\": "},
    };
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size;
        char *values = data_of(cases[i].name, "F32", &size);
        float before;
        memcpy(&before, values + sizeof(float), sizeof before);
        for (int j = 0; j < 3; j++) {
            memcpy(values + sizeof(float), &bad[j], sizeof bad[j]);
            check_refused(PARSE, cases[i].text);
        }
        memcpy(values + sizeof(float), &before, sizeof before);
    }
    load();
}
END_TEST

/* ---- Other writers ---- */

static void check_same_scores(void) {
    alterrec_batch *batch;
    float a[TINY_ITEMS], b[TINY_ITEMS];
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, (int32_t[]){2, 0}, 2));
    MUST(alterrec_model_score(a, model, ALTERREC_FUSED, batch));
    MUST(alterrec_model_score(b, loaded, ALTERREC_FUSED, batch));
    ck_assert_mem_eq(a, b, sizeof a);
    alterrec_batch_free(batch);
}

START_TEST(test_a_file_without_a_checksum_is_loaded) {
    load();
    check_same_scores();
}
END_TEST

/* Each round makes the header a byte longer: the tensors begin at every remainder of 8. */
START_TEST(test_tensors_that_are_not_aligned) {
    const alterrec_catalog *catalog = alterrec_model_catalog(model);
    for (int i = 0; i < 8; i++) {
        model_bytes_edit(&file, "\"__metadata__\"", " \"__metadata__\"");
        load();
        check_same_scores();
        ck_assert_mem_eq(alterrec_catalog_features(alterrec_model_catalog(loaded)),
                         alterrec_catalog_features(catalog),
                         TINY_ITEMS * TINY_FEATURES * sizeof(float));
    }
}
END_TEST

START_TEST(test_tensors_and_metadata_of_no_model_are_passed_over) {
    model_bytes_edit(&file, "\"catalog.texts\"", "\"shop.descriptions\"");
    model_bytes_edit(&file, "\"checksum\":", "\"author\":\"somebody\",\"checksum\":");
    load();
    check_same_scores();
    ck_assert_str_eq(alterrec_catalog_text(alterrec_model_catalog(loaded), 0), "");
}
END_TEST

/* Options that a file does not name have their defaults. */
START_TEST(test_options_may_be_missing) {
    const char *value;
    model_bytes_edit(&file, "  alpha: 0.3\\u000a", "");
    load();
    MUST(alterrec_config_get(&value, alterrec_model_config(loaded), "fusion.alpha"));
    ck_assert_str_eq(value, "0.5");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("model_file_content");
    TCase *cases = tcase_create("model_file_content");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_metadata);
    tcase_add_test(cases, test_options);
    tcase_add_test(cases, test_tensors);
    tcase_add_test(cases, test_claims_are_checked_before_memory_is_taken);
    tcase_add_test(cases, test_header_lengths);
    tcase_add_test(cases, test_keys);
    tcase_add_test(cases, test_texts);
    tcase_add_test(cases, test_values_that_are_not_finite);
    tcase_add_test(cases, test_a_file_without_a_checksum_is_loaded);
    tcase_add_test(cases, test_tensors_that_are_not_aligned);
    tcase_add_test(cases, test_tensors_and_metadata_of_no_model_are_passed_over);
    tcase_add_test(cases, test_options_may_be_missing);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
