#include "model/workspace.h"

#include "core/memory.h"
#include "nn/embedding.h"

#include <string.h>

alterrec_status ar_workspace_create(ar_workspace **workspace) {
    *workspace = NULL;
    ar_workspace *made;
    AR_NEW(made, 1);
    alterrec_status status = ar_onednn_create(&made->onednn);
    if (status != ALTERREC_OK) {
        ar_workspace_free(made);
        return status;
    }
    *workspace = made;
    return ALTERREC_OK;
}

void ar_workspace_free(ar_workspace *workspace) {
    if (workspace == NULL)
        return;
    ar_encoder_state_free(workspace->encoder);
    ar_onednn_free(workspace->onednn);
    ar_free(workspace->items);
    ar_free(workspace->offsets);
    ar_free(workspace->rows);
    ar_free(workspace);
}

alterrec_status ar_workspace_of(ar_workspace **workspace, alterrec_batch *batch) {
    if (batch->workspace == NULL) {
        AR_TRY(ar_workspace_create(&batch->workspace));
        batch->workspace_free = ar_workspace_free;
    }
    *workspace = batch->workspace;
    return ALTERREC_OK;
}

alterrec_status ar_workspace_prepare(ar_workspace *workspace, const ar_encoder_shape *shape) {
    if (workspace->encoder != NULL &&
        memcmp(&workspace->shape, shape, sizeof workspace->shape) == 0)
        return ALTERREC_OK;
    ar_encoder_state_free(workspace->encoder);
    workspace->encoder = NULL;
    workspace->shape = *shape;
    return ar_encoder_state_create(&workspace->encoder, shape);
}

#define GROW(array, capacity, needed)                                                              \
    do {                                                                                           \
        void *grown = (array);                                                                     \
        AR_TRY(ar_grow(&grown, &(capacity), (needed), sizeof *(array)));                           \
        (array) = grown;                                                                           \
    } while (0)

/* Packs the sessions' last max_len items. */
static alterrec_status pack(ar_packed *packed, ar_workspace *workspace, int64_t max_len,
                            const int32_t *items, const int64_t *offsets, int64_t count) {
    GROW(workspace->offsets, workspace->offset_capacity, count + 1);
    GROW(workspace->rows, workspace->row_capacity, count);
    GROW(workspace->items, workspace->item_capacity, offsets[count] - offsets[0]);
    int64_t tokens = 0;
    for (int64_t s = 0; s < count; s++) {
        int64_t length = offsets[s + 1] - offsets[s];
        int64_t kept = length < max_len ? length : max_len;
        workspace->offsets[s] = tokens;
        memcpy(workspace->items + tokens, items + offsets[s + 1] - kept,
               (size_t)kept * sizeof *items);
        tokens += kept;
        workspace->rows[s] = tokens - 1;
    }
    workspace->offsets[count] = tokens;
    *packed = (ar_packed){workspace->items, workspace->offsets, count, tokens};
    return ALTERREC_OK;
}

alterrec_status ar_workspace_encode_rows(float *dst, ar_workspace *workspace,
                                         const ar_encoder_weights *weights,
                                         const ar_encoder_shape *shape, const float *table,
                                         const ar_packed *packed, const int64_t *rows,
                                         int64_t count) {
    const float *hidden;
    AR_TRY(ar_workspace_prepare(workspace, shape));
    AR_TRY(ar_encoder_forward(&hidden, workspace->onednn, workspace->encoder, weights, table,
                              packed, false, (ar_dropout){0}));
    ar_rows_gather(dst, hidden, rows, count, shape->dim);
    return ALTERREC_OK;
}

alterrec_status ar_workspace_encode(float *dst, ar_workspace *workspace,
                                    const ar_encoder_weights *weights,
                                    const ar_encoder_shape *shape, const float *table,
                                    const int32_t *items, const int64_t *offsets, int64_t count) {
    ar_packed packed;
    AR_TRY(pack(&packed, workspace, shape->max_len, items, offsets, count));
    return ar_workspace_encode_rows(dst, workspace, weights, shape, table, &packed, workspace->rows,
                                    count);
}
