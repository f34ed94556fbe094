#include "model/ranker.h"

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

typedef struct ranking {
    ar_ranks *ranks;
    const ar_fusion *fusion;
    float *fused; /* [rows, items] of a tile, for the host's fusion */
    int64_t fused_capacity;
} ranking;

/* The towers' ranks of row `row`; and the fused one, unless the host fuses. Here, in one go,
 * because a row's scores stay in the cache meanwhile. */
static void rank_row(ar_ranks *ranks, const ar_held_out_tile *tile, int64_t row,
                     const ar_fusion *fusion) {
    int64_t example = tile->first + row;
    int32_t label = tile->labels[row];
    float *id = tile->id + row * tile->items;
    ranks->labels[example] = label;
    ranks->id[example] = ar_rank_of(id, tile->items, label);
    ranks->fused[example] = ranks->id[example];
    if (tile->text == NULL)
        return;
    float *text = tile->text + row * tile->items;
    ar_scores_scale(text, tile->items, tile->text_scale);
    ranks->text[example] = ar_rank_of(text, tile->items, label);
    if (tile->joint != NULL)
        ranks->fused[example] = ar_rank_of(tile->joint + row * tile->items, tile->items, label);
    if (tile->joint != NULL || fusion->call != NULL)
        return;
    ar_scores_fuse(id, text, tile->items, fusion->alpha);
    ranks->fused[example] = ar_rank_of(id, tile->items, label);
}

static alterrec_status check_ranks(const ar_ranks *ranks, const ar_held_out_tile *tile) {
    for (int64_t row = 0; row < tile->rows; row++) {
        int64_t example = tile->first + row;
        if (ranks->id[example] == 0 || ranks->fused[example] == 0 ||
            (tile->text != NULL && ranks->text[example] == 0))
            return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                           "held-out example %lld (label %d): a score is not finite",
                           (long long)example, (int)tile->labels[row]);
    }
    return ALTERREC_OK;
}

/* The fused ranks by the host's fusion. */
static alterrec_status rank_host_fused(ranking *work, const ar_held_out_tile *tile) {
    void *fused = work->fused;
    AR_TRY(ar_grow(&fused, &work->fused_capacity, tile->rows * tile->items, sizeof *work->fused));
    work->fused = fused;
    AR_TRY(ar_fusion_run(work->fusion, &(alterrec_fusion_tile){.first_session = tile->first,
                                                               .sessions = tile->rows,
                                                               .items = tile->items,
                                                               .id = tile->id,
                                                               .text = tile->text,
                                                               .fused = work->fused}));
#pragma omp parallel for schedule(static) if (tile->rows * tile->items > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < tile->rows; row++)
        work->ranks->fused[tile->first + row] =
            ar_rank_of(work->fused + row * tile->items, tile->items, tile->labels[row]);
    return ALTERREC_OK;
}

static alterrec_status rank_tile(const ar_held_out_tile *tile, void *state) {
    ranking *work = state;
    ar_ranks *ranks = work->ranks;
#pragma omp parallel for schedule(static) if (tile->rows * tile->items > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < tile->rows; row++)
        rank_row(ranks, tile, row, work->fusion);
    AR_TRY(check_ranks(ranks, tile));
    if (work->fusion->call != NULL && tile->text != NULL && tile->joint == NULL)
        AR_TRY(rank_host_fused(work, tile));
    ranks->count += tile->rows;
    return ALTERREC_OK;
}

alterrec_status ar_ranker_run(ar_ranks *ranks, const alterrec_model *model,
                              const alterrec_sessions *held_out, const ar_fusion *fusion,
                              const ar_held_out_progress *progress) {
    AR_TRY(create_ranks(ranks, ar_held_out_examples(held_out)));
    ranking work = {.ranks = ranks, .fusion = fusion};
    alterrec_status status =
        ar_held_out_run(&ranks->stopped, model, held_out, progress, rank_tile, &work);
    ar_free(work.fused);
    if (status != ALTERREC_OK)
        ar_ranks_free(ranks);
    return status;
}
