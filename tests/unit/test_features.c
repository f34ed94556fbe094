/* Text features from arrays and `.npy` files: values, every refusal, nothing half set. */
#include "core/file.h"
#include "core/memory.h"
#include "data/catalog.h"
#include "data/features.h"
#include "scratch.h"

#include <math.h>
#include <stdint.h>

static alterrec_catalog *catalog;

static void set_up(void) {
    scratch_open();
    ck_assert_int_eq(alterrec_catalog_create(&catalog, NULL, NULL, 3), ALTERREC_OK);
}

static void tear_down(void) {
    alterrec_catalog_free(catalog);
    scratch_close();
}

static const float six[] = {1.0f, -2.0f, 0.5f, 0.0f, 1e-30f, 3e38f};

static void set_six(void) {
    ck_assert_int_eq(alterrec_catalog_set_features(catalog, six, 3, 2), ALTERREC_OK);
}

static void check_six(void) {
    ck_assert_int_eq(alterrec_catalog_feature_dim(catalog), 2);
    ck_assert_mem_eq(catalog->features, six, sizeof six);
}

START_TEST(test_set_copies) {
    float values[6];
    memcpy(values, six, sizeof six);
    ck_assert_int_eq(alterrec_catalog_set_features(catalog, values, 3, 2), ALTERREC_OK);
    memset(values, 0, sizeof values);
    check_six();
    /* Set once more, with another dim. */
    ck_assert_int_eq(alterrec_catalog_set_features(catalog, six, 3, 1), ALTERREC_OK);
    ck_assert_int_eq(alterrec_catalog_feature_dim(catalog), 1);
    ck_assert_mem_eq(catalog->features, six, 3 * sizeof *six);
}
END_TEST

static void check_set_refused(const float *values, int64_t rows, int64_t dim,
                              alterrec_status status, const char *error) {
    ck_assert_int_eq(alterrec_catalog_set_features(catalog, values, rows, dim), status);
    ck_assert_str_eq(alterrec_last_error(), error);
    check_six();
}

START_TEST(test_set_refuses_and_keeps) {
    const float bad[] = {1, 2, 3, NAN, 5, 6}, infinite[] = {1, 2, 3, 4, -INFINITY, 6};
    set_six();
    check_set_refused(six, 2, 2, ALTERREC_ERROR_MISMATCH,
                      "alterrec_catalog_set_features: rows is 2, the catalog has 3 items");
    check_set_refused(six, -1, 2, ALTERREC_ERROR_MISMATCH,
                      "alterrec_catalog_set_features: rows is -1, the catalog has 3 items");
    check_set_refused(six, 3, 0, ALTERREC_ERROR_INVALID_ARGUMENT,
                      "alterrec_catalog_set_features: dim is 0, at least 1");
    check_set_refused(six, 3, INT64_MAX / 2, ALTERREC_ERROR_INVALID_ARGUMENT,
                      "alterrec_catalog_set_features: dim is 4611686018427387903, more than an "
                      "array can have");
    check_set_refused(bad, 3, 2, ALTERREC_ERROR_INVALID_ARGUMENT,
                      "alterrec_catalog_set_features: the value at row 1, column 1 is not finite");
    check_set_refused(infinite, 3, 2, ALTERREC_ERROR_INVALID_ARGUMENT,
                      "alterrec_catalog_set_features: the value at row 2, column 0 is not finite");
    check_set_refused(NULL, 3, 2, ALTERREC_ERROR_INVALID_ARGUMENT,
                      "alterrec_catalog_set_features: argument `features` is NULL");
    ar_memory_fail_after(1);
    ck_assert_int_eq(alterrec_catalog_set_features(catalog, six, 3, 1),
                     ALTERREC_ERROR_OUT_OF_MEMORY);
    check_six();
    ck_assert_int_eq(alterrec_catalog_set_features(NULL, six, 3, 2),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_catalog_read_features(NULL, "x"), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_catalog_read_features(catalog, NULL),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
}
END_TEST

/* Writes a `.npy` file of this version with this header and data; returns its path. */
static const char *write_npy(int major, const char *header, const void *data, size_t size) {
    char made[4096] = "\x93NUMPY";
    uint32_t length = (uint32_t)strlen(header);
    size_t length_size = major == 1 ? 2 : 4;
    made[6] = (char)major;
    memcpy(made + 8, &length, length_size);
    memcpy(made + 8 + length_size, header, length);
    memcpy(made + 8 + length_size + length, data, size);
    return scratch_write_bytes("made.npy", made, 8 + length_size + length + size);
}

static void read_ok(const char *path) {
    ck_assert_msg(alterrec_catalog_read_features(catalog, path) == ALTERREC_OK, "%s",
                  alterrec_last_error());
}

START_TEST(test_every_version_and_order_of_keys) {
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }          \n",
        "{'shape':(3,2),'fortran_order':False,'descr':'<f4'}",
        "{ \"fortran_order\" : False , \"descr\" : \"<f4\" , 'shape' : ( 3 , 2 , ) , } \n",
    };
    for (int major = 1; major <= 3; major++)
        for (size_t i = 0; i < 3; i++) {
            ck_assert_int_eq(alterrec_catalog_set_features(catalog, six, 3, 1), ALTERREC_OK);
            read_ok(write_npy(major, headers[i], six, sizeof six));
            check_six();
        }
}
END_TEST

START_TEST(test_half_precision) {
    static const uint16_t halves[] = {0x3C00, 0xC000, 0x0001, 0x8000, 0x7BFF, 0x0400};
    static const float expected[] = {1.0f, -2.0f, 0x1p-24f, -0.0f, 65504.0f, 0x1p-14f};
    static const char header[] = "{'descr': '<f2', 'fortran_order': False, 'shape': (3, 2), }\n";
    read_ok(write_npy(1, header, halves, sizeof halves));
    ck_assert_mem_eq(catalog->features, expected, sizeof expected);
    static const uint16_t infinite[] = {0, 0, 0, 0x7C00, 0, 0},
                          not_a_number[] = {0, 0, 0xFE01, 0, 0, 0};
    ck_assert_int_eq(
        alterrec_catalog_read_features(catalog, write_npy(1, header, infinite, sizeof infinite)),
        ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(
        strstr(alterrec_last_error(), "/made.npy: the value at row 1, column 1 is not finite"));
    ck_assert_int_eq(alterrec_catalog_read_features(
                         catalog, write_npy(1, header, not_a_number, sizeof not_a_number)),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_mem_eq(catalog->features, expected, sizeof expected);
}
END_TEST

static void check_read_refused(const char *path, alterrec_status status, const char *error) {
    char text[2048];
    ck_assert_msg(alterrec_catalog_read_features(catalog, path) == status, "%s: %s", error,
                  alterrec_last_error());
    (void)snprintf(text, sizeof text, "%s: %s", path, error);
    ck_assert_str_eq(alterrec_last_error(), text);
    check_six();
}

#define F4 "{'descr': '<f4', 'fortran_order': False, "

START_TEST(test_read_refuses_and_keeps) {
    set_six();
    static const struct {
        alterrec_status status;
        const char *header;
        const char *error;
    } cases[] = {
        {ALTERREC_ERROR_UNSUPPORTED, "{'descr':'<f8','fortran_order':False,'shape':(3,2)}",
         "dtype '<f8' is not supported, only '<f4' and '<f2' (little-endian float32 and float16)"},
        {ALTERREC_ERROR_UNSUPPORTED, "{'descr':'>f4','fortran_order':False,'shape':(3,2)}",
         "dtype '>f4' is not supported, only '<f4' and '<f2' (little-endian float32 and float16)"},
        {ALTERREC_ERROR_UNSUPPORTED, "{'descr':[('a','<f4')],'fortran_order':False,'shape':(3,2)}",
         "the dtype is a record, only '<f4' and '<f2' are supported"},
        {ALTERREC_ERROR_UNSUPPORTED, "{'descr':'<f4','fortran_order':True,'shape':(3,2)}",
         "Fortran order is not supported, save it in C order"},
        {ALTERREC_ERROR_UNSUPPORTED, F4 "'shape':(6,)}",
         "an array of 1 dimensions, 2 are expected: [rows, columns]"},
        {ALTERREC_ERROR_UNSUPPORTED, F4 "'shape':()}",
         "an array of 0 dimensions, 2 are expected: [rows, columns]"},
        {ALTERREC_ERROR_UNSUPPORTED, F4 "'shape':(3,1,2)}",
         "an array of 3 dimensions, 2 are expected: [rows, columns]"},
        {ALTERREC_ERROR_MISMATCH, F4 "'shape':(2,3)}", "2 rows, the catalog has 3 items"},
        {ALTERREC_ERROR_MISMATCH, F4 "'shape':(6,1)}", "6 rows, the catalog has 3 items"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,1)}",
         "too long a .npy file: [3, 1] needs 12 bytes behind the header, the file has 24"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,3)}",
         "truncated .npy file: [3, 3] needs 36 bytes behind the header, the file has 24"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,3074457345618258603)}",
         "[3, 3074457345618258603] is too large for any file"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,9223372036854775808)}",
         "malformed .npy header: 'shape' is not a tuple of sizes"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,-2)}",
         "malformed .npy header: 'shape' is not a tuple of sizes"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3 2)}",
         "malformed .npy header: 'shape' is not a tuple of sizes"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(,)}",
         "malformed .npy header: 'shape' is not a tuple of sizes"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,2",
         "malformed .npy header: 'shape' is not a tuple of sizes"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(6)}", "malformed .npy header: 'shape' is not a tuple"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':[3,2]}",
         "malformed .npy header: 'shape' is not a tuple"},
        {ALTERREC_ERROR_PARSE, F4 "}",
         "malformed .npy header: it lacks 'descr', 'fortran_order' or 'shape'"},
        {ALTERREC_ERROR_PARSE, F4 "'descr':'<f4','shape':(3,2)}",
         "malformed .npy header: a key stands twice"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,2),'more':1}",
         "malformed .npy header: a key other than 'descr', 'fortran_order' and 'shape'"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,2)} x",
         "malformed .npy header: something stands behind the dict"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,2) 'x'",
         "malformed .npy header: `,` or `}` was expected"},
        {ALTERREC_ERROR_PARSE, F4 "'shape':(3,2)",
         "malformed .npy header: `,` or `}` was expected"},
        {ALTERREC_ERROR_PARSE, F4 "shape:(3,2)}",
         "malformed .npy header: a quoted key and `:` were expected"},
        {ALTERREC_ERROR_PARSE, "{'descr': 4}", "malformed .npy header: 'descr' is not a string"},
        {ALTERREC_ERROR_PARSE, "{'descr': '<f4}", "malformed .npy header: 'descr' is not a string"},
        {ALTERREC_ERROR_PARSE, "{'fortran_order': 0}",
         "malformed .npy header: 'fortran_order' is neither True nor False"},
        {ALTERREC_ERROR_PARSE, "('descr')", "malformed .npy header: it is not a dict"},
        {ALTERREC_ERROR_PARSE, "", "malformed .npy header: it is not a dict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_read_refused(write_npy(1, cases[i].header, six, sizeof six), cases[i].status,
                           cases[i].error);
    check_read_refused(write_npy(1, F4 "'shape':(3,0)}", six, 0), ALTERREC_ERROR_PARSE,
                       "rows of no columns");
    check_read_refused(write_npy(4, F4 "'shape':(3,2)}", six, sizeof six),
                       ALTERREC_ERROR_UNSUPPORTED, ".npy version 4.0, supported are 1.0 to 3.0");
    check_read_refused(scratch_write_bytes("made.npy", "PK\3\4....", 8), ALTERREC_ERROR_PARSE,
                       "not a .npy file: it does not begin with its magic");
    check_read_refused(scratch_write_bytes("made.npy", "", 0), ALTERREC_ERROR_PARSE,
                       "not a .npy file: it does not begin with its magic");
    check_read_refused(scratch_write_bytes("made.npy", "\x93NUMPY\1", 7), ALTERREC_ERROR_PARSE,
                       "truncated .npy file: it ends in the header");
    check_read_refused(scratch_write_bytes("made.npy", "\x93NUMPY\1\0\5", 9), ALTERREC_ERROR_PARSE,
                       "truncated .npy file: it ends in the header");
    check_read_refused(
        scratch_write_bytes("made.npy", "\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12), ALTERREC_ERROR_PARSE,
        "truncated .npy file: the header has 4294967295 bytes, the file 0 behind it");
    ck_assert_int_eq(alterrec_catalog_read_features(catalog, scratch_path("missing.npy")),
                     ALTERREC_ERROR_IO);
    ck_assert_int_eq(alterrec_catalog_read_features(catalog, scratch_folder), ALTERREC_ERROR_IO);
    check_six();
}
END_TEST

START_TEST(test_written_is_read) {
    const char *path = scratch_path("a.npy");
    ck_assert_int_eq(ar_npy_write(path, six, 3, 2), ALTERREC_OK);
    read_ok(path);
    check_six();
    size_t size;
    char *bytes = scratch_read(path, &size);
    ck_assert_uint_eq(size, 128 + sizeof six);
    ck_assert_mem_eq(bytes, "\x93NUMPY\1\0\x76\0", 10);
    ck_assert_int_eq(bytes[127], '\n');
    free(bytes);
}
END_TEST

START_TEST(test_damaged_files) {
    const char *path = scratch_path("a.npy");
    ck_assert_int_eq(ar_npy_write(path, six, 3, 2), ALTERREC_OK);
    size_t size;
    char *whole = scratch_read(path, &size);
    for (size_t i = 0; i < size; i++)
        for (int bit = 0; bit < 8; bit++) {
            char *damaged = malloc(size);
            memcpy(damaged, whole, size);
            damaged[i] = (char)(damaged[i] ^ 1 << bit);
            ar_npy_shape shape;
            float values[6];
            if (ar_npy_parse(&shape, damaged, size) == ALTERREC_OK &&
                shape.rows * shape.columns <= 6)
                (void)ar_npy_values(values, &shape, damaged);
            free(damaged);
        }
    for (size_t cut = 0; cut < size; cut++) {
        char *damaged = malloc(cut + (cut == 0));
        memcpy(damaged, whole, cut);
        ar_npy_shape shape;
        ck_assert_int_eq(ar_npy_parse(&shape, damaged, cut), ALTERREC_ERROR_PARSE);
        free(damaged);
    }
    free(whole);
}
END_TEST

START_TEST(test_read_without_memory) {
    const char *path = scratch_path("a.npy");
    set_six();
    ck_assert_int_eq(ar_npy_write(path, six, 3, 2), ALTERREC_OK);
    ar_memory_fail_after(1);
    ck_assert_int_eq(alterrec_catalog_read_features(catalog, path), ALTERREC_ERROR_OUT_OF_MEMORY);
    check_six();
    read_ok(path);
}
END_TEST

START_TEST(test_failed_write_keeps_the_old_file) {
    const char *path = scratch_path("a.npy");
    const float other[] = {9};
    ck_assert_int_eq(ar_npy_write(path, six, 3, 2), ALTERREC_OK);
    alterrec_status status;
    for (int64_t n = 1;; n++) {
        ar_memory_fail_after(n);
        status = ar_npy_write(path, other, 1, 1);
        ar_memory_fail_after(0);
        if (status == ALTERREC_OK)
            break;
        ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
        ck_assert_int_eq(scratch_count(), 1);
        read_ok(path);
        check_six();
    }
    ck_assert_int_eq(ar_npy_write(path, six, 3, 2), ALTERREC_OK);
    ar_writer_fail_after(1);
    ck_assert_int_eq(ar_npy_write(path, other, 1, 1), ALTERREC_ERROR_IO);
    ar_writer_fail_after(0);
    ck_assert_int_eq(scratch_count(), 1);
    read_ok(path);
    ck_assert_int_eq(ar_npy_write(scratch_path("no/such/folder.npy"), six, 3, 2),
                     ALTERREC_ERROR_IO);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("features");
    TCase *cases = tcase_create("features");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_set_copies);
    tcase_add_test(cases, test_set_refuses_and_keeps);
    tcase_add_test(cases, test_every_version_and_order_of_keys);
    tcase_add_test(cases, test_half_precision);
    tcase_add_test(cases, test_read_refuses_and_keeps);
    tcase_add_test(cases, test_written_is_read);
    tcase_add_test(cases, test_damaged_files);
    tcase_add_test(cases, test_read_without_memory);
    tcase_add_test(cases, test_failed_write_keeps_the_old_file);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
