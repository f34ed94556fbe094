/* Items that a model gets after it was made: alterrec_model_add_items. */
#include "core/memory.h"
#include "model/model.h"
#include "model/new_items.h"

#include <string.h>

/* The model's ID or joint tower with the rows of more items; everything else of it as it was. */
static alterrec_status create_larger(ar_tower *larger, const alterrec_model *model,
                                     const alterrec_catalog *catalog) {
    const ar_tower *tower = ar_model_tower(model, ALTERREC_ID);
    ar_tower_shape shape = tower->shape;
    int64_t dim = shape.encoder.dim, held = shape.items * dim;
    const float *features =
        catalog->features != NULL ? catalog->features + shape.items * catalog->feature_dim : NULL;
    int64_t more = catalog->items - shape.items;
    shape.items = catalog->items;
    AR_TRY(ar_tower_create(larger, &shape));
    float *rows = larger->weights.embedding;
    memcpy(rows, tower->weights.embedding, (size_t)held * sizeof *rows);
    memcpy(rows + catalog->items * dim, tower->weights.embedding + held,
           (size_t)(tower->list.count - held) * sizeof *rows);
    return ar_new_item_rows(rows + held, model, features, more);
}

/* Gives the model the catalog and the tower, which then hold what the model had. */
static void swap(alterrec_model *model, alterrec_catalog **catalog, ar_tower *larger) {
    ar_tower *tower = ar_model_side(model, 0);
    ar_tensor *tensors = tower->list.tensors;
    alterrec_catalog *held = model->catalog;
    atomic_fetch_add(&(*catalog)->models, 1);
    atomic_fetch_sub(&held->models, 1);
    model->catalog = *catalog;
    *catalog = held;
    /* The list stays where it is, because hosts hold the names in it. */
    memcpy(tensors, larger->list.tensors, (size_t)larger->list.tensor_count * sizeof *tensors);
    ar_tower before = *tower;
    *tower = *larger;
    tower->list.tensors = tensors;
    before.list.tensors = larger->list.tensors;
    *larger = before;
    if (model->has_text)
        model->text.shape.items = model->catalog->items;
}

static alterrec_status add_items(alterrec_model *model, const ar_more_items *more,
                                 const char *function) {
    int64_t most = INT32_MAX - 1 - model->catalog->items;
    if (more->count < 1 || more->count > most)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: count %lld is outside 1..%lld",
                       function, (long long)more->count, (long long)most);
    alterrec_catalog *catalog;
    AR_TRY(ar_catalog_enlarge(&catalog, model->catalog, more, function));
    ar_tower larger = {0};
    alterrec_status status = create_larger(&larger, model, catalog);
    if (status == ALTERREC_OK)
        swap(model, &catalog, &larger);
    ar_tower_free(&larger);
    alterrec_catalog_free(catalog);
    return status;
}

alterrec_status alterrec_model_add_items(alterrec_model *model, const char *const *keys,
                                         const char *const *texts, const float *features,
                                         int64_t count) {
    AR_NOT_NULL(model);
    AR_NOT_NULL(keys);
    ar_more_items more = {.keys = keys, .texts = texts, .features = features, .count = count};
    AR_TRY(ar_model_enter(model, __func__));
    alterrec_status status = add_items(model, &more, __func__);
    ar_model_leave(model);
    return status;
}
