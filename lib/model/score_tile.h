/* Scores of session vectors with every item, tile by tile: a tile stays in the cache while it is
 * looked at, and no others are held. Level: model. */
#ifndef AR_MODEL_SCORE_TILE_H
#define AR_MODEL_SCORE_TILE_H

#include "core/status.h"

/* The scores that there are, and in this order. */
enum { AR_SCORE_ID, AR_SCORE_TEXT, AR_SCORE_JOINT, AR_SCORE_KINDS };

/* What is scored: score kind k of row r and item i is scales[k] * vectors[k][r] · tables[k][i]. */
typedef struct ar_scoring {
    const float *vectors[AR_SCORE_KINDS]; /* [rows, dim] */
    const float *tables[AR_SCORE_KINDS];  /* [items, dim] */
    float scales[AR_SCORE_KINDS];
    int kinds; /* the first so many */
    int64_t rows, items, dim;
} ar_scoring;

enum { AR_TILE_ITEMS = 128, AR_TILE_ROWS = 48 }; /* of a tile, at most */

/* Some rows with some items. */
typedef struct ar_score_tile {
    int64_t first_row, rows;
    int64_t first_item, items;
    float *scores[AR_SCORE_KINDS]; /* [rows][AR_TILE_ITEMS], the visitor's to overwrite */
} ar_score_tile;

/* Called by several threads at once, each with a tile of its own. */
typedef void (*ar_score_visit)(const ar_score_tile *tile, void *state);

/* Has every row seen with every item once. A score's bits depend on its own vector and item alone,
 * and are those of serving (nn/panels.h). */
alterrec_status ar_score_tiles_run(const ar_scoring *scoring, ar_score_visit visit, void *state);

/* own[k][r] [rows] = the score of row r with item labels[r], to the bit. */
alterrec_status ar_score_labels(float *const own[AR_SCORE_KINDS], const ar_scoring *scoring,
                                const int32_t *labels);

/* For visits: *least becomes the smallest number that any thread has noted; it is -1 at first. */
void ar_score_note(int64_t *least, int64_t number);

#endif
