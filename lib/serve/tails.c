#include "serve/tails.h"

#include <string.h>

enum {
    TOGETHER = AR_INDEX_ROWS,
    LATER_LIMIT = 64, /* rows that wait once a list is full: the sooner they are looked at, the
                         sooner others are left out */
    LINE = 64         /* bytes */
};

/* Rows that are looked at together. */
typedef struct group {
    int64_t count;
    ar_tail_row rows[TOGETHER];
} group;

void ar_tails_begin(ar_tails *tails) {
    tails->count = 0;
    tails->is_heap = true;
    tails->limit = AR_TAILS_ROOM;
}

/* Sifts rows[at] down a heap with the highest upper bound at its root. */
static void sink(ar_tail_row *rows, int64_t at, int64_t count) {
    ar_tail_row row = rows[at];
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && rows[child + 1].upper > rows[child].upper;
        if (row.upper >= rows[child].upper)
            break;
        rows[at] = rows[child];
    }
    rows[at] = row;
}

/* The highest row of the heap, or, without one, any. */
static ar_tail_row take(ar_tails *tails) {
    ar_tail_row row = tails->rows[tails->is_heap ? 0 : tails->count - 1];
    tails->count--;
    if (tails->is_heap) {
        tails->rows[0] = tails->rows[tails->count];
        sink(tails->rows, 0, tails->count);
    }
    return row;
}

/* The next rows that may reach the threshold. Their tails are fetched. */
static void take_group(group *taken, ar_tails *tails, const ar_tails_session *session) {
    int64_t bytes = ar_index_tail_bytes(&session->index->shape);
    float threshold = session->candidates->threshold;
    taken->count = 0;
    while (taken->count < TOGETHER && tails->count > 0) {
        ar_tail_row row = take(tails);
        if (row.upper >= threshold) {
            const char *tail = (const char *)session->index->tails + row.item * bytes;
            taken->rows[taken->count++] = row;
            for (int64_t at = 0; at < bytes; at += LINE)
                __builtin_prefetch(tail + at);
        } else if (tails->is_heap)
            tails->count = 0;
    }
}

/* Products of the group's tails [parts, TOGETHER] and terms of its rows, those of nn/bounds.h. */
static void multiply(int32_t *products, float *terms, const group *rows,
                     const ar_tails_session *session) {
    const ar_item_index *index = session->index;
    const void *codes[TOGETHER];
    int64_t bytes = ar_index_tail_bytes(&index->shape);
    for (int64_t r = 0; r < TOGETHER; r++) {
        const ar_tail_row *row = rows->rows + (r < rows->count ? r : rows->count - 1);
        const char *tail = (const char *)index->tails + row->item * bytes;
        float numbers[AR_INDEX_TAIL_TERMS];
        memcpy(numbers, tail, sizeof numbers);
        codes[r] = tail + sizeof numbers;
        terms[AR_BOUNDS_BIAS * TOGETHER + r] = row->estimate;
        terms[AR_BOUNDS_NORM * TOGETHER + r] = row->error;
        terms[AR_BOUNDS_SCALE * TOGETHER + r] = numbers[AR_INDEX_TAIL_SCALE];
        terms[AR_BOUNDS_ERROR * TOGETHER + r] = numbers[AR_INDEX_TAIL_ERROR];
    }
    ar_compact_dots(&(ar_compact_dots_job){.kind = ar_index_kind(&index->shape),
                                           .dst = products,
                                           .src = session->codes,
                                           .count = session->parts,
                                           .begin = session->begins,
                                           .rows = codes,
                                           .steps = ar_index_tail_steps(&index->shape)});
}

static void settle_group(const group *rows, const ar_tails_session *session) {
    int32_t products[2 * TOGETHER];
    float estimates[TOGETHER], errors[TOGETHER], terms[AR_BOUNDS_TERMS * TOGETHER] = {0};
    uint16_t reach;
    multiply(products, terms, rows, session);
    ar_bounds bounds = {.kind = ar_index_kind(&session->index->shape),
                        .coarse = products,
                        .fine = session->parts == 2 ? products + TOGETHER : NULL,
                        .terms = terms,
                        .panels = 1,
                        .scale = session->query->tail_scale,
                        .row_error = session->estimates ? 0.0f : session->query->tail_error,
                        .norm_error = 1.0f,
                        .threshold = session->candidates->threshold};
    if (!ar_bounds_judge(&reach, estimates, errors, &bounds))
        return;
    for (uint32_t left = reach & ((1u << rows->count) - 1); left != 0; left &= left - 1) {
        int r = __builtin_ctz(left);
        float upper = estimates[r] + errors[r];
        if (upper >= session->candidates->threshold)
            ar_candidates_add(session->candidates,
                              (ar_candidate){estimates[r] - errors[r], upper, rows->rows[r].item},
                              session->candidates_work);
    }
}

void ar_tails_settle(ar_tails *tails, const ar_tails_session *session) {
    group groups[2];
    int now = 0;
    for (int64_t at = tails->count / 2; tails->is_heap && at-- > 0;)
        sink(tails->rows, at, tails->count);
    take_group(&groups[now], tails, session);
    for (; groups[now].count > 0; now = 1 - now) {
        take_group(&groups[1 - now], tails, session); /* fetched while this one is used */
        settle_group(&groups[now], session);
    }
    tails->count = 0;
    tails->is_heap = false;
    tails->limit = LATER_LIMIT;
}

void ar_tails_add(ar_tails *tails, const ar_tails_session *session, ar_tail_row row) {
    tails->rows[tails->count++] = row;
    if (tails->count == tails->limit)
        ar_tails_settle(tails, session);
}
