#include "core/memory.h"
#include "model/tensor_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX = 8, ALIGNMENT = 64, MOST_HEADER = 100000000, DIGITS = 16, NAME_SHOWN = 100 };

/* Keeps the first error. */
static void keep(ar_tensor_writer *writer, alterrec_status status) {
    if (writer->status == ALTERREC_OK)
        writer->status = status;
}

alterrec_status ar_tensor_writer_open(ar_tensor_writer *writer, const char *path) {
    *writer = (ar_tensor_writer){0};
    AR_TRY(ar_writer_open(&writer->file, path));
    writer->open = true;
    return ALTERREC_OK;
}

/* Puts a name into its dictionary, refusing what the reader would refuse. */
static alterrec_status insert_name(ar_dictionary *names, const char *what, const char *name) {
    size_t length = strlen(name);
    if (length == 0 || !ar_text_is_utf8(name, length, NULL))
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s \"%.*s\" is empty or not UTF-8", what,
                       NAME_SHOWN, name);
    int64_t before = names->count, number;
    AR_TRY(ar_dictionary_insert(names, &number, name, length));
    if (number < before)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s \"%.*s\" is given twice", what,
                       NAME_SHOWN, name);
    return ALTERREC_OK;
}

static alterrec_status add_metadata(ar_tensor_writer *writer, const char *key, const char *value) {
    if (strcmp(key, "checksum") == 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "metadata \"checksum\" is the writer's own");
    size_t length = strlen(value);
    if (!ar_text_is_utf8(value, length, NULL))
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "metadata \"%.*s\" is not UTF-8",
                       NAME_SHOWN, key);
    AR_TRY(insert_name(&writer->keys, "metadata", key));
    ar_text_put(&writer->metadata, ",", 1);
    ar_text_put_json(&writer->metadata, key, strlen(key));
    ar_text_put(&writer->metadata, ":", 1);
    ar_text_put_json(&writer->metadata, value, length);
    return writer->metadata.status;
}

static alterrec_status too_late(const ar_tensor_writer *writer) {
    return writer->header_done ? ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                                         "metadata and tensors are declared before any data")
                               : ALTERREC_OK;
}

void ar_tensor_writer_metadata(ar_tensor_writer *writer, const char *key, const char *value) {
    keep(writer, too_late(writer));
    if (writer->status == ALTERREC_OK)
        keep(writer, add_metadata(writer, key, value));
}

/* The bytes of a tensor that begins at byte `offset` of the data. */
static alterrec_status size_of(int64_t *bytes, ar_dtype dtype, int dims, const int64_t *shape,
                               int64_t offset) {
    if (dtype > AR_DTYPE_U8 || dims < 0 || dims > AR_TENSOR_MOST_DIMS)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED, "%s of %d dimensions is not written",
                       ar_dtype_name(dtype), dims);
    *bytes = ar_dtype_size(dtype);
    for (int i = 0; i < dims; i++)
        if (shape[i] < 0 || __builtin_mul_overflow(*bytes, shape[i], bytes))
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "size %lld is negative or too large",
                           (long long)shape[i]);
    if (offset % ar_dtype_size(dtype) != 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s at byte %lld is not aligned: wide dtypes are declared first",
                       ar_dtype_name(dtype), (long long)offset);
    return ALTERREC_OK;
}

static alterrec_status add_tensor(ar_tensor_writer *writer, const char *name, ar_dtype dtype,
                                  int dims, const int64_t *shape) {
    int64_t bytes = 0, end;
    AR_TRY(size_of(&bytes, dtype, dims, shape, writer->data_size));
    if (__builtin_add_overflow(writer->data_size, bytes, &end))
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "too large for any file");
    if (strcmp(name, "__metadata__") == 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "the name belongs to the format");
    AR_TRY(insert_name(&writer->names, "tensor", name));
    void *sizes = writer->sizes;
    AR_TRY(ar_grow(&sizes, &writer->sizes_capacity, writer->names.count, sizeof *writer->sizes));
    writer->sizes = sizes;
    writer->sizes[writer->names.count - 1] = bytes;
    ar_text *header = &writer->header;
    ar_text_put(header, ",", 1);
    ar_text_put_json(header, name, strlen(name));
    ar_text_print(header, ":{\"dtype\":\"%s\",\"shape\":[", ar_dtype_name(dtype));
    for (int i = 0; i < dims; i++)
        ar_text_print(header, i > 0 ? ",%lld" : "%lld", (long long)shape[i]);
    ar_text_print(header, "],\"data_offsets\":[%lld,%lld]}", (long long)writer->data_size,
                  (long long)end);
    writer->data_size = end;
    return header->status;
}

void ar_tensor_writer_declare(ar_tensor_writer *writer, const char *name, ar_dtype dtype, int dims,
                              const int64_t *shape) {
    keep(writer, too_late(writer));
    if (writer->status != ALTERREC_OK)
        return;
    alterrec_status status = add_tensor(writer, name, dtype, dims, shape);
    if (status != ALTERREC_OK)
        keep(writer, ar_fail_at(status, "tensor \"%.*s\": ", NAME_SHOWN, name));
}

static void put_bytes(ar_tensor_writer *writer, const void *bytes, size_t size) {
    ar_checksum_put(&writer->checksum, bytes, size);
    ar_writer_put(&writer->file, bytes, size);
}

static void put_text(ar_text *text, const ar_text *more) {
    if (more->length > 0)
        ar_text_put(text, more->bytes, (size_t)more->length);
}

/* Writes length and header, padded so that the data begin at a multiple of 64 bytes. */
static alterrec_status write_header(ar_tensor_writer *writer) {
    static const char opening[] = "{\"__metadata__\":{\"checksum\":\"";
    writer->header_done = true;
    writer->checksum_offset = PREFIX + (int64_t)sizeof opening - 1;
    ar_text text = {0};
    ar_text_print(&text, "%s%0*d\"", opening, DIGITS, 0);
    put_text(&text, &writer->metadata);
    ar_text_put(&text, "}", 1);
    put_text(&text, &writer->header);
    ar_text_put(&text, "}", 1);
    while (text.status == ALTERREC_OK && (PREFIX + text.length) % ALIGNMENT != 0)
        ar_text_put(&text, " ", 1);
    alterrec_status status = text.status;
    if (status == ALTERREC_OK && text.length > MOST_HEADER)
        status =
            ar_fail(ALTERREC_ERROR_UNSUPPORTED, "a header of %lld bytes, at most %d are allowed",
                    (long long)text.length, MOST_HEADER);
    if (status == ALTERREC_OK) {
        uint64_t length = (uint64_t)text.length;
        put_bytes(writer, &length, sizeof length);
        put_bytes(writer, text.bytes, (size_t)text.length);
    }
    ar_text_free(&text);
    return status;
}

/* Tensors without bytes need no put. */
static void skip_finished(ar_tensor_writer *writer) {
    while (writer->current < writer->names.count &&
           writer->current_put == writer->sizes[writer->current]) {
        writer->current++;
        writer->current_put = 0;
    }
}

static alterrec_status put_data(ar_tensor_writer *writer, const void *bytes, int64_t size) {
    skip_finished(writer);
    int64_t current = writer->current;
    if (current == writer->names.count)
        return ar_fail(ALTERREC_ERROR_MISMATCH, "%lld bytes are put behind the last tensor",
                       (long long)size);
    int64_t left = writer->sizes[current] - writer->current_put;
    if (size > left)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "tensor \"%.*s\": %lld bytes are put, it has %lld left", NAME_SHOWN,
                       ar_dictionary_key(&writer->names, current), (long long)size,
                       (long long)left);
    put_bytes(writer, bytes, (size_t)size);
    writer->current_put += size;
    return ALTERREC_OK;
}

void ar_tensor_writer_put(ar_tensor_writer *writer, const void *bytes, int64_t size) {
    if (writer->status == ALTERREC_OK && !writer->header_done)
        keep(writer, write_header(writer));
    if (writer->status == ALTERREC_OK && size > 0)
        keep(writer, put_data(writer, bytes, size));
}

/* Checks that all data are there, and puts the checksum into its place. */
static void finish(ar_tensor_writer *writer) {
    ar_tensor_writer_put(writer, "", 0); /* the header, if there are no data */
    if (writer->status != ALTERREC_OK)
        return;
    skip_finished(writer);
    if (writer->current < writer->names.count) {
        keep(writer, ar_fail(ALTERREC_ERROR_MISMATCH, "tensor \"%.*s\" lacks %lld of its bytes",
                             NAME_SHOWN, ar_dictionary_key(&writer->names, writer->current),
                             (long long)(writer->sizes[writer->current] - writer->current_put)));
        return;
    }
    char digits[DIGITS + 1];
    (void)snprintf(digits, sizeof digits, "%016" PRIx64, ar_checksum_value(&writer->checksum));
    ar_writer_patch(&writer->file, writer->checksum_offset, digits, DIGITS);
}

alterrec_status ar_tensor_writer_commit(ar_tensor_writer *writer) {
    finish(writer);
    alterrec_status status = writer->status;
    if (status == ALTERREC_OK) {
        status = ar_writer_commit(&writer->file);
        writer->open = false;
    } else {
        status = ar_fail_at(status, "%s: ", writer->file.path);
    }
    ar_tensor_writer_abandon(writer);
    return status;
}

void ar_tensor_writer_abandon(ar_tensor_writer *writer) {
    if (writer->open)
        ar_writer_abandon(&writer->file);
    ar_dictionary_free(&writer->names);
    ar_dictionary_free(&writer->keys);
    ar_text_free(&writer->header);
    ar_text_free(&writer->metadata);
    ar_free(writer->sizes);
    *writer = (ar_tensor_writer){0};
}
