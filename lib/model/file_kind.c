#include "model/file_kind.h"

#include <string.h>

static const struct {
    const char *format, *name;
} kinds[] = {
    [AR_FILE_MODEL] = {"alterrec-model", "model file"},
    [AR_FILE_RECOMMENDER] = {"alterrec-recommender", "recommender's file"},
    [AR_FILE_CHECKPOINT] = {"alterrec-checkpoint", "checkpoint"},
};

const char *ar_file_kind_format(ar_file_kind kind) {
    return kinds[kind].format;
}

bool ar_file_is(const ar_tensor_file *file, ar_file_kind kind) {
    const char *format = ar_tensor_file_metadata(file, "format");
    return format != NULL && strcmp(format, kinds[kind].format) == 0;
}

alterrec_status ar_file_check_kind(const ar_tensor_file *file, ar_file_kind kind) {
    if (ar_file_is(file, kind))
        return ALTERREC_OK;
    for (size_t other = 0; other < sizeof kinds / sizeof kinds[0]; other++)
        if (ar_file_is(file, (ar_file_kind)other))
            return ar_fail(ALTERREC_ERROR_PARSE, "%s: is not a %s, but a %s", file->path,
                           kinds[kind].name, kinds[other].name);
    return ar_fail(ALTERREC_ERROR_PARSE, "%s: is not a %s: its metadata have no format \"%s\"",
                   file->path, kinds[kind].name, kinds[kind].format);
}
