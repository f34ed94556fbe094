/* The model: both towers, the options they were made with, and the catalog. Level: model. */
#ifndef AR_MODEL_MODEL_H
#define AR_MODEL_MODEL_H

#include "core/reference.h"
#include "data/batch.h"
#include "data/catalog.h"
#include "model/tower.h"

struct alterrec_model {
    ar_reference reference;
    alterrec_catalog *catalog; /* held */
    alterrec_config *config;   /* own copy */
    ar_encoder_shape shape;
    float temperature; /* tau */
    bool has_text;
    atomic_bool busy; /* a trainer is inside a call */
    ar_tower id;
    ar_tower text; /* if has_text */
};

/* Another holder; given back with alterrec_model_free. */
alterrec_model *ar_model_hold(const alterrec_model *model);

/* The tower `kind` (ALTERREC_ID or ALTERREC_TEXT); NULL if the model has none. */
const ar_tower *ar_model_tower(const alterrec_model *model, int kind);

/* The tower's item table for inference, [items, dim]. */
alterrec_status ar_model_table(float *table, ar_onednn *onednn, const alterrec_model *model,
                               int kind);

/* What a tower's dot product with an item row is multiplied by to be its score: 1, or 1 / tau. */
float ar_model_score_scale(const alterrec_model *model, int kind);

/* The encoders' shape that the options model.* ask for. */
alterrec_status ar_model_shape(ar_encoder_shape *shape, const alterrec_config *config);

/* A model with zeroed parameters. */
alterrec_status ar_model_create_empty(alterrec_model **model, const alterrec_catalog *catalog,
                                      const alterrec_config *config);

#endif
