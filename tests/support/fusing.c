#include "support/fusing.h"

#include "core/memory.h"

#include <check.h>
#include <math.h>
#include <string.h>

void fusing_check_fails(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

int32_t fusing_add_up(const alterrec_fusion_tile *tile, void *user_data) {
    const float alpha = 0.3F, rest = 1.0F - alpha;
    (void)user_data;
    for (int64_t i = 0; i < tile->sessions * tile->items; i++) {
        float id = alpha * tile->id[i]; /* two roundings: no fused multiply-add here */
        float text = rest * tile->text[i];
        tile->fused[i] = id + text;
    }
    return 0;
}

int32_t fusing_listen(const alterrec_fusion_tile *tile, void *user_data) {
    fusing_listener *l = user_data;
    ck_assert_uint_eq(tile->struct_size, sizeof *tile);
    ck_assert_uint_eq(tile->reserved, 0);
    ck_assert_int_eq(tile->first_session, l->sessions);
    ck_assert_int_ge(tile->sessions, 1);
    ck_assert_int_eq(tile->items, l->items);
    ck_assert(pthread_equal(l->thread, pthread_self()));
    int64_t broken = 0;
    for (int64_t i = 0; i < tile->sessions * tile->items; i++)
        broken += !isfinite(tile->id[i]) || !isfinite(tile->text[i]) || !isnan(tile->fused[i]);
    ck_assert_int_eq(broken, 0);
    l->sessions += tile->sessions;
    (void)fusing_add_up(tile, NULL);
    if (++l->calls != l->at)
        return 0;
    if (l->answer == 0)
        tile->fused[tile->sessions * tile->items - 1] = l->last;
    return l->answer;
}

void fusing_free(fusing_lists *best) {
    ar_free(best->items);
    ar_free(best->scores);
}

fusing_lists fusing_new(const alterrec_batch *batch, int64_t k) {
    fusing_lists best = {.size = alterrec_batch_count(batch) * k};
    best.items = ar_new(best.size, sizeof *best.items);
    best.scores = ar_new(best.size, sizeof *best.scores);
    return best;
}

void fusing_check_same(const fusing_lists *a, const fusing_lists *b) {
    ck_assert_int_eq(a->size, b->size);
    ck_assert_mem_eq(a->items, b->items, (size_t)a->size * sizeof *a->items);
    ck_assert_mem_eq(a->scores, b->scores, (size_t)a->size * sizeof *a->scores);
}

alterrec_batch *fusing_batch(const alterrec_sessions *sessions) {
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    for (int64_t s = 0; s < alterrec_sessions_count(sessions); s++)
        small_add(batch, sessions, s);
    return batch;
}

alterrec_search fusing_search(alterrec_fusion_fn fusion, void *user_data) {
    return (alterrec_search){
        .struct_size = sizeof(alterrec_search), .fusion = fusion, .user_data = user_data};
}

fusing_lists fusing_recommend(const small_model *small, alterrec_batch *batch, int64_t k,
                              alterrec_fusion_fn fusion, void *user_data) {
    alterrec_recommender *recommender;
    fusing_lists best = fusing_new(batch, k);
    MUST(alterrec_recommender_create(&recommender, small->model, NULL));
    alterrec_search search = fusing_search(fusion, user_data);
    MUST(alterrec_recommender_top_k(best.items, best.scores, NULL, recommender, batch, k, &search));
    alterrec_recommender_free(recommender);
    return best;
}

alterrec_evaluation *fusing_evaluate(const small_model *small, const alterrec_sessions *held_out,
                                     alterrec_fusion_fn fusion, void *user_data) {
    alterrec_evaluator *evaluator;
    alterrec_evaluation *evaluation;
    MUST(alterrec_evaluator_create(&evaluator, small->model, NULL));
    MUST(alterrec_evaluator_on_fusion(evaluator, fusion, user_data));
    MUST(alterrec_evaluator_run(&evaluation, evaluator, held_out, held_out));
    alterrec_evaluator_free(evaluator);
    return evaluation;
}

void fusing_check_figures(alterrec_evaluation *a, alterrec_evaluation *b) {
    ck_assert_str_eq(alterrec_evaluation_json(a), alterrec_evaluation_json(b));
    alterrec_evaluation_free(a);
}
