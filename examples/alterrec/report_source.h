/* A file of JSON that a report is made of: its text, fields of the right kind, errors with places.
 */
#ifndef REPORT_SOURCE_H
#define REPORT_SOURCE_H

#include "json_tree.h"
#include "program.h"

typedef struct report_source {
    const char *path; /* borrowed */
    char *text;       /* ends with a 0 that is no part of it */
    size_t size;
    size_t begin; /* where the value begins whose members have offsets from there */
} report_source;

/* Reads the whole file; an exit code. A zeroed source may be closed. */
int source_open(report_source *source, const char *path);

void source_close(report_source *source);

/* Says "path:line:column: <text>", the place being `offset` behind source->begin; false. */
bool source_fail(const report_source *source, size_t offset, const char *format, ...)
    PROGRAM_PRINTF(3, 4);

/* Members of an object. A member that is not there leaves the target as it is, unless it is
 * `needed`. False: it is of another kind, and that has been said. */
bool source_number(double *number, const report_source *source, const json_value *object,
                   const char *key, bool needed); /* null is NAN */
bool source_count(int64_t *count, const report_source *source, const json_value *object,
                  const char *key, bool needed); /* a whole number, 0 or more */
bool source_text(const char **text, const report_source *source, const json_value *object,
                 const char *key, bool needed);
bool source_truth(bool *truth, const report_source *source, const json_value *object,
                  const char *key);
bool source_nested(const json_value **nested, const report_source *source, const json_value *object,
                   const char *key, json_kind kind, bool needed);

/* The value itself as a whole number, 0 or more. */
bool source_whole(int64_t *count, const report_source *source, const json_value *value);

#endif
