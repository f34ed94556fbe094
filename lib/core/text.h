/* Text: UTF-8, numbers that read the same in every locale, a growing string. Level: core. */
#ifndef AR_CORE_TEXT_H
#define AR_CORE_TEXT_H

#include "core/status.h"

/* Whether the bytes are valid UTF-8 without a 0 byte; if not, *bad (NULL: not wanted) is the offset
 * of the first byte that is not. */
bool ar_text_is_utf8(const char *text, size_t length, size_t *bad);

/* Reads one Unicode character at *offset (valid UTF-8 assumed), moves *offset past it. */
uint32_t ar_text_character(const char *text, size_t length, size_t *offset);

/* Decimal numbers that fill the whole of `text`, in every locale alike; false if they do not. "inf"
 * and "nan" are not numbers here. */
bool ar_text_to_double(double *value, const char *text, size_t length);
bool ar_text_to_int(int64_t *value, const char *text, size_t length);

/* Seconds since 1970 UTC, from a number (used as it is) or ISO 8601 ("2010-12-01 08:26:00",
 * "2010-12-01T08:26:00.5Z", "2010-12-01", "+02:00" offsets). */
bool ar_text_to_time(double *seconds, const char *text, size_t length);

/* Levenshtein distance between two strings of at most 64 bytes (longer ones are cut). */
int ar_text_distance(const char *a, const char *b);

/* A growing string. A zeroed ar_text is an empty one; `bytes` is NULL until something is put. */
typedef struct ar_text {
    char *bytes; /* with a 0 behind them */
    int64_t length;
    int64_t capacity;
    alterrec_status status; /* the first failure; later puts do nothing */
} ar_text;

/* Errors are kept in `status`: check it once, at the end. */
void ar_text_put(ar_text *text, const char *bytes, size_t length);
void ar_text_print(ar_text *text, const char *format, ...) AR_PRINTF(2, 3);

/* The shortest decimal that reads back to the same double, with '.' in every locale. */
void ar_text_put_double(ar_text *text, double value);

/* "..." with JSON's escapes. */
void ar_text_put_json(ar_text *text, const char *bytes, size_t length);
void ar_text_free(ar_text *text);

#endif
