/* The safetensors container: what is written is read, and no damage gets through or crashes. */
#include "core/memory.h"
#include "model/tensor_file.h"
#include "scratch.h"

#include <inttypes.h>
#include <stdint.h>

static ar_tensor_file file;
static ar_tensor_writer writer;

static void tear_down(void) {
    ar_tensor_file_close(&file);
    ar_tensor_writer_abandon(&writer);
    scratch_close();
}

static const double wide[] = {1.5, -2.5};
static const float narrow[] = {1, 2, 3, 4, 5, 6};
static const unsigned char bytes[] = {0, 1, 2, 254, 255};

/* Writes a file of five tensors; the status of the commit. */
static alterrec_status write_sample(const char *path) {
    alterrec_status status = ar_tensor_writer_open(&writer, path);
    if (status != ALTERREC_OK)
        return status;
    ar_tensor_writer_metadata(&writer, "format", "test");
    ar_tensor_writer_metadata(&writer, "text", "\xC3\xA9 \"quoted\"\n");
    ar_tensor_writer_declare(&writer, "wide", AR_DTYPE_F64, 1, (int64_t[]){2});
    ar_tensor_writer_declare(&writer, "narrow.weight", AR_DTYPE_F32, 2, (int64_t[]){2, 3});
    ar_tensor_writer_declare(&writer, "none", AR_DTYPE_I32, 2, (int64_t[]){0, 7});
    ar_tensor_writer_declare(&writer, "scalar", AR_DTYPE_I32, 0, NULL);
    ar_tensor_writer_declare(&writer, "bytes", AR_DTYPE_U8, 1, (int64_t[]){5});
    ar_tensor_writer_put(&writer, wide, sizeof wide);
    ar_tensor_writer_put(&writer, narrow, 7);
    ar_tensor_writer_put(&writer, (const char *)narrow + 7, sizeof narrow - 7);
    ar_tensor_writer_put(&writer, &(int32_t){-7}, 4);
    ar_tensor_writer_put(&writer, bytes, sizeof bytes);
    return ar_tensor_writer_commit(&writer);
}

static void open_ok(const char *path) {
    ck_assert_msg(ar_tensor_file_open(&file, path) == ALTERREC_OK, "%s", alterrec_last_error());
}

static void check_sample(void) {
    ck_assert_int_eq(file.count, 5);
    ck_assert_int_eq(file.data_offset % 64, 0);
    ck_assert_str_eq(ar_tensor_file_metadata(&file, "format"), "test");
    ck_assert_str_eq(ar_tensor_file_metadata(&file, "text"), "\xC3\xA9 \"quoted\"\n");
    ck_assert_ptr_null(ar_tensor_file_metadata(&file, "other"));
    ck_assert_ptr_null(ar_tensor_file_find(&file, "other"));
    const ar_tensor_view *view = ar_tensor_file_find(&file, "narrow.weight");
    ck_assert_int_eq(view->dtype, AR_DTYPE_F32);
    ck_assert_int_eq(view->dims, 2);
    ck_assert_int_eq(view->shape[0], 2);
    ck_assert_int_eq(view->shape[1], 3);
    ck_assert_int_eq(view->count, 6);
    ck_assert_int_eq(view->bytes, sizeof narrow);
    ck_assert(view->aligned);
    ck_assert_mem_eq(view->data, narrow, sizeof narrow);
    ck_assert_mem_eq(ar_tensor_file_find(&file, "wide")->data, wide, sizeof wide);
    ck_assert_mem_eq(ar_tensor_file_find(&file, "bytes")->data, bytes, sizeof bytes);
    view = ar_tensor_file_find(&file, "scalar");
    ck_assert_int_eq(view->dims, 0);
    ck_assert_int_eq(view->count, 1);
    ck_assert_int_eq(*(const int32_t *)view->data, -7);
    ck_assert_int_eq(ar_tensor_file_find(&file, "none")->count, 0);
}

START_TEST(test_written_is_read) {
    const char *path = scratch_path("a.safetensors");
    ck_assert_int_eq(write_sample(path), ALTERREC_OK);
    open_ok(path);
    check_sample();
    ck_assert_int_eq(ar_tensor_file_verify(&file), ALTERREC_OK);
    ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(test_empty_file_of_no_tensors) {
    const char *path = scratch_path("a.safetensors");
    ck_assert_int_eq(ar_tensor_writer_open(&writer, path), ALTERREC_OK);
    ck_assert_int_eq(ar_tensor_writer_commit(&writer), ALTERREC_OK);
    open_ok(path);
    ck_assert_int_eq(file.count, 0);
    ck_assert_int_eq(ar_tensor_file_verify(&file), ALTERREC_OK);
}
END_TEST

START_TEST(test_golden_files_are_read) {
    open_ok(TEST_DATA "/golden/tiny/model.safetensors");
    ck_assert_str_eq(ar_tensor_file_metadata(&file, "format"), "alterrec-golden");
    const ar_tensor_view *view;
    ck_assert_int_eq(ar_tensor_file_expect(&view, &file, "id.embedding.weight", AR_DTYPE_F32, 2,
                                           (int64_t[]){50, 12}),
                     ALTERREC_OK);
    ck_assert_int_eq(view->count, 600);
    ck_assert_int_eq(ar_tensor_file_verify(&file), ALTERREC_ERROR_NOT_FOUND);
    static const char *const others[] = {"tiny/expected",
                                         "tiny/gradients",
                                         "tiny/after_3_adam_steps",
                                         "moderate/model",
                                         "moderate/expected",
                                         "moderate/gradients",
                                         "moderate/after_3_adam_steps",
                                         "metrics/metrics"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/golden/%s.safetensors", TEST_DATA, others[i]);
        ar_tensor_file_close(&file);
        open_ok(path);
        ck_assert_int_gt(file.count, 0);
    }
}
END_TEST

START_TEST(test_expect_names_both_shapes) {
    const char *path = scratch_path("a.safetensors");
    char text[2048];
    const ar_tensor_view *view = NULL;
    ck_assert_int_eq(write_sample(path), ALTERREC_OK);
    open_ok(path);
    ck_assert_int_eq(
        ar_tensor_file_expect(&view, &file, "narrow.weight", AR_DTYPE_F32, 2, (int64_t[]){-1, 3}),
        ALTERREC_OK);
    ck_assert_str_eq(view->name, "narrow.weight");
    ck_assert_int_eq(
        ar_tensor_file_expect(&view, &file, "narrow.weight", AR_DTYPE_F32, 2, (int64_t[]){-1, 4}),
        ALTERREC_ERROR_MISMATCH);
    (void)snprintf(text, sizeof text,
                   "%s: tensor \"narrow.weight\" is F32 [2, 3], F32 [any, 4] is expected", path);
    ck_assert_str_eq(alterrec_last_error(), text);
    ck_assert_int_eq(
        ar_tensor_file_expect(&view, &file, "narrow.weight", AR_DTYPE_F64, 2, (int64_t[]){2, 3}),
        ALTERREC_ERROR_MISMATCH);
    ck_assert_int_eq(
        ar_tensor_file_expect(&view, &file, "narrow.weight", AR_DTYPE_F32, 1, (int64_t[]){6}),
        ALTERREC_ERROR_MISMATCH);
    ck_assert_int_eq(ar_tensor_file_expect(&view, &file, "x", AR_DTYPE_F32, 1, (int64_t[]){6}),
                     ALTERREC_ERROR_NOT_FOUND);
    (void)snprintf(text, sizeof text, "%s: no tensor \"x\"", path);
    ck_assert_str_eq(alterrec_last_error(), text);
    ck_assert_str_eq(view->name, "narrow.weight");
}
END_TEST

/* Writes length, header and `data` zeros; opens it. */
static alterrec_status open_made(const char *header, size_t data) {
    char made[4096] = {0};
    uint64_t length = strlen(header);
    memcpy(made, &length, 8);
    memcpy(made + 8, header, length);
    ar_tensor_file_close(&file);
    return ar_tensor_file_open(&file, scratch_write_bytes("made", made, 8 + length + data));
}

static void check_refused(alterrec_status status, const char *header, size_t data,
                          const char *error) {
    char text[2048];
    ck_assert_msg(open_made(header, data) == status, "%s: %s", header, alterrec_last_error());
    (void)snprintf(text, sizeof text, "%s: %s", scratch_path("made"), error);
    ck_assert_str_eq(alterrec_last_error(), text);
    ck_assert_ptr_null(file.tensors);
    ck_assert_ptr_null(file.map.mapping);
    ck_assert_ptr_null(file.header.root);
}

#define ENTRY(dtype, shape, from, to)                                                              \
    "{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" from "," to "]}"

START_TEST(test_foreign_headers_are_read) {
    /* Any order of entries, tensors without bytes, spaces, unaligned data, every dtype. */
    ck_assert_int_eq(open_made("{\"c\":" ENTRY("F32", "1", "2", "6") ",\"e\":" ENTRY(
                                   "F32", "0", "2", "2") ",\"a\":" ENTRY("U8", "2", "0", "2") "}  ",
                               6),
                     ALTERREC_OK);
    ck_assert_str_eq(file.tensors[0].name, "a");
    ck_assert_str_eq(file.tensors[1].name, "e");
    ck_assert_str_eq(file.tensors[2].name, "c");
    ck_assert_int_eq((const char *)file.tensors[2].data - (const char *)file.tensors[0].data, 2);
    ck_assert_int_eq(file.tensors[2].aligned, (uintptr_t)file.tensors[2].data % 4 == 0);
    ck_assert_int_eq(open_made("{\"a\":" ENTRY("BF16", "1", "0",
                                               "2") ",\"b\":" ENTRY("F8_E4M3", "2", "2", "4") "}",
                               4),
                     ALTERREC_OK);
    ck_assert_int_eq(open_made("{}", 0), ALTERREC_OK);
    ck_assert_int_eq(file.count, 0);
    ck_assert_ptr_null(file.metadata);
}
END_TEST

START_TEST(test_bad_headers_are_refused) {
    static const struct {
        const char *header;
        size_t data;
        const char *error;
    } cases[] = {
        {"{\"a\":1}", 0, "tensor \"a\": a whole number, an object is expected"},
        {"[]", 0, "header: an array, an object is expected"},
        {"{", 0, "header: offset 1: a string was expected"},
        {"{\"__metadata__\":[]}", 0, "\"__metadata__\" is an array, an object is expected"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "metadata \"a\" is a whole number, text is expected"},
        {"{\"a\":{\"shape\":[],\"data_offsets\":[0,0]}}", 0,
         "tensor \"a\": \"dtype\" is missing, text is expected"},
        {"{\"a\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,0]}}", 0,
         "tensor \"a\": \"dtype\" is a whole number, text is expected"},
        {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,0]}}", 0,
         "tensor \"a\": \"shape\" is missing, an array is expected"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0]}}", 0,
         "tensor \"a\": \"data_offsets\" is missing, an array is expected"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0]}}", 0,
         "tensor \"a\": \"data_offsets\" is not two whole numbers"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0,0]}}", 0,
         "tensor \"a\": \"data_offsets\" is not two whole numbers"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0.0]}}", 0,
         "tensor \"a\": \"data_offsets\" is not two whole numbers"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":1}}", 0,
         "tensor \"a\": a member other than \"dtype\", \"shape\" and \"data_offsets\""},
        {"{\"a\":" ENTRY("U8", "-1", "0", "0") "}", 0,
         "tensor \"a\": a size in \"shape\" is no whole number from 0"},
        {"{\"a\":" ENTRY("U8", "1.0", "0", "1") "}", 1,
         "tensor \"a\": a size in \"shape\" is no whole number from 0"},
        {"{\"a\":" ENTRY("U8", "4294967296,4294967296", "0", "0") "}", 0,
         "tensor \"a\": the shape is too large for any file"},
        {"{\"a\":" ENTRY("F64", "2305843009213693952", "0", "0") "}", 0,
         "tensor \"a\": the shape is too large for any file"},
        {"{\"a\":" ENTRY("U8", "1", "1", "0") "}", 1,
         "tensor \"a\": \"data_offsets\" are 1 and 0, the file has data from 0 to 1"},
        {"{\"a\":" ENTRY("U8", "1", "-1", "0") "}", 1,
         "tensor \"a\": \"data_offsets\" are -1 and 0, the file has data from 0 to 1"},
        {"{\"a\":" ENTRY("U8", "2", "0", "2") "}", 1,
         "tensor \"a\": \"data_offsets\" are 0 and 2, the file has data from 0 to 1"},
        {"{\"a\":" ENTRY("F32", "1", "0", "3") "}", 3,
         "tensor \"a\": the shape needs 4 bytes, \"data_offsets\" give 3"},
        {"{\"a\":" ENTRY("U8", "1", "0", "1") ",\"a\":" ENTRY("U8", "1", "1", "2") "}", 2,
         "header: offset 57: key \"a\" stands twice"},
        {"{\"a\":" ENTRY("U8", "1", "0", "1") ",\"b\":" ENTRY("U8", "1", "2", "3") "}", 3,
         "tensor \"b\": its data begin 1 bytes behind the end of the tensor before"},
        {"{\"a\":" ENTRY("U8", "2", "0", "2") ",\"b\":" ENTRY("U8", "2", "1", "3") "}", 3,
         "tensor \"b\": its data begin 1 bytes before the end of the tensor before"},
        {"{\"a\":" ENTRY("U8", "1", "1", "2") "}", 2,
         "tensor \"a\": its data begin 1 bytes behind the end of the tensor before"},
        {"{\"a\":" ENTRY("U8", "1", "0", "1") "}", 3, "2 bytes behind the last tensor"},
        {"{}", 1, "1 bytes behind the last tensor"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(ALTERREC_ERROR_PARSE, cases[i].header, cases[i].data, cases[i].error);
    check_refused(ALTERREC_ERROR_UNSUPPORTED, "{\"a\":" ENTRY("C64", "1", "0", "8") "}", 8,
                  "tensor \"a\": dtype \"C64\" is not known");
    check_refused(ALTERREC_ERROR_UNSUPPORTED,
                  "{\"a\":" ENTRY("U8", "1,1,1,1,1,1,1,1,1", "0", "1") "}", 1,
                  "tensor \"a\": 9 dimensions, at most 8 are supported");
}
END_TEST

START_TEST(test_bad_lengths_are_refused) {
    static const struct {
        uint64_t length;
        size_t size;
        const char *error;
    } cases[] = {
        {2, 7, "truncated: 7 bytes, a safetensors file has more"},
        {2, 0, "truncated: 0 bytes, a safetensors file has more"},
        {3, 10, "truncated: a header of 3 bytes, the file has 2 behind its length"},
        {0, 10, "header: offset 0: a value was expected"},
        {UINT64_MAX, 10,
         "not a safetensors file: a header of 18446744073709551615 bytes, at most 100000000 are "
         "allowed"},
        {100000001, 10,
         "not a safetensors file: a header of 100000001 bytes, at most 100000000 are allowed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char made[] = "\0\0\0\0\0\0\0\0{}", text[2048];
        memcpy(made, &cases[i].length, 8);
        const char *path = scratch_write_bytes("made", made, cases[i].size);
        ck_assert_int_eq(ar_tensor_file_open(&file, path), ALTERREC_ERROR_PARSE);
        (void)snprintf(text, sizeof text, "%s: %s", path, cases[i].error);
        ck_assert_str_eq(alterrec_last_error(), text);
    }
    ck_assert_int_eq(ar_tensor_file_open(&file, scratch_path("missing")), ALTERREC_ERROR_IO);
    ck_assert_int_eq(ar_tensor_file_open(&file, scratch_folder), ALTERREC_ERROR_IO);
}
END_TEST

/* Every tensor of an open file is touched, so that a sanitizer sees one that lies outside. */
static uint64_t touch(void) {
    ar_checksum checksum = {0};
    for (int64_t i = 0; i < file.count; i++) {
        ck_assert_uint_eq(strlen(file.tensors[i].name), strlen(file.tensors[i].name));
        ar_checksum_put(&checksum, file.tensors[i].data, (size_t)file.tensors[i].bytes);
    }
    return ar_checksum_value(&checksum);
}

/* Opens damaged bytes: an error, or a file that can be read and whose checksum tells. */
static bool damage_is_seen(const char *damaged, size_t size) {
    alterrec_status status =
        ar_tensor_file_open(&file, scratch_write_bytes("damaged", damaged, size));
    if (status == ALTERREC_OK) {
        (void)touch();
        status = ar_tensor_file_verify(&file);
    } else {
        ck_assert_ptr_null(file.tensors);
        ck_assert_ptr_null(file.map.mapping);
    }
    ar_tensor_file_close(&file);
    return status != ALTERREC_OK;
}

START_TEST(test_every_flipped_bit_is_seen) {
    size_t size;
    const char *path = scratch_path("a.safetensors");
    ck_assert_int_eq(write_sample(path), ALTERREC_OK);
    char *whole = scratch_read(path, &size);
    static const unsigned char patterns[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20,
                                             0x40, 0x80, 0xFF, 0x55, 0x33};
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < sizeof patterns; j++) {
            whole[i] = (char)((unsigned char)whole[i] ^ patterns[j]);
            ck_assert_msg(damage_is_seen(whole, size), "byte %zu, pattern %d", i, patterns[j]);
            whole[i] = (char)((unsigned char)whole[i] ^ patterns[j]);
        }
    ck_assert(!damage_is_seen(whole, size));
    free(whole);
}
END_TEST

START_TEST(test_every_cut_is_seen) {
    size_t size;
    const char *path = scratch_path("a.safetensors");
    ck_assert_int_eq(write_sample(path), ALTERREC_OK);
    char *whole = scratch_read(path, &size);
    for (size_t cut = 0; cut < size; cut++) {
        ck_assert_int_eq(ar_tensor_file_open(&file, scratch_write_bytes("cut", whole, cut)),
                         ALTERREC_ERROR_PARSE);
        ck_assert_ptr_null(file.map.mapping);
    }
    free(whole);
}
END_TEST

/* Headers of the format's own pieces in disorder: read or refused, never worse. */
START_TEST(test_shuffled_headers_do_no_harm) {
    static const char *const pieces[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"a\"",
                                         "\"b\"",
                                         "\"U8\"",
                                         "\"F32\"",
                                         "\"dtype\":",
                                         "\"shape\":",
                                         "\"data_offsets\":",
                                         "\"__metadata__\":",
                                         "0",
                                         "1",
                                         "4",
                                         "-1",
                                         "9223372036854775807",
                                         "1e3",
                                         "\"\\u0061\"",
                                         "null",
                                         " ",
                                         ENTRY("U8", "4", "0", "4"),
                                         ENTRY("F32", "1", "0", "4"),
                                         ENTRY("U8", "0", "4", "4")};
    uint64_t state = 1;
    int opened = 0;
    for (int round = 0; round < 4000; round++) {
        char header[2048] = "{\"a\":";
        for (int i = 0; i < 1 + round % 12; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            strcat(header, pieces[(state >> 33) % (sizeof pieces / sizeof *pieces)]);
        }
        if (round % 2 == 0)
            strcat(header, "}");
        if (open_made(header, 4) == ALTERREC_OK) {
            opened++;
            (void)touch();
        }
    }
    ck_assert_int_gt(opened, 3);
}
END_TEST

static void check_commit_fails(alterrec_status status, const char *error) {
    char text[2048];
    ck_assert_int_eq(ar_tensor_writer_commit(&writer), status);
    (void)snprintf(text, sizeof text, "%s: %s", scratch_path("a.safetensors"), error);
    ck_assert_str_eq(alterrec_last_error(), text);
    ck_assert_int_eq(scratch_count(), 0);
    ck_assert_int_eq(ar_tensor_writer_open(&writer, scratch_path("a.safetensors")), ALTERREC_OK);
}

START_TEST(test_writer_refuses_misuse) {
    ck_assert_int_eq(ar_tensor_writer_open(&writer, scratch_path("a.safetensors")), ALTERREC_OK);
    ar_tensor_writer_metadata(&writer, "checksum", "1");
    ar_tensor_writer_declare(&writer, "", AR_DTYPE_U8, 0, NULL); /* the first error is kept */
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "metadata \"checksum\" is the writer's own");
    ar_tensor_writer_metadata(&writer, "a", "1");
    ar_tensor_writer_metadata(&writer, "a", "1");
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT, "metadata \"a\" is given twice");
    ar_tensor_writer_metadata(&writer, "a", "\xFF");
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT, "metadata \"a\" is not UTF-8");
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_U8, 0, NULL);
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_U8, 0, NULL);
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "tensor \"a\": tensor \"a\" is given twice");
    ar_tensor_writer_declare(&writer, "", AR_DTYPE_U8, 0, NULL);
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "tensor \"\": tensor \"\" is empty or not UTF-8");
    ar_tensor_writer_declare(&writer, "__metadata__", AR_DTYPE_U8, 0, NULL);
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "tensor \"__metadata__\": the name belongs to the format");
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_U8, 1, (int64_t[]){3});
    ar_tensor_writer_declare(&writer, "b", AR_DTYPE_F32, 0, NULL);
    check_commit_fails(
        ALTERREC_ERROR_INVALID_ARGUMENT,
        "tensor \"b\": F32 at byte 3 is not aligned: wide dtypes are declared first");
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_U8, 1, (int64_t[]){-3});
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "tensor \"a\": size -3 is negative or too large");
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_F64, 2, (int64_t[]){INT64_MAX / 8, 9});
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "tensor \"a\": size 9 is negative or too large");
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_BF16, 0, NULL);
    check_commit_fails(ALTERREC_ERROR_UNSUPPORTED,
                       "tensor \"a\": BF16 of 0 dimensions is not written");
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_F32, 0, NULL);
    ar_tensor_writer_put(&writer, narrow, 3);
    ar_tensor_writer_put(&writer, narrow, 2);
    check_commit_fails(ALTERREC_ERROR_MISMATCH, "tensor \"a\": 2 bytes are put, it has 1 left");
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_F32, 0, NULL);
    ar_tensor_writer_put(&writer, narrow, 3);
    check_commit_fails(ALTERREC_ERROR_MISMATCH, "tensor \"a\" lacks 1 of its bytes");
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_F32, 0, NULL);
    check_commit_fails(ALTERREC_ERROR_MISMATCH, "tensor \"a\" lacks 4 of its bytes");
    ar_tensor_writer_put(&writer, narrow, 1);
    check_commit_fails(ALTERREC_ERROR_MISMATCH, "1 bytes are put behind the last tensor");
    ar_tensor_writer_put(&writer, narrow, 0);
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_F32, 0, NULL);
    check_commit_fails(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "metadata and tensors are declared before any data");
}
END_TEST

START_TEST(test_abandon_leaves_nothing) {
    ck_assert_int_eq(ar_tensor_writer_open(&writer, scratch_path("a.safetensors")), ALTERREC_OK);
    ar_tensor_writer_declare(&writer, "a", AR_DTYPE_F32, 0, NULL);
    ar_tensor_writer_put(&writer, narrow, 4);
    ar_tensor_writer_abandon(&writer);
    ck_assert_int_eq(scratch_count(), 0);
    ar_tensor_writer_abandon(&writer);
}
END_TEST

/* Fails the first, second, third ... allocation or write of a save over an old file: it is kept. */
static void torture_save(void (*arm)(int64_t), alterrec_status expected, int least) {
    const char *path = scratch_path("a.safetensors");
    ck_assert_int_eq(ar_tensor_writer_open(&writer, path), ALTERREC_OK);
    ar_tensor_writer_metadata(&writer, "old", "yes");
    ck_assert_int_eq(ar_tensor_writer_commit(&writer), ALTERREC_OK);
    int failures = 0;
    for (int64_t n = 1;; n++) {
        arm(n);
        alterrec_status status = write_sample(path);
        arm(0);
        if (status == ALTERREC_OK)
            break;
        failures++;
        ck_assert_int_eq(status, expected);
        ck_assert_int_eq(scratch_count(), 1);
        open_ok(path);
        ck_assert_str_eq(ar_tensor_file_metadata(&file, "old"), "yes");
        ck_assert_int_eq(ar_tensor_file_verify(&file), ALTERREC_OK);
        ar_tensor_file_close(&file);
    }
    ck_assert_int_ge(failures, least);
    open_ok(path);
    check_sample();
}

START_TEST(test_save_without_memory_keeps_the_old_file) {
    torture_save(ar_memory_fail_after, ALTERREC_ERROR_OUT_OF_MEMORY, 8);
}
END_TEST

START_TEST(test_save_without_space_keeps_the_old_file) {
    torture_save(ar_writer_fail_after, ALTERREC_ERROR_IO, 2);
}
END_TEST

START_TEST(test_open_without_memory) {
    const char *path = scratch_path("a.safetensors");
    ck_assert_int_eq(write_sample(path), ALTERREC_OK);
    int failures = 0;
    for (int64_t n = 1;; n++) {
        ar_memory_fail_after(n);
        alterrec_status status = ar_tensor_file_open(&file, path);
        ar_memory_fail_after(0);
        if (status == ALTERREC_OK)
            break;
        failures++;
        ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
        ck_assert_ptr_null(file.map.mapping);
    }
    ck_assert_int_ge(failures, 3);
    check_sample();
}
END_TEST

START_TEST(test_checksum_does_not_depend_on_the_cuts) {
    unsigned char data[100];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7);
    for (size_t size = 0; size <= sizeof data; size++) {
        ar_checksum whole = {0};
        ar_checksum_put(&whole, data, size);
        for (size_t part = 1; part <= 17; part++) {
            ar_checksum parts = {0};
            for (size_t at = 0; at < size; at += part)
                ar_checksum_put(&parts, data + at, size - at < part ? size - at : part);
            ck_assert_uint_eq(ar_checksum_value(&parts), ar_checksum_value(&whole));
        }
    }
    /* Zeros at the end count. */
    ar_checksum one = {0}, two = {0};
    ar_checksum_put(&one, "\0", 1);
    ar_checksum_put(&two, "\0\0", 2);
    ck_assert_uint_ne(ar_checksum_value(&one), ar_checksum_value(&two));
    /* Files live longer than programs: the value is part of the format. */
    ar_checksum fixed = {0};
    ar_checksum_put(&fixed, "libalterrec", 11);
    ck_assert_uint_eq(ar_checksum_value(&fixed), UINT64_C(0x26FA8EEE333E1DCD));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tensor_file");
    TCase *cases = tcase_create("tensor_file");
    tcase_add_checked_fixture(cases, scratch_open, tear_down);
    tcase_add_test(cases, test_written_is_read);
    tcase_add_test(cases, test_empty_file_of_no_tensors);
    tcase_add_test(cases, test_golden_files_are_read);
    tcase_add_test(cases, test_expect_names_both_shapes);
    tcase_add_test(cases, test_foreign_headers_are_read);
    tcase_add_test(cases, test_bad_headers_are_refused);
    tcase_add_test(cases, test_bad_lengths_are_refused);
    tcase_add_test(cases, test_every_flipped_bit_is_seen);
    tcase_add_test(cases, test_every_cut_is_seen);
    tcase_add_test(cases, test_shuffled_headers_do_no_harm);
    tcase_add_test(cases, test_writer_refuses_misuse);
    tcase_add_test(cases, test_abandon_leaves_nothing);
    tcase_add_test(cases, test_save_without_memory_keeps_the_old_file);
    tcase_add_test(cases, test_save_without_space_keeps_the_old_file);
    tcase_add_test(cases, test_open_without_memory);
    tcase_add_test(cases, test_checksum_does_not_depend_on_the_cuts);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
