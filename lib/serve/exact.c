#include "serve/exact.h"

#include "model/fusion.h"
#include "nn/interleave.h"
#include "nn/panels.h"

int64_t ar_exact_work(const ar_item_index *index) {
    return AR_EXACT_ROWS * index->shape.dim;
}

/* Columns `column` .. column + dim - 1 of the rows, in panels. Where a panel's rows end, the last
 * one fills it. */
static ar_panels pack(float *work, const ar_item_index *index, int64_t column, const int32_t *order,
                      int64_t first, int64_t rows) {
    int64_t dim = index->shape.dim;
    const float *sources[AR_PANEL_ROWS];
    for (int64_t start = 0; start < rows; start += AR_PANEL_ROWS) {
        for (int64_t r = 0; r < AR_PANEL_ROWS; r++) {
            int64_t place = start + r < rows ? start + r : rows - 1;
            int64_t row = order != NULL ? order[place] : first + place;
            sources[r] = index->table + row * index->width + column;
        }
        ar_interleave(work + start * dim, sources, dim);
    }
    return (ar_panels){work, rows, dim, false};
}

void ar_exact_towers(float *id, float *text, float *work, const ar_item_index *index,
                     const float *vectors, int64_t count, const int32_t *order, int64_t first,
                     int64_t rows) {
    int64_t width = index->width, dim = index->shape.dim;
    float *const scores[] = {id, text};
    for (int t = 0; t < index->shape.towers; t++) {
        ar_panels panels = pack(work, index, t * dim, order, first, rows);
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
