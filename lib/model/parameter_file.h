/* A tower's parameters in a tensor file, each tensor by its name and shape. Level: model. */
#ifndef AR_MODEL_PARAMETER_FILE_H
#define AR_MODEL_PARAMETER_FILE_H

#include "model/parameters.h"
#include "model/tensor_file.h"

/* Declares the list's tensors; then puts them, in the same order, from a block of its layout. */
void ar_parameters_declare(ar_tensor_writer *writer, const ar_parameter_list *list);
void ar_parameters_put(ar_tensor_writer *writer, const ar_parameter_list *list, const float *block);

/* Whether the file has every tensor of the list, with its shape and finite values. Nothing is
 * allocated, so that a file's word for its sizes costs nothing. */
alterrec_status ar_parameters_check(const ar_tensor_file *file, const ar_parameter_list *list);

/* Fills a block of the list's layout from a file that has been checked. */
void ar_parameters_copy(float *block, const ar_parameter_list *list, const ar_tensor_file *file);

#endif
