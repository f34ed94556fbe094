/* alterrec snapshot: the file that serving opens, made of a model. */
#include "arguments.h"
#include "program.h"
#include "settings.h"
#include "terminal.h"

#include <alterrec/alterrec.h>
#include <inttypes.h>
#include <stdio.h>

typedef struct snapshotting {
    alterrec_model *model;
    alterrec_config *config; /* the model's own, then --set */
    alterrec_recommender *recommender;
} snapshotting;

static int snapshot(snapshotting *work, const command_line *line, const char *model,
                    const text_list *assignments, const char *out) {
    static const text_list no_files;
    if (alterrec_model_load(&work->model, model) != ALTERREC_OK ||
        alterrec_config_clone(&work->config, alterrec_model_config(work->model)) != ALTERREC_OK)
        return program_library_error();
    int code = settings_apply(work->config, line, &no_files, assignments);
    if (code != PROGRAM_OK)
        return code;
    settings_warn_sizes(work->config, alterrec_model_config(work->model));
    if (alterrec_recommender_create(&work->recommender, work->model, work->config) != ALTERREC_OK ||
        alterrec_recommender_save(work->recommender, out) != ALTERREC_OK)
        return program_library_error();
    const alterrec_catalog *catalog = alterrec_recommender_catalog(work->recommender);
    printf(
        "%s: %s items, vectors of %" PRId64
        ", fusion.alpha %s, serve.precision %s, serve.encoder %s\n",
        out, terminal_count(alterrec_catalog_items(catalog)),
        alterrec_recommender_width(work->recommender), settings_get(work->config, "fusion.alpha"),
        settings_get(work->config, "serve.precision"), settings_get(work->config, "serve.encoder"));
    return PROGRAM_OK;
}

int snapshot_command(int argc, char **argv) {
    const char *model = NULL;
    const char *out = NULL;
    text_list assignments = {0};
    snapshotting work = {0};
    const cli_flag flags[] = {
        {.name = "model",
         .value_name = "FILE",
         .text = &model,
         .required = true,
         .help = "the model file"},
        {.name = "out",
         .value_name = "FILE",
         .text = &out,
         .required = true,
         .help = "where the snapshot goes"},
        {.name = "set",
         .value_name = "KEY=VALUE",
         .list = &assignments,
         .help = "serve.precision, serve.encoder, fusion.alpha or compute.threads"},
    };
    command_line line = {
        .name = "snapshot",
        .synopsis = "--model FILE --out FILE [--set KEY=VALUE]",
        .about = "Writes what serving needs of a model to a file that is opened in milliseconds, "
                 "by any number of processes that share its memory.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    code = snapshot(&work, &line, model, &assignments, out);
    alterrec_recommender_free(work.recommender);
    alterrec_config_free(work.config);
    alterrec_model_free(work.model);
    arguments_free(&line);
    return code;
}
