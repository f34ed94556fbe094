/* Saving and opening recommenders: what is opened serves as what was saved, a failed save keeps the
 * old file, damage is refused or does no harm. */
#include "core/file.h"
#include "core/memory.h"
#include "core/random.h"
#include "model/tensor_file.h"
#include "scratch.h"
#include "support/model_bytes.h"
#include "support/small_model.h"

#include <fcntl.h>
#include <math.h>

enum { ITEMS = 70, COUNT = 7, K = 15 };

static const char *const precisions[] = {"f32", "bf16", "int8"};

static small_model small;
static alterrec_sessions *sessions;
static alterrec_batch *batch;
static alterrec_recommender *made, *opened;

static void set_up(void) {
    scratch_open();
}

static void tear_down(void) {
    alterrec_recommender_free(made);
    alterrec_recommender_free(opened);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
    scratch_close();
}

static void make(bool text, const char *precision) {
    small_model_open(&small, ITEMS, text);
    sessions = small_sessions(&small, COUNT, 2 * SMALL_MAX_LEN);
    MUST(alterrec_batch_create(&batch));
    for (int64_t s = 0; s < COUNT; s++)
        small_add(batch, sessions, s);
    MUST(alterrec_config_set(small.config, "serve.precision", precision));
    MUST(alterrec_config_set(small.config, "compute.threads", "1"));
    MUST(alterrec_recommender_create(&made, small.model, small.config));
}

static void check_same_lists(const alterrec_recommender *a, const alterrec_recommender *b) {
    int32_t items[2][COUNT * K];
    float scores[2][COUNT * K];
    MUST(alterrec_recommender_top_k(items[0], scores[0], NULL, a, batch, K, NULL));
    MUST(alterrec_recommender_top_k(items[1], scores[1], NULL, b, batch, K, NULL));
    ck_assert_mem_eq(items[0], items[1], sizeof items[0]);
    ck_assert_mem_eq(scores[0], scores[1], sizeof scores[0]);
}

static void check_same_catalogs(const alterrec_catalog *a, const alterrec_catalog *b) {
    ck_assert_int_eq(alterrec_catalog_items(a), alterrec_catalog_items(b));
    for (int32_t i = 0; i < alterrec_catalog_items(a); i++) {
        ck_assert_str_eq(alterrec_catalog_key(a, i), alterrec_catalog_key(b, i));
        ck_assert_str_eq(alterrec_catalog_text(a, i), alterrec_catalog_text(b, i));
        ck_assert_int_eq(alterrec_catalog_find(b, alterrec_catalog_key(a, i)), i);
    }
    ck_assert_int_eq(alterrec_catalog_find(b, "nothing"), -1);
}

static void check_same_files(const char *a, const char *b) {
    model_bytes one, other;
    model_bytes_read(&one, a);
    model_bytes_read(&other, b);
    ck_assert_uint_eq(one.size, other.size);
    ck_assert_mem_eq(one.bytes, other.bytes, one.size);
    model_bytes_free(&one);
    model_bytes_free(&other);
}

START_TEST(it_serves_as_what_was_saved) {
    const char *path = scratch_path("shop"), *again = scratch_path("again");
    make(_i / 3 == 1, precisions[_i % 3]);
    MUST(alterrec_recommender_save(made, path));
    ck_assert_int_eq(scratch_count(), 1);
    MUST(alterrec_config_set(small.config, "serve.verify", "true"));
    MUST(alterrec_recommender_open(&opened, path, small.config));
    check_same_lists(made, opened);
    check_same_catalogs(alterrec_recommender_catalog(made), alterrec_recommender_catalog(opened));
    int64_t width = alterrec_recommender_width(made);
    ck_assert_int_eq(alterrec_recommender_width(opened), width);
    float *vectors = ar_new(2 * ITEMS * width, sizeof *vectors);
    MUST(alterrec_recommender_item_vectors(vectors, made, 0, ITEMS));
    MUST(alterrec_recommender_item_vectors(vectors + ITEMS * width, opened, 0, ITEMS));
    ck_assert_mem_eq(vectors, vectors + ITEMS * width, (size_t)(ITEMS * width) * sizeof *vectors);
    ar_free(vectors);
    /* The file does not depend on where the recommender came from. */
    MUST(alterrec_recommender_save(opened, again));
    check_same_files(path, again);
}
END_TEST

/* A model whose rows and sessions have so much in common that a few coordinates are searched first:
 * these and their tails are saved, and the lists are still those of all f32 scores. */
START_TEST(a_head_and_its_tails) {
    enum { MANY = 3400, FEATURES = 6 };
    alterrec_catalog *catalog;
    alterrec_model *model;
    alterrec_recommender *f32;
    small_model_open(&small, 5, false);
    float *features = ar_new(MANY * FEATURES, sizeof *features);
    for (int64_t i = 0; i < MANY * FEATURES; i++)
        features[i] = (float)ar_random_normal(&small.random);
    MUST(alterrec_config_set(small.config, "model.dim", "100"));
    MUST(alterrec_config_set(small.config, "model.init", "reference"));
    MUST(alterrec_config_set(small.config, "fusion.alpha", "0.02"));
    MUST(alterrec_catalog_create(&catalog, NULL, NULL, MANY));
    MUST(alterrec_catalog_set_features(catalog, features, MANY, FEATURES));
    MUST(alterrec_model_create(&model, catalog, small.config));
    MUST(alterrec_config_set(small.config, "serve.precision", "f32"));
    MUST(alterrec_recommender_create(&f32, model, small.config));
    MUST(alterrec_config_set(small.config, "serve.precision", precisions[_i]));
    MUST(alterrec_recommender_create(&made, model, small.config));
    MUST(alterrec_recommender_save(made, scratch_path("shop")));
    ar_tensor_file file;
    MUST(ar_tensor_file_open(&file, scratch_path("shop")));
    ck_assert_ptr_nonnull(ar_tensor_file_find(&file, "index.tails"));
    ar_tensor_file_close(&file);
    MUST(alterrec_recommender_open(&opened, scratch_path("shop"), NULL));
    MUST(alterrec_batch_create(&batch));
    for (int32_t s = 0; s < COUNT; s++) {
        const int32_t items[] = {s * 111, s * s * 7, 3 + s};
        MUST(alterrec_batch_add(batch, items, 1 + s % 3));
    }
    check_same_lists(f32, made);
    check_same_lists(f32, opened);
    alterrec_recommender_free(f32);
    alterrec_model_free(model);
    alterrec_catalog_free(catalog);
    ar_free(features);
}
END_TEST

/* Another process may put a new file in its place at any time, and handles go in any order. */
START_TEST(it_outlives_path_and_holders) {
    const char *path = scratch_path("shop");
    int32_t item = 3;
    make(true, "int8");
    MUST(alterrec_recommender_save(made, path));
    MUST(alterrec_recommender_open(&opened, path, NULL));
    MUST(alterrec_recommender_save(opened, path)); /* over itself */
    check_same_lists(made, opened);
    ck_assert_int_eq(unlink(path), 0);
    check_same_lists(made, opened);
    alterrec_sessions *kept;
    const int64_t offsets[] = {0, 1};
    const alterrec_catalog *catalog = alterrec_recommender_catalog(opened);
    MUST(alterrec_sessions_create(&kept, catalog, &item, offsets, 1));
    alterrec_recommender_free(opened);
    opened = NULL;
    ck_assert_str_eq(alterrec_catalog_key(catalog, 3), "3"); /* the sessions have it */
    ck_assert_int_eq(alterrec_catalog_find(catalog, "69"), 69);
    alterrec_sessions_free(kept);
}
END_TEST

/* The weight that was chosen and texts come along; features do not, and are not needed. */
START_TEST(texts_and_the_chosen_weight) {
    static const char *const keys[] = {"with space", "\xF0\x9F\x8D\xB5", "\"quoted\\\"", "\n", "0"};
    static const char *const texts[] = {NULL, "", "\x01\x7F", "two\nlines", " "};
    alterrec_catalog *catalog;
    alterrec_model *model;
    alterrec_batch *one;
    int32_t item = 2, top[2][5];
    float scores[2][5], features[5 * 3];
    small_model_open(&small, 5, true);
    for (int i = 0; i < 15; i++)
        features[i] = (float)(i % 7) - 2.5f;
    MUST(alterrec_catalog_create(&catalog, keys, texts, 5));
    MUST(alterrec_catalog_set_features(catalog, features, 5, 3));
    MUST(alterrec_model_create(&model, catalog, small.config));
    MUST(alterrec_config_set(small.config, "fusion.alpha", "0.123456789012345"));
    MUST(alterrec_recommender_create(&made, model, small.config));
    MUST(alterrec_recommender_save(made, scratch_path("shop")));
    MUST(alterrec_recommender_open(&opened, scratch_path("shop"), NULL));
    check_same_catalogs(catalog, alterrec_recommender_catalog(opened));
    ck_assert_int_eq(alterrec_catalog_feature_dim(alterrec_recommender_catalog(opened)), 0);
    MUST(alterrec_batch_create(&one));
    MUST(alterrec_batch_add(one, &item, 1));
    MUST(alterrec_recommender_top_k(top[0], scores[0], NULL, made, one, 5, NULL));
    MUST(alterrec_recommender_top_k(top[1], scores[1], NULL, opened, one, 5, NULL));
    ck_assert_mem_eq(top[0], top[1], sizeof top[0]);
    ck_assert_mem_eq(scores[0], scores[1], sizeof scores[0]);
    alterrec_batch_free(one);
    alterrec_model_free(model);
    alterrec_catalog_free(catalog);
}
END_TEST

/* What is added to a model is served by the next recommender, and by its file. */
START_TEST(added_items_are_served) {
    enum { MORE = 3 };
    static const char *const keys[MORE] = {"new 1", "new 2", "new 3"};
    float features[MORE * 64];
    int32_t all[COUNT * MORE], item;
    float fused[2][COUNT * MORE];
    make(true, "int8");
    int64_t dim = alterrec_catalog_feature_dim(small.catalog);
    for (int64_t i = 0; i < MORE * dim; i++)
        features[i] = (float)ar_random_normal(&small.random);
    MUST(alterrec_model_add_items(small.model, keys, NULL, features, MORE));
    alterrec_recommender_free(made);
    MUST(alterrec_recommender_create(&made, small.model, small.config));
    MUST(alterrec_recommender_save(made, scratch_path("shop")));
    MUST(alterrec_recommender_open(&opened, scratch_path("shop"), NULL));
    check_same_lists(made, opened);
    item = alterrec_catalog_find(alterrec_recommender_catalog(opened), "new 2");
    ck_assert_int_eq(item, ITEMS + 1);
    for (int32_t i = 0; i < COUNT * MORE; i++)
        all[i] = ITEMS + i % MORE;
    MUST(alterrec_recommender_score(fused[0], NULL, NULL, made, batch, all, MORE, NULL));
    MUST(alterrec_recommender_score(fused[1], NULL, NULL, opened, batch, all, MORE, NULL));
    ck_assert_mem_eq(fused[0], fused[1], sizeof fused[0]);
    /* With none but the new ones allowed they are the list. */
    alterrec_filter *filter;
    int32_t items[COUNT * MORE];
    MUST(alterrec_filter_create(&filter, ITEMS + MORE));
    MUST(alterrec_filter_allow_only(filter, all, MORE));
    alterrec_search search = {.struct_size = sizeof search, .filter = filter};
    MUST(alterrec_recommender_top_k(items, NULL, NULL, opened, batch, MORE, &search));
    for (int s = 0; s < COUNT; s++)
        for (int32_t i = 0; i < MORE; i++) {
            int found = 0;
            for (int j = 0; j < MORE; j++)
                found += items[s * MORE + j] == ITEMS + i;
            ck_assert_int_eq(found, 1);
        }
    alterrec_filter_free(filter);
}
END_TEST

START_TEST(every_array_is_aligned) {
    ar_tensor_file file;
    make(true, "int8");
    MUST(alterrec_recommender_save(made, scratch_path("shop")));
    ck_assert_int_eq(ar_tensor_file_open(&file, scratch_path("shop")), ALTERREC_OK);
    for (int64_t i = 0; i < file.count; i++)
        if (strncmp(file.tensors[i].name, "padding.", 8) != 0)
            ck_assert_uint_eq((uintptr_t)file.tensors[i].data % 64, 0);
    ck_assert_ptr_nonnull(ar_tensor_file_find(&file, "index.table"));
    ck_assert_ptr_nonnull(ar_tensor_file_find(&file, "text.encoder"));
    ar_tensor_file_close(&file);
}
END_TEST

/* ---- A save that fails ---- */

static void torture_save(void (*arm)(int64_t), alterrec_status expected, int least) {
    const char *path = scratch_path("shop"), *copy = scratch_path("copy");
    int failures = 0;
    make(true, "int8");
    MUST(alterrec_recommender_save(made, path));
    MUST(alterrec_recommender_save(made, copy));
    for (int64_t n = 1;; n++) {
        arm(n);
        alterrec_status status = alterrec_recommender_save(made, path);
        arm(0);
        if (status == ALTERREC_OK)
            break;
        failures++;
        ck_assert_int_eq(status, expected);
        ck_assert_int_eq(scratch_count(), 2);
        check_same_files(path, copy);
    }
    ck_assert_int_ge(failures, least);
}

START_TEST(without_space_the_old_file_stays) {
    torture_save(ar_writer_fail_after, ALTERREC_ERROR_IO, 2);
}
END_TEST

START_TEST(without_memory_the_old_file_stays) {
    torture_save(ar_memory_fail_after, ALTERREC_ERROR_OUT_OF_MEMORY, 10);
}
END_TEST

START_TEST(opening_without_memory) {
    int failures = 0;
    make(true, "int8");
    MUST(alterrec_recommender_save(made, scratch_path("shop")));
    for (int64_t n = 1;; n++) {
        ar_memory_fail_after(n);
        alterrec_status status = alterrec_recommender_open(&opened, scratch_path("shop"), NULL);
        ar_memory_fail_after(0);
        if (status == ALTERREC_OK)
            break;
        failures++;
        ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
        ck_assert_ptr_null(opened);
    }
    ck_assert_int_gt(failures, 10);
    check_same_lists(made, opened);
}
END_TEST

/* ---- Damage ---- */

/* The saved file, which a test damages in place. */
static const char *victim;
static int descriptor;
static model_bytes whole;

static void open_victim(bool text, const char *precision) {
    make(text, precision);
    victim = scratch_path("victim");
    MUST(alterrec_recommender_save(made, victim));
    model_bytes_read(&whole, victim);
    descriptor = open(victim, O_WRONLY);
    ck_assert_int_ge(descriptor, 0);
}

static void close_victim(void) {
    ck_assert_int_eq(close(descriptor), 0);
    model_bytes_free(&whole);
}

static void put(size_t place, const void *bytes, size_t size) {
    ck_assert_int_eq(pwrite(descriptor, bytes, size, (off_t)place), (ssize_t)size);
}

static void restore(void) {
    put(0, whole.bytes, whole.size);
}

static void check_refused(const alterrec_config *config, const char *what, size_t where) {
    alterrec_recommender *none = made;
    alterrec_status status = alterrec_recommender_open(&none, victim, config);
    ck_assert_msg(status == ALTERREC_ERROR_PARSE || status == ALTERREC_ERROR_UNSUPPORTED,
                  "%s %zu: %s, %s", what, where, alterrec_status_name(status),
                  alterrec_last_error());
    ck_assert_ptr_null(none);
    ck_assert_msg(strncmp(alterrec_last_error(), victim, strlen(victim)) == 0, "%s %zu: %s", what,
                  where, alterrec_last_error());
}

/* Whatever the file says: a clear refusal, or a recommender that works without harm. */
static bool survives(const char *what, size_t where) {
    alterrec_recommender *other;
    int32_t items[COUNT * K];
    float scores[COUNT * K];
    alterrec_status status = alterrec_recommender_open(&other, victim, NULL);
    if (status != ALTERREC_OK) {
        ck_assert_msg(status == ALTERREC_ERROR_PARSE || status == ALTERREC_ERROR_UNSUPPORTED,
                      "%s %zu: %s, %s", what, where, alterrec_status_name(status),
                      alterrec_last_error());
        return false;
    }
    const alterrec_catalog *catalog = alterrec_recommender_catalog(other);
    for (int32_t i = 0; i < alterrec_catalog_items(catalog); i++) {
        int32_t found = alterrec_catalog_find(catalog, alterrec_catalog_key(catalog, i));
        ck_assert(found >= -1 && found < alterrec_catalog_items(catalog));
        ck_assert_ptr_nonnull(alterrec_catalog_text(catalog, i));
    }
    if (alterrec_catalog_items(catalog) == ITEMS) {
        MUST(alterrec_recommender_top_k(items, scores, NULL, other, batch, K, NULL));
        for (int i = 0; i < COUNT * K; i++)
            ck_assert(items[i] >= -1 && items[i] < ITEMS);
    }
    alterrec_recommender_free(other);
    return true;
}

START_TEST(every_cut_is_refused) {
    size_t length;
    open_victim(true, "int8");
    (void)model_bytes_header(&whole, &length);
    for (size_t cut = whole.size; cut-- > 0;) {
        if (cut > length + 200 && cut % 97 != 0)
            continue; /* the data are cut here and there */
        ck_assert_int_eq(ftruncate(descriptor, (off_t)cut), 0);
        check_refused(NULL, "cut at", cut);
    }
    ck_assert_int_eq(ftruncate(descriptor, (off_t)whole.size + 1), 0);
    check_refused(NULL, "longer by", 1);
    close_victim();
}
END_TEST

START_TEST(the_checksum_finds_every_flip) {
    open_victim(true, "int8");
    MUST(alterrec_config_set(small.config, "serve.verify", "true"));
    for (size_t at = 0; at < whole.size; at += 1 + at % 13) {
        char byte = (char)(whole.bytes[at] ^ (char)(1 << at % 8));
        put(at, &byte, 1);
        check_refused(small.config, "flipped at", at);
        put(at, whole.bytes + at, 1);
    }
    MUST(alterrec_recommender_open(&opened, victim, small.config));
    check_same_lists(made, opened);
    close_victim();
}
END_TEST

START_TEST(flips_of_the_header_do_no_harm) {
    static const char patterns[] = {0x01, 0x04, 0x10, 0x40};
    size_t length;
    int refused = 0;
    open_victim(true, precisions[_i]);
    (void)model_bytes_header(&whole, &length);
    for (size_t at = 0; at < 8 + length; at++) {
        char byte = (char)(whole.bytes[at] ^ patterns[at % 4]);
        put(at, &byte, 1);
        refused += survives("flipped at", at) ? 0 : 1;
        put(at, whole.bytes + at, 1);
    }
    ck_assert_int_gt(refused, (int)length / 4);
    close_victim();
}
END_TEST

START_TEST(flips_of_the_data_do_no_harm) {
    size_t length;
    ar_random random;
    open_victim(true, precisions[_i]);
    (void)model_bytes_header(&whole, &length);
    ar_random_seed(&random, (uint64_t)_i);
    uint32_t data = (uint32_t)(whole.size - 8 - length);
    for (int round = 0; round < 1500; round++) {
        for (uint32_t i = 1 + ar_random_below(&random, 4); i > 0; i--) {
            size_t at = 8 + length + ar_random_below(&random, data);
            char byte = (char)ar_random_below(&random, 256);
            put(at, &byte, 1);
        }
        (void)survives("random bytes, round", (size_t)round);
        restore();
    }
    close_victim();
}
END_TEST

/* Writes a NaN into the middle of the tensor. */
static void check_nan_is_refused(const char *name) {
    const float nan_value = NAN;
    size_t size;
    char *data = model_bytes_tensor(&whole, name, "F32", 0, NULL, &size);
    size_t at = (size_t)(data - whole.bytes) + size / 8 * 4;
    put(at, &nan_value, sizeof nan_value);
    check_refused(NULL, name, at);
    restore();
}

START_TEST(small_arrays_must_be_finite) {
    open_victim(true, "int8");
    check_nan_is_refused("id.encoder");
    check_nan_is_refused("text.encoder");
    check_nan_is_refused("towers.scale");
    check_nan_is_refused("index.terms");
    check_nan_is_refused("index.map");
    check_nan_is_refused("index.counts");
    check_nan_is_refused("index.columns");
    check_nan_is_refused("index.slack");
    MUST(alterrec_recommender_open(&opened, victim, NULL));
    close_victim();
}
END_TEST

static void check_edit(const char *from, const char *to, alterrec_status expected,
                       const char *text) {
    model_bytes edited = {.bytes = malloc(whole.size), .size = whole.size};
    ck_assert_ptr_nonnull(edited.bytes);
    memcpy(edited.bytes, whole.bytes, whole.size);
    model_bytes_edit(&edited, from, to);
    const char *path = scratch_write_bytes("edited", edited.bytes, edited.size);
    alterrec_recommender *none = made;
    ck_assert_int_eq(alterrec_recommender_open(&none, path, NULL), expected);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
    ck_assert_ptr_null(none);
    model_bytes_free(&edited);
}

START_TEST(what_is_wrong_is_named) {
    const alterrec_status parse = ALTERREC_ERROR_PARSE, later = ALTERREC_ERROR_UNSUPPORTED;
    open_victim(true, "int8");
    check_edit("alterrec-recommender", "alterrec-recommendez", parse, "is not a recommender's");
    check_edit("\"format_version\":\"1\"", "\"format_version\":\"2\"", later, "version \"2\"");
    check_edit("\"items\":\"70\"", "\"items\":\"71\"", parse, "\"catalog.key_starts\" is I64 [70]");
    check_edit("\"items\":\"70\"", "\"items\":\"-1\"", parse, "\"-1\" is no number within 1..");
    check_edit("\"block\":\"1\"", "\"block\":\"0\"", parse,
               "block \"0\" is no number within 1..16");
    check_edit("\"block\":\"1\"", "\"block\":\"2\"", parse, "\"index.map\" is F32 [32, 1]");
    check_edit("\"head\":\"32\"", "\"head\":\"33\"", parse,
               "head \"33\" is no number within 1..32");
    check_edit("\"head\":\"32\"", "\"head\":\"31\"", parse, "no tensor \"index.tails\"");
    check_edit("\"head\":", "\"hand\":", parse, "head \"(none)\"");
    check_edit("\"towers\":\"id text\"", "\"towers\":\"id more\"", later, "\"id more\"");
    check_edit("\"towers\":\"id text\"", "\"towers\":\"id\"     ", parse, "towers.scale");
    check_edit("precision: int8", "precision: int9", later, "serve.precision");
    check_edit("precision: int8", "precision: bf16", parse, "index.heads");
    check_edit("\"index.terms\"", "\"index.termz\"", parse, "no tensor \"index.terms\"");
    check_edit("dim: 16", "dim: 32", parse, "encoder\" is F32");
    MUST(alterrec_model_save(small.model, scratch_path("model")));
    ck_assert_int_eq(alterrec_recommender_open(&opened, scratch_path("model"), NULL), parse);
    ck_assert_int_eq(alterrec_recommender_open(&opened, scratch_path("missing"), NULL),
                     ALTERREC_ERROR_IO);
    ck_assert_int_eq(alterrec_recommender_open(&opened, scratch_folder, NULL), ALTERREC_ERROR_IO);
    ck_assert_int_eq(alterrec_recommender_save(made, ""), ALTERREC_ERROR_IO);
    ck_assert_ptr_null(opened);
    close_victim();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("recommender_file");
    TCase *cases = tcase_create("contract");
    suite_add_tcase(suite, cases);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, it_serves_as_what_was_saved, 0, 6);
    tcase_add_loop_test(cases, a_head_and_its_tails, 1, 3);
    tcase_add_test(cases, it_outlives_path_and_holders);
    tcase_add_test(cases, texts_and_the_chosen_weight);
    tcase_add_test(cases, added_items_are_served);
    tcase_add_test(cases, every_array_is_aligned);
    tcase_add_test(cases, without_space_the_old_file_stays);
    tcase_add_test(cases, without_memory_the_old_file_stays);
    tcase_add_test(cases, opening_without_memory);
    tcase_add_test(cases, every_cut_is_refused);
    tcase_add_test(cases, the_checksum_finds_every_flip);
    tcase_add_loop_test(cases, flips_of_the_header_do_no_harm, 0, 3);
    tcase_add_loop_test(cases, flips_of_the_data_do_no_harm, 0, 3);
    tcase_add_test(cases, small_arrays_must_be_finite);
    tcase_add_test(cases, what_is_wrong_is_named);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
