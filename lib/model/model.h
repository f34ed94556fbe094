/* The model: its towers, the options they were made with, and the catalog. Level: model. */
#ifndef AR_MODEL_MODEL_H
#define AR_MODEL_MODEL_H

#include "core/reference.h"
#include "data/batch.h"
#include "data/catalog.h"
#include "model/tower.h"

/* The choices of schedule.system, in the order of the option table. */
enum {
    AR_SYSTEM_ALTERREC,
    AR_SYSTEM_SEPARATE,
    AR_SYSTEM_ID,
    AR_SYSTEM_TEXT,
    AR_SYSTEM_NAIVE_SUM,
    AR_SYSTEM_NAIVE_CONCAT
};

/* A model has an ID tower, and with text features a text tower, whose weighted sum is the fused
 * score; or, made for AR_SYSTEM_NAIVE_CONCAT, one joint tower in their place, whose score is the
 * fused one. ID and text scores are then those of the joint tower's parts: of its table with zeros
 * in the place of the other part. */
struct alterrec_model {
    ar_reference reference;
    alterrec_catalog *catalog; /* held */
    alterrec_config *config;   /* own copy */
    ar_encoder_shape shape;
    float temperature; /* tau */
    bool has_text;     /* a text tower */
    bool is_joint;     /* a joint tower, and no other */
    atomic_bool busy;  /* a call that changes it, or a trainer's, is at work */
    ar_tower id;       /* unless is_joint */
    ar_tower text;     /* if has_text */
    ar_tower joint;    /* if is_joint */
};

/* Another holder; given back with alterrec_model_free. */
alterrec_model *ar_model_hold(const alterrec_model *model);

/* Makes the model busy, or says that it is; ar_model_leave ends it. */
alterrec_status ar_model_enter(alterrec_model *model, const char *function);
void ar_model_leave(alterrec_model *model);

/* The tower that makes the scores of `kind`, with ar_model_table's table: ALTERREC_ID or _TEXT; of
 * a joint model also ALTERREC_FUSED, and always the joint tower. NULL if the model has none. */
const ar_tower *ar_model_tower(const alterrec_model *model, int kind);

/* The kind of the first tower: ALTERREC_ID, or ALTERREC_FUSED of a joint model. */
int ar_model_first_kind(const alterrec_model *model);

/* Where a tower stands among those that can be trained: 0, the first one; 1, the text tower, which
 * is empty if there is none. */
enum { AR_MODEL_SIDES = 2 };
ar_tower *ar_model_side(alterrec_model *model, int side);

/* The item table for inference that the scores of `kind` are made with, [items, dim]. */
alterrec_status ar_model_table(float *table, ar_onednn *onednn, const alterrec_model *model,
                               int kind);

/* What a tower's dot product with an item row is multiplied by to be its score: 1, or 1 / tau. */
float ar_model_score_scale(const alterrec_model *model, int kind);

/* The encoders' shape that the options model.* ask for. */
alterrec_status ar_model_shape(ar_encoder_shape *shape, const alterrec_config *config);

/* The shapes of the towers that a model of these options has; the number of them, 1 or 2.
 * feature_dim 0: no text features, and a joint tower can't do without. */
int ar_model_towers(ar_tower_shape shapes[2], const alterrec_config *config,
                    const ar_encoder_shape *encoder, int64_t items, int64_t feature_dim);

/* A model with zeroed parameters. */
alterrec_status ar_model_create_empty(alterrec_model **model, const alterrec_catalog *catalog,
                                      const alterrec_config *config);

#endif
