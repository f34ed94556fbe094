/* alterrec train: from files of sessions and items to a model file. */
#include "arguments.h"
#include "histogram.h"
#include "json.h"
#include "names.h"
#include "program.h"
#include "progress.h"
#include "settings.h"
#include "table.h"
#include "terminal.h"

#include <alterrec/alterrec.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct training {
    const char *model_path;
    const char *log_path;   /* NULL: no log */
    const char *log_level;  /* NULL: nothing is told */
    const char *checkpoint; /* NULL: none is written */
    bool resume;
    bool quiet;
    FILE *log;
    alterrec_config *config;
    alterrec_dataset *dataset;
    alterrec_model *model;
    alterrec_trainer *trainer;
    alterrec_evaluation *evaluation;
    cli_progress progress;
} training;

static void training_close(training *work) {
    alterrec_evaluation_free(work->evaluation);
    alterrec_trainer_free(work->trainer);
    alterrec_model_free(work->model);
    alterrec_dataset_free(work->dataset);
    alterrec_config_free(work->config);
    if (work->log != NULL)
        fclose(work->log);
}

/* The sessions of a split, or NULL if there are none. */
static const alterrec_sessions *split_of(const training *work, int32_t split) {
    const alterrec_sessions *sessions = alterrec_dataset_sessions(work->dataset, split);
    return alterrec_sessions_count(sessions) > 0 ? sessions : NULL;
}

/* Better to hear before an hour of training than after it that a folder is missing, or that what
 * stands at the path is none that the library replaces. */
static int check_destination(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return program_error("%s can't be written: it is not a regular file", path);
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *folder = program_resize(NULL, (int64_t)length + 2, 1);
    if (length > 0)
        memcpy(folder, path, length);
    else
        folder[length++] = '.';
    folder[length] = '\0';
    int code = PROGRAM_OK;
    if (access(folder, W_OK) != 0)
        code = program_error("%s can't be written: %s: %s", path, folder, strerror(errno));
    free(folder);
    return code;
}

static int log_start(FILE *log, const training *work, const alterrec_data_report *report) {
    data_histograms histograms;
    if (histograms_count(&histograms, work->dataset) != ALTERREC_OK)
        return program_library_error();
    fputs("{\"event\":\"start\",\"library\":", log);
    json_string(log, alterrec_build_info());
    fputs(",\"options\":", log);
    json_options(log, work->config);
    fputs(",\"defaults\":", log);
    json_defaults(log, work->config);
    fputs(",\"data\":", log);
    json_data_report(log, report);
    fputs(",\"histograms\":", log);
    json_histograms(log, &histograms);
    fputs("}\n", log);
    fflush(log);
    return PROGRAM_OK;
}

static int open_log(training *work) {
    if (work->log_path == NULL)
        return PROGRAM_OK;
    work->log = fopen(work->log_path, "w");
    return work->log != NULL ? PROGRAM_OK
                             : program_error("%s: %s", work->log_path, strerror(errno));
}

static int close_log(training *work) {
    if (work->log == NULL)
        return PROGRAM_OK;
    bool failed = ferror(work->log) != 0;
    failed |= fclose(work->log) != 0;
    work->log = NULL;
    return failed ? program_error("%s: can't be written", work->log_path) : PROGRAM_OK;
}

static int read_data(training *work) {
    alterrec_data_report report = {.struct_size = sizeof report};
    if (!settings_have_data(work->config))
        return program_error("no data: set data.interactions (or data.train) in a YAML file or "
                             "with --set; alterrec options data lists what there is to say");
    if (alterrec_dataset_read(&work->dataset, work->config) != ALTERREC_OK ||
        alterrec_dataset_report(&report, work->dataset) != ALTERREC_OK)
        return program_library_error();
    if (!work->quiet)
        settings_print_report(&report, work->config);
    return work->log != NULL ? log_start(work->log, work, &report) : PROGRAM_OK;
}

static void print_model(const alterrec_model *model) {
    int64_t parameters = 0;
    int64_t tensors = alterrec_model_tensor_count(model);
    alterrec_tensor tensor = {.struct_size = sizeof tensor};
    for (int64_t i = 0; i < tensors; i++) {
        if (alterrec_model_tensor_describe(&tensor, model, i) == ALTERREC_OK)
            parameters += tensor.count;
    }
    int64_t text_dim = alterrec_catalog_feature_dim(alterrec_model_catalog(model));
    printf("%-8s %12s parameters, dim %s, text features %s\n\n", "model",
           terminal_count(parameters), settings_get(alterrec_model_config(model), "model.dim"),
           text_dim > 0 ? terminal_count(text_dim) : "none");
}

/* The trainer's own words, from the level on that was asked for. */
static int32_t on_log(int32_t level, const char *message, void *user_data) {
    const training *work = user_data;
    if (level >= ALTERREC_LOG_WARNING || strcmp(work->log_level, "info") == 0)
        fprintf(stderr, "%s: %s\n", level >= ALTERREC_LOG_WARNING ? "warning" : "info", message);
    return 0;
}

static int make_trainer(training *work) {
    if (alterrec_model_create(&work->model, alterrec_dataset_catalog(work->dataset),
                              work->config) != ALTERREC_OK ||
        alterrec_trainer_create(&work->trainer, work->model, split_of(work, ALTERREC_SPLIT_TRAIN),
                                split_of(work, ALTERREC_SPLIT_VALID), work->config) != ALTERREC_OK)
        return program_library_error();
    if (work->log_level != NULL &&
        alterrec_trainer_on_log(work->trainer, on_log, work) != ALTERREC_OK)
        return program_library_error();
    if (!work->quiet)
        print_model(work->model);
    return PROGRAM_OK;
}

/* Makes the trainer go on where the checkpoint stands, if there is one: a training that is started
 * over and over with --resume needs no other command the first time. */
static int resume(training *work) {
    if (!work->resume || (access(work->checkpoint, F_OK) != 0 && errno == ENOENT))
        return PROGRAM_OK;
    if (alterrec_trainer_resume(work->trainer, work->checkpoint) != ALTERREC_OK)
        return program_library_error();
    if (!work->quiet)
        printf("%-8s %12s epochs done, by %s\n\n", "resumed",
               terminal_count(alterrec_trainer_epochs(work->trainer)), work->checkpoint);
    return PROGRAM_OK;
}

/* Each epoch goes to the checkpoint before it is shown: what was seen is not lost. */
static int32_t on_progress(const alterrec_progress *state, void *user_data) {
    training *work = user_data;
    if (state->stage == ALTERREC_STAGE_EPOCH && work->checkpoint != NULL) {
        alterrec_status status = alterrec_trainer_save(work->trainer, work->checkpoint);
        if (status != ALTERREC_OK)
            return status;
    }
    return progress_callback(state, &work->progress);
}

/* The weight of the fusion that training chose (fusion.alpha: auto); NULL if it chose none. */
static const char *chosen_alpha(const training *work) {
    const char *alpha = settings_get(alterrec_model_config(work->model), "fusion.alpha");
    bool asked = strcmp(settings_get(work->config, "fusion.alpha"), "auto") == 0;
    return asked && strcmp(alpha, "auto") != 0 ? alpha : NULL;
}

/* The weight of the fusion by which the test was, and the validation metric at each weight that may
 * be chosen. Choosing changes the model's own weight: only for a model that is saved and tested. */
static int log_alpha(const training *work) {
    enum { POINTS = 21 };
    double curve[POINTS];
    const alterrec_sessions *valid = split_of(work, ALTERREC_SPLIT_VALID);
    if (valid == NULL)
        return PROGRAM_OK;
    const char *text = settings_get(alterrec_model_config(work->model), "fusion.alpha");
    double alpha = strcmp(text, "auto") != 0 ? strtod(text, NULL) : 0.5;
    alterrec_status status =
        alterrec_model_choose_alpha(NULL, curve, work->model, valid, POINTS, work->config);
    if (status == ALTERREC_ERROR_MISMATCH) /* one tower, of IDs or a joint one: nothing to weigh */
        return PROGRAM_OK;
    if (status != ALTERREC_OK)
        return program_library_error();
    fputs(",\"alpha\":", work->log);
    json_number(work->log, alpha, 6);
    fputs(",\"alpha_curve\":[", work->log);
    for (int p = 0; p < POINTS; p++) {
        fputs(p > 0 ? "," : "", work->log);
        json_number(work->log, curve[p], 6);
    }
    fputc(']', work->log);
    return PROGRAM_OK;
}

/* Trains, and saves what was best: after Ctrl-C too, and after numbers that went out of hand, which
 * is an error all the same. */
static int run(training *work) {
    fflush(stdout); /* who reads along through a pipe sees the data before the first epoch */
    cli_progress *progress = &work->progress;
    progress_open(progress, work->trainer, work->config, work->quiet);
    progress->log = work->log;
    progress_take_up(progress);
    alterrec_status status = alterrec_trainer_on_progress(work->trainer, on_progress, work);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_run(work->trainer);
    progress_close(progress);

    int code = PROGRAM_OK;
    if (status < 0)
        code = program_library_error();
    if (status < 0 && status != ALTERREC_ERROR_NOT_FINITE)
        return code;
    if (alterrec_model_save(work->model, work->model_path) != ALTERREC_OK)
        return program_library_error();
    if (work->quiet)
        return code;
    printf("\n%s%s", progress_was_interrupted() ? "stopped; " : "", work->model_path);
    if (progress->best_epoch >= 0 && split_of(work, ALTERREC_SPLIT_VALID) != NULL)
        printf(": the weights of epoch %" PRId32 ", the best on the validation sessions\n",
               progress->best_epoch + 1);
    else
        printf(": saved\n");
    if (chosen_alpha(work) != NULL)
        printf("%-8s alpha %s, the best on the validation sessions\n", "fusion",
               chosen_alpha(work));
    return code;
}

static int test(training *work) {
    const alterrec_sessions *test = split_of(work, ALTERREC_SPLIT_TEST);
    if (test == NULL)
        return PROGRAM_OK;
    progress_open(&work->progress, NULL, work->config, work->quiet);
    alterrec_status status = alterrec_evaluate(&work->evaluation, work->model, test,
                                               split_of(work, ALTERREC_SPLIT_TRAIN), work->config,
                                               progress_callback, &work->progress);
    progress_close(&work->progress);
    if (status > 0)
        return PROGRAM_OK;
    if (status < 0)
        return program_library_error();
    if (!work->quiet) {
        fputs("\ntest: ", stdout);
        table_print(work->evaluation, work->config);
    }
    int code = PROGRAM_OK;
    if (work->log != NULL) {
        fputs("{\"event\":\"test\"", work->log);
        code = log_alpha(work);
        fprintf(work->log, ",\"evaluation\":%s}\n", alterrec_evaluation_json(work->evaluation));
    }
    return code;
}

static int train(training *work) {
    int code = check_destination(work->model_path);
    if (code == PROGRAM_OK && work->checkpoint != NULL)
        code = check_destination(work->checkpoint);
    if (code == PROGRAM_OK)
        code = open_log(work);
    if (code == PROGRAM_OK)
        code = read_data(work);
    if (code == PROGRAM_OK)
        code = make_trainer(work);
    if (code == PROGRAM_OK)
        code = resume(work);
    if (code == PROGRAM_OK)
        code = run(work);
    if (code == PROGRAM_OK && !progress_was_interrupted())
        code = test(work);
    int log_code = close_log(work);
    return code != PROGRAM_OK ? code : log_code;
}

int train_command(int argc, char **argv) {
    training work = {0};
    text_list assignments = {0};
    const cli_flag flags[] = {
        {.name = "model",
         .value_name = "FILE",
         .text = &work.model_path,
         .required = true,
         .help = "where the trained model goes, a .safetensors file"},
        {.name = "set",
         .value_name = "KEY=VALUE",
         .list = &assignments,
         .help = "an option, over those of the files; may be given several times"},
        {.name = "log",
         .value_name = "FILE",
         .text = &work.log_path,
         .help = "metrics as JSON, a line for the start, each epoch, and the test"},
        {.name = "log-level",
         .value_name = "LEVEL",
         .text = &work.log_level,
         .help = "info or warning: what the trainer has to say, on the error output"},
        {.name = "checkpoint",
         .value_name = "FILE",
         .text = &work.checkpoint,
         .help = "where each epoch is saved to, with all that is needed to go on from it"},
        {.name = "resume",
         .on = &work.resume,
         .help = "go on from the checkpoint if the file is there, else begin"},
        {.name = "quiet", .on = &work.quiet, .help = "print nothing but errors"},
    };
    command_line line = {
        .name = "train",
        .synopsis = "[CONFIG.yaml ...] [--set KEY=VALUE ...] --model OUT.safetensors",
        .about = "Reads sessions and items as the options data.* say, trains the ID tower and the "
                 "text tower in turns, saves the weights that were best on the validation "
                 "sessions, and evaluates them on the test sessions. Ctrl-C stops training and "
                 "saves the best weights so far. Of several files, later ones win.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .operands_high = -1,
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    if (work.resume && work.checkpoint == NULL)
        code = arguments_wrong(&line, "--resume needs --checkpoint FILE");
    if (code == PROGRAM_OK && work.log_level != NULL && strcmp(work.log_level, "info") != 0 &&
        strcmp(work.log_level, "warning") != 0)
        code = arguments_wrong(&line, "--log-level is neither info nor warning");
    if (code == PROGRAM_OK && alterrec_config_create(&work.config) != ALTERREC_OK)
        code = program_library_error();
    if (code == PROGRAM_OK)
        code = settings_apply(work.config, &line, &line.operands, &assignments);
    if (code == PROGRAM_OK)
        code = train(&work);
    training_close(&work);
    arguments_free(&line);
    return code;
}
