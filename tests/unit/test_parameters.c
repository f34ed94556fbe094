/* The parameters of a tower: their names and shapes, where they stand in its block, how they begin.
 */
#include "core/memory.h"
#include "model/parameters.h"

#include <alterrec/alterrec.h>
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REFERENCE = 0, USUAL = 1 };

static const ar_tower_shape shapes[] = {
    {ALTERREC_ID, 5, 0, {4, 2, 1, 3}},      {ALTERREC_ID, 1, 0, {1, 1, 1, 1}},
    {ALTERREC_ID, 31, 0, {12, 3, 4, 50}},   {ALTERREC_ID, 3, 0, {2, 1, AR_BLOCKS_MOST, 2}},
    {ALTERREC_TEXT, 5, 7, {4, 2, 1, 3}},    {ALTERREC_TEXT, 1, 1, {1, 1, 1, 1}},
    {ALTERREC_TEXT, 31, 20, {12, 3, 4, 9}}, {ALTERREC_TEXT, 3, 2, {2, 1, AR_BLOCKS_MOST, 2}},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* One list at a time, with a block whose addresses tell where a tensor stands. */
static ar_parameter_list list;
static float *block;
static int64_t seen; /* tensors that a test has asked for */

static void open_list(const ar_tower_shape *shape) {
    ck_assert_int_eq(ar_parameter_list_create(&list, shape), ALTERREC_OK);
    block = ar_new(list.count, sizeof *block);
    ck_assert_ptr_nonnull(block);
    seen = 0;
}

static void close_list(void) {
    ar_parameter_list_free(&list);
    ck_assert_ptr_null(list.tensors);
    ar_free(block);
    block = NULL;
}

static const ar_tensor *find(const char *name) {
    for (int64_t t = 0; t < list.tensor_count; t++)
        if (strcmp(list.tensors[t].name, name) == 0)
            return &list.tensors[t];
    ck_abort_msg("no tensor %s", name);
}

/* The tensor <tower>.<name> is [rows, columns] (columns 0: [rows]) and stands at `place`. */
static void check(const ar_tower_shape *shape, const char *name, int64_t rows, int64_t columns,
                  const float *place) {
    char whole[128];
    (void)snprintf(whole, sizeof whole, "%s.%s", shape->kind == ALTERREC_ID ? "id" : "text", name);
    const ar_tensor *tensor = find(whole);
    ck_assert_int_eq(tensor->dims, columns > 0 ? 2 : 1);
    ck_assert_int_eq(tensor->shape[0], rows);
    ck_assert_int_eq(tensor->shape[1], columns > 0 ? columns : 1);
    ck_assert_int_eq(tensor->count, rows * (columns > 0 ? columns : 1));
    ck_assert_msg(place == block + tensor->offset, "%s stands at %td, its list says %lld", whole,
                  place - block, (long long)tensor->offset);
    seen++;
}

static void check_norm(const ar_tower_shape *shape, const char *prefix, ar_norm norm) {
    char name[96];
    (void)snprintf(name, sizeof name, "%s.weight", prefix);
    check(shape, name, shape->encoder.dim, 0, norm.scale);
    (void)snprintf(name, sizeof name, "%s.bias", prefix);
    check(shape, name, shape->encoder.dim, 0, norm.shift);
}

static void check_block(const ar_tower_shape *shape, int number,
                        const struct ar_encoder_block *part) {
    int64_t dim = shape->encoder.dim;
    char prefix[32], name[64];
    (void)snprintf(prefix, sizeof prefix, "encoder.blocks.%d", number);
    static const char *const products[] = {"query", "key", "value"};
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s.attention.%s.weight", prefix, products[i]);
        check(shape, name, dim, dim, part->qkv + i * dim * dim);
    }
    (void)snprintf(name, sizeof name, "%s.attention.output.weight", prefix);
    check(shape, name, dim, dim, part->output);
    (void)snprintf(name, sizeof name, "%s.attention.norm", prefix);
    check_norm(shape, name, part->attention_norm);
    (void)snprintf(name, sizeof name, "%s.feed_forward.inner.weight", prefix);
    check(shape, name, 4 * dim, dim, part->inner);
    (void)snprintf(name, sizeof name, "%s.feed_forward.inner.bias", prefix);
    check(shape, name, 4 * dim, 0, part->inner_bias);
    (void)snprintf(name, sizeof name, "%s.feed_forward.outer.weight", prefix);
    check(shape, name, dim, 4 * dim, part->outer);
    (void)snprintf(name, sizeof name, "%s.feed_forward.outer.bias", prefix);
    check(shape, name, dim, 0, part->outer_bias);
    (void)snprintf(name, sizeof name, "%s.feed_forward.norm", prefix);
    check_norm(shape, name, part->feed_forward_norm);
}

static void check_encoder(const ar_tower_shape *shape, const ar_encoder_weights *encoder) {
    check(shape, "encoder.position.weight", shape->encoder.max_len, shape->encoder.dim,
          encoder->position);
    check_norm(shape, "encoder.norm", encoder->norm);
    for (int b = 0; b < (int)shape->encoder.blocks; b++)
        check_block(shape, b, &encoder->blocks[b]);
}

START_TEST(test_list_and_pointers_agree) {
    const ar_tower_shape *shape = &shapes[_i];
    open_list(shape);
    ar_tower_weights weights = ar_tower_weights_at(block, shape);
    if (shape->kind == ALTERREC_ID) {
        check(shape, "embedding.weight", shape->items, shape->encoder.dim, weights.embedding);
        ck_assert_ptr_null(weights.projection);
        ck_assert_ptr_null(weights.projection_bias);
    } else {
        check(shape, "projection.weight", shape->encoder.dim, shape->feature_dim,
              weights.projection);
        check(shape, "projection.bias", shape->encoder.dim, 0, weights.projection_bias);
        ck_assert_ptr_null(weights.embedding);
    }
    check_norm(shape, "norm", weights.norm);
    check_encoder(shape, &weights.encoder);
    ck_assert_int_eq(seen, list.tensor_count);
    close_list();
}
END_TEST

START_TEST(test_tensors_fill_the_block) {
    open_list(&shapes[_i]);
    int64_t end = 0;
    for (int64_t t = 0; t < list.tensor_count; t++) {
        ck_assert_int_eq(list.tensors[t].offset, end);
        ck_assert_int_gt(list.tensors[t].count, 0);
        ck_assert_uint_lt(strlen(list.tensors[t].name), AR_TENSOR_NAME_SIZE - 1);
        end += list.tensors[t].count;
    }
    ck_assert_int_eq(end, list.count);
    close_list();
}
END_TEST

/* Serving copies the end of a tower's block: it must be the encoder and nothing else. */
START_TEST(test_the_encoder_ends_the_block) {
    const ar_tower_shape *shape = &shapes[_i];
    open_list(shape);
    int64_t count = ar_encoder_weights_count(&shape->encoder);
    ar_encoder_weights encoder = ar_encoder_weights_at(block + list.count - count, &shape->encoder);
    check_encoder(shape, &encoder);
    close_list();
}
END_TEST

START_TEST(test_initialisation_is_the_same_for_a_seed) {
    for (int usual = REFERENCE; usual <= USUAL; usual++) {
        open_list(&shapes[_i]);
        float *again = ar_new(list.count, sizeof *again);
        int64_t dim = shapes[_i].encoder.dim;
        memset(block, 0xFF, (size_t)list.count * sizeof *block);
        ar_parameters_initialise(block, &list, dim, usual, 42);
        ar_parameters_initialise(again, &list, dim, usual, 42);
        ck_assert_mem_eq(block, again, (size_t)list.count * sizeof *block);
        ar_parameters_initialise(again, &list, dim, usual, 43);
        ck_assert_mem_ne(block, again, (size_t)list.count * sizeof *block);
        ar_free(again);
        close_list();
    }
}
END_TEST

/* Mean, standard deviation, least and largest of the values of a tensor. */
typedef struct statistics {
    double mean, deviation, least, largest;
} statistics;

static statistics statistics_of(const ar_tensor *tensor) {
    statistics s = {.least = (double)INFINITY, .largest = -(double)INFINITY};
    const float *values = block + tensor->offset;
    double squares = 0.0;
    for (int64_t i = 0; i < tensor->count; i++) {
        s.mean += (double)values[i];
        squares += (double)values[i] * (double)values[i];
        s.least = fmin(s.least, (double)values[i]);
        s.largest = fmax(s.largest, (double)values[i]);
    }
    s.mean /= (double)tensor->count;
    s.deviation = sqrt(squares / (double)tensor->count - s.mean * s.mean);
    return s;
}

static const ar_tower_shape large[] = {{ALTERREC_ID, 1000, 0, {64, 2, 2, 50}},
                                       {ALTERREC_TEXT, 1000, 100, {64, 2, 2, 50}}};

/* No two tensors of a shape begin alike, as they would from one seed for all. */
static void check_tensors_differ(void) {
    for (int64_t a = 0; a < list.tensor_count; a++)
        for (int64_t b = a + 1; b < list.tensor_count; b++)
            if (list.tensors[a].count == list.tensors[b].count)
                ck_assert_mem_ne(block + list.tensors[a].offset, block + list.tensors[b].offset,
                                 (size_t)list.tensors[a].count * sizeof *block);
}

/* Uniform in +-1/sqrt(dim), every tensor, norms and biases included. */
START_TEST(test_reference_is_uniform) {
    const ar_tower_shape *shape = &large[_i];
    open_list(shape);
    double bound = 1.0 / sqrt((double)shape->encoder.dim);
    ar_parameters_initialise(block, &list, shape->encoder.dim, REFERENCE, 1);
    for (int64_t t = 0; t < list.tensor_count; t++) {
        const ar_tensor *tensor = &list.tensors[t];
        statistics s = statistics_of(tensor);
        double error = 5.0 / sqrt((double)tensor->count); /* five standard errors, or more */
        ck_assert_double_ge(s.least, -bound);
        ck_assert_double_le(s.largest, bound);
        ck_assert_double_lt(fabs(s.mean) / bound, error);
        ck_assert_double_lt(fabs(s.deviation * sqrt(3.0) / bound - 1.0), error);
        ck_assert_double_gt(s.largest - s.least, 1.7 * bound);
    }
    check_tensors_differ();
    close_list();
}
END_TEST

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

/* Matrices normal with variance 2 / (in + out), norms of gain 1, every offset 0. */
START_TEST(test_usual_is_xavier) {
    open_list(&large[_i]);
    ar_parameters_initialise(block, &list, large[_i].encoder.dim, USUAL, 1);
    int matrices = 0, gains = 0;
    for (int64_t t = 0; t < list.tensor_count; t++) {
        const ar_tensor *tensor = &list.tensors[t];
        statistics s = statistics_of(tensor);
        if (tensor->dims == 2) {
            double expected = sqrt(2.0 / (double)(tensor->shape[0] + tensor->shape[1]));
            double error = 5.0 / sqrt((double)tensor->count);
            matrices++;
            ck_assert_double_lt(fabs(s.mean) / expected, error);
            ck_assert_double_lt(fabs(s.deviation / expected - 1.0), error);
            ck_assert_double_gt(s.largest, 2.5 * expected); /* a normal's tail, not a uniform's */
            continue;
        }
        double constant = ends_with(tensor->name, "norm.weight") ? 1.0 : 0.0;
        gains += constant == 1.0;
        ck_assert_double_eq(s.least, constant);
        ck_assert_double_eq(s.largest, constant);
    }
    ck_assert_int_eq(matrices, 2 + 2 * 6);
    ck_assert_int_eq(gains, 2 + 2 * 2);
    close_list();
}
END_TEST

/* Of one model: the seeds of its towers are derived, not shared. */
START_TEST(test_towers_begin_differently) {
    alterrec_catalog *catalog;
    alterrec_config *config;
    alterrec_model *model;
    float features[3 * 4] = {1, 2, 3}, id[4 * 4], text[4 * 4];
    ck_assert_int_eq(alterrec_config_create(&config), ALTERREC_OK);
    ck_assert_int_eq(alterrec_config_set(config, "model.dim", "4"), ALTERREC_OK);
    ck_assert_int_eq(alterrec_catalog_create(&catalog, NULL, NULL, 3), ALTERREC_OK);
    ck_assert_int_eq(alterrec_catalog_set_features(catalog, features, 3, 4), ALTERREC_OK);
    ck_assert_int_eq(alterrec_model_create(&model, catalog, config), ALTERREC_OK);
    static const char *const names[] = {"blocks.0.attention.query", "blocks.0.attention.output",
                                        "blocks.1.attention.query"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[AR_TENSOR_NAME_SIZE];
        (void)snprintf(name, sizeof name, "id.encoder.%s.weight", names[i]);
        ck_assert_int_eq(alterrec_model_get_tensor(id, model, name, 16), ALTERREC_OK);
        (void)snprintf(name, sizeof name, "text.encoder.%s.weight", names[i]);
        ck_assert_int_eq(alterrec_model_get_tensor(text, model, name, 16), ALTERREC_OK);
        for (int j = 0; j < 16; j++)
            ck_assert(id[j] < text[j] || id[j] > text[j]);
    }
    alterrec_model_free(model);
    alterrec_catalog_free(catalog);
    alterrec_config_free(config);
}
END_TEST

START_TEST(test_list_without_memory) {
    ar_memory_fail_after(1);
    ck_assert_int_eq(ar_parameter_list_create(&list, &shapes[0]), ALTERREC_ERROR_OUT_OF_MEMORY);
    ar_memory_fail_after(0);
    ck_assert_ptr_null(list.tensors);
    ck_assert_int_eq(list.count, 0);
    ar_parameter_list_free(&list);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("parameters");
    TCase *cases = tcase_create("parameters");
    tcase_add_loop_test(cases, test_list_and_pointers_agree, 0, SHAPES);
    tcase_add_loop_test(cases, test_tensors_fill_the_block, 0, SHAPES);
    tcase_add_loop_test(cases, test_the_encoder_ends_the_block, 0, SHAPES);
    tcase_add_loop_test(cases, test_initialisation_is_the_same_for_a_seed, 0, SHAPES);
    tcase_add_loop_test(cases, test_reference_is_uniform, 0, 2);
    tcase_add_loop_test(cases, test_usual_is_xavier, 0, 2);
    tcase_add_test(cases, test_towers_begin_differently);
    tcase_add_test(cases, test_list_without_memory);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
