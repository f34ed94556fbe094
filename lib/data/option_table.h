/* The option table: one row per option, from which everything about options is made. Level: data.
 */
#ifndef AR_DATA_OPTION_TABLE_H
#define AR_DATA_OPTION_TABLE_H

#include "core/status.h"

typedef enum ar_option_type {
    AR_INT,
    AR_FLOAT,
    AR_BOOL,
    AR_TEXT,
    AR_CHOICE,
    AR_LIST,
    AR_RANGES
} ar_option_type;

/* One row. The range is read by the program too, so that no bound is written twice:
 *   int, list   "1..4096", ends included; a list's goes on in words behind a comma
 *   float       "0..0.9", ">0..10" without its lower end, "auto | 0..1" where a word may stand
 *   text        "" for any text, "not empty"
 *   choice      "first | second | third"
 *   ranges      words only */
typedef struct ar_option {
    const char *key;
    ar_option_type type;
    const char *default_value; /* in the form that alterrec_config_get gives */
    const char *range;
    const char *help;
} ar_option;

/* Row `index`, which must be in 0..alterrec_option_count() - 1. */
const ar_option *ar_option_at(int64_t index);

/* "int", "float", ... */
const char *ar_option_type_name(ar_option_type type);

/* The row of `key`, or -1. */
int64_t ar_option_find(const char *key);

/* Whether some option's key begins with `name` and a dot. */
bool ar_option_is_group(const char *name);

/* NOT_FOUND, with the nearest key in the text. */
alterrec_status ar_option_unknown(const char *key);

/* NOT_FOUND for a name that stands where a group of options is expected, with the nearest group. */
alterrec_status ar_option_unknown_group(const char *name);

#endif
