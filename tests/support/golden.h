/* One golden case: numbers of the reference implementation, tests/data/golden/<name>. */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include "model/model.h"
#include "model/tensor_file.h"

typedef struct golden {
    ar_json_document manifest;
    ar_tensor_file expected, gradients, after; /* after three Adam steps */
    alterrec_catalog *catalog;
    alterrec_config *config;
    alterrec_model *model; /* with the case's weights */
    int32_t *items;        /* the sessions, whole */
    int64_t *offsets;      /* [count + 1] */
    int32_t *labels;       /* [count] */
    int32_t *augmented;    /* [count] 1: an augmented example */
    int64_t count;
} golden;

/* Aborts the test if anything is missing. */
void golden_open(golden *g, const char *name);
void golden_close(golden *g);

/* The f32 (i32, f64) values of a tensor of `expected`. */
const float *golden_floats(const ar_tensor_file *file, const char *name);
const int32_t *golden_ints(const ar_tensor_file *file, const char *name);
double golden_double(const ar_tensor_file *file, const char *name);

/* |a - b| / |b| over all values, in double. */
double relative_error(const float *a, const float *b, int64_t count);

/* The largest |a - b|. */
double largest_error(const float *a, const float *b, int64_t count);

#endif
