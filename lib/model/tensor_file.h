/* Named tensors in one file, the safetensors container; it knows of no model. Level: model. */
#ifndef AR_MODEL_TENSOR_FILE_H
#define AR_MODEL_TENSOR_FILE_H

#include "core/checksum.h"
#include "core/dictionary.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text.h"

/* The reader knows all of them, the writer writes the first five. */
typedef enum ar_dtype {
    AR_DTYPE_F32,
    AR_DTYPE_F64,
    AR_DTYPE_I64,
    AR_DTYPE_I32,
    AR_DTYPE_U8,
    AR_DTYPE_F16,
    AR_DTYPE_BF16,
    AR_DTYPE_I16,
    AR_DTYPE_I8,
    AR_DTYPE_U64,
    AR_DTYPE_U32,
    AR_DTYPE_U16,
    AR_DTYPE_BOOL,
    AR_DTYPE_F8_E4M3,
    AR_DTYPE_F8_E5M2,
    AR_DTYPE_COUNT
} ar_dtype;

enum { AR_TENSOR_MOST_DIMS = 8 };

/* "F32", as in the file. */
const char *ar_dtype_name(ar_dtype dtype);

/* Bytes of one value. */
int64_t ar_dtype_size(ar_dtype dtype);

/* ---- Reading ---- */

/* One tensor of an open file. */
typedef struct ar_tensor_view {
    const char *name;
    ar_dtype dtype;
    int dims; /* 0: a scalar */
    int64_t shape[AR_TENSOR_MOST_DIMS];
    int64_t count;    /* product of the shape */
    int64_t bytes;    /* count * size of the dtype */
    const void *data; /* in the mapping, row-major */
    bool aligned;     /* whether `data` may be used as an array of the dtype; else copy it */
} ar_tensor_view;

typedef struct ar_tensor_file {
    char *path;
    ar_map map;
    ar_json_document header;
    const ar_json *metadata; /* an object of texts; NULL if the file has none */
    ar_tensor_view *tensors; /* [count], in the order of their data */
    int64_t count;
    int64_t data_offset; /* of the first byte behind the header */
} ar_tensor_file;

/* Maps the file and checks every field of its header: then every view's data lie in the mapping.
 * PARSE for what breaks the format, UNSUPPORTED for a dtype or rank beyond what stands above; the
 * texts of errors begin with the path. After an error the file is closed and empty. */
alterrec_status ar_tensor_file_open(ar_tensor_file *file, const char *path);

/* A zeroed ar_tensor_file is a closed one. */
void ar_tensor_file_close(ar_tensor_file *file);

/* The tensor `name`, or NULL. */
const ar_tensor_view *ar_tensor_file_find(const ar_tensor_file *file, const char *name);

/* The tensor `name` if it has this dtype and shape; a -1 in `shape` allows any size there.
 * NOT_FOUND, or MISMATCH with both shapes. */
alterrec_status ar_tensor_file_expect(const ar_tensor_view **view, const ar_tensor_file *file,
                                      const char *name, ar_dtype dtype, int dims,
                                      const int64_t *shape);

/* The value of a metadata key, or NULL. */
const char *ar_tensor_file_metadata(const ar_tensor_file *file, const char *key);

/* Reads the whole file and compares it with its checksum. NOT_FOUND if it has none, PARSE if it
 * differs. */
alterrec_status ar_tensor_file_verify(const ar_tensor_file *file);

/* ---- Writing ---- */

/* A file in the making. First all metadata and declarations, then all data in the order of the
 * declarations. Errors are kept: only open and commit need checking. */
typedef struct ar_tensor_writer {
    ar_writer file;
    bool open;        /* whether `file` is */
    bool header_done; /* the header is written, data may follow */
    alterrec_status status;
    ar_dictionary names; /* of the tensors, in order */
    ar_dictionary keys;  /* of the metadata */
    ar_text header;      /* the tensors' entries, each with a `,` before it */
    ar_text metadata;    /* its entries, each with a `,` before it */
    int64_t *sizes;      /* [names.count], bytes */
    int64_t sizes_capacity;
    int64_t data_size;       /* declared so far */
    int64_t current;         /* the tensor whose data come next */
    int64_t current_put;     /* bytes of it that are put */
    int64_t checksum_offset; /* of its digits in the file */
    ar_checksum checksum;    /* of the file with zeros for its digits */
} ar_tensor_writer;

alterrec_status ar_tensor_writer_open(ar_tensor_writer *writer, const char *path);

/* Adds a metadata entry; "checksum" is the writer's own. */
void ar_tensor_writer_metadata(ar_tensor_writer *writer, const char *key, const char *value);

/* Adds a tensor. Its data begin where the ones before end, and must be aligned for its dtype there:
 * declare wide dtypes first. The first tensor begins at a multiple of 64 bytes. */
void ar_tensor_writer_declare(ar_tensor_writer *writer, const char *name, ar_dtype dtype, int dims,
                              const int64_t *shape);

/* The next bytes of the data; one put does not reach over the end of a tensor. */
void ar_tensor_writer_put(ar_tensor_writer *writer, const void *bytes, int64_t size);

/* Writes the checksum, syncs and renames. On any error the old file is as it was. Either way the
 * writer is closed. */
alterrec_status ar_tensor_writer_commit(ar_tensor_writer *writer);

/* Closes without leaving anything behind. A zeroed ar_tensor_writer is a closed one. */
void ar_tensor_writer_abandon(ar_tensor_writer *writer);

#endif
