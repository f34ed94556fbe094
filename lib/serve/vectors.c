/* Vectors of items and sessions, for an index of the host's own. */
#include "core/memory.h"
#include "data/npy.h"
#include "model/fusion.h"
#include "serve/call.h"

#include <string.h>

enum { CHUNK_ROWS = 4096 }; /* written together */

int64_t alterrec_recommender_width(const alterrec_recommender *recommender) {
    return recommender != NULL ? recommender->tower_count * recommender->shape.dim : 0;
}

/* The items' rows with the weights of the fusion in them. */
static void copy_items(float *vectors, const alterrec_recommender *recommender, int64_t first,
                       int64_t count) {
    const ar_item_index *index = &recommender->index;
    int64_t dim = recommender->shape.dim;
    memcpy(vectors, index->table + first * index->width,
           (size_t)(count * index->width) * sizeof *vectors);
    for (int64_t i = 0; i < count; i++)
        for (int t = 0; t < recommender->tower_count; t++)
            ar_scores_scale(vectors + i * index->width + t * dim, dim,
                            (float)ar_index_fold(&index->shape, t));
}

alterrec_status alterrec_recommender_item_vectors(float *vectors,
                                                  const alterrec_recommender *recommender,
                                                  int64_t first, int64_t count) {
    AR_NOT_NULL(vectors);
    AR_NOT_NULL(recommender);
    if (first < 0 || count < 0 || count > recommender->items - first)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: %lld items from item %lld on, the catalog has items 0..%lld", __func__,
                       (long long)count, (long long)first, (long long)recommender->items - 1);
    copy_items(vectors, recommender, first, count);
    return ALTERREC_OK;
}

static const alterrec_search defaults;

alterrec_status alterrec_recommender_session_vectors(float *vectors,
                                                     const alterrec_recommender *recommender,
                                                     alterrec_batch *batch) {
    AR_NOT_NULL(vectors);
    AR_NOT_NULL(recommender);
    AR_NOT_NULL(batch);
    ar_serving_call call;
    AR_TRY(ar_serving_call_begin(&call, recommender, batch, &defaults, __func__));
    memcpy(vectors, call.vectors,
           (size_t)(batch->count * recommender->index.width) * sizeof *vectors);
    ar_serving_call_end(&call);
    return ALTERREC_OK;
}

alterrec_status alterrec_recommender_write_item_vectors(const alterrec_recommender *recommender,
                                                        const char *path) {
    AR_NOT_NULL(recommender);
    AR_NOT_NULL(path);
    int64_t width = recommender->index.width;
    ar_writer writer;
    float *chunk;
    AR_NEW(chunk, CHUNK_ROWS * width);
    alterrec_status status = ar_npy_open(&writer, path, recommender->items, width);
    for (int64_t first = 0; status == ALTERREC_OK && first < recommender->items;
         first += CHUNK_ROWS) {
        int64_t rest = recommender->items - first, count = rest < CHUNK_ROWS ? rest : CHUNK_ROWS;
        copy_items(chunk, recommender, first, count);
        ar_writer_put(&writer, chunk, (size_t)(count * width) * sizeof *chunk);
    }
    if (status == ALTERREC_OK)
        status = ar_writer_commit(&writer);
    ar_free(chunk);
    return status;
}

alterrec_status alterrec_recommender_write_session_vectors(const alterrec_recommender *recommender,
                                                           alterrec_batch *batch,
                                                           const char *path) {
    AR_NOT_NULL(recommender);
    AR_NOT_NULL(batch);
    AR_NOT_NULL(path);
    ar_serving_call call;
    AR_TRY(ar_serving_call_begin(&call, recommender, batch, &defaults, __func__));
    alterrec_status status =
        ar_npy_write(path, call.vectors, batch->count, recommender->index.width);
    ar_serving_call_end(&call);
    return status;
}
