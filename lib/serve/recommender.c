#include "serve/recommender.h"

#include "core/memory.h"
#include "core/threads.h"
#include "data/config.h"
#include "model/fusion.h"
#include "model/model.h"

#include <string.h>

/* Tower `kind` of the model: its item table, and a copy of its encoder. */
static alterrec_status copy_tower(struct ar_serving_tower *copy, ar_onednn *onednn,
                                  const alterrec_model *model, int kind) {
    const ar_tower *tower = ar_model_tower(model, kind);
    int64_t count = ar_encoder_weights_count(&model->shape);
    AR_NEW(copy->table, model->catalog->items * model->shape.dim);
    AR_NEW(copy->block, count);
    memcpy(copy->block, tower->weights.encoder.position, (size_t)count * sizeof *copy->block);
    copy->encoder = ar_encoder_weights_at(copy->block, &model->shape);
    copy->scale = ar_model_score_scale(model, kind);
    return ar_model_table(copy->table, onednn, model, kind);
}

static alterrec_status copy_towers(alterrec_recommender *recommender, const alterrec_model *model) {
    ar_onednn *onednn;
    AR_TRY(ar_onednn_create(&onednn));
    int previous = ar_threads_enter(recommender->threads);
    alterrec_status status =
        copy_tower(&recommender->towers[0], onednn, model, ar_model_first_kind(model));
    if (status == ALTERREC_OK && model->has_text)
        status = copy_tower(&recommender->towers[1], onednn, model, ALTERREC_TEXT);
    ar_threads_leave(previous);
    ar_onednn_free(onednn);
    return status;
}

alterrec_status alterrec_recommender_create(alterrec_recommender **recommender,
                                            const alterrec_model *model,
                                            const alterrec_config *config) {
    AR_NOT_NULL(recommender);
    *recommender = NULL;
    AR_NOT_NULL(model);
    if (config == NULL)
        config = model->config;
    alterrec_recommender *made;
    AR_NEW(made, 1);
    made->catalog = ar_catalog_hold(model->catalog);
    made->shape = model->shape;
    made->items = model->catalog->items;
    made->threads = ar_config_int(config, "compute.threads");
    made->fusion.alpha = (float)ar_fusion_alpha(config, model->config);
    made->tower_count = model->has_text ? 2 : 1;
    made->is_joint = model->is_joint;
    alterrec_status status = copy_towers(made, model);
    if (status != ALTERREC_OK) {
        alterrec_recommender_free(made);
        return status;
    }
    *recommender = made;
    return ALTERREC_OK;
}

alterrec_recommender *alterrec_recommender_hold(const alterrec_recommender *recommender) {
    /* Holding changes nothing that a reader of the handle could see. */
    alterrec_recommender *held = (alterrec_recommender *)(uintptr_t)recommender;
    if (held != NULL)
        ar_reference_take(&held->reference);
    return held;
}

void alterrec_recommender_free(alterrec_recommender *recommender) {
    if (recommender == NULL || !ar_reference_drop(&recommender->reference))
        return;
    for (int i = 0; i < AR_RECOMMENDER_MOST_TOWERS; i++) {
        ar_free(recommender->towers[i].table);
        ar_free(recommender->towers[i].block);
    }
    alterrec_catalog_free(recommender->catalog);
    ar_free(recommender);
}

alterrec_status alterrec_recommender_on_fusion(alterrec_recommender *recommender,
                                               alterrec_fusion_fn fusion, void *user_data) {
    AR_NOT_NULL(recommender);
    recommender->fusion.call = fusion;
    recommender->fusion.user_data = user_data;
    return ALTERREC_OK;
}

const alterrec_catalog *alterrec_recommender_catalog(const alterrec_recommender *recommender) {
    return recommender != NULL ? recommender->catalog : NULL;
}

int64_t alterrec_recommender_width(const alterrec_recommender *recommender) {
    return recommender != NULL ? recommender->tower_count * recommender->shape.dim : 0;
}

/* What the inner product of tower `tower` counts in the fused score. */
static float share_of(const alterrec_recommender *recommender, int tower) {
    if (recommender->tower_count == 1)
        return recommender->towers[0].scale;
    float alpha = recommender->fusion.alpha;
    return recommender->towers[tower].scale * (tower == 0 ? alpha : 1.0f - alpha);
}

alterrec_status alterrec_recommender_item_vectors(float *vectors,
                                                  const alterrec_recommender *recommender,
                                                  int64_t first, int64_t count) {
    AR_NOT_NULL(vectors);
    AR_NOT_NULL(recommender);
    if (first < 0 || count < 0 || count > recommender->items - first)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: %lld items from item %lld on, the catalog has items 0..%lld", __func__,
                       (long long)count, (long long)first, (long long)recommender->items - 1);
    int64_t dim = recommender->shape.dim, width = alterrec_recommender_width(recommender);
    for (int64_t i = 0; i < count; i++)
        for (int t = 0; t < recommender->tower_count; t++) {
            float *dst = vectors + i * width + t * dim;
            memcpy(dst, recommender->towers[t].table + (first + i) * dim,
                   (size_t)dim * sizeof *dst);
            ar_scores_scale(dst, dim, share_of(recommender, t));
        }
    return ALTERREC_OK;
}
