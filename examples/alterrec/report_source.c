#include "report_source.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double WHOLE_MOST = 9007199254740992.0; /* 2^53: beyond, doubles leave numbers out */

int source_open(report_source *source, const char *path) {
    enum { PIECE = 1 << 16 };
    *source = (report_source){.path = path};
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return program_error("%s: %s", path, strerror(errno));
    size_t count;
    do {
        source->text = program_resize(source->text, (int64_t)source->size + PIECE, 1);
        count = fread(source->text + source->size, 1, PIECE - 1, stream);
        source->size += count;
    } while (count > 0);
    source->text[source->size] = '\0';
    int code = ferror(stream) ? program_error("%s: %s", path, strerror(errno)) : PROGRAM_OK;
    fclose(stream);
    return code;
}

void source_close(report_source *source) {
    free(source->text);
    *source = (report_source){0};
}

bool source_fail(const report_source *source, size_t offset, const char *format, ...) {
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    int64_t line, column;
    json_place(&line, &column, source->text, source->begin + offset);
    program_error("%s:%" PRId64 ":%" PRId64 ": %s", source->path, line, column, what);
    return false;
}

static const char *kind_name(json_kind kind) {
    static const char *const names[] = {"null", "true or false", "a number",
                                        "text", "an array",      "an object"};
    return names[kind];
}

/* The member, or NULL; false if that is an error. */
static bool find(const json_value **member, const report_source *source, const json_value *object,
                 const char *key, bool needed) {
    *member = json_member(object, key);
    return *member != NULL || !needed ||
           source_fail(source, object->offset, "\"%s\" is missing", key);
}

static bool is_kind(const report_source *source, const json_value *value, const char *key,
                    json_kind kind) {
    return value->kind == kind || source_fail(source, value->offset, "\"%s\" is %s, not %s", key,
                                              kind_name(value->kind), kind_name(kind));
}

bool source_number(double *number, const report_source *source, const json_value *object,
                   const char *key, bool needed) {
    const json_value *member;
    if (!find(&member, source, object, key, needed))
        return false;
    if (member == NULL)
        return true;
    if (member->kind != JSON_NULL && !is_kind(source, member, key, JSON_NUMBER))
        return false;
    *number = member->kind == JSON_NULL ? (double)NAN : member->number;
    return true;
}

bool source_whole(int64_t *count, const report_source *source, const json_value *value) {
    if (value->kind != JSON_NUMBER || value->number < 0 || value->number > WHOLE_MOST ||
        floor(value->number) < value->number)
        return source_fail(source, value->offset, "a whole number of 0 or more was expected");
    *count = (int64_t)value->number;
    return true;
}

bool source_count(int64_t *count, const report_source *source, const json_value *object,
                  const char *key, bool needed) {
    const json_value *member;
    if (!find(&member, source, object, key, needed))
        return false;
    return member == NULL ||
           (is_kind(source, member, key, JSON_NUMBER) && source_whole(count, source, member));
}

bool source_text(const char **text, const report_source *source, const json_value *object,
                 const char *key, bool needed) {
    const json_value *member;
    if (!source_nested(&member, source, object, key, JSON_TEXT, needed))
        return false;
    if (member != NULL)
        *text = member->text;
    return true;
}

bool source_truth(bool *truth, const report_source *source, const json_value *object,
                  const char *key) {
    const json_value *member;
    if (!source_nested(&member, source, object, key, JSON_TRUTH, false))
        return false;
    if (member != NULL)
        *truth = member->truth;
    return true;
}

bool source_nested(const json_value **nested, const report_source *source, const json_value *object,
                   const char *key, json_kind kind, bool needed) {
    return find(nested, source, object, key, needed) &&
           (*nested == NULL || is_kind(source, *nested, key, kind));
}
