#define _GNU_SOURCE
#include "core/text.h"

#include "core/memory.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

bool ar_text_is_utf8(const char *text, size_t length, size_t *bad) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;
    while (i < length) {
        unsigned char first = bytes[i];
        if (first != 0 && first < 0x80) {
            i++;
            continue;
        }
        /* Well-formed sequences only: no overlong forms, no surrogates, nothing above U+10FFFF. */
        size_t more = first >= 0xC2 && first <= 0xDF   ? 1
                      : first >= 0xE0 && first <= 0xEF ? 2
                      : first >= 0xF0 && first <= 0xF4 ? 3
                                                       : 0;
        bool valid = more > 0 && length - i > more;
        for (size_t j = 1; valid && j <= more; j++)
            valid = (bytes[i + j] & 0xC0) == 0x80;
        if (valid) {
            unsigned char second = bytes[i + 1];
            valid = !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second > 0x9F) &&
                    !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
        }
        if (!valid) {
            if (bad != NULL)
                *bad = i;
            return false;
        }
        i += more + 1;
    }
    return true;
}

uint32_t ar_text_character(const char *text, size_t length, size_t *offset) {
    const unsigned char *bytes = (const unsigned char *)text + *offset;
    uint32_t first = bytes[0];
    size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (size > length - *offset)
        size = length - *offset;
    uint32_t character = size == 1 ? first : first & (0x7Fu >> size);
    for (size_t j = 1; j < size; j++)
        character = character << 6 | (bytes[j] & 0x3Fu);
    *offset += size;
    return character;
}

static locale_t c_locale;
static once_flag c_locale_once = ONCE_FLAG_INIT;

static void make_c_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Whole numbers that a double holds, which most times are. */
static bool whole_to_double(double *value, const char *text, size_t length) {
    enum { MOST_DIGITS = 15 };
    int64_t parsed = 0;
    if (length == 0 || length > MOST_DIGITS)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        parsed = 10 * parsed + (text[i] - '0');
    }
    *value = (double)parsed;
    return true;
}

bool ar_text_to_double(double *value, const char *text, size_t length) {
    if (whole_to_double(value, text, length))
        return true;
    char copy[64];
    if (length == 0 || length >= sizeof copy)
        return false;
    for (size_t i = 0; i < length; i++) {
        /* strtod would also take spaces, hexadecimal, "inf" and "nan". */
        if (strchr("+-.0123456789eE", text[i]) == NULL || text[i] == '\0')
            return false;
        copy[i] = text[i];
    }
    copy[length] = '\0';
    call_once(&c_locale_once, make_c_locale);
    char *end;
    double parsed = c_locale != (locale_t)0 ? strtod_l(copy, &end, c_locale) : strtod(copy, &end);
    if (end != copy + length || !isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

bool ar_text_to_int(int64_t *value, const char *text, size_t length) {
    bool negative = length > 0 && text[0] == '-';
    size_t i = length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    if (i == length)
        return false;
    int64_t parsed = 0; /* built as a negative number, whose range is the larger one */
    for (; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' ||
            __builtin_mul_overflow(parsed, (int64_t)10, &parsed) ||
            __builtin_sub_overflow(parsed, (int64_t)(text[i] - '0'), &parsed))
            return false;
    }
    if (!negative && parsed == INT64_MIN)
        return false;
    *value = negative ? parsed : -parsed;
    return true;
}

/* Reads exactly `digits` digits at *text. */
static bool take_digits(int *value, const char **text, const char *end, int digits) {
    *value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (*text == end || **text < '0' || **text > '9')
            return false;
        *value = 10 * *value + (**text - '0');
    }
    return true;
}

static bool take_mark(const char **text, const char *end, const char *marks) {
    if (*text == end || strchr(marks, **text) == NULL || **text == '\0')
        return false;
    (*text)++;
    return true;
}

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar. */
static int64_t days_from_civil(int year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* "Z", "+02:00", "+0200", "-05" or nothing, up to the end; the offset from UTC in seconds. */
static bool take_zone(int *offset, const char *text, const char *end) {
    *offset = 0;
    if (text == end)
        return true;
    if (take_mark(&text, end, "Zz"))
        return text == end;
    int sign = *text == '-' ? -1 : 1;
    int hours, minutes = 0;
    if (!take_mark(&text, end, "+-") || !take_digits(&hours, &text, end, 2))
        return false;
    if (text != end) {
        (void)take_mark(&text, end, ":");
        if (!take_digits(&minutes, &text, end, 2) || text != end)
            return false;
    }
    *offset = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

bool ar_text_to_time(double *seconds, const char *text, size_t length) {
    if (ar_text_to_double(seconds, text, length))
        return true;
    const char *end = text + length;
    int year, month, day, hour = 0, minute = 0, second = 0, offset = 0;
    double fraction = 0.0;
    if (!take_digits(&year, &text, end, 4) || !take_mark(&text, end, "-/") ||
        !take_digits(&month, &text, end, 2) || !take_mark(&text, end, "-/") ||
        !take_digits(&day, &text, end, 2))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    if (text != end) {
        if (!take_mark(&text, end, "Tt ") || !take_digits(&hour, &text, end, 2) ||
            !take_mark(&text, end, ":") || !take_digits(&minute, &text, end, 2))
            return false;
        if (take_mark(&text, end, ":")) {
            if (!take_digits(&second, &text, end, 2))
                return false;
            if (take_mark(&text, end, ".,"))
                for (double scale = 0.1; text != end && *text >= '0' && *text <= '9'; text++) {
                    fraction += scale * (*text - '0');
                    scale *= 0.1;
                }
        }
        if (!take_zone(&offset, text, end))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 60) /* 60: a leap second */
        return false;
    int64_t whole = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *seconds = (double)(whole - offset) + fraction;
    return true;
}

int ar_text_distance(const char *a, const char *b) {
    enum { LONGEST = 64 };
    size_t rows = strnlen(a, LONGEST), columns = strnlen(b, LONGEST);
    int previous[LONGEST + 1], current[LONGEST + 1];
    for (size_t j = 0; j <= columns; j++)
        previous[j] = (int)j;
    for (size_t i = 1; i <= rows; i++) {
        current[0] = (int)i;
        for (size_t j = 1; j <= columns; j++) {
            int best = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            if (previous[j] + 1 < best)
                best = previous[j] + 1;
            if (current[j - 1] + 1 < best)
                best = current[j - 1] + 1;
            current[j] = best;
        }
        memcpy(previous, current, sizeof previous);
    }
    return previous[columns];
}

static bool reserve(ar_text *text, size_t more) {
    if (text->status == ALTERREC_OK) {
        void *bytes = text->bytes;
        text->status = ar_grow(&bytes, &text->capacity, text->length + (int64_t)more + 1, 1);
        text->bytes = bytes;
    }
    return text->status == ALTERREC_OK;
}

void ar_text_put(ar_text *text, const char *bytes, size_t length) {
    if (!reserve(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += (int64_t)length;
    text->bytes[text->length] = '\0';
}

void ar_text_print(ar_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length))
        return;
    va_start(arguments, format);
    (void)vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += length;
}

void ar_text_put_double(ar_text *text, double value) {
    enum { FEWEST = 6, MOST = 17 }; /* digits */
    char copy[40];
    for (int digits = FEWEST; digits <= MOST; digits++) {
        int length = snprintf(copy, sizeof copy, "%.*g", digits, value);
        for (int i = 0; i < length; i++)
            if (strchr("+-.0123456789einfa", copy[i]) == NULL)
                copy[i] = '.'; /* the locale's decimal mark */
        double back;
        if (digits == MOST || !isfinite(value) ||
            (ar_text_to_double(&back, copy, (size_t)length) && back == value)) {
            ar_text_put(text, copy, (size_t)length);
            return;
        }
    }
}

void ar_text_put_json(ar_text *text, const char *bytes, size_t length) {
    ar_text_put(text, "\"", 1);
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        ar_text_put(text, bytes + from, i - from);
        from = i + 1;
        if (byte == '"' || byte == '\\')
            ar_text_print(text, "\\%c", byte);
        else
            ar_text_print(text, "\\u%04x", byte);
    }
    ar_text_put(text, bytes + from, length - from);
    ar_text_put(text, "\"", 1);
}

void ar_text_free(ar_text *text) {
    ar_free(text->bytes);
    *text = (ar_text){0};
}
