#include "serve/scratch_pool.h"

#include "core/memory.h"

enum { PLACES = 16 };

struct ar_scratch_pool {
    _Atomic(ar_scratch *) places[PLACES];
};

alterrec_status ar_scratch_pool_create(ar_scratch_pool **pool) {
    AR_NEW(*pool, 1);
    return ALTERREC_OK;
}

static void free_scratch(ar_scratch *scratch) {
    if (scratch == NULL)
        return;
    alterrec_batch_free(scratch->batch);
    ar_session_memory_free(&scratch->encoding);
    ar_free(scratch->parts);
    ar_free(scratch->vectors);
    ar_free(scratch);
}

void ar_scratch_pool_free(ar_scratch_pool *pool) {
    for (int p = 0; pool != NULL && p < PLACES; p++)
        free_scratch(atomic_load(&pool->places[p]));
    ar_free(pool);
}

alterrec_status ar_scratch_pool_take(ar_scratch **scratch, ar_scratch_pool *pool) {
    for (int p = 0; p < PLACES; p++) {
        if (atomic_load_explicit(&pool->places[p], memory_order_relaxed) == NULL)
            continue;
        *scratch = atomic_exchange(&pool->places[p], NULL);
        if (*scratch != NULL)
            return ALTERREC_OK;
    }
    AR_NEW(*scratch, 1);
    alterrec_status status = alterrec_batch_create(&(*scratch)->batch);
    if (status != ALTERREC_OK)
        free_scratch(*scratch);
    return status;
}

void ar_scratch_pool_give(ar_scratch_pool *pool, ar_scratch *scratch) {
    for (int p = 0; p < PLACES; p++) {
        ar_scratch *nothing = NULL;
        if (atomic_compare_exchange_strong(&pool->places[p], &nothing, scratch))
            return;
    }
    free_scratch(scratch);
}

/* More than the last call needed is made anew: nothing is copied. */
static alterrec_status renew(void **array, int64_t *capacity, int64_t needed, size_t size) {
    if (*capacity >= needed)
        return ALTERREC_OK;
    ar_free(*array);
    *capacity = 0;
    *array = ar_new(needed, size);
    if (*array == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    *capacity = needed;
    return ALTERREC_OK;
}

alterrec_status ar_scratch_reserve(ar_scratch *scratch, int64_t parts, int64_t floats) {
    void *array = scratch->parts;
    alterrec_status status = renew(&array, &scratch->part_capacity, parts, sizeof *scratch->parts);
    scratch->parts = array;
    if (status != ALTERREC_OK)
        return status;
    array = scratch->vectors;
    status = renew(&array, &scratch->vector_capacity, floats, sizeof *scratch->vectors);
    scratch->vectors = array;
    return status;
}
