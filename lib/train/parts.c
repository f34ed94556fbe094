#include "train/parts.h"

#include "core/memory.h"
#include "nn/embedding.h"

static alterrec_status create(ar_parts *parts) {
    for (int part = 0; part < AR_PARTS; part++) {
        AR_NEW(parts->parts[part].table, parts->items * parts->dim);
        AR_NEW(parts->parts[part].scores, parts->tile_rows * parts->items);
    }
    return ALTERREC_OK;
}

alterrec_status ar_parts_create(ar_parts *parts, const ar_tower_shape *shape, int64_t tile_rows) {
    *parts = (ar_parts){.items = shape->items, .dim = shape->encoder.dim, .tile_rows = tile_rows};
    alterrec_status status = create(parts);
    if (status != ALTERREC_OK)
        ar_parts_free(parts);
    return status;
}

void ar_parts_free(ar_parts *parts) {
    for (int part = 0; part < AR_PARTS; part++) {
        ar_free(parts->parts[part].table);
        ar_free(parts->parts[part].vectors);
        ar_free(parts->parts[part].scores);
    }
    *parts = (ar_parts){0};
}

static alterrec_status reserve(ar_parts *parts, int64_t examples) {
    int64_t floats = examples * parts->dim;
    if (floats <= parts->vector_capacity)
        return ALTERREC_OK;
    parts->vector_capacity = 0;
    for (int part = 0; part < AR_PARTS; part++) {
        ar_free(parts->parts[part].vectors);
        parts->parts[part].vectors = NULL;
        AR_NEW(parts->parts[part].vectors, floats);
    }
    parts->vector_capacity = floats;
    return ALTERREC_OK;
}

alterrec_status ar_parts_encode(ar_parts *parts, ar_onednn *onednn, ar_encoder_state *encoder,
                                const ar_table_state *state, const ar_tower *tower,
                                const ar_example_batch *batch, ar_dropout dropout) {
    AR_TRY(reserve(parts, batch->count));
    for (int part = 0; part < AR_PARTS; part++) {
        struct ar_part *own = &parts->parts[part];
        const float *hidden;
        AR_TRY(ar_tower_part_table(own->table, onednn, state, tower, part, (ar_operand){0}));
        AR_TRY(ar_encoder_forward(&hidden, onednn, encoder, &tower->weights.encoder, own->table,
                                  &batch->packed, true, dropout));
        ar_rows_gather(own->vectors, hidden, batch->rows, batch->count, parts->dim);
    }
    return ALTERREC_OK;
}

alterrec_status ar_parts_score(ar_parts *parts, ar_onednn *onednn, int64_t first, int64_t count) {
    for (int part = 0; part < AR_PARTS; part++) {
        const struct ar_part *own = &parts->parts[part];
        AR_TRY(ar_matmul(onednn, own->scores, own->vectors + first * parts->dim, own->table, NULL,
                         count, parts->items, parts->dim, AR_WEIGHTS_TRANSPOSED));
    }
    return ALTERREC_OK;
}
