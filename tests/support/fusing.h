/* Fusion by callback: what its tests share. */
#ifndef TEST_FUSING_H
#define TEST_FUSING_H

#include "support/small_model.h"

#include <pthread.h>

/* The call failed so, with this in its error's text. */
void fusing_check_fails(alterrec_status status, alterrec_status expected, const char *text);

/* A fusion callback: alpha * id + (1 - alpha) * text with the small model's alpha. */
int32_t fusing_add_up(const alterrec_fusion_tile *tile, void *user_data);

/* A callback that hears the promises of the header, and does something at its call number `at`. */
typedef struct fusing_listener {
    int64_t items;
    int64_t calls, sessions;
    int64_t at;
    int32_t answer;
    float last; /* the last score of the last row at that call, if there is an answer of 0 */
    pthread_t thread;
} fusing_listener;

/* The fusion callback of a fusing_listener; adds up. */
int32_t fusing_listen(const alterrec_fusion_tile *tile, void *user_data);

/* The best items of every session of a batch. */
typedef struct fusing_lists {
    int64_t size;
    int32_t *items;
    float *scores;
} fusing_lists;

void fusing_free(fusing_lists *best);

/* Room for the k best. */
fusing_lists fusing_new(const alterrec_batch *batch, int64_t k);

/* The same items, and the same bits of the scores. */
void fusing_check_same(const fusing_lists *a, const fusing_lists *b);

/* A search with this fusion. */
alterrec_search fusing_search(alterrec_fusion_fn fusion, void *user_data);

/* All sessions in one batch. */
alterrec_batch *fusing_batch(const alterrec_sessions *sessions);

/* The k best, or an evaluation, with the callback (NULL: none). */
fusing_lists fusing_recommend(const small_model *small, alterrec_batch *batch, int64_t k,
                              alterrec_fusion_fn fusion, void *user_data);
alterrec_evaluation *fusing_evaluate(const small_model *small, const alterrec_sessions *held_out,
                                     alterrec_fusion_fn fusion, void *user_data);

/* Every figure is the same. Frees `a`. */
void fusing_check_figures(alterrec_evaluation *a, alterrec_evaluation *b);

#endif
