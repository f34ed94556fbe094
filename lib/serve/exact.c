#include "serve/exact.h"

#include "model/fusion.h"
#include "nn/interleave.h"
#include "nn/panels.h"

int64_t ar_exact_work(const ar_item_index *index) {
    return AR_EXACT_ROWS * index->shape.dim;
}

/* The rows' columns of a tower in panels. What is fetched meanwhile is the next panel, be it of the
 * next tower or of the rows behind these. */
static ar_panels pack(float *work, const ar_item_index *index, int tower, const int32_t *order,
                      int64_t first, int64_t rows) {
    int64_t dim = index->shape.dim, width = index->width, behind = index->shape.items - first;
    const float *table = index->table + tower * dim;
    const float *sources[2][AR_PANEL_ROWS];
    ar_interleave_rows(sources[0], table, width, order, first, rows);
    for (int64_t start = 0; start < rows; start += AR_PANEL_ROWS) {
        int64_t next = start + AR_PANEL_ROWS, at = start / AR_PANEL_ROWS % 2;
        const float *const *ahead = sources[1 - at];
        if (next < rows)
            ar_interleave_rows(sources[1 - at], table, width, order, first + next, rows - next);
        else if (tower + 1 < index->shape.towers)
            ar_interleave_rows(sources[1 - at], table + dim, width, order, first, rows);
        else if (order == NULL && next < behind)
            ar_interleave_rows(sources[1 - at], index->table, width, NULL, first + next,
                               behind - next);
        else
            ahead = NULL;
        ar_interleave(work + start * dim, sources[at], ahead, dim);
    }
    return (ar_panels){work, rows, dim};
}

void ar_exact_towers(float *id, float *text, float *work, const ar_item_index *index,
                     const float *vectors, int64_t count, const int32_t *order, int64_t first,
                     int64_t rows) {
    int64_t width = index->width, dim = index->shape.dim;
    float *const scores[] = {id, text};
    for (int t = 0; t < index->shape.towers; t++) {
        ar_panels panels = pack(work, index, t, order, order != NULL ? 0 : first, rows);
        ar_panels_multiply(scores[t], AR_EXACT_ROWS, vectors + t * dim, width, count, &panels, NULL,
                           false);
        for (int64_t i = 0; i < count; i++)
            ar_scores_scale(scores[t] + i * AR_EXACT_ROWS, rows, index->shape.scales[t]);
    }
}

void ar_exact_fuse(float *id, const float *text, const ar_item_index *index, int64_t count) {
    if (index->shape.towers == 2)
        ar_scores_fuse(id, text, count * AR_EXACT_ROWS, index->shape.alpha);
}
