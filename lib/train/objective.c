#include "train/objective.h"

#include "train/negatives.h"

#include <math.h>

enum { STREAM_NEGATIVES, STREAM_SHARED };

static void draw(float *negatives, int64_t items, int64_t count, const ar_step_options *options,
                 ar_random *random) {
    if (options->sampler != NULL)
        ar_sampler_draw(negatives, options->sampler, count, options->correct, random);
    else
        ar_negatives_random(negatives, items, count, random);
}

/* How many of an example's negatives come from the rank window. */
static int64_t hard_count(const ar_step_options *options) {
    if (options->negatives != ALTERREC_NEGATIVES_HARD)
        return 0;
    int64_t hard = (int64_t)(options->hard_share * (double)options->negative_count);
    int64_t window = options->k2 - options->k1;
    return hard < window ? hard : window;
}

bool ar_objective_is_shared(const ar_step_options *options) {
    if (options->explicit_negatives != NULL || options->partner != NULL)
        return false;
    return options->negatives == ALTERREC_NEGATIVES_BATCH ||
           (options->shared && (options->negatives == ALTERREC_NEGATIVES_RANDOM ||
                                options->negatives == ALTERREC_NEGATIVES_HARD));
}

bool ar_objective_is_alike(const ar_step_options *options) {
    if (options->negatives == ALTERREC_NEGATIVES_FULL)
        return true;
    return options->explicit_negatives == NULL && hard_count(options) == 0 &&
           (options->shared || options->negatives == ALTERREC_NEGATIVES_BATCH);
}

double ar_objective_row_rate(const ar_step_options *options, int64_t items) {
    const double least = 1.0 / 16.0;
    if (!ar_objective_is_shared(options) || options->negatives == ALTERREC_NEGATIVES_BATCH ||
        options->sampler != NULL)
        return 1.0;
    double share = (double)options->negative_count / (double)items;
    return share >= 1.0 ? 1.0 : 1.0 / sqrt(share > least ? share : least);
}

/* Without a sampler the batch's own items count as often as a draw would take them on average:
 * their rows are touched anyhow, and they are the popular ones, which the whole batch would miss at
 * once where a draw leaves them out. */
static void draw_shared(float *negatives, int64_t items, const ar_example_batch *batch,
                        const ar_step_options *options) {
    ar_random random;
    ar_random_seed(&random, ar_random_key(options->seed, STREAM_SHARED));
    if (options->sampler != NULL) {
        draw(negatives, items, options->negative_count, options, &random);
        return;
    }
    float mean = (float)options->negative_count / (float)items;
    ar_negatives_distinct(negatives, items, options->negative_count, &random);
    for (int64_t i = 0; i < batch->packed.tokens; i++)
        negatives[batch->packed.items[i]] = mean;
    for (int64_t e = 0; e < batch->count; e++)
        negatives[batch->labels[e]] = mean;
}

void ar_objective_shared(float *negatives, int64_t items, const ar_example_batch *batch,
                         const ar_step_options *options) {
    float all = options->negatives == ALTERREC_NEGATIVES_FULL ? 1.0f : 0.0f;
    for (int64_t j = 0; j < items; j++)
        negatives[j] = all;
    if (options->explicit_negatives != NULL || all > 0.0f)
        return;
    if (options->negatives == ALTERREC_NEGATIVES_BATCH) {
        for (int64_t e = 0; e < batch->count; e++) {
            int32_t item = batch->labels[e];
            negatives[item] += options->correct
                                   ? (float)(1.0 / ((double)batch->count *
                                                    ar_sampler_probability(options->sampler, item)))
                                   : 1.0f;
        }
    } else if (options->shared)
        draw_shared(negatives, items, batch, options);
}

void ar_objective_window(float *negatives, void *ranks, const float *ranking, int64_t count,
                         int64_t items, const ar_step_options *options) {
    int64_t hard = hard_count(options);
    if (hard == 0)
        return;
    double sampled = (double)count / (double)items;
    int64_t k1 = (int64_t)((double)options->k1 * sampled);
    int64_t k2 = (int64_t)ceil((double)options->k2 * sampled);
    k2 = k2 <= k1 ? k1 + 1 : k2 < count ? k2 : count;
    float random_share = (float)(options->negative_count - hard) / (float)options->negative_count;
    for (int64_t j = 0; j < count; j++)
        negatives[j] *= random_share;
    ar_negatives_window(negatives, ranks, ranking, count, k1, k2, (float)hard / (float)(k2 - k1));
}

void ar_objective_own(float *negatives, void *work, const float *ranking, int64_t items, int64_t e,
                      const ar_step_options *options) {
    if (options->negatives == ALTERREC_NEGATIVES_FULL)
        return;
    if (options->explicit_negatives != NULL) {
        const int32_t *named = options->explicit_negatives + e * options->explicit_count;
        for (int64_t i = 0; i < options->explicit_count; i++)
            if (named[i] >= 0)
                negatives[named[i]] += 1.0f;
        return;
    }
    if (options->negatives != ALTERREC_NEGATIVES_RANDOM &&
        options->negatives != ALTERREC_NEGATIVES_HARD)
        return;
    ar_random random;
    ar_random_seed(&random,
                   ar_random_key(ar_random_key(options->seed, STREAM_NEGATIVES), (uint64_t)e));
    int64_t hard = hard_count(options);
    if (hard > 0)
        ar_negatives_hard(negatives, work, ranking, options->ranker->pool,
                          ar_teacher_width(options->ranker), options->k1, options->k2, hard,
                          &random);
    if (!options->shared)
        draw(negatives, items, options->negative_count - hard, options, &random);
}
