/* Weights from other programs' files: all of them are taken, or none. */
#include "core/memory.h"
#include "model/tensor_file.h"
#include "scratch.h"
#include "support/golden.h"
#include "support/small_model.h"

#include <math.h>

static small_model small;

static void check_fails(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_msg(status == expected, "status %s, \"%s\"", alterrec_status_name(status),
                  alterrec_last_error());
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

static float *new_floats(int64_t count) {
    float *values = ar_new(count, sizeof *values);
    ck_assert_ptr_nonnull(values);
    return values;
}

static void check_imported(const alterrec_model *model, const char *path) {
    ar_tensor_file file;
    MUST(ar_tensor_file_open(&file, path));
    for (int64_t i = 0; i < alterrec_model_tensor_count(model); i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        MUST(alterrec_model_tensor_describe(&tensor, model, i));
        const ar_tensor_view *view = ar_tensor_file_find(&file, tensor.name);
        ck_assert_msg(view != NULL, "no %s in %s", tensor.name, path);
        float *values = new_floats(tensor.count);
        MUST(alterrec_model_get_tensor(values, model, tensor.name, tensor.count));
        ck_assert_int_eq(view->count, tensor.count);
        ck_assert_mem_eq(values, view->data, (size_t)view->bytes);
        ar_free(values);
    }
    ar_tensor_file_close(&file);
}

START_TEST(test_golden_weights_are_imported) {
    static const char *const names[] = {"tiny", "moderate"};
    golden g;
    char path[1024];
    golden_open(&g, names[_i]);
    (void)snprintf(path, sizeof path, "%s/golden/%s/model.safetensors", TEST_DATA, names[_i]);
    check_imported(g.model, path);
    golden_close(&g);
}
END_TEST

/* Writes the small model's tensors to a file, with what else a test asks for. */
typedef struct variation {
    const char *without;  /* this tensor is left out */
    const char *reshaped; /* this one has another shape */
    const char *retyped;  /* this one is I32 */
    const char *spoiled;  /* the last value of this one is `spoil` */
    float spoil;
    bool extra;         /* a tensor that no model has */
    const char *format; /* in the metadata */
} variation;

static bool is(const char *name, const char *chosen) {
    return chosen != NULL && strcmp(name, chosen) == 0;
}

static void declare(ar_tensor_writer *writer, const alterrec_tensor *tensor,
                    const variation *varied) {
    int64_t shape[2] = {tensor->shape[0], tensor->shape[1]};
    int dims = (int)tensor->dims;
    if (is(tensor->name, varied->reshaped)) {
        shape[0] = tensor->shape[1];
        shape[1] = tensor->shape[0];
        dims = 2;
    }
    ar_tensor_writer_declare(writer, tensor->name,
                             is(tensor->name, varied->retyped) ? AR_DTYPE_I32 : AR_DTYPE_F32, dims,
                             shape);
}

static void put(ar_tensor_writer *writer, const alterrec_tensor *tensor, const variation *varied) {
    float *values = new_floats(tensor->count);
    MUST(alterrec_model_get_tensor(values, small.model, tensor->name, tensor->count));
    for (int64_t i = 0; i < tensor->count; i++)
        values[i] += 1.0f;
    if (is(tensor->name, varied->spoiled))
        values[tensor->count - 1] = varied->spoil;
    ar_tensor_writer_put(writer, values, tensor->count * (int64_t)sizeof *values);
    ar_free(values);
}

/* The tensors stand in the reverse of the model's order. */
static const char *write_weights(variation varied) {
    const char *path = scratch_path("weights.safetensors");
    ar_tensor_writer writer;
    MUST(ar_tensor_writer_open(&writer, path));
    if (varied.format != NULL)
        ar_tensor_writer_metadata(&writer, "format", varied.format);
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = alterrec_model_tensor_count(small.model) - 1; i >= 0; i--) {
            alterrec_tensor tensor = {.struct_size = sizeof tensor};
            MUST(alterrec_model_tensor_describe(&tensor, small.model, i));
            if (is(tensor.name, varied.without))
                continue;
            if (pass == 0)
                declare(&writer, &tensor, &varied);
            else
                put(&writer, &tensor, &varied);
        }
        if (varied.extra && pass == 0)
            ar_tensor_writer_declare(&writer, "vocabulary", AR_DTYPE_U8, 1, (int64_t[]){3});
        if (varied.extra && pass == 1)
            ar_tensor_writer_put(&writer, "abc", 3);
    }
    MUST(ar_tensor_writer_commit(&writer));
    return path;
}

START_TEST(test_import_takes_any_order_and_passes_over_the_rest) {
    small_model_open(&small, 9, _i == 1);
    const char *path = write_weights((variation){.extra = true, .format = "pt"});
    MUST(alterrec_model_import(small.model, path));
    check_imported(small.model, path);
    ck_assert_int_eq(scratch_count(), 1);
    small_model_close(&small);
}
END_TEST

/* A header one byte longer moves every tensor off its alignment. */
START_TEST(test_import_takes_tensors_that_are_not_aligned) {
    size_t size;
    uint64_t length;
    small_model_open(&small, 9, true);
    char *bytes = scratch_read(write_weights((variation){0}), &size);
    char *moved = ar_new((int64_t)size + 1, 1);
    memcpy(&length, bytes, sizeof length);
    length++;
    memcpy(moved, &length, sizeof length);
    memcpy(moved + 8, bytes + 8, length - 1);
    moved[8 + length - 1] = ' ';
    memcpy(moved + 8 + length, bytes + 8 + length - 1, size - 8 - length + 1);
    const char *path = scratch_write_bytes("moved.safetensors", moved, size + 1);
    MUST(alterrec_model_import(small.model, path));
    check_imported(small.model, path);
    free(bytes);
    ar_free(moved);
    small_model_close(&small);
}
END_TEST

START_TEST(test_a_failed_import_changes_nothing) {
    static const struct {
        variation varied;
        alterrec_status status;
        const char *text;
    } cases[] = {
        {{.without = "text.encoder.blocks.1.feed_forward.norm.bias"},
         ALTERREC_ERROR_NOT_FOUND,
         "no tensor \"text.encoder.blocks.1.feed_forward.norm.bias\""},
        {{.without = "id.embedding.weight"},
         ALTERREC_ERROR_NOT_FOUND,
         "no tensor \"id.embedding.weight\""},
        {{.reshaped = "text.projection.weight"},
         ALTERREC_ERROR_MISMATCH,
         "tensor \"text.projection.weight\" is F32 [12, 16], F32 [16, 12] is expected"},
        {{.reshaped = "id.norm.bias"},
         ALTERREC_ERROR_MISMATCH,
         "tensor \"id.norm.bias\" is F32 [1, 16], F32 [16] is expected"},
        {{.retyped = "id.norm.weight"},
         ALTERREC_ERROR_MISMATCH,
         "tensor \"id.norm.weight\" is I32 [16], F32 [16] is expected"},
        {{.spoiled = "text.projection.bias", .spoil = NAN},
         ALTERREC_ERROR_PARSE,
         "tensor \"text.projection.bias\": value 15 is not finite"},
        {{.spoiled = "id.embedding.weight", .spoil = -INFINITY},
         ALTERREC_ERROR_PARSE,
         "tensor \"id.embedding.weight\": value 143 is not finite"},
        /* It says that it is a model file, so it must be a whole one. */
        {{.format = "alterrec-model"},
         ALTERREC_ERROR_UNSUPPORTED,
         "model format version \"(none)\""},
    };
    small_model_open(&small, 9, true);
    int64_t id = small.model->id.list.count, text = small.model->text.list.count;
    float *id_before = new_floats(id), *text_before = new_floats(text);
    memcpy(id_before, small.model->id.block, (size_t)id * sizeof(float));
    memcpy(text_before, small.model->text.block, (size_t)text * sizeof(float));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = write_weights(cases[i].varied);
        check_fails(alterrec_model_import(small.model, path), cases[i].status, cases[i].text);
        ck_assert_ptr_eq(strstr(alterrec_last_error(), path), alterrec_last_error());
        ck_assert_mem_eq(small.model->id.block, id_before, (size_t)id * sizeof(float));
        ck_assert_mem_eq(small.model->text.block, text_before, (size_t)text * sizeof(float));
    }
    check_fails(alterrec_model_import(small.model, scratch_path("missing")), ALTERREC_ERROR_IO,
                "missing: cannot open");
    check_fails(alterrec_model_import(small.model, scratch_folder), ALTERREC_ERROR_IO,
                "is a directory");
    ck_assert_mem_eq(small.model->id.block, id_before, (size_t)id * sizeof(float));
    const char *path = write_weights((variation){0});
    MUST(alterrec_model_import(small.model, path));
    check_imported(small.model, path);
    ar_free(id_before);
    ar_free(text_before);
    small_model_close(&small);
}
END_TEST

/* Flips a bit of the first tensor. */
static const char *write_damaged(const char *path) {
    size_t size;
    uint64_t header;
    char *bytes = scratch_read(path, &size);
    memcpy(&header, bytes, sizeof header);
    bytes[8 + header] = (char)(bytes[8 + header] ^ 1);
    path = scratch_write_bytes("damaged.safetensors", bytes, size);
    free(bytes);
    return path;
}

/* A file of the library is held to its checksum; what stands in another program's is not known. */
START_TEST(test_damaged_files_of_the_library_are_not_imported) {
    small_model_open(&small, 9, true);
    const char *path = scratch_path("model.safetensors");
    MUST(alterrec_model_save(small.model, path));
    MUST(alterrec_model_import(small.model, path));
    check_fails(alterrec_model_import(small.model, write_damaged(path)), ALTERREC_ERROR_PARSE,
                "its checksum");
    check_imported(small.model, path);
    const char *other = write_weights((variation){.format = "alterrec-checkpoint"});
    check_fails(alterrec_model_import(small.model, write_damaged(other)), ALTERREC_ERROR_PARSE,
                "its checksum");
    check_imported(small.model, path);
    MUST(alterrec_model_import(small.model, other));
    check_imported(small.model, other);
    MUST(alterrec_model_import(small.model,
                               write_damaged(write_weights((variation){.format = "pt"}))));
    small_model_close(&small);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("model_import");
    TCase *cases = tcase_create("model_import");
    tcase_add_checked_fixture(cases, scratch_open, scratch_close);
    tcase_add_loop_test(cases, test_golden_weights_are_imported, 0, 2);
    tcase_add_loop_test(cases, test_import_takes_any_order_and_passes_over_the_rest, 0, 2);
    tcase_add_test(cases, test_import_takes_tensors_that_are_not_aligned);
    tcase_add_test(cases, test_a_failed_import_changes_nothing);
    tcase_add_test(cases, test_damaged_files_of_the_library_are_not_imported);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
