#include "model/tensor_file.h"

#include "core/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 8, MOST_HEADER = 100000000, DIGITS = 16 };

static const struct {
    const char *name;
    int64_t size;
} dtypes[AR_DTYPE_COUNT] = {
    [AR_DTYPE_F32] = {"F32", 4},         [AR_DTYPE_F64] = {"F64", 8},
    [AR_DTYPE_I64] = {"I64", 8},         [AR_DTYPE_I32] = {"I32", 4},
    [AR_DTYPE_U8] = {"U8", 1},           [AR_DTYPE_F16] = {"F16", 2},
    [AR_DTYPE_BF16] = {"BF16", 2},       [AR_DTYPE_I16] = {"I16", 2},
    [AR_DTYPE_I8] = {"I8", 1},           [AR_DTYPE_U64] = {"U64", 8},
    [AR_DTYPE_U32] = {"U32", 4},         [AR_DTYPE_U16] = {"U16", 2},
    [AR_DTYPE_BOOL] = {"BOOL", 1},       [AR_DTYPE_F8_E4M3] = {"F8_E4M3", 1},
    [AR_DTYPE_F8_E5M2] = {"F8_E5M2", 1},
};

const char *ar_dtype_name(ar_dtype dtype) {
    return dtypes[dtype].name;
}

int64_t ar_dtype_size(ar_dtype dtype) {
    return dtypes[dtype].size;
}

/* The member `key` of a tensor's entry, of the kind it must have. */
static alterrec_status take_member(const ar_json **member, const ar_json *entry, const char *key,
                                   ar_json_kind kind) {
    *member = ar_json_member(entry, key);
    if (*member == NULL || (*member)->kind != kind)
        return ar_fail(ALTERREC_ERROR_PARSE, "\"%s\" is %s, %s is expected", key,
                       *member == NULL ? "missing" : ar_json_kind_name((*member)->kind),
                       ar_json_kind_name(kind));
    return ALTERREC_OK;
}

static alterrec_status read_dtype(ar_tensor_view *view, const ar_json *entry) {
    const ar_json *dtype;
    AR_TRY(take_member(&dtype, entry, "dtype", AR_JSON_TEXT));
    for (int i = 0; i < AR_DTYPE_COUNT; i++)
        if (strcmp(dtype->text, dtypes[i].name) == 0) {
            view->dtype = (ar_dtype)i;
            return ALTERREC_OK;
        }
    return ar_fail(ALTERREC_ERROR_UNSUPPORTED, "dtype \"%.40s\" is not known", dtype->text);
}

static alterrec_status read_shape(ar_tensor_view *view, const ar_json *entry) {
    const ar_json *shape;
    AR_TRY(take_member(&shape, entry, "shape", AR_JSON_ARRAY));
    if (shape->count > AR_TENSOR_MOST_DIMS)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED, "%lld dimensions, at most %d are supported",
                       (long long)shape->count, AR_TENSOR_MOST_DIMS);
    view->count = 1;
    for (const ar_json *size = shape->first; size != NULL; size = size->next) {
        if (size->kind != AR_JSON_INT || size->integer < 0)
            return ar_fail(ALTERREC_ERROR_PARSE, "a size in \"shape\" is no whole number from 0");
        view->shape[view->dims++] = size->integer;
        if (__builtin_mul_overflow(view->count, size->integer, &view->count))
            return ar_fail(ALTERREC_ERROR_PARSE, "the shape is too large for any file");
    }
    if (__builtin_mul_overflow(view->count, ar_dtype_size(view->dtype), &view->bytes))
        return ar_fail(ALTERREC_ERROR_PARSE, "the shape is too large for any file");
    return ALTERREC_OK;
}

/* Checks one tensor's place alone; check_contiguous looks at all of them together. */
static alterrec_status read_offsets(ar_tensor_view *view, const ar_tensor_file *file,
                                    const ar_json *entry) {
    const ar_json *offsets;
    AR_TRY(take_member(&offsets, entry, "data_offsets", AR_JSON_ARRAY));
    const ar_json *begin = offsets->first;
    if (offsets->count != 2 || begin->kind != AR_JSON_INT || begin->next->kind != AR_JSON_INT)
        return ar_fail(ALTERREC_ERROR_PARSE, "\"data_offsets\" is not two whole numbers");
    int64_t from = begin->integer, to = begin->next->integer;
    int64_t most = (int64_t)file->map.size - file->data_offset;
    if (from < 0 || to < from || to > most)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "\"data_offsets\" are %lld and %lld, the file has data from 0 to %lld",
                       (long long)from, (long long)to, (long long)most);
    if (to - from != view->bytes)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "the shape needs %lld bytes, \"data_offsets\" give %lld",
                       (long long)view->bytes, (long long)(to - from));
    const char *data = file->map.bytes + file->data_offset + from;
    view->data = data;
    view->aligned = (uintptr_t)data % (uintptr_t)ar_dtype_size(view->dtype) == 0;
    return ALTERREC_OK;
}

static alterrec_status read_entry(ar_tensor_view *view, const ar_tensor_file *file,
                                  const ar_json *entry) {
    view->name = entry->key;
    if (entry->kind != AR_JSON_OBJECT)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s, an object is expected",
                       ar_json_kind_name(entry->kind));
    AR_TRY(read_dtype(view, entry));
    AR_TRY(read_shape(view, entry));
    AR_TRY(read_offsets(view, file, entry));
    if (entry->count != 3)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "a member other than \"dtype\", \"shape\" and \"data_offsets\"");
    return ALTERREC_OK;
}

static alterrec_status read_metadata(ar_tensor_file *file, const ar_json *metadata) {
    if (metadata->kind != AR_JSON_OBJECT)
        return ar_fail(ALTERREC_ERROR_PARSE, "\"__metadata__\" is %s, an object is expected",
                       ar_json_kind_name(metadata->kind));
    for (const ar_json *entry = metadata->first; entry != NULL; entry = entry->next)
        if (entry->kind != AR_JSON_TEXT)
            return ar_fail(ALTERREC_ERROR_PARSE, "metadata \"%.100s\" is %s, text is expected",
                           entry->key, ar_json_kind_name(entry->kind));
    file->metadata = metadata;
    return ALTERREC_OK;
}

static int by_data(const void *a, const void *b) {
    const ar_tensor_view *one = a, *other = b;
    if (one->data != other->data)
        return (uintptr_t)one->data < (uintptr_t)other->data ? -1 : 1;
    return one->bytes < other->bytes ? -1 : one->bytes > other->bytes;
}

/* The tensors fill the data without holes or overlaps. */
static alterrec_status check_contiguous(const ar_tensor_file *file) {
    const char *end = file->map.bytes + file->data_offset;
    for (int64_t i = 0; i < file->count; i++) {
        const ar_tensor_view *view = &file->tensors[i];
        if (view->data != end)
            return ar_fail(
                ALTERREC_ERROR_PARSE,
                "tensor \"%.100s\": its data begin %td bytes %s the end of the tensor before",
                view->name,
                (const char *)view->data > end ? (const char *)view->data - end
                                               : end - (const char *)view->data,
                (const char *)view->data > end ? "behind" : "before");
        end += view->bytes;
    }
    ptrdiff_t rest = file->map.bytes + file->map.size - end;
    if (rest != 0)
        return ar_fail(ALTERREC_ERROR_PARSE, "%td bytes behind the last tensor", rest);
    return ALTERREC_OK;
}

static alterrec_status read_header(ar_tensor_file *file) {
    uint64_t length = 0;
    if (file->map.size < PREFIX)
        return ar_fail(ALTERREC_ERROR_PARSE, "truncated: %zu bytes, a safetensors file has more",
                       file->map.size);
    memcpy(&length, file->map.bytes, PREFIX);
    if (length > MOST_HEADER)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "not a safetensors file: a header of %" PRIu64
                       " bytes, at most %d are allowed",
                       length, MOST_HEADER);
    if (length > file->map.size - PREFIX)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "truncated: a header of %" PRIu64
                       " bytes, the file has %zu behind its length",
                       length, file->map.size - PREFIX);
    file->data_offset = PREFIX + (int64_t)length;
    alterrec_status status = ar_json_parse(&file->header, file->map.bytes + PREFIX, (size_t)length);
    if (status != ALTERREC_OK)
        return ar_fail_at(status, "header: ");
    if (file->header.root->kind != AR_JSON_OBJECT)
        return ar_fail(ALTERREC_ERROR_PARSE, "header: %s, an object is expected",
                       ar_json_kind_name(file->header.root->kind));
    return ALTERREC_OK;
}

static alterrec_status read_file(ar_tensor_file *file, const char *path) {
    AR_TRY(read_header(file));
    AR_NEW(file->tensors, file->header.root->count);
    for (const ar_json *entry = file->header.root->first; entry != NULL; entry = entry->next) {
        if (strcmp(entry->key, "__metadata__") == 0) {
            AR_TRY(read_metadata(file, entry));
            continue;
        }
        alterrec_status status = read_entry(&file->tensors[file->count++], file, entry);
        if (status != ALTERREC_OK)
            return ar_fail_at(status, "tensor \"%.100s\": ", entry->key);
    }
    qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, by_data);
    AR_TRY(check_contiguous(file));
    file->path = ar_copy_text(path, strlen(path));
    return file->path == NULL ? ALTERREC_ERROR_OUT_OF_MEMORY : ALTERREC_OK;
}

alterrec_status ar_tensor_file_open(ar_tensor_file *file, const char *path) {
    *file = (ar_tensor_file){0};
    AR_TRY(ar_map_open(&file->map, path));
    alterrec_status status = read_file(file, path);
    if (status != ALTERREC_OK) {
        ar_tensor_file_close(file);
        return ar_fail_at(status, "%s: ", path);
    }
    return ALTERREC_OK;
}

void ar_tensor_file_close(ar_tensor_file *file) {
    ar_map_close(&file->map);
    ar_json_free(&file->header);
    ar_free(file->tensors);
    ar_free(file->path);
    *file = (ar_tensor_file){0};
}

const ar_tensor_view *ar_tensor_file_find(const ar_tensor_file *file, const char *name) {
    for (int64_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

/* "F32 [3, any]"; `text` holds the longest. */
static const char *describe(char text[256], ar_dtype dtype, int dims, const int64_t *shape) {
    size_t length = (size_t)snprintf(text, 256, "%s [", ar_dtype_name(dtype));
    for (int i = 0; i < dims; i++) {
        char size[24] = "any";
        if (shape[i] >= 0)
            (void)snprintf(size, sizeof size, "%lld", (long long)shape[i]);
        length += (size_t)snprintf(text + length, 256 - length, i > 0 ? ", %s" : "%s", size);
    }
    (void)snprintf(text + length, 256 - length, "]");
    return text;
}

alterrec_status ar_tensor_file_expect(const ar_tensor_view **view, const ar_tensor_file *file,
                                      const char *name, ar_dtype dtype, int dims,
                                      const int64_t *shape) {
    const ar_tensor_view *found = ar_tensor_file_find(file, name);
    if (found == NULL)
        return ar_fail(ALTERREC_ERROR_NOT_FOUND, "%s: no tensor \"%s\"", file->path, name);
    bool same = found->dtype == dtype && found->dims == dims;
    for (int i = 0; same && i < dims; i++)
        same = shape[i] < 0 || shape[i] == found->shape[i];
    if (!same) {
        char is[256], expected[256];
        return ar_fail(ALTERREC_ERROR_MISMATCH, "%s: tensor \"%s\" is %s, %s is expected",
                       file->path, name, describe(is, found->dtype, found->dims, found->shape),
                       describe(expected, dtype, dims, shape));
    }
    *view = found;
    return ALTERREC_OK;
}

const char *ar_tensor_file_metadata(const ar_tensor_file *file, const char *key) {
    const ar_json *entry = ar_json_member(file->metadata, key);
    return entry == NULL ? NULL : entry->text;
}

alterrec_status ar_tensor_file_verify(const ar_tensor_file *file) {
    static const char zeros[DIGITS + 1] = "0000000000000000";
    const ar_json *entry = ar_json_member(file->metadata, "checksum");
    if (entry == NULL)
        return ar_fail(ALTERREC_ERROR_NOT_FOUND, "%s: no checksum in the file", file->path);
    /* Its digits, which the checksum takes as zeros, stand behind the entry's opening quote. */
    size_t digits = PREFIX + entry->offset + 1;
    const char *bytes = file->map.bytes;
    ar_checksum checksum = {0};
    bool whole = false;
    if (strlen(entry->text) == DIGITS && memcmp(bytes + digits, entry->text, DIGITS) == 0) {
        ar_checksum_put(&checksum, bytes, digits);
        ar_checksum_put(&checksum, zeros, DIGITS);
        ar_checksum_put(&checksum, bytes + digits + DIGITS, file->map.size - digits - DIGITS);
        char expected[DIGITS + 1];
        (void)snprintf(expected, sizeof expected, "%016" PRIx64, ar_checksum_value(&checksum));
        whole = strcmp(entry->text, expected) == 0;
    }
    if (!whole)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "%s: its content does not have its checksum: damaged, or changed by another "
                       "program",
                       file->path);
    return ALTERREC_OK;
}
