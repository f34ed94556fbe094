/* Options and data: from YAML files and --set key=value to a config, a dataset, its sessions. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "arguments.h"

#include <alterrec/alterrec.h>
#include <stdbool.h>
#include <stdint.h>

/* Sets the options of the YAML files, then those of the key=value texts, later ones over earlier
 * ones. An exit code; what is wrong has been said. */
int settings_apply(alterrec_config *config, const command_line *line, const text_list *files,
                   const text_list *assignments);

/* Warns of sizes in `config` that differ from those of the model whose own options are `own`: a
 * trained model keeps them, whatever is asked for. */
void settings_warn_sizes(const alterrec_config *config, const alterrec_config *own);

/* The value of an option that exists; "" should the library not know it. */
const char *settings_get(const alterrec_config *config, const char *key);

/* Whether the options name any file with training sessions. */
bool settings_have_data(const alterrec_config *config);

/* The numbers of the option eval.ks; *count of them; freed by the caller. */
int64_t *settings_ks(int64_t *count, const alterrec_config *config);

/* The sessions of a dataset over another catalog, matched by key: a model file brings its own
 * catalog. Items that `target` lacks are left out and counted in *missing. */
alterrec_status settings_move_sessions(alterrec_sessions **moved, int64_t *missing,
                                       const alterrec_sessions *source,
                                       const alterrec_catalog *source_catalog,
                                       const alterrec_catalog *target);

/* A recommender of a model file, or, that being NULL, a snapshot. */
alterrec_status settings_open_recommender(alterrec_recommender **recommender, const char *model,
                                          const char *snapshot);

/* What was read, what was dropped and why, and what is left. */
void settings_print_report(const alterrec_data_report *report, const alterrec_config *config);

#endif
