#include "train/sampler.h"

#include "core/memory.h"

#include <math.h>

void ar_sampler_free(ar_sampler *sampler) {
    ar_free(sampler->probability);
    ar_free(sampler->threshold);
    ar_free(sampler->alias);
    *sampler = (ar_sampler){0};
}

/* Vose's tables: every place holds an item with less than its share, topped up by one with more. */
static void fill_tables(ar_sampler *sampler, double *share, int32_t *small, int32_t *large) {
    int64_t small_count = 0, large_count = 0;
    for (int64_t i = 0; i < sampler->items; i++) {
        share[i] = sampler->probability[i] * (double)sampler->items;
        sampler->threshold[i] = 1.0f;
        sampler->alias[i] = (int32_t)i;
        if (share[i] < 1.0)
            small[small_count++] = (int32_t)i;
        else
            large[large_count++] = (int32_t)i;
    }
    while (small_count > 0 && large_count > 0) {
        int32_t poor = small[--small_count], rich = large[large_count - 1];
        sampler->threshold[poor] = (float)share[poor];
        sampler->alias[poor] = rich;
        share[rich] -= 1.0 - share[poor];
        if (share[rich] < 1.0) {
            large_count--;
            small[small_count++] = rich;
        }
    }
}

alterrec_status ar_sampler_create(ar_sampler *sampler, const int64_t *counts, int64_t items,
                                  double exponent) {
    *sampler = (ar_sampler){.items = items, .exponent = exponent};
    if (!(exponent > 0.0))
        return ALTERREC_OK;
    sampler->probability = ar_new(items, sizeof *sampler->probability);
    sampler->threshold = ar_new(items, sizeof *sampler->threshold);
    sampler->alias = ar_new(items, sizeof *sampler->alias);
    double *share = ar_new(items, sizeof *share);
    int32_t *small = ar_new(items, sizeof *small), *large = ar_new(items, sizeof *large);
    alterrec_status status = ALTERREC_OK;
    if (sampler->probability == NULL || sampler->threshold == NULL || sampler->alias == NULL ||
        share == NULL || small == NULL || large == NULL) {
        ar_sampler_free(sampler);
        status = ALTERREC_ERROR_OUT_OF_MEMORY;
    } else {
        double total = 0.0;
        for (int64_t i = 0; i < items; i++) {
            sampler->probability[i] = pow((double)(counts[i] > 0 ? counts[i] : 1), exponent);
            total += sampler->probability[i];
        }
        for (int64_t i = 0; i < items; i++)
            sampler->probability[i] /= total;
        fill_tables(sampler, share, small, large);
    }
    ar_free(share);
    ar_free(small);
    ar_free(large);
    return status;
}

double ar_sampler_probability(const ar_sampler *sampler, int32_t item) {
    return sampler->probability != NULL ? sampler->probability[item] : 1.0 / (double)sampler->items;
}

void ar_sampler_draw(float *negatives, const ar_sampler *sampler, int64_t count, bool correct,
                     ar_random *random) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = ar_random_next(random);
        int32_t item = (int32_t)(((bits >> 32) * (uint64_t)sampler->items) >> 32);
        if (sampler->alias != NULL &&
            (float)(bits & 0xFFFFFF) * 0x1.0p-24f >= sampler->threshold[item])
            item = sampler->alias[item];
        negatives[item] +=
            correct ? (float)(1.0 / ((double)count * ar_sampler_probability(sampler, item))) : 1.0f;
    }
}
