/* Working memory of inference: oneDNN's handle, an encoder's activations, packed sessions. One
 * thread at a time; a batch keeps its own. Level: model. */
#ifndef AR_MODEL_WORKSPACE_H
#define AR_MODEL_WORKSPACE_H

#include "model/model.h"

/* Arrays that calls leave for the next one, by what they are for. */
enum {
    AR_SLOT_ID_ROWS,
    AR_SLOT_TEXT_ROWS,
    AR_SLOT_FUSED_ROWS,
    AR_SLOT_BEST_SCORES,
    AR_SLOT_VECTORS,
    AR_SLOT_ALL_ITEMS,
    AR_SLOT_SEARCH,
    AR_SLOT_SESSIONS,
    AR_SLOT_EXCLUDED,
    AR_SLOT_EXCLUDED_OFFSETS,
    AR_SLOT_EXCLUDED_SHARED,
    AR_SLOTS
};

struct ar_workspace {
    ar_onednn *onednn;
    ar_encoder_shape shape; /* of `encoder` */
    ar_encoder_state *encoder;
    int32_t *items; /* the packed sessions, cut to max_len */
    int64_t item_capacity;
    int64_t *offsets;
    int64_t offset_capacity;
    int64_t *rows; /* each session's last token */
    int64_t row_capacity;
    struct ar_slot {
        void *array;
        int64_t capacity; /* bytes */
    } slots[AR_SLOTS];
};

typedef struct ar_workspace ar_workspace;

alterrec_status ar_workspace_create(ar_workspace **workspace);
void ar_workspace_free(ar_workspace *workspace);

/* The batch's workspace, made when it is first asked for. */
alterrec_status ar_workspace_of(ar_workspace **workspace, alterrec_batch *batch);

/* Makes room for an encoder of this shape. */
alterrec_status ar_workspace_prepare(ar_workspace *workspace, const ar_encoder_shape *shape);

/* The slot's array with room for `count` elements of `size` bytes, whatever stands in them; NULL,
 * with the error recorded, out of memory. */
void *ar_workspace_array(ar_workspace *workspace, int slot, int64_t count, size_t size);

/* Session vectors dst [count, dim] of one tower; table [items, dim] is the tower's. Sessions are
 * cut to their last max_len items; every item must be below the table's number of items. Memory is
 * bounded, whatever the count. */
alterrec_status ar_workspace_encode(float *dst, ar_workspace *workspace,
                                    const ar_encoder_weights *weights,
                                    const ar_encoder_shape *shape, const float *table,
                                    const int32_t *items, const int64_t *offsets, int64_t count);

/* dst [count, dim]: the states at the tokens rows [count] of a packed batch whose sequences have
 * 1..max_len tokens. */
alterrec_status ar_workspace_encode_rows(float *dst, ar_workspace *workspace,
                                         const ar_encoder_weights *weights,
                                         const ar_encoder_shape *shape, const float *table,
                                         const ar_packed *packed, const int64_t *rows,
                                         int64_t count);

#endif
