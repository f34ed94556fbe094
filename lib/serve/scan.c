#include "serve/scan.h"

#include "core/threads.h"
#include "nn/compact.h"
#include "serve/exact.h"

#include <math.h>

enum { TILE_ROWS = AR_SCAN_PANELS * AR_INDEX_ROWS };

int64_t ar_scan_scratch_bytes(const ar_item_index *index, int64_t rows) {
    int64_t compact = rows * TILE_ROWS;
    int64_t exact = 2 * rows * AR_EXACT_ROWS + ar_exact_work(index);
    return (compact > exact ? compact : exact) * (int64_t)sizeof(float);
}

/* The products of one session with a tile of panels. */
static void judge_session(ar_candidates *candidates, const ar_scan *scan, int64_t session,
                          const void *products, int64_t first, int64_t panels, void *work) {
    float estimates[TILE_ROWS], errors[TILE_ROWS];
    uint16_t reach[AR_SCAN_PANELS];
    const ar_item_index *index = scan->index;
    const ar_query *query = scan->queries + session;
    ar_bounds bounds = {.kind = ar_index_kind(&index->shape),
                        .coarse = products,
                        .fine = scan->parts == 2 ? (const int32_t *)products + TILE_ROWS : NULL,
                        .terms = index->terms + first * AR_INDEX_TERMS * AR_INDEX_ROWS,
                        .panels = panels,
                        .scale = query->scale,
                        .row_error = scan->estimates ? 0.0f : query->row_error,
                        .norm_error = scan->estimates ? 0.0f : query->norm_error,
                        .constant = scan->estimates ? 0.0f : query->constant,
                        .threshold = candidates->threshold};
    if (!ar_bounds_judge(reach, estimates, errors, &bounds))
        return;
    for (int64_t p = 0; p < panels; p++)
        for (uint32_t left = reach[p]; left != 0; left &= left - 1) {
            int64_t at = p * AR_INDEX_ROWS + __builtin_ctz(left);
            int64_t item = first * AR_INDEX_ROWS + at;
            float upper = estimates[at] + errors[at];
            if (item < index->shape.items && upper >= candidates->threshold &&
                ar_allowed_has(scan->allowed, scan->sessions[session], (int32_t)item))
                ar_candidates_add(candidates,
                                  (ar_candidate){estimates[at] - errors[at], upper, (int32_t)item},
                                  work);
        }
}

/* Fetches the terms of a tile, which are wanted when it is multiplied: being read piece by piece,
 * they would be waited for each time. */
static void fetch_terms(const ar_scan *scan, int64_t first, int64_t panels) {
    const float *terms = scan->index->terms + first * AR_INDEX_TERMS * AR_INDEX_ROWS;
    for (int64_t line = 0; line < panels * AR_INDEX_TERMS; line++)
        __builtin_prefetch(terms + line * AR_INDEX_ROWS);
}

void ar_scan_compact(ar_candidates *const *candidates, const ar_scan *scan, int64_t first,
                     int64_t last, void *scratch, void *work) {
    const ar_item_index *index = scan->index;
    ar_compact_kind kind = ar_index_kind(&index->shape);
    ar_compact_job job = {.kind = kind,
                          .dst = scratch,
                          .dst_stride = TILE_ROWS,
                          .src = scan->codes,
                          .count = scan->count * scan->parts,
                          .begin = scan->begins,
                          .steps = ar_compact_steps(kind, index->width)};
    for (int64_t p = first; p < last; p += AR_SCAN_PANELS) {
        job.panels = last - p < AR_SCAN_PANELS ? last - p : AR_SCAN_PANELS;
        job.matrix = (const char *)index->codes + p * job.steps * AR_INDEX_ROWS * 4;
        job.next = p + AR_SCAN_PANELS < last ? (const char *)job.matrix + TILE_ROWS * job.steps * 4
                                             : NULL;
        fetch_terms(scan, p, job.panels);
        ar_compact_multiply(&job);
        for (int64_t s = 0; s < scan->count; s++)
            if (!candidates[s]->overflown)
                judge_session(candidates[s], scan, s,
                              (const int32_t *)scratch + s * scan->parts * TILE_ROWS, p, job.panels,
                              work);
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
