/* The options: one table, values by key. Level: data. */
#ifndef AR_DATA_CONFIG_H
#define AR_DATA_CONFIG_H

#include "core/status.h"
#include "core/text.h"

/* A value is kept once, as text in its one form (data/option_value.h), and read when it is asked
 * for: nothing can disagree, a default costs nothing, and NULL needs no shared state. */
struct alterrec_config {
    char **texts; /* [alterrec_option_count()]; NULL: never set, the default */
};

/* The options of a model, `base`, as a call's `config` (NULL: it sets none) changes them: a new
 * config. What was never set in `config` is as in `base`. */
alterrec_status ar_config_merge(alterrec_config **merged, const alterrec_config *base,
                                const alterrec_config *config);

/* Sets the option as it has been set in `source` (NULL: it sets none), be it to its default. */
alterrec_status ar_config_take(alterrec_config *config, const alterrec_config *source,
                               const char *key);

/* Typed reading for the library's own files. The key must stand in the option table with that type
 * (tests hold this); `config` NULL gives the default. Not for inner loops: the key is looked up. */
int64_t ar_config_int(const alterrec_config *config, const char *key);
double ar_config_float(const alterrec_config *config, const char *key);
bool ar_config_bool(const alterrec_config *config, const char *key);
const char *ar_config_text(const alterrec_config *config, const char *key);

/* Whether a number that may be "auto" is; ar_config_float gives 0 for it. */
bool ar_config_is_auto(const alterrec_config *config, const char *key);

/* A choice's position in its range, counted from 0: for "none | step | plateau", "step" is 1. */
int ar_config_choice(const alterrec_config *config, const char *key);

/* A list of numbers ("1,3,5"): fills at most `most` values, returns how many there are. */
int64_t ar_config_list(int64_t *values, int64_t most, const alterrec_config *config,
                       const char *key);

/* A set of ranges ("[0,10) [0,30] [100,inf)"): fills at most `most` pairs, returns how many there
 * are. Range i holds the whole numbers low[i]..high[i] - 1; high[i] is -1 if it has no end. */
int64_t ar_config_ranges(int64_t *low, int64_t *high, int64_t most, const alterrec_config *config,
                         const char *key);

/* The text of the option in row `index` of the option table. */
const char *ar_config_text_at(const alterrec_config *config, int64_t index);

/* Every option as YAML without comments, except those of the group `without` ("data"; NULL: none is
 * left out). `config` may be NULL. */
alterrec_status ar_config_print(ar_text *out, const alterrec_config *config, const char *without);

/* As alterrec_config_read_text; errors name the place as <name>:line:column. */
alterrec_status ar_config_read_named(alterrec_config *config, const char *name, const char *text,
                                     size_t size);

#endif
