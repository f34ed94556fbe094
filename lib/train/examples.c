#include "train/examples.h"

#include "core/memory.h"
#include "core/random.h"
#include "data/sessions.h"

#include <string.h>

static alterrec_status add_unit(ar_examples *examples, int64_t first, int64_t length,
                                int64_t count) {
    void *units = examples->units;
    AR_TRY(ar_grow(&units, &examples->unit_capacity, examples->unit_count + 1,
                   sizeof *examples->units));
    examples->units = units;
    examples->units[examples->unit_count++] =
        (ar_unit){.first = first, .length = (int32_t)length, .examples = (int32_t)count};
    examples->count += count;
    return ALTERREC_OK;
}

/* The prefixes of a session that begins at `first`: lengths 1 .. length - 1. */
static alterrec_status add_session(ar_examples *examples, int64_t first, int64_t length,
                                   int64_t max_len, bool by_prefix) {
    int64_t whole = 0; /* prefixes that one sequence from the session's start serves */
    if (!by_prefix) {
        whole = length - 1 < max_len ? length - 1 : max_len;
        AR_TRY(add_unit(examples, first, whole, whole));
    }
    for (int64_t prefix = whole + 1; prefix < length; prefix++) {
        int64_t kept = prefix < max_len ? prefix : max_len;
        AR_TRY(add_unit(examples, first + prefix - kept, kept, 1));
    }
    return ALTERREC_OK;
}

alterrec_status ar_examples_create(ar_examples *examples, const alterrec_sessions *sessions,
                                   int64_t max_len, bool by_prefix) {
    *examples = (ar_examples){.items = sessions->items};
    alterrec_status status = ALTERREC_OK;
    for (int64_t s = 0; s < sessions->count && status == ALTERREC_OK; s++) {
        int64_t length = sessions->offsets[s + 1] - sessions->offsets[s];
        if (length >= 2)
            status = add_session(examples, sessions->offsets[s], length, max_len, by_prefix);
    }
    if (status == ALTERREC_OK && examples->count == 0)
        status = ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                         "the training sessions hold no session of two or more items");
    if (status == ALTERREC_OK) {
        examples->order = ar_new(examples->unit_count, sizeof *examples->order);
        status = examples->order != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    if (status != ALTERREC_OK)
        ar_examples_free(examples);
    return status;
}

void ar_examples_free(ar_examples *examples) {
    ar_free(examples->units);
    ar_free(examples->order);
    *examples = (ar_examples){0};
}

void ar_examples_shuffle(ar_examples *examples, uint64_t seed) {
    for (int64_t u = 0; u < examples->unit_count; u++)
        examples->order[u] = u;
    ar_random random;
    ar_random_seed(&random, seed);
    ar_random_shuffle(&random, examples->order, examples->unit_count);
}

int64_t ar_examples_next(const ar_examples *examples, int64_t unit, int64_t batch_size) {
    int64_t count = 0;
    while (unit < examples->unit_count && count < batch_size)
        count += examples->units[examples->order[unit++]].examples;
    return unit;
}

void ar_batch_memory_free(ar_batch_memory *memory) {
    ar_free(memory->items);
    ar_free(memory->labels);
    ar_free(memory->offsets);
    ar_free(memory->rows);
    *memory = (ar_batch_memory){0};
}

alterrec_status ar_batch_memory_reserve(ar_batch_memory *memory, int64_t tokens, int64_t sequences,
                                        int64_t examples) {
    void *items = memory->items, *labels = memory->labels, *offsets = memory->offsets,
         *rows = memory->rows;
    alterrec_status status = ar_grow(&items, &memory->item_capacity, tokens, sizeof(int32_t));
    memory->items = items;
    if (status == ALTERREC_OK)
        status = ar_grow(&offsets, &memory->offset_capacity, sequences + 1, sizeof(int64_t));
    memory->offsets = offsets;
    if (status == ALTERREC_OK)
        status = ar_grow(&labels, &memory->label_capacity, examples, sizeof(int32_t));
    memory->labels = labels;
    if (status == ALTERREC_OK)
        status = ar_grow(&rows, &memory->row_capacity, examples, sizeof(int64_t));
    memory->rows = rows;
    return status;
}

alterrec_status ar_examples_pack(ar_example_batch *batch, ar_batch_memory *memory,
                                 const ar_examples *examples, int64_t from, int64_t to) {
    int64_t tokens = 0, count = 0;
    for (int64_t u = from; u < to; u++) {
        const ar_unit *unit = &examples->units[examples->order[u]];
        tokens += unit->length;
        count += unit->examples;
    }
    AR_TRY(ar_batch_memory_reserve(memory, tokens, to - from, count));
    tokens = count = 0;
    for (int64_t u = from; u < to; u++) {
        const ar_unit *unit = &examples->units[examples->order[u]];
        const int32_t *items = examples->items + unit->first;
        memory->offsets[u - from] = tokens;
        memcpy(memory->items + tokens, items, (size_t)unit->length * sizeof *items);
        for (int64_t t = unit->length - unit->examples; t < unit->length; t++) {
            memory->rows[count] = tokens + t;
            memory->labels[count++] = items[t + 1];
        }
        tokens += unit->length;
    }
    memory->offsets[to - from] = tokens;
    *batch = (ar_example_batch){.packed = {.items = memory->items,
                                           .offsets = memory->offsets,
                                           .sequences = to - from,
                                           .tokens = tokens},
                                .rows = memory->rows,
                                .labels = memory->labels,
                                .count = count};
    return ALTERREC_OK;
}
