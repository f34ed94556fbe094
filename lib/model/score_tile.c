#include "model/score_tile.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/threads.h"
#include "model/fusion.h"
#include "nn/interleave.h"
#include "nn/panels.h"

#include <omp.h>

/* What a thread works in. */
typedef struct tile_work {
    float *panels[AR_SCORE_KINDS]; /* AR_TILE_ITEMS rows of each table */
    float *scores[AR_SCORE_KINDS]; /* [AR_TILE_ROWS, AR_TILE_ITEMS] */
} tile_work;

/* Floats of one thread. */
static int64_t work_floats(const ar_scoring *scoring) {
    return scoring->kinds * (AR_TILE_ITEMS * scoring->dim + (int64_t)AR_TILE_ROWS * AR_TILE_ITEMS);
}

static tile_work thread_work(float *floats, const ar_scoring *scoring, int thread) {
    tile_work work = {{NULL}, {NULL}};
    floats += thread * work_floats(scoring);
    for (int k = 0; k < scoring->kinds; k++) {
        work.panels[k] = floats;
        floats += AR_TILE_ITEMS * scoring->dim;
        work.scores[k] = floats;
        floats += AR_TILE_ROWS * AR_TILE_ITEMS;
    }
    return work;
}

/* The items' rows in panels. What is fetched meanwhile is the next panel. */
static ar_panels pack(float *values, const float *table, int64_t dim, int64_t first,
                      int64_t count) {
    const float *rows[2][AR_PANEL_ROWS];
    ar_interleave_rows(rows[0], table, dim, NULL, first, count);
    for (int64_t start = 0; start < count; start += AR_PANEL_ROWS) {
        int64_t next = start + AR_PANEL_ROWS, at = start / AR_PANEL_ROWS % 2;
        if (next < count)
            ar_interleave_rows(rows[1 - at], table, dim, NULL, first + next, count - next);
        ar_interleave(values + start * dim, rows[at], next < count ? rows[1 - at] : NULL, dim);
    }
    return (ar_panels){values, count, dim};
}

/* All rows with the items from `first` on. */
static void visit_items(const ar_scoring *scoring, const tile_work *work, int64_t first,
                        ar_score_visit visit, void *state) {
    ar_panels panels[AR_SCORE_KINDS];
    int64_t dim = scoring->dim;
    ar_score_tile tile = {.first_item = first,
                          .items = ar_at_most(AR_TILE_ITEMS, scoring->items - first)};
    for (int k = 0; k < scoring->kinds; k++) {
        panels[k] = pack(work->panels[k], scoring->tables[k], dim, first, tile.items);
        tile.scores[k] = work->scores[k];
    }
    for (; tile.first_row < scoring->rows; tile.first_row += tile.rows) {
        tile.rows = ar_at_most(AR_TILE_ROWS, scoring->rows - tile.first_row);
        for (int k = 0; k < scoring->kinds; k++) {
            ar_panels_multiply(tile.scores[k], AR_TILE_ITEMS,
                               scoring->vectors[k] + tile.first_row * dim, dim, tile.rows,
                               &panels[k], NULL, false);
            ar_scores_scale(tile.scores[k], tile.rows * AR_TILE_ITEMS, scoring->scales[k]);
        }
        visit(&tile, state);
    }
}

alterrec_status ar_score_tiles_run(const ar_scoring *scoring, ar_score_visit visit, void *state) {
    float *floats;
    AR_NEW(floats, ar_threads_count() * work_floats(scoring));
#pragma omp parallel
    {
        tile_work work = thread_work(floats, scoring, omp_get_thread_num());
#pragma omp for schedule(dynamic)
        for (int64_t first = 0; first < scoring->items; first += AR_TILE_ITEMS)
            visit_items(scoring, &work, first, visit, state);
    }
    ar_free(floats);
    return ALTERREC_OK;
}

/* The labels' scores of at most AR_PANEL_ROWS rows: the diagonal of their product with each other.
 */
static void score_labels(float *own, const ar_scoring *scoring, int kind, float *panel,
                         const int32_t *labels, int64_t first, int64_t count) {
    int64_t dim = scoring->dim;
    const float *rows[AR_PANEL_ROWS];
    float scores[AR_PANEL_ROWS * AR_PANEL_ROWS];
    ar_interleave_rows(rows, scoring->tables[kind], dim, labels + first, 0, count);
    ar_interleave(panel, rows, NULL, dim);
    ar_panels panels = {panel, count, dim};
    ar_panels_multiply(scores, AR_PANEL_ROWS, scoring->vectors[kind] + first * dim, dim, count,
                       &panels, NULL, false);
    for (int64_t r = 0; r < count; r++)
        own[first + r] = scores[r * AR_PANEL_ROWS + r];
    ar_scores_scale(own + first, count, scoring->scales[kind]);
}

alterrec_status ar_score_labels(float *const own[AR_SCORE_KINDS], const ar_scoring *scoring,
                                const int32_t *labels) {
    float *panel;
    AR_NEW(panel, AR_PANEL_ROWS * scoring->dim);
    for (int k = 0; k < scoring->kinds; k++)
        for (int64_t r = 0; r < scoring->rows; r += AR_PANEL_ROWS)
            score_labels(own[k], scoring, k, panel, labels, r,
                         ar_at_most(AR_PANEL_ROWS, scoring->rows - r));
    ar_free(panel);
    return ALTERREC_OK;
}

void ar_score_note(int64_t *least, int64_t number) {
#pragma omp critical(ar_score_note)
    *least = *least < 0 ? number : ar_at_most(*least, number);
}
