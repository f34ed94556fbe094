/* The options: one table, values by key. Level: data. */
#ifndef AR_DATA_CONFIG_H
#define AR_DATA_CONFIG_H

#include "core/status.h"

/* Typed reading for the library's own files. The key must stand in the option table with that type
 * (tests hold this); `config` NULL gives the default. */
int64_t ar_config_int(const alterrec_config *config, const char *key);
double ar_config_float(const alterrec_config *config, const char *key);
bool ar_config_bool(const alterrec_config *config, const char *key);
const char *ar_config_text(const alterrec_config *config, const char *key);

/* A choice's position in its range, counted from 0: for "none | step | plateau", "step" is 1. */
int ar_config_choice(const alterrec_config *config, const char *key);

/* A list of numbers ("1,3,5"): fills at most `most` values, returns how many there are. Range
 * members "[0,10)" are read as pairs; see eval.groups. */
int64_t ar_config_list(int64_t *values, int64_t most, const alterrec_config *config,
                       const char *key);

#endif
