/* The encoders of a recommender's towers, for whole sessions and for sessions that grow.
 * Level: serve. */
#ifndef AR_SERVE_SESSION_ENCODER_H
#define AR_SERVE_SESSION_ENCODER_H

#include "nn/inference.h"

enum { AR_ENCODER_MOST_TOWERS = 2 };

/* Read-only once made, shared by threads. A zeroed one is empty. `dim` and `width` below: a session
 * vector [width] is [h_id ; h_text], dim floats of each tower; a row of the item table likewise. */
typedef struct ar_session_encoder {
    ar_encoder_shape shape; /* of every tower */
    int towers;
    ar_inference inferences[AR_ENCODER_MOST_TOWERS];
} ar_session_encoder;

/* Packs copies of the encoders' weights. On an error it is empty. */
alterrec_status ar_session_encoder_create(ar_session_encoder *encoder,
                                          const ar_encoder_weights *const *weights, int towers,
                                          const ar_encoder_shape *shape, ar_weight_format format);
void ar_session_encoder_free(ar_session_encoder *encoder);

/* Working memory that a caller keeps between calls, one thread at a time. A zeroed one is empty.
 */
typedef struct ar_session_memory {
    void *bytes;
    int64_t capacity;
} ar_session_memory;

void ar_session_memory_free(ar_session_memory *memory);

/* Session vectors dst [count, width] of whole sessions: session s is the last max_len of
 * items[offsets[s]] .. items[offsets[s + 1] - 1], at least one item; table [items, width]. On at
 * most `threads` threads (1 starts none). A session's bits depend neither on its neighbours, nor on
 * threads, and are those of ar_session_encoder_step. */
alterrec_status ar_session_encode(float *dst, const ar_session_encoder *encoder,
                                  ar_session_memory *memory, const float *table,
                                  const int32_t *items, const int64_t *offsets, int64_t count,
                                  int threads);

/* Floats that a growing session keeps for each of its items; a multiple of 16. */
int64_t ar_session_encoder_cache(const ar_session_encoder *encoder);

/* What a step does to one growing session. */
typedef struct ar_session_part {
    const int32_t *items; /* [count] its next items */
    int64_t count;        /* at least 1; past + count is at most max_len */
    int64_t past;         /* items that went before */
    float *cache;         /* [past + count, ar_session_encoder_cache] 64-byte aligned; added to */
    float *dst;           /* [width] the session vector after the last item */
} ar_session_part;

/* Takes `count` different sessions further, all products of a tower in one. */
alterrec_status ar_session_encoder_step(const ar_session_encoder *encoder,
                                        ar_session_memory *memory, const float *table,
                                        const ar_session_part *parts, int64_t count, int threads);

#endif
