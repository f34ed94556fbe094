#include "model/ranker.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/threads.h"
#include "model/metrics.h"

#include <string.h>

void ar_ranks_free(ar_ranks *ranks) {
    ar_free(ranks->labels);
    ar_free(ranks->fused);
    ar_free(ranks->id);
    ar_free(ranks->text);
    *ranks = (ar_ranks){0};
}

static alterrec_status create_ranks(ar_ranks *ranks, int64_t count) {
    *ranks = (ar_ranks){0};
    ranks->labels = ar_new(count, sizeof *ranks->labels);
    ranks->fused = ar_new(count, sizeof *ranks->fused);
    ranks->id = ar_new(count, sizeof *ranks->id);
    ranks->text = ar_new(count, sizeof *ranks->text);
    if (ranks->labels != NULL && ranks->fused != NULL && ranks->id != NULL && ranks->text != NULL)
        return ALTERREC_OK;
    ar_ranks_free(ranks);
    return ALTERREC_ERROR_OUT_OF_MEMORY;
}

enum { WHOLE_FLOATS = 4 << 20, WHOLE_ROWS = 256, WHOLE_LEAST = 16 };

/* A run, and the part of a chunk that it is at. The ranks of examples in the making count the items
 * that are before their labels. */
typedef struct ranking {
    ar_ranks *ranks;
    const ar_fusion *fusion;
    int64_t first;                /* example of row 0 */
    const int32_t *labels;        /* [rows] */
    float *own[AR_SCORE_KINDS];   /* [rows] the labels' scores */
    float *own_fused;             /* [rows] */
    int64_t capacity;             /* rows */
    int64_t broken;               /* the first example with a score that is not finite, or -1 */
    bool host;                    /* whose fusion needs whole rows: */
    float *whole[AR_SCORE_KINDS]; /* [rows, items] ID and text scores */
    float *fused;                 /* [rows, items] */
    int64_t items, whole_rows;
} ranking;

static void free_ranking(ranking *work) {
    for (int k = 0; k < AR_SCORE_KINDS; k++) {
        ar_free(work->own[k]);
        ar_free(work->whole[k]);
    }
    ar_free(work->own_fused);
    ar_free(work->fused);
}

static alterrec_status reserve_rows(ranking *work, const ar_scoring *scoring) {
    void *fused = work->own_fused;
    int64_t before = work->capacity;
    AR_TRY(ar_grow(&fused, &work->capacity, scoring->rows, sizeof *work->own_fused));
    work->own_fused = fused;
    for (int k = 0; k < scoring->kinds && work->capacity > before; k++) {
        ar_free(work->own[k]);
        AR_NEW(work->own[k], work->capacity);
    }
    if (!work->host || work->fused != NULL)
        return ALTERREC_OK;
    work->items = scoring->items;
    work->whole_rows =
        ar_at_least(ar_at_most(WHOLE_FLOATS / scoring->items, WHOLE_ROWS), WHOLE_LEAST);
    AR_NEW(work->whole[AR_SCORE_ID], work->whole_rows * work->items);
    AR_NEW(work->whole[AR_SCORE_TEXT], work->whole_rows * work->items);
    AR_NEW(work->fused, work->whole_rows * work->items);
    return ALTERREC_OK;
}

/* Adds to the ranks of a row what the tile's items put before its label. */
static void add_before(ranking *work, int32_t *ranks, const ar_score_tile *tile, int64_t row,
                       const float *scores, const float *own) {
    int64_t at = tile->first_row + row;
    int32_t before = ar_rank_before(scores + row * AR_TILE_ITEMS, tile->items,
                                    work->labels[at] - tile->first_item, own[at]);
    if (before < 0) {
        ar_score_note(&work->broken, work->first + at);
    } else if (before > 0) {
#pragma omp atomic
        ranks[work->first + at] += before;
    }
}

static void copy_whole(const ranking *work, const ar_score_tile *tile, int64_t row) {
    int64_t to = (tile->first_row + row) * work->items + tile->first_item;
    size_t bytes = (size_t)tile->items * sizeof(float);
    for (int k = AR_SCORE_ID; k <= AR_SCORE_TEXT; k++)
        memcpy(work->whole[k] + to, tile->scores[k] + row * AR_TILE_ITEMS, bytes);
}

static void rank_tile(const ar_score_tile *tile, void *state) {
    ranking *work = state;
    ar_ranks *ranks = work->ranks;
    float *id = tile->scores[AR_SCORE_ID], *text = tile->scores[AR_SCORE_TEXT];
    const float *joint = tile->scores[AR_SCORE_JOINT];
    for (int64_t row = 0; row < tile->rows; row++) {
        add_before(work, ranks->id, tile, row, id, work->own[AR_SCORE_ID]);
        if (text == NULL)
            continue;
        add_before(work, ranks->text, tile, row, text, work->own[AR_SCORE_TEXT]);
        if (work->host) {
            copy_whole(work, tile, row);
        } else if (joint != NULL) {
            add_before(work, ranks->fused, tile, row, joint, work->own[AR_SCORE_JOINT]);
        } else {
            ar_scores_fuse(id + row * AR_TILE_ITEMS, text + row * AR_TILE_ITEMS, tile->items,
                           work->fusion->alpha);
            add_before(work, ranks->fused, tile, row, id, work->own_fused);
        }
    }
}

/* The fused ranks by the host's fusion, of `rows` rows. */
static alterrec_status rank_host_fused(ranking *work, int64_t rows) {
    AR_TRY(ar_fusion_run(work->fusion, &(alterrec_fusion_tile){.first_session = work->first,
                                                               .sessions = rows,
                                                               .items = work->items,
                                                               .id = work->whole[AR_SCORE_ID],
                                                               .text = work->whole[AR_SCORE_TEXT],
                                                               .fused = work->fused}));
#pragma omp parallel for schedule(static) if (rows * work->items > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < rows; row++)
        work->ranks->fused[work->first + row] =
            ar_rank_of(work->fused + row * work->items, work->items, work->labels[row]);
    return ALTERREC_OK;
}

/* The rows of `scoring`, whose first one is example work->first. */
static alterrec_status rank_rows(ranking *work, const ar_scoring *scoring) {
    ar_ranks *ranks = work->ranks;
    AR_TRY(ar_score_labels(work->own, scoring, work->labels));
    if (scoring->kinds == 2) {
        memcpy(work->own_fused, work->own[AR_SCORE_ID],
               (size_t)scoring->rows * sizeof *work->own_fused);
        ar_scores_fuse(work->own_fused, work->own[AR_SCORE_TEXT], scoring->rows,
                       work->fusion->alpha);
    }
    for (int64_t row = 0; row < scoring->rows; row++) {
        int64_t example = work->first + row;
        ranks->labels[example] = work->labels[row];
        ranks->id[example] = ranks->fused[example] = 1;
        ranks->text[example] = scoring->kinds > 1 ? 1 : 0;
    }
    AR_TRY(ar_score_tiles_run(scoring, rank_tile, work));
    if (work->broken >= 0)
        return ar_held_out_not_finite(work->broken, ranks->labels[work->broken]);
    if (work->host)
        return rank_host_fused(work, scoring->rows);
    if (scoring->kinds == 1)
        memcpy(ranks->fused + work->first, ranks->id + work->first,
               (size_t)scoring->rows * sizeof *ranks->fused);
    return ALTERREC_OK;
}

static alterrec_status rank_chunk(const ar_held_out_chunk *chunk, void *state) {
    ranking *work = state;
    ar_scoring part = chunk->scoring;
    work->host = work->fusion->call != NULL && part.kinds == 2;
    AR_TRY(reserve_rows(work, &part));
    for (int64_t first = 0; first < chunk->scoring.rows; first += part.rows) {
        int64_t left = chunk->scoring.rows - first;
        part.rows = work->host ? ar_at_most(work->whole_rows, left) : left;
        for (int k = 0; k < part.kinds; k++)
            part.vectors[k] = chunk->scoring.vectors[k] + first * part.dim;
        work->first = chunk->first + first;
        work->labels = chunk->labels + first;
        AR_TRY(rank_rows(work, &part));
    }
    work->ranks->count += chunk->scoring.rows;
    return ALTERREC_OK;
}

alterrec_status ar_ranker_run(ar_ranks *ranks, const alterrec_model *model,
                              const alterrec_sessions *held_out, const ar_fusion *fusion,
                              const ar_held_out_progress *progress) {
    AR_TRY(create_ranks(ranks, ar_held_out_examples(held_out)));
    ranking work = {.ranks = ranks, .fusion = fusion, .broken = -1};
    alterrec_status status =
        ar_held_out_run(&ranks->stopped, model, held_out, progress, rank_chunk, &work);
    free_ranking(&work);
    if (status != ALTERREC_OK)
        ar_ranks_free(ranks);
    return status;
}
