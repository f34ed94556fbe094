/* Files beyond 4 GiB. What lies in between is a hole, which takes no room on the disk. */
#include "core/file.h"
#include "core/memory.h"
#include "data/npy.h"
#include "model/tensor_file.h"
#include "scratch.h"
#include "support/small_model.h"

#include <fcntl.h>
#include <sys/stat.h>

static const int64_t hole = (5LL << 30) + 4; /* bytes; no multiple of a page */
static const float behind[] = {1.5f, -2.5f, 3.5f};

/* A file of this content, its end `size` bytes from its beginning. */
static const char *write_with_hole(const char *name, const char *begin, size_t length,
                                   int64_t size) {
    const char *path = scratch_write_bytes(name, begin, length);
    ck_assert_int_eq(truncate(path, (off_t)size), 0);
    return path;
}

static void write_at(const char *path, int64_t offset, const void *bytes, size_t size) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pwrite(file, bytes, size, (off_t)offset), (ssize_t)size);
    ck_assert_int_eq(close(file), 0);
}

/* A safetensors header, with its length before it. */
typedef struct header {
    char bytes[16384];
    size_t length;
    int64_t data; /* declared so far */
} header;

static void begin_header(header *h) {
    *h = (header){.length = 8};
    h->length += (size_t)snprintf(h->bytes + 8, sizeof h->bytes - 8, "{");
}

static void declare(header *h, const char *name, const char *dtype, int64_t count, int64_t bytes,
                    const char *shape) {
    char own[32];
    (void)snprintf(own, sizeof own, "%lld", (long long)count);
    h->length +=
        (size_t)snprintf(h->bytes + h->length, sizeof h->bytes - h->length,
                         "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%lld,%lld]}",
                         h->data > 0 ? "," : "", name, dtype, shape != NULL ? shape : own,
                         (long long)h->data, (long long)(h->data + bytes));
    h->data += bytes;
}

/* The file's size; the data begin h->length bytes from its beginning. */
static int64_t end_header(header *h) {
    h->bytes[h->length++] = '}';
    uint64_t length = h->length - 8;
    memcpy(h->bytes, &length, sizeof length);
    return (int64_t)h->length + h->data;
}

START_TEST(tensors_lie_beyond) {
    header h;
    begin_header(&h);
    declare(&h, "hole", "U8", hole, hole, NULL);
    declare(&h, "behind", "F32", 3, sizeof behind, NULL);
    int64_t size = end_header(&h);
    const char *path = write_with_hole("large.safetensors", h.bytes, h.length, size);
    write_at(path, size - (int64_t)sizeof behind, behind, sizeof behind);
    ar_tensor_file file;
    MUST(ar_tensor_file_open(&file, path));
    const ar_tensor_view *view = ar_tensor_file_find(&file, "behind");
    ck_assert_mem_eq(view->data, behind, sizeof behind);
    view = ar_tensor_file_find(&file, "hole");
    ck_assert_int_eq(view->count, hole);
    ck_assert_int_eq(((const unsigned char *)view->data)[hole - 1], 0);
    ar_tensor_file_close(&file);
    static const int64_t lost[] = {1, 1LL << 32};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(truncate(path, (off_t)(size - lost[i])), 0);
        ck_assert_int_eq(ar_tensor_file_open(&file, path), ALTERREC_ERROR_PARSE);
        ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "the file has data from 0 to "));
    }
}
END_TEST

/* Weights behind what no model has. */
START_TEST(weights_are_imported_from_beyond) {
    small_model small;
    small_model_open(&small, 6, false);
    header h;
    begin_header(&h);
    declare(&h, "hole", "U8", hole, hole, NULL);
    int64_t count = alterrec_model_tensor_count(small.model);
    for (int64_t i = 0; i < count; i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        char shape[64];
        MUST(alterrec_model_tensor_describe(&tensor, small.model, i));
        (void)snprintf(shape, sizeof shape, tensor.dims == 1 ? "%lld" : "%lld,%lld",
                       (long long)tensor.shape[0], (long long)tensor.shape[1]);
        declare(&h, tensor.name, "F32", tensor.count, tensor.count * 4, shape);
    }
    int64_t size = end_header(&h);
    const char *path = write_with_hole("weights.safetensors", h.bytes, h.length, size);
    int64_t values = (h.data - hole) / 4;
    float *given = ar_new(values, sizeof *given), *got = ar_new(values, sizeof *got);
    for (int64_t i = 0; i < values; i++)
        given[i] = (float)i * 0.5f;
    write_at(path, size - values * 4, given, (size_t)values * sizeof *given);
    MUST(alterrec_model_import(small.model, path));
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        MUST(alterrec_model_tensor_describe(&tensor, small.model, i));
        MUST(alterrec_model_get_tensor(got, small.model, tensor.name, tensor.count));
        ck_assert_mem_eq(got, given + at, (size_t)tensor.count * sizeof *got);
        at += tensor.count;
    }
    ar_free(given);
    ar_free(got);
    small_model_close(&small);
}
END_TEST

START_TEST(matrices_are_as_large) {
    static const int64_t rows = (1LL << 20) + 1, columns = 1281;
    int64_t needed = rows * columns * 4;
    char prefix[128] = "\x93NUMPY\x01\x00\x76\x00";
    int length = snprintf(prefix + 10, sizeof prefix - 10,
                          "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }",
                          (long long)rows, (long long)columns);
    memset(prefix + 10 + length, ' ', sizeof prefix - 10 - (size_t)length);
    ck_assert_int_gt(needed, UINT32_MAX);
    for (int64_t more = -1; more <= 1; more++) {
        const char *path = write_with_hole("large.npy", prefix, sizeof prefix,
                                           (int64_t)sizeof prefix + needed + more);
        ar_map map;
        ar_npy_shape shape = {0};
        MUST(ar_map_open(&map, path));
        alterrec_status status = ar_npy_parse(&shape, map.bytes, map.size);
        ck_assert_int_eq(status, more == 0 ? ALTERREC_OK : ALTERREC_ERROR_PARSE);
        if (more == 0)
            ck_assert(shape.rows == rows && shape.columns == columns &&
                      shape.data_offset == (int64_t)sizeof prefix);
        else
            ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "needs 5372908548 bytes"));
        ar_map_close(&map);
    }
}
END_TEST

/* The place of a checksum, say, that is known last. */
START_TEST(places_beyond_are_patched) {
    const char *path = scratch_path("patched");
    ar_writer writer;
    MUST(ar_writer_open(&writer, path));
    ar_writer_put(&writer, "begin", 5);
    ar_writer_patch(&writer, hole, behind, sizeof behind);
    MUST(ar_writer_commit(&writer));
    ar_map map;
    MUST(ar_map_open(&map, path));
    ck_assert_uint_eq(map.size, (size_t)hole + sizeof behind);
    ck_assert_mem_eq(map.bytes, "begin\0", 6);
    ck_assert_mem_eq(map.bytes + hole, behind, sizeof behind);
    ar_map_close(&map);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("large_files");
    TCase *group = tcase_create("large_files");
    tcase_add_checked_fixture(group, scratch_open, scratch_close);
    tcase_add_test(group, tensors_lie_beyond);
    tcase_add_test(group, weights_are_imported_from_beyond);
    tcase_add_test(group, matrices_are_as_large);
    tcase_add_test(group, places_beyond_are_patched);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
