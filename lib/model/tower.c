#include "model/tower.h"

#include "core/memory.h"
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

alterrec_status ar_table_state_create(ar_table_state *state, const ar_tower_shape *shape) {
    *state = (ar_table_state){0};
    state->mean = ar_new(shape->items, sizeof *state->mean);
    state->variance = ar_new(shape->items, sizeof *state->variance);
    if (shape->kind == ALTERREC_TEXT)
        state->projected = ar_new(shape->items * shape->encoder.dim, sizeof *state->projected);
    if (state->mean == NULL || state->variance == NULL ||
        (shape->kind == ALTERREC_TEXT && state->projected == NULL)) {
        ar_table_state_free(state);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    return ALTERREC_OK;
}

void ar_table_state_free(ar_table_state *state) {
    ar_free(state->projected);
    ar_free(state->mean);
    ar_free(state->variance);
    *state = (ar_table_state){0};
}

alterrec_status ar_tower_table(float *table, ar_onednn *onednn, ar_table_state *state,
                               const ar_tower *tower, const float *features, ar_dropout dropout) {
    const ar_tower_weights *weights = &tower->weights;
    int64_t items = tower->shape.items, dim = tower->shape.encoder.dim;
    const float *src = weights->embedding;
    if (tower->shape.kind == ALTERREC_TEXT) {
        float *projected = state != NULL ? state->projected : table;
        AR_TRY(ar_linear_forward(onednn, projected, features, weights->projection,
                                 weights->projection_bias, items, tower->shape.feature_dim, dim,
                                 true));
        if (state != NULL)
            ar_dropout_apply(projected, projected, NULL, items, dim, dropout);
        src = projected;
    }
    return ar_layer_norm_forward(onednn, table, state != NULL ? state->mean : NULL,
                                 state != NULL ? state->variance : NULL, src, weights->norm.scale,
                                 weights->norm.shift, items, dim, AR_TABLE_EPSILON);
}

alterrec_status ar_tower_table_backward(ar_onednn *onednn, const ar_tower_weights *diff,
                                        float *diff_table, const ar_table_state *state,
                                        const ar_tower *tower, const float *features,
                                        ar_dropout dropout) {
    int64_t items = tower->shape.items, dim = tower->shape.encoder.dim;
    bool is_text = tower->shape.kind == ALTERREC_TEXT;
    float *diff_src = is_text ? diff_table : diff->embedding;
    AR_TRY(ar_layer_norm_backward(onednn, diff_src, diff->norm.scale, diff->norm.shift, diff_table,
                                  is_text ? state->projected : tower->weights.embedding,
                                  state->mean, state->variance, tower->weights.norm.scale, items,
                                  dim, AR_TABLE_EPSILON));
    if (!is_text)
        return ALTERREC_OK;
    /* An element is above 0 only if relu let it pass and dropout kept it: one test for both. */
    ar_relu_backward(diff_table, state->projected, items, dim, 1.0f / (1.0f - dropout.rate));
    return ar_linear_backward_weights(onednn, diff->projection, diff->projection_bias, diff_table,
                                      features, items, tower->shape.feature_dim, dim);
}
