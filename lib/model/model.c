#include "model/model.h"

#include "core/host_struct.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "data/config.h"
#include "model/fusion.h"
#include "model/workspace.h"

#include <math.h>
#include <string.h>

alterrec_status ar_model_shape(ar_encoder_shape *shape, const alterrec_config *config) {
    *shape = (ar_encoder_shape){.dim = ar_config_int(config, "model.dim"),
                                .heads = ar_config_int(config, "model.heads"),
                                .blocks = ar_config_int(config, "model.blocks"),
                                .max_len = ar_config_int(config, "model.max_len")};
    if (shape->dim % shape->heads != 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "model.dim %lld is not a multiple of model.heads %lld",
                       (long long)shape->dim, (long long)shape->heads);
    return ALTERREC_OK;
}

int ar_model_towers(ar_tower_shape shapes[2], const alterrec_config *config,
                    const ar_encoder_shape *encoder, int64_t items, int64_t feature_dim) {
    shapes[0] = (ar_tower_shape){.kind = ALTERREC_ID, .items = items, .encoder = *encoder};
    if (ar_config_choice(config, "schedule.system") == AR_SYSTEM_NAIVE_CONCAT) {
        shapes[0].kind = ALTERREC_FUSED;
        shapes[0].feature_dim = feature_dim;
        return 1;
    }
    shapes[1] = shapes[0];
    shapes[1].kind = ALTERREC_TEXT;
    shapes[1].feature_dim = feature_dim;
    return feature_dim > 0 ? 2 : 1;
}

static alterrec_status create_towers(alterrec_model *model) {
    ar_tower_shape shapes[2];
    int count = ar_model_towers(shapes, model->config, &model->shape, model->catalog->items,
                                model->catalog->feature_dim);
    model->is_joint = shapes[0].kind == ALTERREC_FUSED;
    model->has_text = count == 2;
    if (model->is_joint && shapes[0].feature_dim == 0)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "schedule.system \"naive_concat\" joins IDs and texts, but the catalog has "
                       "no text features");
    AR_TRY(ar_tower_create(ar_model_side(model, 0), &shapes[0]));
    return count == 2 ? ar_tower_create(&model->text, &shapes[1]) : ALTERREC_OK;
}

alterrec_status ar_model_create_empty(alterrec_model **model, const alterrec_catalog *catalog,
                                      const alterrec_config *config) {
    *model = NULL;
    alterrec_model *made;
    AR_NEW(made, 1);
    made->catalog = ar_catalog_hold(catalog);
    atomic_fetch_add(&made->catalog->models, 1);
    made->temperature = (float)ar_config_float(config, "model.temperature");
    alterrec_status status = ar_model_shape(&made->shape, config);
    if (status == ALTERREC_OK)
        status = config != NULL ? alterrec_config_clone(&made->config, config)
                                : alterrec_config_create(&made->config);
    if (status == ALTERREC_OK)
        status = create_towers(made);
    if (status != ALTERREC_OK) {
        alterrec_model_free(made);
        return status;
    }
    *model = made;
    return ALTERREC_OK;
}

alterrec_status alterrec_model_create(alterrec_model **model, const alterrec_catalog *catalog,
                                      const alterrec_config *config) {
    AR_NOT_NULL(model);
    *model = NULL;
    AR_NOT_NULL(catalog);
    alterrec_model *made;
    AR_TRY(ar_model_create_empty(&made, catalog, config));
    bool usual = ar_config_choice(config, "model.init") == 1;
    uint64_t seed = (uint64_t)ar_config_int(config, "train.seed");
    for (int side = 0; side < AR_MODEL_SIDES; side++) {
        const ar_tower *tower = ar_model_side(made, side);
        ar_parameters_initialise(tower->block, &tower->list, made->shape.dim, usual,
                                 ar_random_key(seed, (uint64_t)tower->shape.kind));
    }
    *model = made;
    return ALTERREC_OK;
}

alterrec_model *ar_model_hold(const alterrec_model *model) {
    union {
        const alterrec_model *in;
        alterrec_model *out;
    } cast = {.in = model};
    ar_reference_take(&cast.out->reference);
    return cast.out;
}

alterrec_status ar_model_enter(alterrec_model *model, const char *function) {
    if (atomic_exchange(&model->busy, true))
        return ar_fail(ALTERREC_ERROR_BUSY,
                       "%s: another call is using the model, such as a trainer's", function);
    return ALTERREC_OK;
}

void ar_model_leave(alterrec_model *model) {
    atomic_store(&model->busy, false);
}

void alterrec_model_free(alterrec_model *model) {
    if (model == NULL || !ar_reference_drop(&model->reference))
        return;
    ar_tower_free(&model->id);
    ar_tower_free(&model->text);
    ar_tower_free(&model->joint);
    alterrec_config_free(model->config);
    atomic_fetch_sub(&model->catalog->models, 1);
    alterrec_catalog_free(model->catalog);
    ar_free(model);
}

const alterrec_catalog *alterrec_model_catalog(const alterrec_model *model) {
    return model != NULL ? model->catalog : NULL;
}

const alterrec_config *alterrec_model_config(const alterrec_model *model) {
    return model != NULL ? model->config : NULL;
}

const ar_tower *ar_model_tower(const alterrec_model *model, int kind) {
    if (model->is_joint)
        return &model->joint;
    if (kind == ALTERREC_ID)
        return &model->id;
    return kind == ALTERREC_TEXT && model->has_text ? &model->text : NULL;
}

int ar_model_first_kind(const alterrec_model *model) {
    return model->is_joint ? ALTERREC_FUSED : ALTERREC_ID;
}

ar_tower *ar_model_side(alterrec_model *model, int side) {
    if (side == 1)
        return &model->text;
    return model->is_joint ? &model->joint : &model->id;
}

float ar_model_score_scale(const alterrec_model *model, int kind) {
    return kind == ALTERREC_TEXT && !model->is_joint ? 1.0f / model->temperature : 1.0f;
}

alterrec_status ar_model_table(float *table, ar_onednn *onednn, const alterrec_model *model,
                               int kind) {
    ar_operand features = {.values = model->catalog->features};
    if (model->is_joint && kind != ALTERREC_FUSED)
        return ar_tower_part_table(table, onednn, NULL, &model->joint,
                                   kind == ALTERREC_ID ? AR_PART_ID : AR_PART_TEXT, features);
    return ar_tower_table(table, onednn, NULL, ar_model_tower(model, kind), features,
                          (ar_dropout){0});
}

/* Tensors by name. */

static const ar_tensor *tensor_at(float **values, const alterrec_model *model, int64_t index) {
    const ar_tower *tower = model->is_joint ? &model->joint : &model->id;
    if (index >= tower->list.tensor_count) {
        index -= tower->list.tensor_count;
        tower = &model->text;
    }
    if (index < 0 || index >= tower->list.tensor_count)
        return NULL;
    *values = tower->block + tower->list.tensors[index].offset;
    return &tower->list.tensors[index];
}

int64_t alterrec_model_dim(const alterrec_model *model) {
    return model != NULL ? model->shape.dim : 0;
}

int64_t alterrec_model_tensor_count(const alterrec_model *model) {
    return model != NULL ? model->id.list.tensor_count + model->text.list.tensor_count +
                               model->joint.list.tensor_count
                         : 0;
}

static void describe(alterrec_tensor *tensor, const ar_tensor *found) {
    alterrec_tensor known = {.dims = found->dims,
                             .name = found->name,
                             .shape = {found->shape[0], found->shape[1]},
                             .count = found->count};
    ar_host_struct_fill(tensor, &known, &ar_tensor_struct);
}

alterrec_status alterrec_model_tensor_describe(alterrec_tensor *tensor, const alterrec_model *model,
                                               int64_t index) {
    AR_NOT_NULL(tensor);
    AR_NOT_NULL(model);
    AR_TRY(ar_host_struct_check(&ar_tensor_struct, tensor, __func__));
    float *values;
    const ar_tensor *found = tensor_at(&values, model, index);
    if (found == NULL)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: index %lld is outside 0..%lld",
                       __func__, (long long)index,
                       (long long)alterrec_model_tensor_count(model) - 1);
    describe(tensor, found);
    return ALTERREC_OK;
}

static alterrec_status find_tensor(const ar_tensor **tensor, float **values,
                                   const alterrec_model *model, const char *name,
                                   const char *function) {
    for (int64_t i = 0; (*tensor = tensor_at(values, model, i)) != NULL; i++)
        if (strcmp((*tensor)->name, name) == 0)
            return ALTERREC_OK;
    return ar_fail(ALTERREC_ERROR_NOT_FOUND, "%s: the model has no tensor \"%s\"", function, name);
}

alterrec_status alterrec_model_tensor_find(alterrec_tensor *tensor, const alterrec_model *model,
                                           const char *name) {
    AR_NOT_NULL(tensor);
    AR_NOT_NULL(model);
    AR_NOT_NULL(name);
    AR_TRY(ar_host_struct_check(&ar_tensor_struct, tensor, __func__));
    const ar_tensor *found;
    float *values;
    AR_TRY(find_tensor(&found, &values, model, name, __func__));
    describe(tensor, found);
    return ALTERREC_OK;
}

/* The values of the tensor `name`, checked to be `count`. */
static alterrec_status find_values(float **values, const alterrec_model *model, const char *name,
                                   int64_t count, const char *function) {
    const ar_tensor *tensor;
    AR_TRY(find_tensor(&tensor, values, model, name, function));
    if (tensor->count != count)
        return ar_fail(ALTERREC_ERROR_MISMATCH, "%s: tensor \"%s\" has %lld values, not %lld",
                       function, name, (long long)tensor->count, (long long)count);
    return ALTERREC_OK;
}

alterrec_status alterrec_model_get_tensor(float *values, const alterrec_model *model,
                                          const char *name, int64_t count) {
    AR_NOT_NULL(values);
    AR_NOT_NULL(model);
    AR_NOT_NULL(name);
    float *found = NULL;
    AR_TRY(find_values(&found, model, name, count, __func__));
    memcpy(values, found, (size_t)count * sizeof *values);
    return ALTERREC_OK;
}

static alterrec_status set_values(const alterrec_model *model, const char *name,
                                  const float *values, int64_t count, const char *function) {
    float *found = NULL;
    AR_TRY(find_values(&found, model, name, count, function));
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: value %lld of tensor \"%s\" is not finite", function, (long long)i,
                           name);
    memcpy(found, values, (size_t)count * sizeof *values);
    return ALTERREC_OK;
}

alterrec_status alterrec_model_set_tensor(alterrec_model *model, const char *name,
                                          const float *values, int64_t count) {
    AR_NOT_NULL(model);
    AR_NOT_NULL(name);
    AR_NOT_NULL(values);
    AR_TRY(ar_model_enter(model, __func__));
    alterrec_status status = set_values(model, name, values, count, __func__);
    ar_model_leave(model);
    return status;
}

/* Scores. */

static alterrec_status check_tower(const alterrec_model *model, int32_t tower,
                                   const char *function) {
    if (tower < ALTERREC_ID || tower > (model->is_joint ? ALTERREC_FUSED : ALTERREC_TEXT))
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: tower %d is neither ALTERREC_ID nor ALTERREC_TEXT%s", function,
                       (int)tower, model->is_joint ? " nor ALTERREC_FUSED" : "");
    if (ar_model_tower(model, tower) == NULL)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: the model has no text tower: its catalog has no text features",
                       function);
    return ALTERREC_OK;
}

alterrec_status alterrec_model_item_vectors(float *vectors, const alterrec_model *model,
                                            int32_t tower) {
    AR_NOT_NULL(vectors);
    AR_NOT_NULL(model);
    AR_TRY(check_tower(model, tower, __func__));
    ar_onednn *onednn;
    AR_TRY(ar_onednn_create(&onednn));
    int previous = ar_threads_enter(ar_config_int(model->config, "compute.threads"));
    alterrec_status status = ar_model_table(vectors, onednn, model, tower);
    ar_threads_leave(previous);
    ar_onednn_free(onednn);
    return status;
}

/* The tower's table (a new array, *table) and the session vectors of the batch. */
static alterrec_status encode_batch(float **table, float *vectors, const alterrec_model *model,
                                    int kind, const alterrec_batch *batch,
                                    ar_workspace *workspace) {
    const ar_tower *tower = ar_model_tower(model, kind);
    AR_NEW(*table, model->catalog->items * model->shape.dim);
    AR_TRY(ar_model_table(*table, workspace->onednn, model, kind));
    return ar_workspace_encode(vectors, workspace, &tower->weights.encoder, &model->shape, *table,
                               batch->items, batch->offsets, batch->count);
}

alterrec_status alterrec_model_session_vectors(float *vectors, const alterrec_model *model,
                                               int32_t tower, alterrec_batch *batch) {
    AR_NOT_NULL(vectors);
    AR_NOT_NULL(model);
    AR_NOT_NULL(batch);
    AR_TRY(check_tower(model, tower, __func__));
    AR_TRY(ar_batch_check_idle(batch, __func__));
    AR_TRY(ar_batch_check(batch, model->catalog->items, __func__));
    ar_workspace *workspace;
    AR_TRY(ar_workspace_of(&workspace, batch));
    float *table = NULL;
    int previous = ar_threads_enter(ar_config_int(model->config, "compute.threads"));
    alterrec_status status = encode_batch(&table, vectors, model, tower, batch, workspace);
    ar_threads_leave(previous);
    ar_free(table);
    return status;
}

/* scores [count, items] = scale * session vectors · tableᵀ. */
static alterrec_status score_tower(float *scores, const alterrec_model *model, int kind,
                                   const alterrec_batch *batch, ar_workspace *workspace) {
    int64_t items = model->catalog->items, dim = model->shape.dim, count = batch->count;
    float *table = NULL, *vectors = NULL, *padded = NULL;
    /* Rows below AR_PRODUCT_ROWS would take a path with other bits, so few sessions are padded. */
    int64_t rows = count < AR_PRODUCT_ROWS ? AR_PRODUCT_ROWS : count;
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    vectors = ar_new(rows * dim, sizeof *vectors);
    if (rows > count)
        padded = ar_new(rows * items, sizeof *padded);
    if (vectors == NULL || (rows > count && padded == NULL))
        goto done;
    status = encode_batch(&table, vectors, model, kind, batch, workspace);
    if (status != ALTERREC_OK)
        goto done;
    float *dst = padded != NULL ? padded : scores;
    status = ar_matmul(workspace->onednn, dst, vectors, table, NULL, rows, items, dim,
                       AR_WEIGHTS_TRANSPOSED);
    if (status != ALTERREC_OK)
        goto done;
    if (padded != NULL)
        memcpy(scores, padded, (size_t)(count * items) * sizeof *scores);
    ar_scores_scale(scores, count * items, ar_model_score_scale(model, kind));
done:
    ar_free(table);
    ar_free(vectors);
    ar_free(padded);
    return status;
}

static alterrec_status score_fused(float *scores, const alterrec_model *model,
                                   const alterrec_batch *batch, ar_workspace *workspace) {
    int64_t size = batch->count * model->catalog->items;
    float alpha = (float)ar_fusion_alpha(model->config, NULL);
    float *text;
    AR_NEW(text, size);
    alterrec_status status = score_tower(scores, model, ALTERREC_ID, batch, workspace);
    if (status == ALTERREC_OK)
        status = score_tower(text, model, ALTERREC_TEXT, batch, workspace);
    if (status == ALTERREC_OK)
        ar_scores_fuse(scores, text, size, alpha);
    ar_free(text);
    return status;
}

alterrec_status alterrec_model_score(float *scores, const alterrec_model *model, int32_t scorer,
                                     alterrec_batch *batch) {
    AR_NOT_NULL(scores);
    AR_NOT_NULL(model);
    AR_NOT_NULL(batch);
    if (scorer < ALTERREC_ID || scorer > ALTERREC_FUSED)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: scorer %d is not ALTERREC_ID, ALTERREC_TEXT or ALTERREC_FUSED",
                       __func__, (int)scorer);
    bool weighted = scorer == ALTERREC_FUSED && model->has_text;
    if (scorer == ALTERREC_FUSED)
        scorer = ar_model_first_kind(model);
    AR_TRY(check_tower(model, scorer, __func__));
    AR_TRY(ar_batch_check_idle(batch, __func__));
    AR_TRY(ar_batch_check(batch, model->catalog->items, __func__));
    ar_workspace *workspace;
    AR_TRY(ar_workspace_of(&workspace, batch));
    int previous = ar_threads_enter(ar_config_int(model->config, "compute.threads"));
    alterrec_status status = weighted ? score_fused(scores, model, batch, workspace)
                                      : score_tower(scores, model, scorer, batch, workspace);
    ar_threads_leave(previous);
    return status;
}
