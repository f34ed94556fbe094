#include "model/parameter_file.h"

#include <math.h>
#include <string.h>

void ar_parameters_declare(ar_tensor_writer *writer, const ar_parameter_list *list) {
    for (int64_t t = 0; t < list->tensor_count; t++)
        ar_tensor_writer_declare(writer, list->tensors[t].name, AR_DTYPE_F32, list->tensors[t].dims,
                                 list->tensors[t].shape);
}

void ar_parameters_put(ar_tensor_writer *writer, const ar_parameter_list *list,
                       const float *block) {
    /* Tensor by tensor, though the block is one piece: a put may not cross a tensor's end. */
    for (int64_t t = 0; t < list->tensor_count; t++)
        ar_tensor_writer_put(writer, block + list->tensors[t].offset,
                             list->tensors[t].count * (int64_t)sizeof *block);
}

alterrec_status ar_parameters_check(const ar_tensor_file *file, const ar_parameter_list *list) {
    for (int64_t t = 0; t < list->tensor_count; t++) {
        const ar_tensor *tensor = &list->tensors[t];
        const ar_tensor_view *view;
        AR_TRY(ar_tensor_file_expect(&view, file, tensor->name, AR_DTYPE_F32, tensor->dims,
                                     tensor->shape));
        for (int64_t i = 0; i < view->count; i++) {
            float value; /* it need not be aligned */
            memcpy(&value, (const char *)view->data + i * (int64_t)sizeof value, sizeof value);
            if (!isfinite(value))
                return ar_fail(ALTERREC_ERROR_PARSE, "%s: tensor \"%s\": value %lld is not finite",
                               file->path, tensor->name, (long long)i);
        }
    }
    return ALTERREC_OK;
}

void ar_parameters_copy(float *block, const ar_parameter_list *list, const ar_tensor_file *file) {
    for (int64_t t = 0; t < list->tensor_count; t++) {
        const ar_tensor_view *view = ar_tensor_file_find(file, list->tensors[t].name);
        memcpy(block + list->tensors[t].offset, view->data, (size_t)view->bytes);
    }
}
