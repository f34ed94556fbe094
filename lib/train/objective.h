/* What a batch is trained towards: its loss's options, and the choice of its negatives. Level:
 * train. */
#ifndef AR_TRAIN_OBJECTIVE_H
#define AR_TRAIN_OBJECTIVE_H

#include "nn/adam.h"
#include "train/examples.h"
#include "train/sampler.h"
#include "train/teacher.h"

/* How a step is taken. */
typedef struct ar_step_options {
    int32_t negatives; /* ALTERREC_NEGATIVES_*; HOST stands for explicit ones */
    int64_t k1, k2;    /* ranks among the ar_teacher_width items that the ranker ranks */
    int64_t negative_count;
    double hard_share;
    bool shared, correct;
    const ar_sampler *sampler; /* for random draws; for BATCH, of the labels' own distribution;
                                  NULL: uniform, no correction */
    int64_t positives;         /* an example; 0: none */
    double positives_weight;
    float dropout;
    uint64_t seed; /* of this step */
    ar_adam_options adam;
    struct ar_learner
        *partner;         /* the other tower, trained along on the sum of the scores; or NULL */
    ar_teacher *ranker;   /* whose ranks make hard negatives; NULL unless HARD */
    ar_teacher *labeller; /* whose best items are the positives; NULL if 0 */
    const int32_t *explicit_negatives; /* [count, explicit_count] instead of sampling, or NULL; -1:
                                          none at this place */
    int64_t explicit_count;
    const float *example_weights; /* [count] in the batch's loss; NULL: 1 / count each */
} ar_step_options;

/* The random streams of a step that are used here; others begin behind them. */
enum { AR_STREAM_POOL = 2, AR_OBJECTIVE_STREAMS };

/* Whether all examples of the batch draw from the same negatives, so that the step need not touch
 * any other item (train/stage.h). Hard ones are then sought among these. */
bool ar_objective_is_shared(const ar_step_options *options);

/* Whether no example has negatives for itself: ar_objective_shared gives all there are. */
bool ar_objective_is_alike(const ar_step_options *options);

/* What an embedding's rows take of the learning rate in such a step. A row that is drawn in a part
 * p of the steps has a mean gradient of p times what it has in one of them, and a root mean square
 * of the root of p: Adam, which divides the two, moves it the root of p times as far as a row that
 * has its mean in every step, as with negatives of each example. 1 over that root makes up for it;
 * it is 4 at most. */
double ar_objective_row_rate(const ar_step_options *options, int64_t items);

/* negatives [items] = how many times each item is a negative of every example of the batch. */
void ar_objective_shared(float *negatives, int64_t items, const ar_example_batch *batch,
                         const ar_step_options *options);

/* Adds to negatives [items] what example `e` has for itself. `ranking`
 * [ar_teacher_width]: the ranker's scores of the example; `work`: allocated memory of AR_RANK_WORK
 * bytes an item. */
void ar_objective_own(float *negatives, void *work, const float *ranking, int64_t items, int64_t e,
                      const ar_step_options *options);

/* What stands in its place if ar_objective_is_shared: negatives [count] are those that all examples
 * share, of the `count` of `items` items that the step touches. Those whose rank among them is
 * where the window of ranks would lie in a sample of that size get the weight of the hard
 * negatives, each the same, and the draws keep that of the random ones. The weights add up to what
 * drawn negatives would come to, window and draws alike. */
void ar_objective_window(float *negatives, void *ranks, const float *ranking, int64_t count,
                         int64_t items, const ar_step_options *options);

#endif
