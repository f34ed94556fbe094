/* alterrec evaluate: metrics of a model on held-out sessions. */
#include "arguments.h"
#include "program.h"
#include "progress.h"
#include "settings.h"
#include "table.h"
#include "terminal.h"

#include <alterrec/alterrec.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct evaluating {
    alterrec_model *model;
    alterrec_config *config; /* the model's own, then the files and --set */
    alterrec_dataset *dataset;
    alterrec_sessions *train;
    alterrec_sessions *held_out;
    int64_t interactions; /* that were held out */
    int64_t left_out;     /* those of items that the model does not have */
    alterrec_evaluation *evaluation;
} evaluating;

static void evaluating_close(evaluating *work) {
    alterrec_evaluation_free(work->evaluation);
    alterrec_sessions_free(work->held_out);
    alterrec_sessions_free(work->train);
    alterrec_dataset_free(work->dataset);
    alterrec_config_free(work->config);
    alterrec_model_free(work->model);
}

static void warn_left_out(int64_t left_out, int64_t interactions, const char *set) {
    if (left_out > 0)
        program_warn("%s of %s %s interactions are of items that the model does not have and were "
                     "left out",
                     terminal_count(left_out), terminal_count(interactions), set);
}

/* One split of the dataset over the model's catalog; *moved stays NULL if there is no such split.
 */
static int take_split(alterrec_sessions **moved, int64_t *left_out, const evaluating *work,
                      int32_t split) {
    const alterrec_sessions *sessions = alterrec_dataset_sessions(work->dataset, split);
    if (alterrec_sessions_count(sessions) == 0)
        return PROGRAM_OK;
    if (settings_move_sessions(moved, left_out, sessions, alterrec_dataset_catalog(work->dataset),
                               alterrec_model_catalog(work->model)) != ALTERREC_OK)
        return program_library_error();
    return PROGRAM_OK;
}

static int take_training(evaluating *work) {
    int64_t left_out = 0;
    int code = take_split(&work->train, &left_out, work, ALTERREC_SPLIT_TRAIN);
    if (code == PROGRAM_OK)
        warn_left_out(left_out, left_out + alterrec_sessions_interactions(work->train), "training");
    return code;
}

/* With a session file of its own, the dataset only serves the popularity baseline and the groups:
 * an evaluation goes on without it. */
static int read_given_sessions(evaluating *work, const char *path) {
    alterrec_data_report report = {.struct_size = sizeof report};
    if (alterrec_sessions_read(&work->held_out, alterrec_model_catalog(work->model), path,
                               work->config) != ALTERREC_OK ||
        alterrec_sessions_report(&report, work->held_out) != ALTERREC_OK)
        return program_library_error();
    work->left_out = report.rows_unknown_item;
    work->interactions = report.interactions_read + report.rows_unknown_item;
    if (!settings_have_data(work->config))
        return PROGRAM_OK;
    if (alterrec_dataset_read(&work->dataset, work->config) != ALTERREC_OK) {
        program_warn("no popularity baseline: %s", alterrec_last_error());
        return PROGRAM_OK;
    }
    return take_training(work);
}

static int read_test_sessions(evaluating *work) {
    if (!settings_have_data(work->config))
        return program_error("no data: a model file does not say what it was trained on; name the "
                             "YAML file of its training, or --sessions FILE");
    if (alterrec_dataset_read(&work->dataset, work->config) != ALTERREC_OK)
        return program_library_error();
    int code = take_training(work);
    if (code == PROGRAM_OK)
        code = take_split(&work->held_out, &work->left_out, work, ALTERREC_SPLIT_TEST);
    work->interactions = work->left_out + alterrec_sessions_interactions(work->held_out);
    if (code == PROGRAM_OK && work->held_out == NULL)
        code = program_error("the data has no test sessions: see data.test_share and data.test");
    return code;
}

/* The library's line, and what it was not given. */
static void print_json(const evaluating *work) {
    const char *figures = alterrec_evaluation_json(work->evaluation);
    printf("%.*s,\"interactions\":%" PRId64 ",\"left_out\":%" PRId64 "}\n",
           (int)strlen(figures) - 1, figures, work->interactions, work->left_out);
}

static int run(evaluating *work, bool json) {
    cli_progress progress;
    warn_left_out(work->left_out, work->interactions, "held-out");
    progress_open(&progress, NULL, work->config, json);
    alterrec_status status =
        alterrec_evaluate(&work->evaluation, work->model, work->held_out, work->train, work->config,
                          progress_callback, &progress);
    progress_close(&progress);
    if (status != ALTERREC_OK)
        return status > 0 ? program_error("stopped") : program_library_error();
    if (json)
        print_json(work);
    else
        table_print(work->evaluation, work->config);
    return PROGRAM_OK;
}

int evaluate_command(int argc, char **argv) {
    const char *model = NULL;
    const char *sessions = NULL;
    text_list assignments = {0};
    bool json = false;
    const cli_flag flags[] = {
        {.name = "model",
         .value_name = "FILE",
         .text = &model,
         .required = true,
         .help = "the model file"},
        {.name = "sessions",
         .value_name = "FILE",
         .text = &sessions,
         .help = "evaluate on these sessions instead of the test sessions of the data"},
        {.name = "set",
         .value_name = "KEY=VALUE",
         .list = &assignments,
         .help = "an option, may be given several times"},
        {.name = "json", .on = &json, .help = "every figure as one line of JSON"},
    };
    command_line line = {
        .name = "evaluate",
        .synopsis = "--model FILE [CONFIG.yaml ...] [--set KEY=VALUE ...] [--sessions FILE]",
        .about = "Ranks the next item of every prefix of the held-out sessions against the whole "
                 "catalog. The options data.* of the training, in the same YAML file, lead to the "
                 "same test sessions; all other options are the model's own if they are not given.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .operands_high = -1,
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    evaluating work = {0};
    if (alterrec_model_load(&work.model, model) != ALTERREC_OK ||
        alterrec_config_clone(&work.config, alterrec_model_config(work.model)) != ALTERREC_OK)
        code = program_library_error();
    if (code == PROGRAM_OK)
        code = settings_apply(work.config, &line, &line.operands, &assignments);
    if (code == PROGRAM_OK)
        settings_warn_sizes(work.config, alterrec_model_config(work.model));
    /* The model has its text features: those of the data are not needed. */
    if (code == PROGRAM_OK &&
        alterrec_config_set(work.config, "text.source", "none") != ALTERREC_OK)
        code = program_library_error();
    if (code == PROGRAM_OK)
        code = sessions != NULL ? read_given_sessions(&work, sessions) : read_test_sessions(&work);
    if (code == PROGRAM_OK)
        code = run(&work, json);
    evaluating_close(&work);
    arguments_free(&line);
    return code;
}
