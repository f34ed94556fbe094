/* The parameters of one tower: one flat block, and the names and shapes of the tensors in it.
 * Level: model. */
#ifndef AR_MODEL_PARAMETERS_H
#define AR_MODEL_PARAMETERS_H

#include "nn/encoder.h"

enum { AR_TENSOR_NAME_SIZE = 80 };

typedef struct ar_tensor {
    char name[AR_TENSOR_NAME_SIZE];
    int64_t shape[2]; /* shape[1] is 1 if dims is 1 */
    int64_t count;
    int64_t offset; /* in the block */
    int dims;
} ar_tensor;

/* The two parts that a joint tower is made of. */
enum { AR_PART_ID, AR_PART_TEXT, AR_PARTS };

/* What a tower is made of. */
typedef struct ar_tower_shape {
    int kind;            /* ALTERREC_ID, ALTERREC_TEXT; ALTERREC_FUSED: a joint tower, of both */
    int64_t items;       /* N */
    int64_t feature_dim; /* f; text and joint tower */
    ar_encoder_shape encoder;
} ar_tower_shape;

/* The tensors of a tower, in the order of the block. */
typedef struct ar_parameter_list {
    ar_tensor *tensors;
    int64_t tensor_count;
    int64_t count; /* floats in the block */
} ar_parameter_list;

/* "id", "text", "joint": what the names of its tensors begin with. */
const char *ar_tower_name(int kind);

alterrec_status ar_parameter_list_create(ar_parameter_list *list, const ar_tower_shape *shape);
void ar_parameter_list_free(ar_parameter_list *list);

/* Pointers into a flat block with this list's layout: the parameters themselves, or their
 * gradients. */
typedef struct ar_tower_weights {
    float *embedding;                    /* ID and joint tower: E [items, dim] */
    float *projection, *projection_bias; /* text and joint tower: W [dim, feature_dim], b [dim] */
    ar_norm part_norms[AR_PARTS];        /* joint tower: of the parts' rows */
    float *fusion[AR_PARTS];             /* joint tower: the halves of Wj [dim, 2 dim] */
    float *fusion_bias;                  /* joint tower: bj [dim] */
    ar_norm norm;                        /* of the item table */
    ar_encoder_weights encoder;
} ar_tower_weights;

ar_tower_weights ar_tower_weights_at(float *block, const ar_tower_shape *shape);

/* The encoder's part of it, which is the block's end: a block of its own for who needs no more. */
ar_encoder_weights ar_encoder_weights_at(float *block, const ar_encoder_shape *shape);

/* Floats in a block of encoder weights. */
int64_t ar_encoder_weights_count(const ar_encoder_shape *shape);

/* Fills the block with fresh values; `usual` as model.init says. */
void ar_parameters_initialise(float *block, const ar_parameter_list *list, int64_t dim, bool usual,
                              uint64_t seed);

#endif
