/* The kinds of the library's own files, which share one container and are told apart by their
 * metadata. Level: model. */
#ifndef AR_MODEL_FILE_KIND_H
#define AR_MODEL_FILE_KIND_H

#include "model/tensor_file.h"

typedef enum ar_file_kind { AR_FILE_MODEL, AR_FILE_RECOMMENDER, AR_FILE_CHECKPOINT } ar_file_kind;

/* What a file of this kind has as "format". */
const char *ar_file_kind_format(ar_file_kind kind);

bool ar_file_is(const ar_tensor_file *file, ar_file_kind kind);

/* PARSE, with what it is instead, unless the file is of this kind. */
alterrec_status ar_file_check_kind(const ar_tensor_file *file, ar_file_kind kind);

#endif
