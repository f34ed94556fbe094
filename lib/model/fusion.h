/* The fusion of both towers' scores: the weighted sum (Section 4.3), or the host's own.
 * Level: model. */
#ifndef AR_MODEL_FUSION_H
#define AR_MODEL_FUSION_H

#include "core/status.h"

/* fusion.alpha of `config`; for "auto" that of `chosen`, the model's own options (NULL: none), and
 * if that is "auto" as well, 0.5. */
double ar_fusion_alpha(const alterrec_config *config, const alterrec_config *chosen);

/* scores[i] *= scale. */
void ar_scores_scale(float *scores, int64_t count, float scale);

/* id[i] = alpha * id[i] + (1 - alpha) * text[i]. */
void ar_scores_fuse(float *id, const float *text, int64_t count, float alpha);

/* Whether all of them are finite. */
bool ar_scores_finite(const float *scores, int64_t count);

/* How scores are fused. */
typedef struct ar_fusion {
    float alpha;
    alterrec_fusion_fn call; /* NULL: the weighted sum */
    void *user_data;
} ar_fusion;

/* Has the callback, which is not NULL, fill tile->fused; leaves the tile to the weighted sum if it
 * declines. Every score that comes out is finite, or it is an error. struct_size is set here. */
alterrec_status ar_fusion_run(const ar_fusion *fusion, const alterrec_fusion_tile *tile);

#endif
