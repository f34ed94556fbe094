#include "model/workspace.h"

#include "core/memory.h"

#include <string.h>

enum { PASS_TOKENS = 2048 /* encoded in one pass, at most, unless one session has more */ };

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
    for (int i = 0; i < AR_SLOTS; i++)
        ar_free(workspace->slots[i].array);
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

void *ar_workspace_array(ar_workspace *workspace, int slot, int64_t count, size_t size) {
    struct ar_slot *kept = &workspace->slots[slot];
    int64_t bytes;
    if (__builtin_mul_overflow(count, (int64_t)size, &bytes)) {
        (void)ar_fail(ALTERREC_ERROR_OUT_OF_MEMORY, "out of memory: %lld elements of %zu bytes",
                      (long long)count, size);
        return NULL;
    }
    if (bytes == 0)
        bytes = 1; /* no elements are no failure */
    return ar_grow(&kept->array, &kept->capacity, bytes, 1) == ALTERREC_OK ? kept->array : NULL;
}

static int64_t kept_length(const int64_t *offsets, int64_t session, int64_t max_len) {
    int64_t length = offsets[session + 1] - offsets[session];
    return length < max_len ? length : max_len;
}

/* How many of the sessions, the first one at least, go into one pass. */
static int64_t pass_sessions(int64_t *tokens, int64_t max_len, const int64_t *offsets,
                             int64_t count) {
    int64_t sessions = 1;
    *tokens = kept_length(offsets, 0, max_len);
    for (; sessions < count; sessions++) {
        int64_t more = kept_length(offsets, sessions, max_len);
        if (*tokens + more > PASS_TOKENS)
            break;
        *tokens += more;
    }
    return sessions;
}

/* Packs the sessions' last max_len items, `tokens` in all. */
static alterrec_status pack(ar_packed *packed, ar_workspace *workspace, int64_t max_len,
                            const int32_t *items, const int64_t *offsets, int64_t count,
                            int64_t tokens) {
    GROW(workspace->offsets, workspace->offset_capacity, count + 1);
    GROW(workspace->rows, workspace->row_capacity, count);
    GROW(workspace->items, workspace->item_capacity, tokens);
    int64_t used = 0;
    for (int64_t s = 0; s < count; s++) {
        int64_t kept = kept_length(offsets, s, max_len);
        workspace->offsets[s] = used;
        memcpy(workspace->items + used, items + offsets[s + 1] - kept,
               (size_t)kept * sizeof *items);
        used += kept;
        workspace->rows[s] = used - 1;
    }
    workspace->offsets[count] = used;
    *packed = (ar_packed){workspace->items, workspace->offsets, count, used};
    return ALTERREC_OK;
}

alterrec_status ar_workspace_encode_rows(float *dst, ar_workspace *workspace,
                                         const ar_encoder_weights *weights,
                                         const ar_encoder_shape *shape, const float *table,
                                         const ar_packed *packed, const int64_t *rows,
                                         int64_t count) {
    AR_TRY(ar_workspace_prepare(workspace, shape));
    return ar_encoder_states(dst, workspace->onednn, workspace->encoder, weights, table, packed,
                             rows, count);
}

alterrec_status ar_workspace_encode(float *dst, ar_workspace *workspace,
                                    const ar_encoder_weights *weights,
                                    const ar_encoder_shape *shape, const float *table,
                                    const int32_t *items, const int64_t *offsets, int64_t count) {
    for (int64_t s = 0, sessions; s < count; s += sessions) {
        ar_packed packed;
        int64_t tokens;
        sessions = pass_sessions(&tokens, shape->max_len, offsets + s, count - s);
        AR_TRY(pack(&packed, workspace, shape->max_len, items, offsets + s, sessions, tokens));
        AR_TRY(ar_workspace_encode_rows(dst + s * shape->dim, workspace, weights, shape, table,
                                        &packed, workspace->rows, sessions));
    }
    return ALTERREC_OK;
}
