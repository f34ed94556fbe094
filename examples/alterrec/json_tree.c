#include "json_tree.h"
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 64 };

typedef struct reader {
    const char *text;
    size_t size;
    size_t at;
    int depth;
    json_problem problem;
} reader;

static bool read_value(json_value *value, reader *in);

static bool fail(reader *in, const char *what) {
    in->problem = (json_problem){in->at, what};
    return false;
}

/* The byte at the reading place; 0 at the end. */
static char peek(const reader *in) {
    return in->at < in->size ? in->text[in->at] : '\0';
}

static bool take(reader *in, char byte) {
    if (in->at >= in->size || in->text[in->at] != byte)
        return false;
    in->at++;
    return true;
}

static bool take_word(reader *in, const char *word) {
    size_t length = strlen(word);
    if (in->size - in->at < length || memcmp(in->text + in->at, word, length) != 0)
        return fail(in, "no such value");
    in->at += length;
    return true;
}

static void skip_spaces(reader *in) {
    while (in->at < in->size && strchr(" \t\r\n", in->text[in->at]) != NULL &&
           in->text[in->at] != '\0')
        in->at++;
}

static json_value *new_value(void) {
    json_value *value = program_resize(NULL, 1, sizeof *value);
    *value = (json_value){0};
    return value;
}

/* The bytes of the UTF-8 character that begins here, 0 if none does. */
static size_t character_size(const char *text, size_t left) {
    const unsigned char *byte = (const unsigned char *)text;
    size_t size = byte[0] < 0x80 ? 1 : byte[0] < 0xC2 ? 0 : byte[0] < 0xE0 ? 2 : 3;
    size = byte[0] < 0xF0 ? size : byte[0] < 0xF5 ? 4 : 0;
    if (size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
    }
    bool overlong = (byte[0] == 0xE0 && size == 3 && byte[1] < 0xA0) ||
                    (byte[0] == 0xF0 && size == 4 && byte[1] < 0x90);
    bool surrogate = byte[0] == 0xED && byte[1] > 0x9F;
    bool beyond = byte[0] == 0xF4 && byte[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : size;
}

/* The four digits of \uXXXX. */
static bool take_unit(uint32_t *unit, reader *in) {
    static const char digits[] = "0123456789abcdefABCDEF";
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        char digit = peek(in);
        const char *found = digit != '\0' ? strchr(digits, digit) : NULL;
        if (found == NULL)
            return fail(in, "\\u needs four hexadecimal digits");
        uint32_t value = (uint32_t)(found - digits);
        *unit = *unit << 4 | (value < 16 ? value : value - 6);
        in->at++;
    }
    return true;
}

/* What follows "\u": one unit, or a pair of surrogates. */
static bool take_unicode(char **out, reader *in) {
    uint32_t code, low;
    if (!take_unit(&code, in))
        return false;
    if (code == 0)
        return fail(in, "the character 0 is not supported");
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (code > 0xDBFF || !take(in, '\\') || !take(in, 'u'))
            return fail(in, "half a pair of surrogates");
        if (!take_unit(&low, in))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return fail(in, "half a pair of surrogates");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char marks[] = {0, 0xC0, 0xE0, 0xF0};
    *(*out)++ = (char)(marks[more] | code >> (6 * more));
    while (more-- > 0)
        *(*out)++ = (char)(0x80 | (code >> (6 * more) & 0x3F));
    return true;
}

static bool take_escape(char **out, reader *in) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = peek(in);
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    if (letter != 'u' && found == NULL)
        return fail(in, "no such escape in a string");
    in->at++;
    if (letter == 'u')
        return take_unicode(out, in);
    *(*out)++ = meanings[found - letters];
    return true;
}

static bool take_characters(char *out, reader *in) {
    while (!take(in, '"')) {
        if (in->at >= in->size)
            return fail(in, "a string without its end");
        size_t size = character_size(in->text + in->at, in->size - in->at);
        if (size == 0)
            return fail(in, "not valid UTF-8");
        if ((unsigned char)peek(in) < 0x20)
            return fail(in, "a control character in a string");
        if (take(in, '\\')) {
            if (!take_escape(&out, in))
                return false;
            continue;
        }
        memcpy(out, in->text + in->at, size);
        out += size;
        in->at += size;
    }
    *out = '\0';
    return true;
}

/* Reads a string into memory of its own, which *text owns even on failure. */
static bool read_text(char **text, reader *in) {
    if (!take(in, '"'))
        return fail(in, "a string was expected");
    size_t end = in->at;
    while (end < in->size && in->text[end] != '"')
        end += in->text[end] == '\\' ? 2 : 1;
    /* No escape is shorter than what it stands for. */
    *text = program_resize(NULL, (int64_t)(end - in->at) + 1, 1);
    **text = '\0';
    return take_characters(*text, in);
}

static bool take_digits(reader *in) {
    size_t from = in->at;
    while (peek(in) >= '0' && peek(in) <= '9')
        in->at++;
    return in->at > from;
}

static bool read_number(json_value *value, reader *in) {
    size_t from = in->at;
    value->kind = JSON_NUMBER;
    (void)take(in, '-');
    if (!take(in, '0') && !take_digits(in))
        return fail(in, "a value was expected");
    if (take(in, '.') && !take_digits(in))
        return fail(in, "a digit was expected behind the decimal point");
    if (peek(in) == 'e' || peek(in) == 'E') {
        in->at++;
        if (!take(in, '+'))
            (void)take(in, '-');
        if (!take_digits(in))
            return fail(in, "a digit was expected in the exponent");
    }
    size_t length = in->at - from;
    value->text = program_resize(NULL, (int64_t)length + 1, 1);
    memcpy(value->text, in->text + from, length);
    value->text[length] = '\0';
    value->number = strtod(value->text, NULL);
    return isfinite(value->number) || fail(in, "a number beyond a double");
}

/* Reads one member, which `value` owns from its beginning on. */
static bool read_member(json_value *value, json_value ***link, reader *in) {
    json_value *member = new_value();
    **link = member;
    *link = &member->next;
    value->count++;
    if (value->kind == JSON_OBJECT) {
        if (!read_text(&member->key, in))
            return false;
        if (json_member(value, member->key) != member)
            return fail(in, "this key stands twice");
        skip_spaces(in);
        if (!take(in, ':'))
            return fail(in, "`:` was expected behind a key");
        skip_spaces(in);
    }
    return read_value(member, in);
}

static bool read_members(json_value *value, reader *in) {
    bool is_object = value->kind == JSON_OBJECT;
    char close = is_object ? '}' : ']';
    json_value **link = &value->first;
    skip_spaces(in);
    if (take(in, close))
        return true;
    do {
        skip_spaces(in);
        if (!read_member(value, &link, in))
            return false;
        skip_spaces(in);
    } while (take(in, ','));
    return take(in, close) ||
           fail(in, is_object ? "`,` or `}` was expected" : "`,` or `]` was expected");
}

static bool read_nested(json_value *value, reader *in) {
    value->kind = peek(in) == '{' ? JSON_OBJECT : JSON_ARRAY;
    if (in->depth == DEPTH_MOST)
        return fail(in, "more than 64 levels");
    in->at++;
    in->depth++;
    bool read = read_members(value, in);
    in->depth--;
    return read;
}

static bool read_value(json_value *value, reader *in) {
    value->offset = in->at;
    switch (peek(in)) {
    case '{':
    case '[':
        return read_nested(value, in);
    case '"':
        value->kind = JSON_TEXT;
        return read_text(&value->text, in);
    case 't':
        value->kind = JSON_TRUTH;
        value->truth = true;
        return take_word(in, "true");
    case 'f':
        value->kind = JSON_TRUTH;
        return take_word(in, "false");
    case 'n':
        return take_word(in, "null");
    default:
        return read_number(value, in);
    }
}

json_value *json_read(json_problem *problem, const char *text, size_t size) {
    reader in = {.text = text, .size = size};
    json_value *root = new_value();
    skip_spaces(&in);
    bool read = read_value(root, &in);
    skip_spaces(&in);
    if (read && in.at != in.size)
        read = fail(&in, "something stands behind the value");
    if (read)
        return root;
    *problem = in.problem;
    json_free(root);
    return NULL;
}

void json_free(json_value *value) {
    while (value != NULL) {
        json_value *next = value->next;
        json_free(value->first);
        free(value->text);
        free(value->key);
        free(value);
        value = next;
    }
}

const json_value *json_member(const json_value *object, const char *key) {
    const json_value *member = object != NULL && object->kind == JSON_OBJECT ? object->first : NULL;
    while (member != NULL && strcmp(member->key, key) != 0)
        member = member->next;
    return member;
}

void json_place(int64_t *line, int64_t *column, const char *text, size_t offset) {
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}
