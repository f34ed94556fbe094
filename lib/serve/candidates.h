/* The items that may still belong to a session's k best, while scores or bounds of them come in.
 * Level: serve. */
#ifndef AR_SERVE_CANDIDATES_H
#define AR_SERVE_CANDIDATES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ar_candidate {
    float lower, upper; /* the score lies between them */
    int32_t item;
} ar_candidate;

/* One session's, in memory of the caller's; one thread's. */
typedef struct ar_candidates {
    ar_candidate *entries; /* [capacity] */
    int64_t count, capacity;
    float *best; /* [k] a heap of the best lower bounds so far, the worst at its root */
    int64_t best_count;
    int64_t limit;    /* of count, at which the entries are looked through */
    int64_t k;        /* so many are wanted */
    int64_t per_list; /* of a category; with `categories` NULL of no meaning */
    const int32_t *categories;
    float threshold; /* what lies below it is none */
    bool exact;      /* lower is upper: of equals the lower items are wanted */
    bool overflown;  /* they did not fit: the entries are of no use */
} ar_candidates;

/* Working memory of looking through `capacity` candidates, in bytes. */
int64_t ar_candidates_work_bytes(int64_t capacity, bool capped);

/* entries [capacity] and best [k] are of the caller's and need no content. capacity > k; with
 * `exact` it is at least 2 k, and nothing can overflow. categories NULL: no cap. Scores of
 * -infinity and NaN are none. */
void ar_candidates_begin(ar_candidates *candidates, ar_candidate *entries, float *best,
                         int64_t capacity, int64_t k, bool exact, const int32_t *categories,
                         int64_t per_list);

/* Adds one whose upper bound is not below the threshold; the caller has asked whether it is
 * allowed. With `exact` the items come in ascending order, or all of them fit. */
void ar_candidates_add(ar_candidates *candidates, ar_candidate entry, void *work);

/* Leaves out what certainly does not belong to the k best. */
void ar_candidates_prune(ar_candidates *candidates, void *work);

/* With `exact`: the k-th best score so far; -FLT_MAX if there are fewer. */
float ar_candidates_last(const ar_candidates *candidates, void *work);

/* With `exact`: the k best in order, items [k] and scores [k]; -1 and -infinity behind the last. */
void ar_candidates_finish(int32_t *items, float *scores, ar_candidates *candidates, void *work);

/* Moves those to the front whose lower bound is not below the threshold, which are at least k if
 * there are as many; under a cap on categories those of the list that lower bounds would make.
 * Returns how many. */
int64_t ar_candidates_lead(ar_candidates *candidates, void *work);

/* Orders entries by upper bound, the best first. */
void ar_candidates_order(ar_candidate *entries, int64_t count);

#endif
