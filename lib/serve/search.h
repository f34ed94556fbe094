/* The search: the k best items of session vectors, exactly as if every f32 score had been sorted.
 * Level: serve. */
#ifndef AR_SERVE_SEARCH_H
#define AR_SERVE_SEARCH_H

#include "serve/allowed.h"
#include "serve/item_index.h"

/* Working memory that a caller keeps between searches, one thread at a time. A zeroed one is empty.
 */
typedef struct ar_search_memory {
    void *bytes;
    int64_t capacity;
} ar_search_memory;

void ar_search_memory_free(ar_search_memory *memory);

typedef struct ar_search {
    const ar_item_index *index;
    const float *vectors; /* [count, width]: row s is [h_id ; h_text] */
    int64_t count;
    const ar_allowed *allowed; /* NULL: everything */
    int64_t k;                 /* 1..items */
    int64_t candidates; /* 0: exact; n >= k: only the n best by the compact copy are scored */
    int threads;        /* at most; 1 starts none */

    int32_t *items; /* [count, k], best first, ties to the lower index; -1 behind the last */
    float *scores;  /* [count, k], fused; -infinity behind the last */

    /* What it took. */
    int64_t guaranteed; /* sessions whose k best are certainly those of the f32 scores */
    int64_t reranked;   /* items whose f32 score was computed because of the compact copy's */
    int64_t rescans;    /* sessions for which all f32 scores were computed */
} ar_search;

/* The bits of items and scores depend neither on the other sessions, nor on threads, nor on the
 * index's precision (candidates aside). -infinity and NaN are never taken. After OUT_OF_MEMORY the
 * results are undefined. */
alterrec_status ar_search_run(ar_search *search, ar_search_memory *memory);

/* The scores of items [count] for one session vector [width]: of each tower, and fused; each of the
 * three may be NULL. `text` is not written with one tower. An item of -1 scores -infinity. */
alterrec_status ar_search_score(float *fused, float *id, float *text, const ar_item_index *index,
                                const float *vector, const int32_t *items, int64_t count,
                                ar_search_memory *memory);

#endif
