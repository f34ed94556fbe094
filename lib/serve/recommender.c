#include "serve/recommender.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "data/config.h"
#include "model/fusion.h"
#include "model/model.h"
#include "serve/compact_copy.h"

#include <string.h>

/* Sessions that a compact copy is made for: at most, and one in so many items, with so many items.
 */
enum { SAMPLE_SESSIONS = 2048, SAMPLE_SHARE = 8, SAMPLE_LENGTH = 16 };

static alterrec_status take_all(alterrec_config *fixed, const alterrec_config *config) {
    if (!ar_config_is_auto(config, "fusion.alpha")) /* else the model's own stays */
        AR_TRY(ar_config_take(fixed, config, "fusion.alpha"));
    AR_TRY(ar_config_take(fixed, config, "compute.threads"));
    AR_TRY(ar_config_take(fixed, config, "serve.precision"));
    AR_TRY(ar_config_take(fixed, config, "serve.encoder"));
    return ar_config_is_auto(fixed, "fusion.alpha")
               ? alterrec_config_set(fixed, "fusion.alpha", "0.5") /* nothing was chosen for it */
               : ALTERREC_OK;
}

/* The model's options `own` with those of serving that have been set in `config` (NULL: none);
 * fusion.alpha is the number that holds. */
static alterrec_status fix_config(alterrec_config **fixed, const alterrec_config *own,
                                  const alterrec_config *config) {
    AR_TRY(alterrec_config_clone(fixed, own));
    alterrec_status status = take_all(*fixed, config);
    if (status != ALTERREC_OK)
        alterrec_config_free(*fixed);
    return status;
}

alterrec_status ar_recommender_create_empty(alterrec_recommender **recommender,
                                            alterrec_config *config) {
    alterrec_recommender *made = ar_new(1, sizeof *made);
    if (made == NULL) {
        alterrec_config_free(config);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    made->config = config;
    made->threads = ar_config_int(config, "compute.threads");
    made->alpha = (float)ar_fusion_alpha(config, NULL);
    alterrec_status status = ar_model_shape(&made->shape, config);
    if (status != ALTERREC_OK) {
        alterrec_recommender_free(made);
        return status;
    }
    *recommender = made;
    return ALTERREC_OK;
}

alterrec_status ar_recommender_index_shape(ar_index_shape *shape,
                                           const alterrec_recommender *recommender,
                                           const float *scales) {
    static const ar_index_precision precisions[] = {AR_INDEX_F32, AR_INDEX_BF16, AR_INDEX_INT8};
    *shape = (ar_index_shape){
        .precision = precisions[ar_config_choice(recommender->config, "serve.precision")],
        .towers = recommender->tower_count,
        .items = recommender->items,
        .dim = recommender->shape.dim,
        .alpha = recommender->alpha};
    for (int t = 0; t < recommender->tower_count; t++)
        shape->scales[t] = scales[t];
    return ALTERREC_OK;
}

/* Where things stand in a tower's block. The layout is one of pointers that training writes
 * through; serving reads. */
static ar_encoder_weights weights_of(const alterrec_recommender *recommender, int tower) {
    float *block = (float *)(uintptr_t)recommender->towers[tower].block;
    return ar_encoder_weights_at(block, &recommender->shape);
}

alterrec_status ar_recommender_pack_encoders(alterrec_recommender *recommender) {
    ar_encoder_weights weights[AR_RECOMMENDER_MOST_TOWERS];
    const ar_encoder_weights *towers[AR_RECOMMENDER_MOST_TOWERS];
    for (int t = 0; t < recommender->tower_count; t++) {
        weights[t] = weights_of(recommender, t);
        towers[t] = &weights[t];
    }
    AR_TRY(ar_scratch_pool_create(&recommender->pool));
    return ar_session_encoder_create(
        &recommender->encoder, towers, recommender->tower_count, &recommender->shape,
        (ar_weight_format)ar_config_choice(recommender->config, "serve.encoder"));
}

static alterrec_status copy_encoder(alterrec_recommender *recommender, const alterrec_model *model,
                                    int tower, int kind) {
    int64_t count = ar_encoder_weights_count(&model->shape);
    float *block;
    AR_NEW(block, count);
    memcpy(block, ar_model_tower(model, kind)->weights.encoder.position,
           (size_t)count * sizeof *block);
    recommender->towers[tower].owned = block;
    recommender->towers[tower].block = block;
    return ALTERREC_OK;
}

/* What is made on the way to an index. */
typedef struct tables {
    ar_onednn *onednn;
    float *tables[AR_RECOMMENDER_MOST_TOWERS]; /* [items, dim] */
    float scales[AR_RECOMMENDER_MOST_TOWERS];
} tables;

static void tables_free(tables *made) {
    ar_onednn_free(made->onednn);
    for (int t = 0; t < AR_RECOMMENDER_MOST_TOWERS; t++)
        ar_free(made->tables[t]);
}

static alterrec_status fill_tower(tables *made, alterrec_recommender *recommender,
                                  const alterrec_model *model, int tower, int kind) {
    AR_TRY(copy_encoder(recommender, model, tower, kind));
    made->scales[tower] = ar_model_score_scale(model, kind);
    AR_NEW(made->tables[tower], recommender->items * model->shape.dim);
    return ar_model_table(made->tables[tower], made->onednn, model, kind);
}

/* Vectors [count, width] of short sessions of random items, the same ones each time. What sessions
 * have in common does not need them to be likely ones. */
static alterrec_status sample_vectors(float *vectors, int64_t count,
                                      const alterrec_recommender *recommender) {
    int64_t *offsets;
    int32_t *items;
    ar_random random;
    ar_session_memory memory = {0};
    ar_random_seed(&random, 1);
    AR_NEW(offsets, count + 1);
    items = ar_new(count * SAMPLE_LENGTH, sizeof *items);
    if (items == NULL) {
        ar_free(offsets);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    for (int64_t s = 0; s < count; s++) {
        uint32_t longest = 1 + ar_random_below(&random, SAMPLE_LENGTH);
        offsets[s + 1] = offsets[s] + 1 + ar_random_below(&random, longest);
        for (int64_t i = offsets[s]; i < offsets[s + 1]; i++)
            items[i] = (int32_t)ar_random_below(&random, (uint32_t)recommender->items);
    }
    alterrec_status status =
        ar_session_encode(vectors, &recommender->encoder, &memory, recommender->index.table, items,
                          offsets, count, ar_threads_count());
    ar_session_memory_free(&memory);
    ar_free(offsets);
    ar_free(items);
    return status;
}

static alterrec_status make_compact(alterrec_recommender *recommender) {
    float *vectors;
    int64_t count = ar_at_most(1 + recommender->items / SAMPLE_SHARE, SAMPLE_SESSIONS);
    AR_NEW(vectors, count * recommender->index.width);
    alterrec_status status = sample_vectors(vectors, count, recommender);
    if (status == ALTERREC_OK)
        status = ar_compact_copy_make(&recommender->index, vectors, count, ar_threads_count());
    ar_free(vectors);
    return status;
}

static alterrec_status fill(tables *made, alterrec_recommender *recommender,
                            const alterrec_model *model) {
    AR_TRY(ar_onednn_create(&made->onednn));
    AR_TRY(fill_tower(made, recommender, model, 0, ar_model_first_kind(model)));
    if (recommender->tower_count == 2)
        AR_TRY(fill_tower(made, recommender, model, 1, ALTERREC_TEXT));
    AR_TRY(ar_recommender_pack_encoders(recommender));
    ar_index_shape shape;
    AR_TRY(ar_recommender_index_shape(&shape, recommender, made->scales));
    AR_TRY(ar_item_index_build(&recommender->index, &shape, (const float *const *)made->tables));
    return shape.precision == AR_INDEX_F32 ? ALTERREC_OK : make_compact(recommender);
}

alterrec_status alterrec_recommender_create(alterrec_recommender **recommender,
                                            const alterrec_model *model,
                                            const alterrec_config *config) {
    AR_NOT_NULL(recommender);
    *recommender = NULL;
    AR_NOT_NULL(model);
    alterrec_config *fixed;
    alterrec_recommender *made;
    AR_TRY(fix_config(&fixed, model->config, config));
    AR_TRY(ar_recommender_create_empty(&made, fixed));
    made->shape = model->shape;
    made->catalog = ar_catalog_hold(model->catalog);
    made->items = model->catalog->items;
    made->tower_count = model->has_text ? 2 : 1;
    made->is_joint = model->is_joint;
    tables towers = {0};
    int previous = ar_threads_enter(made->threads);
    alterrec_status status = fill(&towers, made, model);
    ar_threads_leave(previous);
    tables_free(&towers);
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
    for (int i = 0; i < AR_RECOMMENDER_MOST_TOWERS; i++)
        ar_free(recommender->towers[i].owned);
    ar_session_encoder_free(&recommender->encoder);
    ar_scratch_pool_free(recommender->pool);
    ar_item_index_free(&recommender->index);
    alterrec_config_free(recommender->config);
    ar_shared_map_free(recommender->map);
    alterrec_catalog_free(recommender->catalog);
    ar_free(recommender);
}

const alterrec_catalog *alterrec_recommender_catalog(const alterrec_recommender *recommender) {
    return recommender != NULL ? recommender->catalog : NULL;
}
