#include "data/npy.h"

#include "core/file.h"
#include "core/text.h"

#include <math.h>
#include <string.h>

enum { PREFIX = 8, MOST_DIMS = 32, ALIGNMENT = 64 };

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

/* The header's dict, while it is read. */
typedef struct npy_reader {
    const char *next;
    const char *end;
    bool has_dtype, has_order, has_shape;
    bool fortran;
    const char *dtype; /* in the header, not ended by a 0 */
    size_t dtype_length;
    int dims;
    int64_t shape[MOST_DIMS];
} npy_reader;

static alterrec_status malformed(const char *what) {
    return ar_fail(ALTERREC_ERROR_PARSE, "malformed .npy header: %s", what);
}

static void skip_spaces(npy_reader *reader) {
    while (reader->next < reader->end &&
           (*reader->next == ' ' || *reader->next == '\n' || *reader->next == '\t'))
        reader->next++;
}

/* Takes `mark` and the spaces around it. */
static bool take(npy_reader *reader, char mark) {
    skip_spaces(reader);
    if (reader->next == reader->end || *reader->next != mark)
        return false;
    reader->next++;
    skip_spaces(reader);
    return true;
}

static bool take_word(npy_reader *reader, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->next) < length || memcmp(reader->next, word, length) != 0)
        return false;
    reader->next += length;
    return true;
}

/* A Python string without escapes, in either kind of quotes. */
static bool take_quoted(npy_reader *reader, const char **text, size_t *length) {
    if (reader->next == reader->end || (*reader->next != '\'' && *reader->next != '"'))
        return false;
    size_t rest = (size_t)(reader->end - reader->next) - 1;
    const char *close = memchr(reader->next + 1, *reader->next, rest);
    if (close == NULL)
        return false;
    *text = reader->next + 1;
    *length = (size_t)(close - *text);
    reader->next = close + 1;
    return memchr(*text, '\\', *length) == NULL;
}

static alterrec_status parse_dtype(npy_reader *reader) {
    if (reader->next < reader->end && *reader->next == '[')
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "the dtype is a record, only '<f4' and '<f2' are supported");
    if (!take_quoted(reader, &reader->dtype, &reader->dtype_length))
        return malformed("'descr' is not a string");
    return ALTERREC_OK;
}

static alterrec_status parse_order(npy_reader *reader) {
    reader->fortran = take_word(reader, "True");
    if (!reader->fortran && !take_word(reader, "False"))
        return malformed("'fortran_order' is neither True nor False");
    return ALTERREC_OK;
}

static alterrec_status parse_shape(npy_reader *reader) {
    if (!take(reader, '('))
        return malformed("'shape' is not a tuple");
    bool more = true;
    while (!take(reader, ')')) {
        const char *from = reader->next;
        while (reader->next < reader->end && *reader->next >= '0' && *reader->next <= '9')
            reader->next++;
        if (!more || reader->dims == MOST_DIMS ||
            !ar_text_to_int(&reader->shape[reader->dims], from, (size_t)(reader->next - from)))
            return malformed("'shape' is not a tuple of sizes");
        reader->dims++;
        more = take(reader, ',');
    }
    if (reader->dims == 1 && !more)
        return malformed("'shape' is not a tuple");
    return ALTERREC_OK;
}

static alterrec_status parse_entry(npy_reader *reader) {
    const char *key;
    size_t length;
    if (!take_quoted(reader, &key, &length) || !take(reader, ':'))
        return malformed("a quoted key and `:` were expected");
    struct {
        const char *name;
        bool *seen;
        alterrec_status (*parse)(struct npy_reader *);
    } entries[] = {{"descr", &reader->has_dtype, parse_dtype},
                   {"fortran_order", &reader->has_order, parse_order},
                   {"shape", &reader->has_shape, parse_shape}};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (length != strlen(entries[i].name) || memcmp(key, entries[i].name, length) != 0)
            continue;
        if (*entries[i].seen)
            return malformed("a key stands twice");
        *entries[i].seen = true;
        return entries[i].parse(reader);
    }
    return malformed("a key other than 'descr', 'fortran_order' and 'shape'");
}

static alterrec_status parse_dict(npy_reader *reader) {
    if (!take(reader, '{'))
        return malformed("it is not a dict");
    bool more = true;
    while (!take(reader, '}')) {
        if (!more)
            return malformed("`,` or `}` was expected");
        AR_TRY(parse_entry(reader));
        more = take(reader, ',');
    }
    if (reader->next != reader->end)
        return malformed("something stands behind the dict");
    if (!reader->has_dtype || !reader->has_order || !reader->has_shape)
        return malformed("it lacks 'descr', 'fortran_order' or 'shape'");
    return ALTERREC_OK;
}

static bool dtype_is(const npy_reader *reader, const char *name) {
    return reader->dtype_length == strlen(name) &&
           memcmp(reader->dtype, name, reader->dtype_length) == 0;
}

static alterrec_status accept(ar_npy_shape *shape, const npy_reader *reader) {
    shape->value_size = dtype_is(reader, "<f4") ? 4 : dtype_is(reader, "<f2") ? 2 : 0;
    if (shape->value_size == 0)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "dtype '%.*s' is not supported, only '<f4' and '<f2' (little-endian float32 "
                       "and float16)",
                       (int)(reader->dtype_length < 40 ? reader->dtype_length : 40), reader->dtype);
    if (reader->fortran)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "Fortran order is not supported, save it in C order");
    if (reader->dims != 2)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "an array of %d dimensions, 2 are expected: [rows, columns]", reader->dims);
    shape->rows = reader->shape[0];
    shape->columns = reader->shape[1];
    return ALTERREC_OK;
}

/* Finds the header's dict behind magic, version and length. */
static alterrec_status find_dict(npy_reader *reader, const char *bytes, size_t size) {
    const unsigned char *prefix = (const unsigned char *)bytes;
    if (size < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0)
        return ar_fail(ALTERREC_ERROR_PARSE, "not a .npy file: it does not begin with its magic");
    if (size < PREFIX)
        return ar_fail(ALTERREC_ERROR_PARSE, "truncated .npy file: it ends in the header");
    int major = prefix[6], minor = prefix[7];
    if (major < 1 || major > 3 || minor != 0)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED, ".npy version %d.%d, supported are 1.0 to 3.0",
                       major, minor);
    size_t length_size = major == 1 ? 2 : 4, length = 0;
    if (size - PREFIX < length_size)
        return ar_fail(ALTERREC_ERROR_PARSE, "truncated .npy file: it ends in the header");
    memcpy(&length, bytes + PREFIX, length_size);
    size_t start = PREFIX + length_size;
    if (length > size - start)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "truncated .npy file: the header has %zu bytes, the file %zu behind it",
                       length, size - start);
    reader->next = bytes + start;
    reader->end = reader->next + length;
    return ALTERREC_OK;
}

alterrec_status ar_npy_parse(ar_npy_shape *shape, const char *bytes, size_t size) {
    npy_reader reader = {0};
    AR_TRY(find_dict(&reader, bytes, size));
    size_t data_offset = (size_t)(reader.end - bytes);
    AR_TRY(parse_dict(&reader));
    ar_npy_shape parsed = {.data_offset = (int64_t)data_offset};
    AR_TRY(accept(&parsed, &reader));
    int64_t needed;
    if (__builtin_mul_overflow(parsed.rows, parsed.columns, &needed) ||
        __builtin_mul_overflow(needed, parsed.value_size, &needed))
        return ar_fail(ALTERREC_ERROR_PARSE, "[%lld, %lld] is too large for any file",
                       (long long)parsed.rows, (long long)parsed.columns);
    if ((uint64_t)needed != size - data_offset)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "%s: [%lld, %lld] needs %lld bytes behind the header, the file has %zu",
                       (uint64_t)needed > size - data_offset ? "truncated .npy file"
                                                             : "too long a .npy file",
                       (long long)parsed.rows, (long long)parsed.columns, (long long)needed,
                       size - data_offset);
    *shape = parsed;
    return ALTERREC_OK;
}

/* IEEE half precision to single, which holds every half exactly. */
static float half_to_float(uint16_t half) {
    int exponent = half >> 10 & 0x1F;
    float fraction = (float)(half & 0x3FF) * 0x1p-10f;
    float magnitude = exponent == 31  ? (fraction == 0.0f ? INFINITY : NAN)
                      : exponent == 0 ? fraction * 0x1p-14f
                                      : ldexpf(1.0f + fraction, exponent - 15);
    return half >> 15 != 0 ? -magnitude : magnitude;
}

alterrec_status ar_npy_values(float *values, const ar_npy_shape *shape, const char *bytes) {
    const char *data = bytes + shape->data_offset;
    int64_t count = shape->rows * shape->columns;
    if (shape->value_size == 4) {
        if (count > 0)
            memcpy(values, data, (size_t)count * sizeof *values);
    } else {
        for (int64_t i = 0; i < count; i++) {
            uint16_t half;
            memcpy(&half, data + 2 * i, sizeof half);
            values[i] = half_to_float(half);
        }
    }
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "the value at row %lld, column %lld is not finite",
                           (long long)(i / shape->columns), (long long)(i % shape->columns));
    return ALTERREC_OK;
}

alterrec_status ar_npy_open(ar_writer *writer, const char *path, int64_t rows, int64_t columns) {
    ar_text header = {0};
    ar_text_print(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }",
                  (long long)rows, (long long)columns);
    /* Magic, version, length and header fill a multiple of 64 bytes; the last one is a newline. */
    while (header.status == ALTERREC_OK && (PREFIX + 2 + header.length + 1) % ALIGNMENT != 0)
        ar_text_put(&header, " ", 1);
    ar_text_put(&header, "\n", 1);
    alterrec_status status = header.status;
    if (status == ALTERREC_OK)
        status = ar_writer_open(writer, path);
    if (status == ALTERREC_OK) {
        uint16_t length = (uint16_t)header.length;
        ar_writer_put(writer, magic, sizeof magic);
        ar_writer_put(writer, "\x01\x00", 2);
        ar_writer_put(writer, &length, sizeof length);
        ar_writer_put(writer, header.bytes, (size_t)header.length);
    }
    ar_text_free(&header);
    return status;
}

alterrec_status ar_npy_write(const char *path, const float *values, int64_t rows, int64_t columns) {
    ar_writer writer;
    AR_TRY(ar_npy_open(&writer, path, rows, columns));
    ar_writer_put(&writer, values, (size_t)rows * (size_t)columns * sizeof *values);
    return ar_writer_commit(&writer);
}
