/* JSON, read strictly into a tree. */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum json_kind {
    JSON_NULL,
    JSON_TRUTH,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT
} json_kind;

typedef struct json_value {
    json_kind kind;
    bool truth;
    double number;
    char *text;               /* TEXT: UTF-8, without its escapes; NUMBER: as it was written */
    int64_t count;            /* ARRAY and OBJECT: members */
    struct json_value *first; /* ARRAY and OBJECT: NULL if empty */
    struct json_value *next;  /* of a member: the following one, or NULL */
    char *key;                /* of an object's member, else NULL */
    size_t offset;            /* where it begins in the text */
} json_value;

/* What is wrong, and at which byte. */
typedef struct json_problem {
    size_t offset;
    const char *what; /* static */
} json_problem;

/* Reads one value that fills the text; white space around it is allowed. NULL: see *problem.
 * Refused beside malformed text: repeated keys, more than 64 levels, text that is not UTF-8, the
 * character 0, numbers beyond a double. */
json_value *json_read(json_problem *problem, const char *text, size_t size);

/* NULL is accepted. */
void json_free(json_value *value);

/* The member `key` of an object; NULL if there is none, or if `object` is NULL or no object. */
const json_value *json_member(const json_value *object, const char *key);

/* The line and the column, in characters, of byte `offset`, both from 1. */
void json_place(int64_t *line, int64_t *column, const char *text, size_t offset);

#endif
