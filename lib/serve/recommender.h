/* A recommender: what serving needs of a model, as it was at one moment. Level: serve. */
#ifndef AR_SERVE_RECOMMENDER_H
#define AR_SERVE_RECOMMENDER_H

#include "core/file.h"
#include "core/reference.h"
#include "data/catalog.h"
#include "nn/encoder.h"
#include "serve/item_index.h"
#include "serve/scratch_pool.h"

enum { AR_RECOMMENDER_MOST_TOWERS = AR_INDEX_MOST_TOWERS };

/* Nothing in it changes. All working memory is the batch's. */
struct alterrec_recommender {
    ar_reference reference;
    alterrec_catalog *catalog; /* held */
    alterrec_config *config;   /* own copy; fusion.alpha is a number there */
    ar_shared_map *map;        /* the file that the arrays lie in; NULL: they are its own */
    ar_encoder_shape shape;
    int64_t items;
    int64_t threads;     /* compute.threads */
    float alpha;         /* the weighted sum's */
    ar_item_index index; /* of all towers' tables */
    int tower_count;     /* ID first, then text */
    bool is_joint;       /* the only tower is a joint one, whose scores are the fused ones */
    ar_session_encoder encoder;
    ar_scratch_pool *pool; /* for live sessions */
    struct ar_serving_tower {
        const float *block; /* the encoder's weights as a model has them */
        float *owned;       /* the same, unless they lie in the file */
    } towers[AR_RECOMMENDER_MOST_TOWERS];
};

/* A recommender without items or towers, of these options: shape, threads and alpha are set. Takes
 * over `config`, also if it fails. */
alterrec_status ar_recommender_create_empty(alterrec_recommender **recommender,
                                            alterrec_config *config);

/* The shape of its index, once the catalog and the towers are known. */
alterrec_status ar_recommender_index_shape(ar_index_shape *shape,
                                           const alterrec_recommender *recommender,
                                           const float *scales);

/* Makes the encoder from the towers' blocks, and the pool. */
alterrec_status ar_recommender_pack_encoders(alterrec_recommender *recommender);

#endif
