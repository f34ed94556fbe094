/* The training examples: every prefix of every session with the item that follows, cut into
 * sequences and shuffled into batches. Level: train. */
#ifndef AR_TRAIN_EXAMPLES_H
#define AR_TRAIN_EXAMPLES_H

#include "core/status.h"
#include "nn/packed.h"

/* A run of a session's items that is encoded as one sequence; its last `examples` tokens are
 * examples, each with the item behind it as label. */
typedef struct ar_unit {
    int64_t first; /* in the sessions' items */
    int32_t length;
    int32_t examples;
} ar_unit;

typedef struct ar_examples {
    const int32_t *items; /* the sessions', borrowed */
    ar_unit *units;
    int64_t unit_count;
    int64_t unit_capacity;
    int64_t *order; /* [unit_count] */
    int64_t count;  /* examples of all units */
} ar_examples;

/* One batch. Borrowed arrays. */
typedef struct ar_example_batch {
    ar_packed packed;
    const int64_t *rows;   /* [count] the token that each example is */
    const int32_t *labels; /* [count] */
    int64_t count;
} ar_example_batch;

/* by_prefix false: one sequence serves all prefixes of up to max_len items, and each longer prefix
 * has one of its own, its last max_len items. by_prefix true: one sequence for every prefix. The
 * sessions must outlive the examples. INVALID_ARGUMENT if there is no session of two items. */
alterrec_status ar_examples_create(ar_examples *examples, const alterrec_sessions *sessions,
                                   int64_t max_len, bool by_prefix);
void ar_examples_free(ar_examples *examples);

/* A new order; every call with the same seed gives the same one. */
void ar_examples_shuffle(ar_examples *examples, uint64_t seed);

/* Takes units in order until they hold batch_size examples. */
int64_t ar_examples_next(const ar_examples *examples, int64_t unit, int64_t batch_size);

/* The arrays of a batch, reused from batch to batch. */
typedef struct ar_batch_memory {
    int32_t *items, *labels;
    int64_t *offsets, *rows;
    int64_t item_capacity, label_capacity, offset_capacity, row_capacity;
} ar_batch_memory;

void ar_batch_memory_free(ar_batch_memory *memory);

/* Makes room for a batch of so many. */
alterrec_status ar_batch_memory_reserve(ar_batch_memory *memory, int64_t tokens, int64_t sequences,
                                        int64_t examples);

/* Packs the units from `from` to `to` - 1 of the present order. */
alterrec_status ar_examples_pack(ar_example_batch *batch, ar_batch_memory *memory,
                                 const ar_examples *examples, int64_t from, int64_t to);

#endif
