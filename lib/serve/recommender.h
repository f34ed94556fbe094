/* A recommender: what top k needs of a model, as it was at one moment. Level: serve. */
#ifndef AR_SERVE_RECOMMENDER_H
#define AR_SERVE_RECOMMENDER_H

#include "core/reference.h"
#include "data/catalog.h"
#include "model/fusion.h"
#include "nn/encoder.h"

enum { AR_RECOMMENDER_MOST_TOWERS = 2 };

/* Nothing in it changes once it is shared. All working memory is the batch's. */
struct alterrec_recommender {
    ar_reference reference;
    alterrec_catalog *catalog; /* held */
    ar_encoder_shape shape;
    int64_t items;
    int64_t threads; /* compute.threads */
    ar_fusion fusion;
    int tower_count; /* ID first, then text; a joint one is the only one, its scores are the fused
                      */
    bool is_joint;
    struct ar_serving_tower {
        float *table; /* [items, dim] */
        float *block; /* the encoder's weights */
        ar_encoder_weights encoder;
        float scale; /* of a dot product with the table */
    } towers[AR_RECOMMENDER_MOST_TOWERS];
};

#endif
