#include "data/option_value.h"

#include "core/memory.h"
#include "core/text.h"

#include <string.h>

/* Room for a value in an error's text. */
enum { SHOWN = 80 };

/* A piece of text that is being read. */
typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

const char *ar_option_quote(char *buffer, size_t size, const char *text, size_t length) {
    size_t room = size - sizeof "\"\"..."; /* what the quotes and the dots leave, and the 0 */
    size_t kept = length < room ? length : room;
    while (kept > 0 && kept < length && ((unsigned char)text[kept] & 0xC0) == 0x80)
        kept--;
    size_t used = 0;
    buffer[used++] = '"';
    for (size_t i = 0; i < kept; i++) {
        unsigned char byte = (unsigned char)text[i];
        buffer[used++] = byte < 0x20 || byte == 0x7F ? '?' : text[i];
    }
    buffer[used++] = '"';
    for (int i = 0; i < 3 && kept < length; i++)
        buffer[used++] = '.';
    buffer[used] = '\0';
    return buffer;
}

/* "<key>: <value> <what is wrong> <range>" */
static alterrec_status refuse(const ar_option *option, const char *text, size_t length,
                              const char *wrong) {
    char shown[SHOWN];
    return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: %s %s %s", option->key,
                   ar_option_quote(shown, sizeof shown, text, length), wrong, option->range);
}

/* The two ends of a range's "low..high". */
static void split_range(cursor *low, cursor *high, const char *range) {
    const char *dots = strstr(range, "..");
    *low = (cursor){range, dots};
    *high = (cursor){dots + 2, dots + 2 + strcspn(dots + 2, ",")};
}

static bool in_int_range(int64_t value, const char *range) {
    cursor low, high;
    int64_t least = 0, most = 0;
    split_range(&low, &high, range);
    (void)ar_text_to_int(&least, low.at, (size_t)(low.end - low.at));
    (void)ar_text_to_int(&most, high.at, (size_t)(high.end - high.at));
    return value >= least && value <= most;
}

/* What stands in the range instead of a number ("auto"), and the range behind it. */
static cursor word_of(const char **numbers, const char *range) {
    const char *bar = strstr(range, " | ");
    *numbers = bar != NULL ? bar + 3 : range;
    return (cursor){range, bar != NULL ? bar : range};
}

static bool in_float_range(double value, const char *range) {
    cursor low, high;
    double least = 0.0, most = 0.0;
    (void)word_of(&range, range);
    split_range(&low, &high, range);
    bool above = *low.at == '>';
    low.at += above ? 1 : 0;
    (void)ar_text_to_double(&least, low.at, (size_t)(low.end - low.at));
    (void)ar_text_to_double(&most, high.at, (size_t)(high.end - high.at));
    return value >= least && value <= most && !(above && value <= least);
}

static alterrec_status put_int(ar_text *out, const ar_option *option, const char *text,
                               size_t length) {
    int64_t value;
    if (!ar_text_to_int(&value, text, length))
        return refuse(option, text, length, "is not a whole number in");
    if (!in_int_range(value, option->range))
        return refuse(option, text, length, "is outside");
    ar_text_print(out, "%lld", (long long)value);
    return ALTERREC_OK;
}

static alterrec_status put_float(ar_text *out, const ar_option *option, const char *text,
                                 size_t length) {
    double value;
    const char *numbers;
    cursor word = word_of(&numbers, option->range);
    if (length > 0 && length == (size_t)(word.end - word.at) &&
        memcmp(text, word.at, length) == 0) {
        ar_text_put(out, text, length);
        return ALTERREC_OK;
    }
    if (!ar_text_to_double(&value, text, length))
        return refuse(option, text, length,
                      numbers != option->range ? "is none of" : "is not a finite number in");
    if (!in_float_range(value, option->range))
        return refuse(option, text, length, "is outside");
    ar_text_put_double(out, value == 0.0 ? 0.0 : value); /* -0 is 0 */
    return ALTERREC_OK;
}

static alterrec_status put_text(ar_text *out, const ar_option *option, const char *text,
                                size_t length) {
    if (length == 0 && option->range[0] != '\0')
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: the value is empty", option->key);
    ar_text_put(out, text, length);
    return ALTERREC_OK;
}

static alterrec_status put_choice(ar_text *out, const ar_option *option, const char *text,
                                  size_t length) {
    if (ar_option_choice(option, text, length) < 0)
        return refuse(option, text, length, "is none of");
    ar_text_put(out, text, length);
    return ALTERREC_OK;
}

int ar_option_choice(const ar_option *option, const char *text, size_t length) {
    static const char between[] = " | ";
    int position = 0;
    for (const char *choice = option->range;; position++) {
        const char *end = strstr(choice, between);
        size_t size = end != NULL ? (size_t)(end - choice) : strlen(choice);
        if (size == length && memcmp(choice, text, length) == 0)
            return position;
        if (end == NULL)
            return -1;
        choice = end + sizeof between - 1;
    }
}

static void skip_spaces(cursor *text) {
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\t'))
        text->at++;
}

static bool take(cursor *text, const char *word) {
    size_t length = strlen(word);
    skip_spaces(text);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

static bool take_int(int64_t *value, cursor *text) {
    skip_spaces(text);
    const char *from = text->at;
    if (text->at < text->end && (*text->at == '-' || *text->at == '+'))
        text->at++;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9')
        text->at++;
    return ar_text_to_int(value, from, (size_t)(text->at - from));
}

static bool at_end(cursor *text) {
    skip_spaces(text);
    return text->at == text->end;
}

static alterrec_status put_list(ar_text *out, const ar_option *option, const char *text,
                                size_t length) {
    cursor rest = {text, text + length};
    int64_t previous = INT64_MIN;
    int count = 0;
    do {
        int64_t value;
        if (!take_int(&value, &rest))
            return refuse(option, text, length, "is not a list of whole numbers in");
        if (!in_int_range(value, option->range))
            return refuse(option, text, length, "has a number outside");
        if (value <= previous)
            return refuse(option, text, length, "does not ascend; expected are numbers in");
        if (count == AR_OPTION_LIST_MOST)
            return refuse(option, text, length, "has too many numbers; expected are numbers in");
        ar_text_print(out, "%s%lld", count > 0 ? "," : "", (long long)value);
        previous = value;
        count++;
    } while (take(&rest, ","));
    if (!at_end(&rest))
        return refuse(option, text, length, "is not a list of whole numbers in");
    return ALTERREC_OK;
}

int64_t ar_option_list(int64_t *values, int64_t most, const char *text) {
    cursor rest = {text, text + strlen(text)};
    int64_t count = 0, value;
    while (take_int(&value, &rest)) {
        if (count < most)
            values[count] = value;
        count++;
        (void)take(&rest, ",");
    }
    return count;
}

/* An interval as it is written, "[3,7)". */
typedef struct span {
    int64_t low;
    int64_t high;
    bool low_included;
    bool high_included;
    bool endless;
} span;

static bool take_interval(span *interval, cursor *text) {
    /* High enough for any count, low enough that one more does not overflow. */
    const int64_t most = (int64_t)1 << 62;
    interval->low_included = take(text, "[");
    if ((!interval->low_included && !take(text, "(")) || !take_int(&interval->low, text) ||
        !take(text, ","))
        return false;
    interval->high = 0;
    interval->endless = take(text, "inf");
    if (!interval->endless && !take_int(&interval->high, text))
        return false;
    interval->high_included = take(text, "]");
    if (!interval->high_included && !take(text, ")"))
        return false;
    return interval->low >= 0 && interval->low <= most && interval->high <= most;
}

static int64_t first_of(const span *interval) {
    return interval->low + (interval->low_included ? 0 : 1);
}

static int64_t end_of(const span *interval) {
    return interval->high + (interval->high_included ? 1 : 0);
}

static alterrec_status put_ranges(ar_text *out, const ar_option *option, const char *text,
                                  size_t length) {
    cursor rest = {text, text + length};
    for (int count = 0; !at_end(&rest); count++) {
        span next;
        if (!take_interval(&next, &rest))
            return refuse(option, text, length,
                          "is not like \"[0,10) [10,30] (30,inf)\"; expected are");
        if (next.endless && next.high_included)
            return refuse(option, text, length, "includes inf; expected are");
        if (!next.endless && first_of(&next) >= end_of(&next))
            return refuse(option, text, length,
                          "has an interval that holds no number; expected are");
        if (count == AR_OPTION_LIST_MOST)
            return refuse(option, text, length, "has too many intervals; expected are");
        ar_text_print(out, "%s%c%lld,", count > 0 ? " " : "", next.low_included ? '[' : '(',
                      (long long)next.low);
        if (next.endless)
            ar_text_print(out, "inf)");
        else
            ar_text_print(out, "%lld%c", (long long)next.high, next.high_included ? ']' : ')');
        if (take(&rest, ",") && at_end(&rest))
            return refuse(option, text, length, "ends with a comma; expected are");
    }
    return ALTERREC_OK;
}

int64_t ar_option_ranges(int64_t *low, int64_t *high, int64_t most, const char *text) {
    cursor rest = {text, text + strlen(text)};
    span next;
    int64_t count = 0;
    for (; take_interval(&next, &rest); count++) {
        if (count < most) {
            low[count] = first_of(&next);
            high[count] = next.endless ? -1 : end_of(&next);
        }
    }
    return count;
}

alterrec_status ar_option_canonical(char **canonical, const ar_option *option, const char *text,
                                    size_t length) {
    *canonical = NULL;
    size_t bad;
    if (!ar_text_is_utf8(text, length, &bad))
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: the value's byte %zu, 0x%02X, is not UTF-8 text", option->key, bad + 1,
                       (unsigned)(unsigned char)text[bad]);
    ar_text out = {0};
    ar_text_put(&out, "", 0); /* an empty value is a string, not NULL */
    alterrec_status status = ALTERREC_OK;
    switch (option->type) {
    case AR_INT:
        status = put_int(&out, option, text, length);
        break;
    case AR_FLOAT:
        status = put_float(&out, option, text, length);
        break;
    case AR_TEXT:
        status = put_text(&out, option, text, length);
        break;
    case AR_BOOL:
    case AR_CHOICE:
        status = put_choice(&out, option, text, length);
        break;
    case AR_LIST:
        status = put_list(&out, option, text, length);
        break;
    case AR_RANGES:
        status = put_ranges(&out, option, text, length);
        break;
    }
    if (status == ALTERREC_OK)
        status = out.status;
    if (status == ALTERREC_OK)
        *canonical = out.bytes; /* handed over */
    else
        ar_text_free(&out);
    return status;
}
