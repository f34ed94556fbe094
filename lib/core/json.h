/* JSON, read strictly into a tree. Level: core. */
#ifndef AR_CORE_JSON_H
#define AR_CORE_JSON_H

#include "core/status.h"

typedef enum ar_json_kind {
    AR_JSON_NULL,
    AR_JSON_BOOL,
    AR_JSON_INT,    /* no fraction, no exponent, within int64_t */
    AR_JSON_DOUBLE, /* every other number */
    AR_JSON_TEXT,
    AR_JSON_ARRAY,
    AR_JSON_OBJECT
} ar_json_kind;

typedef struct ar_json {
    ar_json_kind kind;
    bool truth;                  /* BOOL */
    int64_t integer;             /* INT */
    double number;               /* INT and DOUBLE */
    const char *text;            /* TEXT: UTF-8, without its escapes */
    const struct ar_json *first; /* ARRAY and OBJECT: the first member; NULL if empty */
    int64_t count;               /* ARRAY and OBJECT: members */
    const char *key;             /* a member of an object: its name */
    const struct ar_json *next;  /* a member: the following one; NULL for the last */
    size_t offset;               /* where the value begins in the text that was read */
} ar_json;

typedef struct ar_json_document {
    const ar_json *root;
    struct ar_json_chunk *chunks; /* the memory of all values and strings */
} ar_json_document;

/* Reads one value that fills `text` (spaces around it allowed). Refused beside malformed text:
 * repeated keys, more than 64 levels, invalid UTF-8, the character 0, numbers beyond a double or
 * longer than 63 characters. PARSE with "offset N: ..."; then the document is empty. */
alterrec_status ar_json_parse(ar_json_document *document, const char *text, size_t size);

/* A zeroed ar_json_document is an empty one. */
void ar_json_free(ar_json_document *document);

/* The member `key` of `object`; NULL if there is none or `object` is NULL or no object. */
const ar_json *ar_json_member(const ar_json *object, const char *key);

/* "a number", "text", ... for the text of an error. */
const char *ar_json_kind_name(ar_json_kind kind);

#endif
