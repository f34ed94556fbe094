/* The fusion of both towers' scores: the weighted sum (Section 4.3). Level: model. */
#ifndef AR_MODEL_FUSION_H
#define AR_MODEL_FUSION_H

#include <stdint.h>

/* scores[i] *= scale. */
void ar_scores_scale(float *scores, int64_t count, float scale);

/* id[i] = alpha * id[i] + (1 - alpha) * text[i]. */
void ar_scores_fuse(float *id, const float *text, int64_t count, float alpha);

#endif
