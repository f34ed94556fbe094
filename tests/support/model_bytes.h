/* A model file as bytes: read and edited without the library's own reader. */
#ifndef TEST_MODEL_BYTES_H
#define TEST_MODEL_BYTES_H

#include <alterrec/alterrec.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Three items, dim 4, one block; with features there are texts too. */
enum { TINY_ITEMS = 3, TINY_DIM = 4, TINY_FEATURES = 2 };
alterrec_model *tiny_model(bool text);

typedef struct model_bytes {
    char *bytes;
    size_t size;
} model_bytes;

void model_bytes_read(model_bytes *file, const char *path);
void model_bytes_free(model_bytes *file);

/* Where the header's text begins, and its length. */
char *model_bytes_header(const model_bytes *file, size_t *length);

/* Replaces the first `from` of the header by `to`; aborts the test if there is none. */
void model_bytes_edit(model_bytes *file, const char *from, const char *to);

/* Writes "none" in the place of the checksum. */
void model_bytes_drop_checksum(model_bytes *file);

/* The data of the tensor `name`, which must be `dtype` (shape[dims]); dims 0: any shape. */
char *model_bytes_tensor(const model_bytes *file, const char *name, const char *dtype, int dims,
                         const int64_t *shape, size_t *size);

#endif
