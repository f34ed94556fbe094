#include "model/fusion.h"

#include "core/threads.h"
#include "data/config.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

double ar_fusion_alpha(const alterrec_config *config, const alterrec_config *chosen) {
    if (!ar_config_is_auto(config, "fusion.alpha"))
        return ar_config_float(config, "fusion.alpha");
    if (chosen == NULL || ar_config_is_auto(chosen, "fusion.alpha"))
        return 0.5;
    return ar_config_float(chosen, "fusion.alpha");
}

AR_CLONES void ar_scores_scale(float *scores, int64_t count, float scale) {
    for (int64_t i = 0; i < count; i++)
        scores[i] *= scale;
}

AR_CLONES void ar_scores_fuse(float *restrict id, const float *restrict text, int64_t count,
                              float alpha) {
    float rest = 1.0f - alpha;
    for (int64_t i = 0; i < count; i++)
        id[i] = alpha * id[i] + rest * text[i];
}

AR_CLONES bool ar_scores_finite(const float *scores, int64_t count) {
    int32_t broken = 0;
    for (int64_t i = 0; i < count; i++)
        broken |= !(fabsf(scores[i]) <= FLT_MAX);
    return broken == 0;
}

static void fuse_row(const alterrec_fusion_tile *tile, int64_t row, float alpha) {
    int64_t at = row * tile->items;
    memcpy(tile->fused + at, tile->id + at, (size_t)tile->items * sizeof *tile->fused);
    ar_scores_fuse(tile->fused + at, tile->text + at, tile->items, alpha);
}

/* Names the first score that is not finite. */
static alterrec_status not_finite(const alterrec_fusion_tile *tile, bool by_host) {
    int64_t at = 0;
    while (fabsf(tile->fused[at]) <= FLT_MAX)
        at++;
    return ar_fail(ALTERREC_ERROR_NOT_FINITE, "session %lld, item %lld: the fused score is %s%s",
                   (long long)(tile->first_session + at / tile->items),
                   (long long)(at % tile->items), isnan(tile->fused[at]) ? "NaN" : "infinite",
                   by_host ? ", as the fusion callback left it" : "");
}

alterrec_status ar_fusion_run(const ar_fusion *fusion, const alterrec_fusion_tile *tile) {
    alterrec_fusion_tile shown = *tile;
    shown.struct_size = sizeof shown;
    /* NaN, so that a score that the callback forgets is met, and not one of an earlier tile. */
    memset(tile->fused, 0xFF, (size_t)(tile->sessions * tile->items) * sizeof *tile->fused);
    uint64_t errors = ar_fail_count();
    int32_t answer = fusion->call(&shown, fusion->user_data);
    if (answer < 0)
        return ar_fail_answer(answer, "fusion", errors);
    atomic_bool broken = false;
#pragma omp parallel for schedule(static) if (tile->sessions * tile->items > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < tile->sessions; row++) {
        if (answer > 0)
            fuse_row(tile, row, fusion->alpha);
        if (!ar_scores_finite(tile->fused + row * tile->items, tile->items))
            atomic_store(&broken, true);
    }
    return broken ? not_finite(tile, answer == 0) : ALTERREC_OK;
}
