/* The choice of alpha, the weight of the fusion, on held-out sessions. Level: model. */
#ifndef AR_MODEL_ALPHA_H
#define AR_MODEL_ALPHA_H

#include "model/held_out.h"

/* How many values are tried where nobody says it, and at most. */
enum { AR_ALPHA_POINTS = 21, AR_ALPHA_MOST_POINTS = 1001 };

/* Point p of `points` from 0 to 1. */
double ar_alpha_at(int64_t point, int64_t points);

/* curve[p] = what ar_ranker_run's fused ranks with ar_alpha_at(p, points) give, as a mean of metric
 * `kind` at k, from scores that are computed once. */
alterrec_status ar_alpha_curve(double *curve, int64_t points, const alterrec_model *model,
                               const alterrec_sessions *held_out, int kind, int64_t k);

/* Fills curve [points] by the options train.valid_metric, train.valid_k and compute.threads, and
 * makes the best point the model's fusion.alpha. The model is inside a call (ar_model_enter). */
alterrec_status ar_model_choose_alpha(double *curve, alterrec_model *model,
                                      const alterrec_sessions *valid, int64_t points,
                                      const alterrec_config *config);

/* The best point; of equally good ones that nearest to the middle, of two such the lower. */
int64_t ar_alpha_best(const double *curve, int64_t points);

#endif
