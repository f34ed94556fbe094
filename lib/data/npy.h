/* Matrices in NumPy's `.npy` files. Level: data. */
#ifndef AR_DATA_NPY_H
#define AR_DATA_NPY_H

#include "core/file.h"

/* What the header of a `.npy` file says of a matrix of floats. */
typedef struct ar_npy_shape {
    int64_t rows;
    int64_t columns;
    int64_t data_offset; /* bytes before the first value */
    int64_t value_size;  /* 4: f32, 2: f16 */
} ar_npy_shape;

/* Reads the header in `bytes` and checks it against the file's size. PARSE if it is malformed or
 * truncated, UNSUPPORTED for a dtype other than <f4 and <f2, Fortran order, other ranks than 2. The
 * text of the error lacks the path. */
alterrec_status ar_npy_parse(ar_npy_shape *shape, const char *bytes, size_t size);

/* The values as f32, [rows, columns]; INVALID_ARGUMENT for one that is not finite, naming its
 * place. `bytes` is the file that ar_npy_parse accepted. */
alterrec_status ar_npy_values(float *values, const ar_npy_shape *shape, const char *bytes);

/* Opens the writer and puts the header of an f32 matrix: the values [rows, columns] are to follow
 * by ar_writer_put, and the commit. Nothing is left open on an error. */
alterrec_status ar_npy_open(ar_writer *writer, const char *path, int64_t rows, int64_t columns);

/* Writes a matrix as f32; written aside, synced, renamed. */
alterrec_status ar_npy_write(const char *path, const float *values, int64_t rows, int64_t columns);

#endif
