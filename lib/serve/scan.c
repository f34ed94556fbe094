#include "serve/scan.h"

#include "core/threads.h"
#include "nn/compact.h"
#include "serve/exact.h"
#include "serve/tails.h"

#include <math.h>

enum { TILE_ROWS = AR_SCAN_PANELS * AR_INDEX_ROWS };

/* A thread's scratch memory. */
typedef struct areas {
    int32_t *products; /* [sessions, parts, TILE_ROWS], or floats */
    ar_tails *tails;   /* [sessions] */
} areas;

static int64_t align(int64_t bytes) {
    return (bytes + 63) / 64 * 64;
}

/* The parts of the memory that begins at `base`, for `rows` sessions times parts; returns their
 * bytes. */
static int64_t lay_out(areas *to, char *base, const ar_item_index *index, int64_t rows) {
    int64_t tails = align(rows * TILE_ROWS * (int64_t)sizeof *to->products);
    *to = (areas){(int32_t *)(void *)base, (ar_tails *)(void *)(base + tails)};
    return tails + (index->tails != NULL ? align(rows * (int64_t)sizeof *to->tails) : 0);
}

int64_t ar_scan_scratch_bytes(const ar_item_index *index, int64_t rows) {
    static char none[64];
    areas parts;
    int64_t exact = (2 * rows * AR_EXACT_ROWS + ar_exact_work(index)) * (int64_t)sizeof(float);
    int64_t compact = index->heads != NULL ? lay_out(&parts, none, index, rows) : 0;
    return compact > exact ? compact : exact;
}

static ar_tails_session tails_session(ar_candidates *candidates, const ar_scan *scan,
                                      int64_t session, void *work) {
    int64_t steps = ar_index_tail_steps(&scan->index->shape), at = session * scan->parts;
    return (ar_tails_session){.index = scan->index,
                              .query = scan->queries + session,
                              .codes = (const char *)scan->codes.tail + at * steps * 4,
                              .begins = scan->codes.tail_begins + at,
                              .parts = scan->parts,
                              .estimates = scan->estimates,
                              .candidates = candidates,
                              .candidates_work = work};
}

/* A row that its head, with a full one all of it, lets through. */
static void add_row(ar_tails *tails, const ar_tails_session *session, ar_tail_row row) {
    const ar_item_index *index = session->index;
    ar_candidates *candidates = session->candidates;
    if (index->tails != NULL) {
        const float *terms =
            index->terms + row.item / AR_INDEX_ROWS * AR_BOUNDS_TERMS * AR_INDEX_ROWS;
        row.upper += session->query->tail_error *
                     terms[AR_BOUNDS_TAIL * AR_INDEX_ROWS + row.item % AR_INDEX_ROWS];
        ar_tails_add(tails, session, row);
    } else if (row.upper >= candidates->threshold)
        ar_candidates_add(candidates, (ar_candidate){row.estimate - row.error, row.upper, row.item},
                          session->candidates_work);
}

/* The products of one session with a tile of panels. */
static void judge_session(ar_candidates *candidates, const ar_scan *scan, int64_t session,
                          const areas *memory, int64_t first, int64_t panels, void *work) {
    float estimates[TILE_ROWS], errors[TILE_ROWS];
    uint16_t reach[AR_SCAN_PANELS];
    const ar_item_index *index = scan->index;
    const ar_query *query = scan->queries + session;
    const int32_t *products = memory->products + session * scan->parts * TILE_ROWS;
    ar_tails_session waiting = tails_session(candidates, scan, session, work);
    ar_bounds bounds = {.kind = ar_index_kind(&index->shape),
                        .coarse = products,
                        .fine = scan->parts == 2 ? products + TILE_ROWS : NULL,
                        .terms = index->terms + first * AR_BOUNDS_TERMS * AR_INDEX_ROWS,
                        .panels = panels,
                        .scale = query->scale,
                        .row_error = scan->estimates ? 0.0f : query->row_error,
                        .norm_error = scan->estimates ? 0.0f : query->norm_error,
                        .constant = scan->estimates ? 0.0f : query->constant,
                        .tail = query->tail_error,
                        .threshold = candidates->threshold};
    if (!ar_bounds_judge(reach, estimates, errors, &bounds))
        return;
    for (int64_t p = 0; p < panels; p++)
        for (uint32_t left = reach[p]; left != 0; left &= left - 1) {
            int64_t at = p * AR_INDEX_ROWS + __builtin_ctz(left);
            int32_t item = (int32_t)(first * AR_INDEX_ROWS + at);
            if (item < index->shape.items &&
                ar_allowed_has(scan->allowed, scan->sessions[session], item))
                add_row(memory->tails + session, &waiting,
                        (ar_tail_row){estimates[at], errors[at], estimates[at] + errors[at], item});
        }
}

/* Fetches the terms of a tile, which are wanted when it is multiplied: being read piece by piece,
 * they would be waited for each time. */
static void fetch_terms(const ar_scan *scan, int64_t first, int64_t panels) {
    const float *terms = scan->index->terms + first * AR_BOUNDS_TERMS * AR_INDEX_ROWS;
    for (int64_t line = 0; line < panels * AR_BOUNDS_TERMS; line++)
        __builtin_prefetch(terms + line * AR_INDEX_ROWS);
}

void ar_scan_compact(ar_candidates *const *candidates, const ar_scan *scan, int64_t first,
                     int64_t last, void *scratch, void *work) {
    const ar_item_index *index = scan->index;
    ar_compact_kind kind = ar_index_kind(&index->shape);
    areas memory;
    (void)lay_out(&memory, scratch, index, scan->count * scan->parts);
    ar_compact_job job = {.kind = kind,
                          .dst = memory.products,
                          .dst_stride = TILE_ROWS,
                          .src = scan->codes.head,
                          .count = scan->count * scan->parts,
                          .begin = scan->codes.head_begins,
                          .steps = ar_compact_steps(kind, index->shape.head)};
    for (int64_t s = 0; index->tails != NULL && s < scan->count; s++)
        ar_tails_begin(memory.tails + s);
    for (int64_t p = first; p < last; p += AR_SCAN_PANELS) {
        job.panels = last - p < AR_SCAN_PANELS ? last - p : AR_SCAN_PANELS;
        job.matrix = (const char *)index->heads + p * job.steps * AR_INDEX_ROWS * 4;
        job.next =
            p + AR_SCAN_PANELS < last ? (const char *)job.matrix + TILE_ROWS * job.steps * 4 : NULL;
        fetch_terms(scan, p, job.panels);
        ar_compact_multiply(&job);
        for (int64_t s = 0; s < scan->count; s++)
            if (!candidates[s]->overflown)
                judge_session(candidates[s], scan, s, &memory, p, job.panels, work);
    }
    for (int64_t s = 0; index->tails != NULL && s < scan->count; s++) {
        ar_tails_session waiting = tails_session(candidates[s], scan, s, work);
        if (!candidates[s]->overflown)
            ar_tails_settle(memory.tails + s, &waiting);
    }
}

AR_CLONES static bool any_reaches(const float *scores, int64_t count, float threshold) {
    int32_t above = 0;
    for (int64_t i = 0; i < count; i++)
        above |= scores[i] >= threshold;
    return above != 0;
}

void ar_scan_exact(ar_candidates *const *candidates, const ar_scan *scan, const int32_t *order,
                   int64_t first, int64_t last, void *scratch, void *work) {
    float *id = scratch, *text = id + scan->count * AR_EXACT_ROWS;
    float *pack = text + scan->count * AR_EXACT_ROWS;
    for (int64_t at = first; at < last; at += AR_EXACT_ROWS) {
        int64_t rows = last - at < AR_EXACT_ROWS ? last - at : AR_EXACT_ROWS;
        const int32_t *tile_order = order != NULL ? order + at : NULL;
        ar_exact_towers(id, text, pack, scan->index, scan->vectors, scan->count, tile_order, at,
                        rows);
        ar_exact_fuse(id, text, scan->index, scan->count);
        for (int64_t s = 0; s < scan->count; s++) {
            const float *scores = id + s * AR_EXACT_ROWS;
            if (!any_reaches(scores, rows, candidates[s]->threshold))
                continue;
            for (int64_t r = 0; r < rows; r++) {
                int32_t item = order != NULL ? order[at + r] : (int32_t)(at + r);
                if (scores[r] >= candidates[s]->threshold &&
                    ar_allowed_has(scan->allowed, scan->sessions[s], item))
                    ar_candidates_add(candidates[s], (ar_candidate){scores[r], scores[r], item},
                                      work);
            }
        }
    }
}
