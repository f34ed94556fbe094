#include "model/tower.h"

#include "core/memory.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"

alterrec_status ar_tower_create(ar_tower *tower, const ar_tower_shape *shape) {
    *tower = (ar_tower){.shape = *shape};
    AR_TRY(ar_parameter_list_create(&tower->list, shape));
    tower->block = ar_new(tower->list.count, sizeof *tower->block);
    if (tower->block == NULL) {
        ar_tower_free(tower);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    tower->weights = ar_tower_weights_at(tower->block, shape);
    return ALTERREC_OK;
}

void ar_tower_free(ar_tower *tower) {
    ar_parameter_list_free(&tower->list);
    ar_free(tower->block);
    *tower = (ar_tower){0};
}

static alterrec_status create_parts(ar_table_state *state, int64_t items, int64_t dim) {
    AR_NEW(state->fused, items * dim);
    for (int part = 0; part < AR_PARTS; part++) {
        AR_NEW(state->parts[part].rows, items * dim);
        AR_NEW(state->parts[part].mean, items);
        AR_NEW(state->parts[part].variance, items);
    }
    return ALTERREC_OK;
}

static alterrec_status create_state(ar_table_state *state, const ar_tower_shape *shape) {
    int64_t items = shape->items, dim = shape->encoder.dim;
    AR_NEW(state->mean, items);
    AR_NEW(state->variance, items);
    if (shape->kind != ALTERREC_ID)
        AR_NEW(state->projected, items * dim);
    return shape->kind == ALTERREC_FUSED ? create_parts(state, items, dim) : ALTERREC_OK;
}

alterrec_status ar_table_state_create(ar_table_state *state, const ar_tower_shape *shape) {
    *state = (ar_table_state){0};
    alterrec_status status = create_state(state, shape);
    if (status != ALTERREC_OK)
        ar_table_state_free(state);
    return status;
}

void ar_table_state_free(ar_table_state *state) {
    ar_free(state->projected);
    ar_free(state->mean);
    ar_free(state->variance);
    ar_free(state->fused);
    for (int part = 0; part < AR_PARTS; part++) {
        ar_free(state->parts[part].rows);
        ar_free(state->parts[part].mean);
        ar_free(state->parts[part].variance);
    }
    *state = (ar_table_state){0};
}

/* dst [items, dim] = dropout(relu(X Wᵀ + b)); dropout NULL: none. */
static alterrec_status project(float *dst, ar_onednn *onednn, const ar_tower *tower,
                               ar_operand features, const ar_dropout *dropout) {
    int64_t items = tower->shape.items, dim = tower->shape.encoder.dim;
    AR_TRY(ar_matmul_of(onednn, dst, features, (ar_operand){.values = tower->weights.projection},
                        tower->weights.projection_bias, items, dim, tower->shape.feature_dim,
                        AR_WEIGHTS_TRANSPOSED | AR_RELU));
    if (dropout != NULL)
        ar_dropout_apply(dst, dst, NULL, items, dim, *dropout);
    return ALTERREC_OK;
}

/* The gradients of the projection, from those of its result, which are used as working memory. An
 * element is above 0 only if relu let it pass and dropout kept it: one test for both. */
static alterrec_status project_backward(ar_onednn *onednn, const ar_tower_weights *diff,
                                        float *diff_dst, const float *dst, const ar_tower *tower,
                                        ar_operand features, float rate) {
    int64_t items = tower->shape.items, dim = tower->shape.encoder.dim;
    ar_relu_backward(diff_dst, dst, items, dim, 1.0f / (1.0f - rate));
    ar_linear_backward_bias(diff->projection_bias, diff_dst, items, dim);
    return ar_matmul_of(onednn, diff->projection, (ar_operand){.values = diff_dst}, features, NULL,
                        dim, tower->shape.feature_dim, items, AR_SRC_TRANSPOSED);
}

static void normalise(float *dst, float *mean, float *variance, const float *src, ar_norm norm,
                      const ar_tower_shape *shape) {
    ar_layer_norm_forward(dst, mean, variance, src, norm.scale, norm.shift, shape->items,
                          shape->encoder.dim, AR_TABLE_EPSILON);
}

static alterrec_status normalise_backward(float *diff_src, ar_norm diff_norm, const float *diff_dst,
                                          const float *src, const float *mean,
                                          const float *variance, ar_norm norm,
                                          const ar_tower_shape *shape) {
    return ar_layer_norm_backward(diff_src, diff_norm.scale, diff_norm.shift, diff_dst, src, mean,
                                  variance, norm.scale, shape->items, shape->encoder.dim,
                                  AR_TABLE_EPSILON);
}

/* The rows of one part of a joint tower. `projected` may be their place itself, in inference. */
static alterrec_status part_rows(const struct ar_part_state *state, float *projected,
                                 ar_onednn *onednn, const ar_tower *tower, int part,
                                 ar_operand features, const ar_dropout *dropout) {
    const float *src = tower->weights.embedding;
    if (part == AR_PART_TEXT) {
        AR_TRY(project(projected, onednn, tower, features, dropout));
        src = projected;
    }
    normalise(state->rows, state->mean, state->variance, src, tower->weights.part_norms[part],
              &tower->shape);
    return ALTERREC_OK;
}

/* fused [items, dim] = bj + what the part's rows add to it; or `more`: fused += that. A part that
 * is left out adds what zeros in its place would. */
static alterrec_status fuse_part(float *fused, ar_onednn *onednn, const ar_tower *tower,
                                 const float *rows, int part, bool more) {
    int64_t dim = tower->shape.encoder.dim;
    return ar_matmul(onednn, fused, rows, tower->weights.fusion[part],
                     more ? NULL : tower->weights.fusion_bias, tower->shape.items, dim, dim,
                     AR_WEIGHTS_TRANSPOSED | (more ? AR_ACCUMULATE : 0));
}

/* The table of a joint tower in inference, of the parts first .. last. */
static alterrec_status infer_joint(float *table, ar_onednn *onednn, const ar_tower *tower,
                                   int first, int last, ar_operand features) {
    float *rows;
    AR_NEW(rows, tower->shape.items * tower->shape.encoder.dim);
    alterrec_status status = ALTERREC_OK;
    for (int part = first; part <= last && status == ALTERREC_OK; part++) {
        struct ar_part_state state = {.rows = rows};
        status = part_rows(&state, rows, onednn, tower, part, features, NULL);
        if (status == ALTERREC_OK)
            status = fuse_part(table, onednn, tower, rows, part, part > first);
    }
    ar_free(rows);
    if (status == ALTERREC_OK)
        normalise(table, NULL, NULL, table, tower->weights.norm, &tower->shape);
    return status;
}

static alterrec_status joint_table(float *table, ar_onednn *onednn, const ar_table_state *state,
                                   const ar_tower *tower, ar_operand features, ar_dropout dropout) {
    for (int part = 0; part < AR_PARTS; part++) {
        AR_TRY(part_rows(&state->parts[part], state->projected, onednn, tower, part, features,
                         &dropout));
        AR_TRY(fuse_part(state->fused, onednn, tower, state->parts[part].rows, part, part > 0));
    }
    normalise(table, state->mean, state->variance, state->fused, tower->weights.norm,
              &tower->shape);
    return ALTERREC_OK;
}

alterrec_status ar_tower_table(float *table, ar_onednn *onednn, ar_table_state *state,
                               const ar_tower *tower, ar_operand features, ar_dropout dropout) {
    const float *src = tower->weights.embedding;
    if (tower->shape.kind == ALTERREC_FUSED)
        return state != NULL ? joint_table(table, onednn, state, tower, features, dropout)
                             : infer_joint(table, onednn, tower, 0, AR_PARTS - 1, features);
    if (tower->shape.kind == ALTERREC_TEXT) {
        float *projected = state != NULL ? state->projected : table;
        AR_TRY(project(projected, onednn, tower, features, state != NULL ? &dropout : NULL));
        src = projected;
    }
    normalise(table, state != NULL ? state->mean : NULL, state != NULL ? state->variance : NULL,
              src, tower->weights.norm, &tower->shape);
    return ALTERREC_OK;
}

alterrec_status ar_tower_part_table(float *table, ar_onednn *onednn, const ar_table_state *state,
                                    const ar_tower *tower, int part, ar_operand features) {
    if (state == NULL)
        return infer_joint(table, onednn, tower, part, part, features);
    AR_TRY(fuse_part(table, onednn, tower, state->parts[part].rows, part, false));
    normalise(table, NULL, NULL, table, tower->weights.norm, &tower->shape);
    return ALTERREC_OK;
}

/* The gradients of both parts from diff_fused [items, dim]; every array of `state` that has served
 * is free for those that come next. */
static alterrec_status parts_backward(ar_onednn *onednn, const ar_tower_weights *diff,
                                      const float *diff_fused, const ar_table_state *state,
                                      const ar_tower *tower, ar_operand features, float rate) {
    int64_t items = tower->shape.items, dim = tower->shape.encoder.dim;
    float *diff_rows[AR_PARTS] = {diff->embedding, state->fused};
    const float *src[AR_PARTS] = {tower->weights.embedding, state->projected};
    for (int part = 0; part < AR_PARTS; part++) {
        const struct ar_part_state *own = &state->parts[part];
        AR_TRY(ar_linear_backward_weights(onednn, diff->fusion[part],
                                          part == 0 ? diff->fusion_bias : NULL, diff_fused,
                                          own->rows, items, dim, dim));
        AR_TRY(ar_linear_backward_data(onednn, diff_rows[part], diff_fused,
                                       tower->weights.fusion[part], items, dim, dim));
        AR_TRY(normalise_backward(diff_rows[part], diff->part_norms[part], diff_rows[part],
                                  src[part], own->mean, own->variance,
                                  tower->weights.part_norms[part], &tower->shape));
    }
    return project_backward(onednn, diff, diff_rows[AR_PART_TEXT], state->projected, tower,
                            features, rate);
}

alterrec_status ar_tower_table_backward(ar_onednn *onednn, const ar_tower_weights *diff,
                                        float *diff_table, const ar_table_state *state,
                                        const ar_tower *tower, ar_operand features,
                                        ar_dropout dropout) {
    int kind = tower->shape.kind;
    float *diff_src = kind == ALTERREC_ID ? diff->embedding : diff_table;
    const float *src = kind == ALTERREC_ID     ? tower->weights.embedding
                       : kind == ALTERREC_TEXT ? state->projected
                                               : state->fused;
    AR_TRY(normalise_backward(diff_src, diff->norm, diff_table, src, state->mean, state->variance,
                              tower->weights.norm, &tower->shape));
    if (kind == ALTERREC_FUSED)
        return parts_backward(onednn, diff, diff_table, state, tower, features, dropout.rate);
    return kind == ALTERREC_TEXT ? project_backward(onednn, diff, diff_table, state->projected,
                                                    tower, features, dropout.rate)
                                 : ALTERREC_OK;
}
