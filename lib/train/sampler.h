/* Items drawn with a probability that goes by their popularity: count^exponent. Level: train. */
#ifndef AR_TRAIN_SAMPLER_H
#define AR_TRAIN_SAMPLER_H

#include "core/random.h"
#include "core/status.h"

typedef struct ar_sampler {
    int64_t items;
    double exponent;     /* 0: uniform, without the tables below */
    double *probability; /* [items] of drawing each */
    float *threshold;    /* [items] the alias method: keep the place drawn, */
    int32_t *alias;      /* [items] or take the item that it shares its place with */
} ar_sampler;

/* counts [items], how often each item occurs in the training set; an item that never does has the
 * probability of one that does once, so that every item can be drawn. */
alterrec_status ar_sampler_create(ar_sampler *sampler, const int64_t *counts, int64_t items,
                                  double exponent);
void ar_sampler_free(ar_sampler *sampler);

double ar_sampler_probability(const ar_sampler *sampler, int32_t item);

/* Adds `count` draws with replacement to negatives [items]: 1 each, or, with `correct`,
 * 1 / (count * probability), so that their sum estimates that over all items. */
void ar_sampler_draw(float *negatives, const ar_sampler *sampler, int64_t count, bool correct,
                     ar_random *random);

#endif
