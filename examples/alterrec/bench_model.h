/* Models of any size with random parameters: what a benchmark needs when only speed is asked. */
#ifndef BENCH_MODEL_H
#define BENCH_MODEL_H

#include "dice.h"

#include <alterrec/alterrec.h>

/* A model of `items` items with keys "0", "1", ... and random text features [items, feature_dim],
 * both towers fresh from train.seed; an exit code, what is wrong has been said. */
int bench_model_create(alterrec_model **model, const alterrec_config *config, int64_t items,
                       int64_t feature_dim);

/* `count` sessions of random items, one behind the other: session i is items[offsets[i]] to
 * items[offsets[i + 1] - 1]. Lengths are 1 and more, geometric, `mean` on average, at most 50. */
typedef struct bench_sessions {
    int32_t *items;
    int64_t *offsets; /* [count + 1] */
    int64_t count;
} bench_sessions;

void bench_sessions_make(bench_sessions *sessions, int64_t count, double mean, int64_t items,
                         cli_dice *dice);
void bench_sessions_free(bench_sessions *sessions);

/* Such sessions over the model's catalog, with `examples` prefixes that have a label or somewhat
 * more; an exit code. */
int bench_sessions_create(alterrec_sessions **sessions, const alterrec_model *model,
                          int64_t examples, int64_t mean);

#endif
