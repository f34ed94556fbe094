/* Item tables of every tower: values and gradients against the naive ones. */
#include "core/memory.h"
#include "model/tower.h"
#include "support/naive.h"
#include "support/numbers.h"

#include <string.h>

static const ar_tower_shape shapes[] = {
    {ALTERREC_ID, 9, 0, {12, 2, 1, 4}},    {ALTERREC_TEXT, 9, 7, {12, 2, 1, 4}},
    {ALTERREC_ID, 33, 0, {10, 2, 1, 4}},   {ALTERREC_TEXT, 33, 65, {10, 2, 1, 4}},
    {ALTERREC_ID, 100, 0, {60, 2, 1, 4}},  {ALTERREC_TEXT, 100, 33, {60, 2, 1, 4}},
    {ALTERREC_FUSED, 9, 7, {12, 2, 1, 4}}, {ALTERREC_FUSED, 33, 65, {10, 2, 1, 4}}};
static const float rates[] = {0.0f, 0.3f};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

typedef struct table {
    ar_tower tower;
    ar_table_state state;
    ar_onednn *onednn;
    ar_dropout dropout;
    float *features, *values, *diff_values;
    double *block, *weighting;
    int64_t count; /* of the table */
} table;

static void open_table(table *t, const ar_tower_shape *shape, float rate) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)shape->items);
    *t = (table){.dropout = {rate, 12}, .count = shape->items * shape->encoder.dim};
    MUST(ar_tower_create(&t->tower, shape));
    MUST(ar_table_state_create(&t->state, shape));
    MUST(ar_onednn_create(&t->onednn));
    for (int64_t i = 0; i < t->tower.list.count; i++)
        t->tower.block[i] = (float)ar_random_normal(&random);
    t->features = random_floats(shape->items * shape->feature_dim, &random);
    t->values = ar_new(t->count, sizeof *t->values);
    t->diff_values = random_floats(t->count, &random);
    t->block = to_doubles(t->tower.block, t->tower.list.count);
    t->weighting = to_doubles(t->diff_values, t->count);
}

static ar_operand features_of(const table *t) {
    return (ar_operand){.values = t->features};
}

static void close_table(table *t) {
    ar_tower_free(&t->tower);
    ar_table_state_free(&t->state);
    ar_onednn_free(t->onednn);
    ar_free(t->features);
    ar_free(t->values);
    ar_free(t->diff_values);
    ar_free(t->block);
    ar_free(t->weighting);
}

START_TEST(table_is_naive_table) {
    table t;
    open_table(&t, &shapes[_i / 2], rates[_i % 2]);
    double *expected = ar_new(t.count, sizeof *expected);
    naive_table(expected, t.block, &t.tower.shape, t.features, t.dropout);
    MUST(ar_tower_table(t.values, t.onednn, &t.state, &t.tower, features_of(&t), t.dropout));
    check_near("training", t.values, expected, t.count, 1e-5);
    naive_table(expected, t.block, &t.tower.shape, t.features, (ar_dropout){0});
    MUST(ar_tower_table(t.values, t.onednn, NULL, &t.tower, features_of(&t), t.dropout));
    check_near("inference", t.values, expected, t.count, 1e-5);
    ar_free(expected);
    close_table(&t);
}
END_TEST

/* One part's table, from the rows of a training pass and without one. */
START_TEST(part_is_the_table_with_the_other_masked) {
    table t;
    int part = _i % AR_PARTS;
    open_table(&t, &shapes[SHAPES - 1 - _i / AR_PARTS], 0.3f);
    double *expected = ar_new(t.count, sizeof *expected);
    MUST(ar_tower_table(t.values, t.onednn, &t.state, &t.tower, features_of(&t), t.dropout));
    MUST(ar_tower_part_table(t.values, t.onednn, &t.state, &t.tower, part, (ar_operand){0}));
    naive_part_table(expected, t.block, &t.tower.shape, part, t.features, t.dropout);
    check_near("training", t.values, expected, t.count, 1e-5);
    MUST(ar_tower_part_table(t.values, t.onednn, NULL, &t.tower, part, features_of(&t)));
    naive_part_table(expected, t.block, &t.tower.shape, part, t.features, (ar_dropout){0});
    check_near("inference", t.values, expected, t.count, 1e-5);
    ar_free(expected);
    close_table(&t);
}
END_TEST

static double value(const double *point, void *context) {
    const table *t = context;
    (void)point; /* a part of t->block itself */
    double *values = ar_new(t->count, sizeof *values), sum = 0.0;
    naive_table(values, t->block, &t->tower.shape, t->features, t->dropout);
    for (int64_t i = 0; i < t->count; i++)
        sum += values[i] * t->weighting[i];
    ar_free(values);
    return sum;
}

START_TEST(gradients) {
    table t;
    open_table(&t, &shapes[_i / 2], rates[_i % 2]);
    int64_t own = t.tower.list.count - ar_encoder_weights_count(&t.tower.shape.encoder);
    float *diff = ar_new(t.tower.list.count, sizeof *diff);
    for (int64_t i = 0; i < own; i++)
        diff[i] = 1e6f; /* must be overwritten */
    ar_tower_weights weights = ar_tower_weights_at(diff, &t.tower.shape);
    /* The ID tower's learner gives the gradient's place for the table's gradient. */
    float *diff_table = t.diff_values;
    if (t.tower.shape.kind == ALTERREC_ID) {
        memcpy(weights.embedding, t.diff_values, (size_t)t.count * sizeof *diff);
        diff_table = weights.embedding;
    }
    MUST(ar_tower_table(t.values, t.onednn, &t.state, &t.tower, features_of(&t), t.dropout));
    MUST(ar_tower_table_backward(t.onednn, &weights, diff_table, &t.state, &t.tower,
                                 features_of(&t), t.dropout));
    for (int64_t i = 0; i < t.tower.list.tensor_count; i++) {
        const ar_tensor *tensor = &t.tower.list.tensors[i];
        if (tensor->offset < own)
            check_gradient(tensor->name, diff + tensor->offset, t.block + tensor->offset,
                           tensor->count, value, &t, 1e-4);
    }
    for (int64_t i = own; i < t.tower.list.count; i++)
        ck_assert(diff[i] == 0.0f); /* the encoder's part is not the table's business */
    ar_free(diff);
    close_table(&t);
}
END_TEST

/* The flat block's pointers and the list of named tensors are two views of one layout. */
START_TEST(names_and_pointers_agree) {
    static const char *const firsts[] = {"id.embedding.weight", "text.projection.weight",
                                         "joint.id.embedding.weight"};
    for (int s = 0; s < 3; s++) {
        ar_tower_shape shape = shapes[s < 2 ? s : SHAPES - 1];
        shape.encoder.blocks = 3;
        ar_tower tower;
        MUST(ar_tower_create(&tower, &shape));
        const ar_tower_weights *w = &tower.weights;
        const struct ar_encoder_block *last = &w->encoder.blocks[2];
        int64_t dim = shape.encoder.dim;
        const struct {
            const char *name;
            const float *pointer;
        } places[] = {{firsts[s], s == 1 ? w->projection : w->embedding},
                      {s < 2 ? ".norm.bias" : "joint.norm.bias", w->norm.shift},
                      {".encoder.position.weight", w->encoder.position},
                      {".encoder.norm.weight", w->encoder.norm.scale},
                      {".blocks.2.attention.query.weight", last->qkv},
                      {".blocks.2.attention.key.weight", last->qkv + dim * dim},
                      {".blocks.2.attention.value.weight", last->qkv + 2 * dim * dim},
                      {".blocks.2.attention.output.weight", last->output},
                      {".blocks.2.attention.norm.bias", last->attention_norm.shift},
                      {".blocks.2.feed_forward.inner.weight", last->inner},
                      {".blocks.2.feed_forward.inner.bias", last->inner_bias},
                      {".blocks.2.feed_forward.outer.weight", last->outer},
                      {".blocks.2.feed_forward.outer.bias", last->outer_bias},
                      {".blocks.2.feed_forward.norm.weight", last->feed_forward_norm.scale},
                      /* of the joint tower alone */
                      {"joint.id.norm.weight", w->part_norms[AR_PART_ID].scale},
                      {"joint.id.norm.bias", w->part_norms[AR_PART_ID].shift},
                      {"joint.text.projection.weight", w->projection},
                      {"joint.text.projection.bias", w->projection_bias},
                      {"joint.text.norm.weight", w->part_norms[AR_PART_TEXT].scale},
                      {"joint.text.norm.bias", w->part_norms[AR_PART_TEXT].shift},
                      {"joint.fusion.id.weight", w->fusion[AR_PART_ID]},
                      {"joint.fusion.text.weight", w->fusion[AR_PART_TEXT]},
                      {"joint.fusion.bias", w->fusion_bias}};
        size_t count = sizeof places / sizeof places[0] - (s < 2 ? 9 : 0);
        for (size_t p = 0; p < count; p++) {
            int found = 0;
            for (int64_t i = 0; i < tower.list.tensor_count && found == 0; i++)
                if (strstr(tower.list.tensors[i].name, places[p].name) != NULL) {
                    found = 1;
                    ck_assert_msg(tower.block + tower.list.tensors[i].offset == places[p].pointer,
                                  "%s", places[p].name);
                }
            ck_assert_msg(found == 1, "no tensor %s", places[p].name);
        }
        const ar_tensor *end = &tower.list.tensors[tower.list.tensor_count - 1];
        ck_assert(last->feed_forward_norm.shift + dim == tower.block + tower.list.count);
        ck_assert_int_eq(end->offset + end->count, tower.list.count);
        ar_tower_free(&tower);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("tower");
    tcase_add_loop_test(group, table_is_naive_table, 0, 2 * SHAPES);
    tcase_add_loop_test(group, part_is_the_table_with_the_other_masked, 0, 2 * AR_PARTS);
    tcase_add_loop_test(group, gradients, 0, 2 * SHAPES);
    tcase_add_test(group, names_and_pointers_agree);
    return run_tests(group, "tower");
}
