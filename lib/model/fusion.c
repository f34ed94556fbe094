#include "model/fusion.h"

#include "core/threads.h"

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
