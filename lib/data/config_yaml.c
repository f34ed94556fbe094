#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "data/config.h"
#include "data/option_value.h"

#include <string.h>
#include <yaml.h>

/* A place in a text; lines and columns (characters) are counted from 1. */
typedef struct place {
    size_t line; /* 0: no place */
    size_t column;
} place;

/* What a text sets, kept aside until all of it is read. */
typedef struct reader {
    yaml_parser_t parser;
    const char *name;
    const char *text;
    size_t size;
    char **texts;  /* [options]; NULL: the text does not set it */
    place *places; /* [options]: where it is set */
} reader;

/* Longer than any key. */
enum { KEY_SIZE = 128 };

static place place_of_mark(yaml_mark_t mark) {
    return (place){mark.line + 1, mark.column + 1};
}

/* Moves over one byte of UTF-8. */
static void advance(place *where, char byte) {
    if (byte == '\n')
        *where = (place){where->line + 1, 1};
    else if (((unsigned char)byte & 0xC0) != 0x80)
        where->column++;
}

static place place_of_offset(const char *text, size_t offset) {
    place where = {1, 1};
    for (size_t i = 0; i < offset; i++)
        advance(&where, text[i]);
    return where;
}

/* libyaml refuses a tab in an indentation without saying that it is one. */
static bool is_tab(const reader *reading, yaml_mark_t mark) {
    place where = {1, 1};
    for (size_t i = 0; i < reading->size && where.line <= mark.line + 1; i++) {
        if (reading->text[i] == '\t' && where.line == mark.line + 1 &&
            where.column == mark.column + 1)
            return true;
        advance(&where, reading->text[i]);
    }
    return false;
}

/* Puts the place before the text of the error that is already recorded. */
static alterrec_status at(alterrec_status status, const reader *reading, place where) {
    return ar_fail_at(status, "%s:%zu:%zu: ", reading->name, where.line, where.column);
}

static alterrec_status malformed(const reader *reading, const yaml_event_t *event,
                                 const char *what) {
    return at(ar_fail(ALTERREC_ERROR_PARSE, "%s", what), reading, place_of_mark(event->start_mark));
}

static alterrec_status syntax_error(const reader *reading) {
    const yaml_parser_t *parser = &reading->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        return ar_fail(ALTERREC_ERROR_OUT_OF_MEMORY, "%s: out of memory in libyaml", reading->name);
    if (parser->error == YAML_READER_ERROR)
        return at(ar_fail(ALTERREC_ERROR_PARSE, "%s", problem), reading,
                  place_of_offset(reading->text, parser->problem_offset));
    bool unsaid_tab = strstr(problem, "tab") == NULL && is_tab(reading, parser->problem_mark);
    return at(ar_fail(ALTERREC_ERROR_PARSE, "%s%s%s%s", problem,
                      unsaid_tab ? " (it is a tab; use spaces)" : "",
                      parser->context != NULL ? ", " : "",
                      parser->context != NULL ? parser->context : ""),
              reading, place_of_mark(parser->problem_mark));
}

/* YAML's features that options have no use for, and that are ways to hide what a file says. */
static const char *refused_feature(const yaml_event_t *event) {
    static const char anchor[] = "anchors (&) are not supported",
                      tag[] = "tags (!) are not supported";
    switch ((int)event->type) {
    case YAML_ALIAS_EVENT:
        return "aliases (*) are not supported";
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL ? anchor
               : event->data.scalar.tag != NULL  ? tag
                                                 : NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL ? anchor
               : event->data.sequence_start.tag != NULL  ? tag
                                                         : NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL ? anchor
               : event->data.mapping_start.tag != NULL  ? tag
                                                        : NULL;
    default:
        return NULL;
    }
}

/* The next event; on success the caller deletes it. */
static alterrec_status next(yaml_event_t *event, reader *reading) {
    if (yaml_parser_parse(&reading->parser, event) == 0)
        return syntax_error(reading);
    const char *refused = refused_feature(event);
    if (refused == NULL)
        return ALTERREC_OK;
    alterrec_status status = malformed(reading, event, refused);
    yaml_event_delete(event);
    return status;
}

static const char *scalar_text(const yaml_event_t *event) {
    return (const char *)event->data.scalar.value;
}

/* A value that is left out, or "null" without quotes. */
static bool is_null(const yaml_event_t *event) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
        if (strcmp(scalar_text(event), nulls[i]) == 0)
            return true;
    return false;
}

static alterrec_status keep(reader *reading, int64_t index, place key, const char *text,
                            size_t length, place value) {
    const ar_option *option = ar_option_at(index);
    place first = reading->places[index];
    if (first.line != 0)
        return at(ar_fail(ALTERREC_ERROR_PARSE, "%s is already set at %zu:%zu", option->key,
                          first.line, first.column),
                  reading, key);
    alterrec_status status = ar_option_canonical(&reading->texts[index], option, text, length);
    if (status != ALTERREC_OK)
        return at(status, reading, value);
    reading->places[index] = key;
    return ALTERREC_OK;
}

/* The members of a sequence that has begun, in the form that the option's text has. */
static alterrec_status read_sequence(ar_text *joined, reader *reading, const ar_option *option) {
    const char *between = option->type == AR_LIST ? "," : " ";
    ar_text_put(joined, "", 0);
    for (bool first = true;; first = false) {
        yaml_event_t event;
        AR_TRY(next(&event, reading));
        alterrec_status status = ALTERREC_OK;
        bool over = event.type == YAML_SEQUENCE_END_EVENT;
        if (event.type == YAML_SCALAR_EVENT) {
            if (!first)
                ar_text_put(joined, between, 1);
            ar_text_put(joined, scalar_text(&event), event.data.scalar.length);
            status = joined->status;
        } else if (!over) {
            status = malformed(reading, &event, "a list has single values only");
        }
        yaml_event_delete(&event);
        if (over || status != ALTERREC_OK)
            return status;
    }
}

static alterrec_status read_option(reader *reading, int64_t index, place key,
                                   const yaml_event_t *value) {
    const ar_option *option = ar_option_at(index);
    place where = place_of_mark(value->start_mark);
    if (value->type == YAML_SCALAR_EVENT)
        return keep(reading, index, key, scalar_text(value),
                    is_null(value) ? 0 : value->data.scalar.length, where);
    bool list = option->type == AR_LIST || option->type == AR_RANGES;
    if (value->type != YAML_SEQUENCE_START_EVENT || !list)
        return at(ar_fail(ALTERREC_ERROR_PARSE, "%s: a %s stands where %s is expected", option->key,
                          value->type == YAML_MAPPING_START_EVENT ? "mapping" : "sequence",
                          list ? "a list" : "one value"),
                  reading, where);
    ar_text joined = {0};
    alterrec_status status = read_sequence(&joined, reading, option);
    if (status == ALTERREC_OK)
        status = keep(reading, index, key, joined.bytes, (size_t)joined.length, where);
    ar_text_free(&joined);
    return status;
}

static alterrec_status read_mapping(reader *reading, const char *group);

/* `key` is the scalar of a key inside the mapping `group` ("" at the top). Recursion is bounded by
 * the table: a mapping is entered only under the name of a group. */
static alterrec_status read_pair(reader *reading, const char *group, const yaml_event_t *key) {
    place where = place_of_mark(key->start_mark);
    if (key->type != YAML_SCALAR_EVENT)
        return malformed(reading, key, "a key is a single value, the name of an option");
    size_t length = key->data.scalar.length, used = strlen(group);
    if (!ar_text_is_utf8(scalar_text(key), length, NULL))
        return malformed(reading, key, "a key has no zero byte");
    if (used + length + 2 > KEY_SIZE)
        return at(ar_option_unknown(scalar_text(key)), reading, where);
    char path[KEY_SIZE];
    memcpy(path, group, used);
    if (used > 0)
        path[used++] = '.';
    memcpy(path + used, scalar_text(key), length + 1);

    yaml_event_t value;
    AR_TRY(next(&value, reading));
    alterrec_status status = ALTERREC_OK;
    int64_t index = ar_option_find(path);
    if (index >= 0)
        status = read_option(reading, index, where, &value);
    else if (ar_option_is_group(path) && value.type == YAML_MAPPING_START_EVENT)
        status = read_mapping(reading, path);
    else if (ar_option_is_group(path) && is_null(&value))
        status = ALTERREC_OK; /* all of its options are commented out */
    else if (value.type == YAML_MAPPING_START_EVENT)
        status = at(ar_option_unknown_group(path), reading, where);
    else
        status = at(ar_option_unknown(path), reading, where);
    yaml_event_delete(&value);
    return status;
}

/* The pairs of a mapping that has begun. */
static alterrec_status read_mapping(reader *reading, const char *group) {
    for (;;) {
        yaml_event_t key;
        AR_TRY(next(&key, reading));
        bool over = key.type == YAML_MAPPING_END_EVENT;
        alterrec_status status = over ? ALTERREC_OK : read_pair(reading, group, &key);
        yaml_event_delete(&key);
        if (over || status != ALTERREC_OK)
            return status;
    }
}

/* One event at the outermost level. */
static alterrec_status read_outer(bool *over, int *documents, reader *reading) {
    yaml_event_t event;
    AR_TRY(next(&event, reading));
    alterrec_status status = ALTERREC_OK;
    switch ((int)event.type) {
    case YAML_STREAM_END_EVENT:
        *over = true;
        break;
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1)
            status = malformed(reading, &event, "a second document; one holds all options");
        break;
    case YAML_MAPPING_START_EVENT:
        status = read_mapping(reading, "");
        break;
    default:
        if (!is_null(&event))
            status = malformed(reading, &event, "\"key: value\" is expected");
        break;
    }
    yaml_event_delete(&event);
    return status;
}

static alterrec_status read_stream(reader *reading) {
    yaml_parser_set_encoding(&reading->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reading->parser, (const unsigned char *)reading->text,
                                 reading->size);
    bool over = false;
    int documents = 0;
    while (!over)
        AR_TRY(read_outer(&over, &documents, reading));
    return ALTERREC_OK;
}

alterrec_status ar_config_read_named(alterrec_config *config, const char *name, const char *text,
                                     size_t size) {
    static const char mark[] = "\xEF\xBB\xBF"; /* libyaml would count it as a column */
    if (size >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) {
        text += sizeof mark - 1;
        size -= sizeof mark - 1;
    }
    int64_t count = alterrec_option_count();
    reader reading = {.name = name, .text = text, .size = size};
    size_t bad;
    if (!ar_text_is_utf8(text, size, &bad))
        return at(ar_fail(ALTERREC_ERROR_PARSE, "byte 0x%02X is not UTF-8 text",
                          (unsigned)(unsigned char)text[bad]),
                  &reading, place_of_offset(text, bad));
    if (yaml_parser_initialize(&reading.parser) == 0)
        return ar_fail(ALTERREC_ERROR_OUT_OF_MEMORY, "%s: out of memory in libyaml", name);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    reading.texts = ar_new(count, sizeof *reading.texts);
    reading.places = ar_new(count, sizeof *reading.places);
    if (reading.texts == NULL || reading.places == NULL)
        goto done;
    status = read_stream(&reading);
    for (int64_t i = 0; i < count; i++) {
        if (status == ALTERREC_OK && reading.texts[i] != NULL) {
            char *replaced = config->texts[i];
            config->texts[i] = reading.texts[i];
            reading.texts[i] = replaced;
        }
        ar_free(reading.texts[i]);
    }
done:
    ar_free(reading.texts);
    ar_free(reading.places);
    yaml_parser_delete(&reading.parser);
    return status;
}

alterrec_status alterrec_config_read_text(alterrec_config *config, const char *text, size_t size) {
    AR_NOT_NULL(config);
    if (size > 0)
        AR_NOT_NULL(text);
    return ar_config_read_named(config, "<text>", text != NULL ? text : "", size);
}

alterrec_status alterrec_config_read(alterrec_config *config, const char *path) {
    AR_NOT_NULL(config);
    AR_NOT_NULL(path);
    ar_map map;
    AR_TRY(ar_map_open(&map, path));
    alterrec_status status = ar_config_read_named(config, path, map.bytes, map.size);
    ar_map_close(&map);
    return status;
}

/* A character that YAML takes literally between double quotes, line breaks of any kind not being
 * such, and that shows on a terminal. */
static bool is_literal(uint32_t character) {
    if (character < 0xA0)
        return character >= 0x20 && character < 0x7F && character != '"' && character != '\\';
    return character != 0x2028 && character != 0x2029 && character != 0xFEFF &&
           character != 0xFFFE && character != 0xFFFF;
}

static void put_quoted(ar_text *out, const char *text) {
    size_t length = strlen(text);
    ar_text_put(out, "\"", 1);
    for (size_t i = 0; i < length;) {
        size_t from = i;
        uint32_t character = ar_text_character(text, length, &i);
        if (is_literal(character))
            ar_text_put(out, text + from, i - from);
        else
            ar_text_print(out, "\\u%04X", (unsigned)character);
    }
    ar_text_put(out, "\"", 1);
}

static void put_value(ar_text *out, const ar_option *option, const char *text) {
    if (option->type == AR_TEXT || option->type == AR_RANGES)
        put_quoted(out, text);
    else if (option->type == AR_LIST)
        ar_text_print(out, "[%s]", text);
    else
        ar_text_put(out, text, strlen(text));
}

static bool is_in_group(const ar_option *option, const char *group) {
    size_t length = strlen(group);
    return strncmp(option->key, group, length) == 0 && option->key[length] == '.';
}

static void put_config(ar_text *out, const alterrec_config *config, bool comments,
                       const char *without) {
    size_t group = 0; /* length of the name of the group that is open, its dot included */
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        const ar_option *option = ar_option_at(i);
        if (without != NULL && is_in_group(option, without))
            continue;
        if (group == 0 || strncmp(option->key, ar_option_at(i - 1)->key, group) != 0) {
            group = strcspn(option->key, ".") + 1;
            ar_text_print(out, "%s%.*s:\n", comments && i > 0 ? "\n" : "", (int)group - 1,
                          option->key);
        }
        if (comments)
            ar_text_print(out, "  # %s%s%s%s\n", option->help, option->range[0] != '\0' ? " (" : "",
                          option->range, option->range[0] != '\0' ? ")" : "");
        ar_text_print(out, "  %s: ", option->key + group);
        put_value(out, option, ar_config_text_at(config, i));
        ar_text_put(out, "\n", 1);
    }
}

alterrec_status ar_config_print(ar_text *out, const alterrec_config *config, const char *without) {
    put_config(out, config, false, without);
    return out->status;
}

alterrec_status alterrec_config_write(const alterrec_config *config, const char *path) {
    AR_NOT_NULL(path);
    ar_text text = {0};
    put_config(&text, config, true, NULL);
    alterrec_status status = text.status;
    ar_writer writer;
    if (status == ALTERREC_OK)
        status = ar_writer_open(&writer, path);
    if (status == ALTERREC_OK) {
        ar_writer_put(&writer, text.bytes, (size_t)text.length);
        status = ar_writer_commit(&writer);
    }
    ar_text_free(&text);
    return status;
}
