#include "core/json.h"

#include "core/dictionary.h"
#include "core/memory.h"
#include "core/text.h"

#include <string.h>

enum { DEPTH_MOST = 64, CHUNK_SMALLEST = 1 << 12, CHUNK_LARGEST = 1 << 20, FEW_KEYS = 8 };

/* Chunks never move, so values may point at each other while the tree grows. */
struct ar_json_chunk {
    struct ar_json_chunk *older;
    size_t used;
    size_t size;
    _Alignas(8) char bytes[];
};

typedef struct json_parser {
    ar_json_document *document;
    const char *text;
    size_t size;
    size_t offset;
    int depth;
} json_parser;

static alterrec_status parse_value(ar_json *value, json_parser *parser);

static alterrec_status fail(const json_parser *parser, const char *what) {
    return ar_fail(ALTERREC_ERROR_PARSE, "offset %zu: %s", parser->offset, what);
}

static void *arena_take(ar_json_document *document, size_t size) {
    struct ar_json_chunk *chunk = document->chunks;
    size = (size + 7) / 8 * 8;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t larger = chunk == NULL ? CHUNK_SMALLEST : 2 * chunk->size;
        if (larger > CHUNK_LARGEST)
            larger = CHUNK_LARGEST;
        if (larger < size)
            larger = size;
        chunk = ar_new((int64_t)(sizeof *chunk + larger), 1);
        if (chunk == NULL)
            return NULL;
        chunk->older = document->chunks;
        chunk->size = larger;
        document->chunks = chunk;
    }
    void *taken = chunk->bytes + chunk->used;
    chunk->used += size;
    return taken;
}

static void skip_spaces(json_parser *parser) {
    while (parser->offset < parser->size) {
        char byte = parser->text[parser->offset];
        if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r')
            return;
        parser->offset++;
    }
}

/* The byte at the reading place, 0 at the end (the text itself holds no 0). */
static char peek(const json_parser *parser) {
    return parser->offset < parser->size ? parser->text[parser->offset] : '\0';
}

static bool take(json_parser *parser, char byte) {
    if (peek(parser) != byte)
        return false;
    parser->offset++;
    return true;
}

static bool take_word(json_parser *parser, const char *word) {
    size_t length = strlen(word);
    if (parser->size - parser->offset < length ||
        memcmp(parser->text + parser->offset, word, length) != 0)
        return false;
    parser->offset += length;
    return true;
}

/* Reads the four digits of \uXXXX. */
static bool take_unit(uint32_t *unit, json_parser *parser) {
    *unit = 0;
    for (int i = 0; i < 4; i++, parser->offset++) {
        char digit = peek(parser);
        uint32_t value = digit >= '0' && digit <= '9'   ? (uint32_t)(digit - '0')
                         : digit >= 'a' && digit <= 'f' ? (uint32_t)(digit - 'a') + 10
                         : digit >= 'A' && digit <= 'F' ? (uint32_t)(digit - 'A') + 10
                                                        : 16;
        if (value == 16)
            return false;
        *unit = *unit << 4 | value;
    }
    return true;
}

static char *put_utf8(char *out, uint32_t character) {
    if (character < 0x80) {
        *out++ = (char)character;
        return out;
    }
    int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const unsigned char marks[] = {0, 0xC0, 0xE0, 0xF0};
    *out++ = (char)(marks[more] | character >> (6 * more));
    while (more-- > 0)
        *out++ = (char)(0x80 | (character >> (6 * more) & 0x3F));
    return out;
}

/* Reads what follows "\u": one unit, or a surrogate pair. */
static alterrec_status take_unicode(char **out, json_parser *parser) {
    uint32_t character, low;
    if (!take_unit(&character, parser))
        return fail(parser, "\\u needs four hexadecimal digits");
    if (character >= 0xDC00 && character <= 0xDFFF)
        return fail(parser, "low surrogate without a high one before it");
    if (character >= 0xD800 && character <= 0xDBFF) {
        if (!take_word(parser, "\\u") || !take_unit(&low, parser) || low < 0xDC00 || low > 0xDFFF)
            return fail(parser, "high surrogate without a low one behind it");
        character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
    }
    if (character == 0)
        return fail(parser, "the character 0 is not supported");
    *out = put_utf8(*out, character);
    return ALTERREC_OK;
}

static alterrec_status take_escape(char **out, json_parser *parser) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = peek(parser);
    if (letter == 'u') {
        parser->offset++;
        return take_unicode(out, parser);
    }
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);
    if (found == NULL)
        return fail(parser, "no such escape in a string");
    *(*out)++ = meanings[found - letters];
    parser->offset++;
    return ALTERREC_OK;
}

static alterrec_status parse_text(const char **text, json_parser *parser) {
    if (!take(parser, '"'))
        return fail(parser, "a string was expected");
    size_t end = parser->offset;
    while (end < parser->size && parser->text[end] != '"')
        end += parser->text[end] == '\\' ? 2 : 1;
    if (end >= parser->size) {
        parser->offset--;
        return fail(parser, "a string without its end");
    }
    /* No escape is shorter than what it stands for. */
    char *out = arena_take(parser->document, end - parser->offset + 1);
    if (out == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    *text = out;
    while (parser->offset < end) {
        char byte = parser->text[parser->offset];
        if ((unsigned char)byte < 0x20)
            return fail(parser, "a control character in a string");
        parser->offset++;
        if (byte == '\\')
            AR_TRY(take_escape(&out, parser));
        else
            *out++ = byte;
    }
    *out = '\0';
    parser->offset++;
    return ALTERREC_OK;
}

static bool take_digits(json_parser *parser) {
    size_t from = parser->offset;
    while (peek(parser) >= '0' && peek(parser) <= '9')
        parser->offset++;
    return parser->offset > from;
}

static alterrec_status parse_number(ar_json *value, json_parser *parser) {
    size_t from = parser->offset;
    bool whole = true;
    (void)take(parser, '-');
    if (!take(parser, '0') && !take_digits(parser))
        return fail(parser, "a value was expected");
    if (take(parser, '.')) {
        whole = false;
        if (!take_digits(parser))
            return fail(parser, "a digit was expected behind the decimal point");
    }
    if (take(parser, 'e') || take(parser, 'E')) {
        whole = false;
        if (!take(parser, '+'))
            (void)take(parser, '-');
        if (!take_digits(parser))
            return fail(parser, "a digit was expected in the exponent");
    }
    const char *digits = parser->text + from;
    size_t length = parser->offset - from;
    if (!ar_text_to_double(&value->number, digits, length)) {
        parser->offset = from;
        return fail(parser, "a number beyond a double, or longer than 63 characters");
    }
    value->kind =
        whole && ar_text_to_int(&value->integer, digits, length) ? AR_JSON_INT : AR_JSON_DOUBLE;
    return ALTERREC_OK;
}

static alterrec_status repeated(const ar_json *member) {
    return ar_fail(ALTERREC_ERROR_PARSE, "offset %zu: key \"%.100s\" stands twice", member->offset,
                   member->key);
}

static alterrec_status check_distinct(const ar_json *object) {
    if (object->count <= FEW_KEYS) {
        for (const ar_json *member = object->first; member != NULL; member = member->next)
            for (const ar_json *later = member->next; later != NULL; later = later->next)
                if (strcmp(member->key, later->key) == 0)
                    return repeated(later);
        return ALTERREC_OK;
    }
    ar_dictionary keys = {0};
    alterrec_status status = ALTERREC_OK;
    for (const ar_json *member = object->first; status == ALTERREC_OK && member != NULL;
         member = member->next) {
        int64_t before = keys.count, number;
        status = ar_dictionary_insert(&keys, &number, member->key, strlen(member->key));
        if (status == ALTERREC_OK && number < before)
            status = repeated(member);
    }
    ar_dictionary_free(&keys);
    return status;
}

/* Reads the members of an array or object, whose opening bracket is taken, and its closing one. */
static alterrec_status parse_members(ar_json *value, json_parser *parser, char close) {
    const ar_json **link = &value->first;
    skip_spaces(parser);
    if (take(parser, close))
        return ALTERREC_OK;
    do {
        ar_json *member = arena_take(parser->document, sizeof *member);
        if (member == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        skip_spaces(parser);
        if (value->kind == AR_JSON_OBJECT) {
            AR_TRY(parse_text(&member->key, parser));
            skip_spaces(parser);
            if (!take(parser, ':'))
                return fail(parser, "`:` was expected behind a key");
            skip_spaces(parser);
        }
        AR_TRY(parse_value(member, parser));
        *link = member;
        link = &member->next;
        value->count++;
        skip_spaces(parser);
    } while (take(parser, ','));
    if (!take(parser, close))
        return fail(parser, close == '}' ? "`,` or `}` was expected" : "`,` or `]` was expected");
    return value->kind == AR_JSON_OBJECT ? check_distinct(value) : ALTERREC_OK;
}

static alterrec_status parse_nested(ar_json *value, json_parser *parser) {
    if (parser->depth == DEPTH_MOST)
        return fail(parser, "more than 64 levels");
    value->kind = peek(parser) == '{' ? AR_JSON_OBJECT : AR_JSON_ARRAY;
    parser->offset++;
    parser->depth++;
    alterrec_status status =
        parse_members(value, parser, value->kind == AR_JSON_OBJECT ? '}' : ']');
    parser->depth--;
    return status;
}

static alterrec_status parse_value(ar_json *value, json_parser *parser) {
    value->offset = parser->offset;
    switch (peek(parser)) {
    case '{':
    case '[':
        return parse_nested(value, parser);
    case '"':
        value->kind = AR_JSON_TEXT;
        return parse_text(&value->text, parser);
    case 't':
    case 'f':
        value->kind = AR_JSON_BOOL;
        value->truth = take_word(parser, "true");
        if (!value->truth && !take_word(parser, "false"))
            return fail(parser, "a value was expected");
        return ALTERREC_OK;
    case 'n':
        value->kind = AR_JSON_NULL;
        return take_word(parser, "null") ? ALTERREC_OK : fail(parser, "a value was expected");
    default:
        return parse_number(value, parser);
    }
}

static alterrec_status parse_document(json_parser *parser) {
    size_t bad;
    if (!ar_text_is_utf8(parser->text, parser->size, &bad)) {
        parser->offset = bad;
        return fail(parser, "not valid UTF-8");
    }
    ar_json *root = arena_take(parser->document, sizeof *root);
    if (root == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    skip_spaces(parser);
    AR_TRY(parse_value(root, parser));
    skip_spaces(parser);
    if (parser->offset != parser->size)
        return fail(parser, "something stands behind the value");
    parser->document->root = root;
    return ALTERREC_OK;
}

alterrec_status ar_json_parse(ar_json_document *document, const char *text, size_t size) {
    *document = (ar_json_document){0};
    json_parser parser = {.document = document, .text = text, .size = size};
    alterrec_status status = parse_document(&parser);
    if (status != ALTERREC_OK)
        ar_json_free(document);
    return status;
}

void ar_json_free(ar_json_document *document) {
    while (document->chunks != NULL) {
        struct ar_json_chunk *older = document->chunks->older;
        ar_free(document->chunks);
        document->chunks = older;
    }
    document->root = NULL;
}

const ar_json *ar_json_member(const ar_json *object, const char *key) {
    if (object == NULL || object->kind != AR_JSON_OBJECT)
        return NULL;
    const ar_json *member = object->first;
    while (member != NULL && strcmp(member->key, key) != 0)
        member = member->next;
    return member;
}

const char *ar_json_kind_name(ar_json_kind kind) {
    static const char *const names[] = {"null", "true or false", "a whole number", "a number",
                                        "text", "an array",      "an object"};
    return names[kind];
}
