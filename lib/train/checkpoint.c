#include "train/checkpoint.h"

#include "core/checksum.h"
#include "core/memory.h"
#include "data/config.h"
#include "model/file_kind.h"
#include "model/parameter_file.h"
#include "train/log.h"

#include <stdio.h>
#include <string.h>

#define FORMAT_VERSION "1"

/*
 * The tensors of a checkpoint: "state.counts" and "state.metrics", whose places are named below;
 * "reports" [epochs, REPORT_FIELDS]; every parameter under its name in a model file; and flat
 * blocks, each laid out as its tower's parameters: "best.<tower>" once there is a best epoch, and
 * "adam.<tower>.first" and ".second" once the tower has trained.
 */
enum {
    COUNT_EPOCH,
    COUNT_TRAINED,      /* ID, text */
    COUNT_PLATEAUS = 3, /* ID, text */
    COUNT_PATIENCE_EXHAUSTED = 5,
    COUNT_BEST_EPOCH,
    COUNT_OWN_STALE,      /* ID, text */
    COUNT_ADAM_STEPS = 9, /* ID, text; -1: the tower has not trained */
    COUNTS = 11
};
enum { METRIC_BEST, METRIC_OWN_BEST, METRICS = 3 };
enum { REPORT_FIELDS = 17 };

static const ar_tower *tower_of(const alterrec_trainer *trainer, int side) {
    return ar_model_side(trainer->model, side);
}

static void put_sessions(ar_checksum *checksum, const alterrec_sessions *sessions) {
    if (sessions == NULL)
        return;
    ar_checksum_put(checksum, sessions->offsets,
                    (size_t)(sessions->count + 1) * sizeof *sessions->offsets);
    ar_checksum_put(checksum, sessions->items,
                    (size_t)sessions->offsets[sessions->count] * sizeof *sessions->items);
}

void ar_checkpoint_fingerprint(char text[17], const alterrec_trainer *trainer) {
    const alterrec_catalog *catalog = trainer->model->catalog;
    ar_checksum checksum = {0};
    ar_checksum_put(&checksum, catalog->keys.text, (size_t)catalog->keys.text_used);
    if (catalog->features != NULL)
        ar_checksum_put(&checksum, catalog->features,
                        (size_t)(catalog->items * catalog->feature_dim) * sizeof(float));
    put_sessions(&checksum, trainer->train);
    put_sessions(&checksum, trainer->valid);
    (void)snprintf(text, 17, "%016llx", (unsigned long long)ar_checksum_value(&checksum));
}

static void get_counts(int64_t *counts, const alterrec_trainer *trainer) {
    counts[COUNT_EPOCH] = trainer->state.epoch;
    counts[COUNT_PATIENCE_EXHAUSTED] = trainer->state.patience_exhausted ? 1 : 0;
    counts[COUNT_BEST_EPOCH] = trainer->best_epoch;
    for (int side = 0; side < 2; side++) {
        counts[COUNT_TRAINED + side] = trainer->state.trained[side];
        counts[COUNT_PLATEAUS + side] = trainer->state.plateaus[side];
        counts[COUNT_OWN_STALE + side] = trainer->own_stale[side];
        counts[COUNT_ADAM_STEPS + side] =
            trainer->learners[side].kind != 0 ? trainer->learners[side].adam.steps : -1;
    }
}

static void set_counts(alterrec_trainer *trainer, const int64_t *counts) {
    trainer->state.epoch = counts[COUNT_EPOCH];
    trainer->state.patience_exhausted = counts[COUNT_PATIENCE_EXHAUSTED] != 0;
    trainer->best_epoch = counts[COUNT_BEST_EPOCH];
    for (int side = 0; side < 2; side++) {
        trainer->state.trained[side] = counts[COUNT_TRAINED + side];
        trainer->state.plateaus[side] = counts[COUNT_PLATEAUS + side];
        trainer->own_stale[side] = counts[COUNT_OWN_STALE + side];
    }
}

/* A report as a row of doubles, all of which hold its numbers exactly. */
static void report_to_row(double *row, const alterrec_epoch_report *report) {
    double values[REPORT_FIELDS] = {report->epoch,
                                    report->tower,
                                    report->negatives,
                                    (double)report->examples,
                                    (double)report->steps,
                                    report->learning_rate,
                                    report->loss,
                                    report->positives_loss,
                                    report->seconds,
                                    report->valid_seconds,
                                    report->valid_metric[0],
                                    report->valid_metric[1],
                                    report->valid_metric[2],
                                    report->best,
                                    report->epochs_since_best,
                                    report->part_loss[0],
                                    report->part_loss[1]};
    memcpy(row, values, sizeof values);
}

static alterrec_epoch_report report_from_row(const double *row) {
    return (alterrec_epoch_report){.struct_size = sizeof(alterrec_epoch_report),
                                   .epoch = (int32_t)row[0],
                                   .tower = (int32_t)row[1],
                                   .negatives = (int32_t)row[2],
                                   .examples = (int64_t)row[3],
                                   .steps = (int64_t)row[4],
                                   .learning_rate = row[5],
                                   .loss = row[6],
                                   .positives_loss = row[7],
                                   .seconds = row[8],
                                   .valid_seconds = row[9],
                                   .valid_metric = {row[10], row[11], row[12]},
                                   .best = (int32_t)row[13],
                                   .epochs_since_best = (int32_t)row[14],
                                   .part_loss = {row[15], row[16]}};
}

/* One tensor of the file: declared first, put later, in the same order. */
static void declare(ar_tensor_writer *writer, const char *kind, const ar_tower *tower,
                    const char *suffix) {
    char name[48];
    (void)snprintf(name, sizeof name, "%s.%s%s", kind, ar_tower_name(tower->shape.kind), suffix);
    ar_tensor_writer_declare(writer, name, AR_DTYPE_F32, 1, &tower->list.count);
}

static void declare_all(ar_tensor_writer *writer, const alterrec_trainer *trainer) {
    ar_tensor_writer_declare(writer, "state.counts", AR_DTYPE_I64, 1, (int64_t[]){COUNTS});
    ar_tensor_writer_declare(writer, "state.metrics", AR_DTYPE_F64, 1, (int64_t[]){METRICS});
    ar_tensor_writer_declare(writer, "reports", AR_DTYPE_F64, 2,
                             (int64_t[]){trainer->report_count, REPORT_FIELDS});
    for (int side = 0; side < 2; side++) {
        const ar_tower *tower = tower_of(trainer, side);
        ar_parameters_declare(writer, &tower->list);
        if (trainer->best[side] != NULL)
            declare(writer, "best", tower, "");
        if (trainer->learners[side].kind != 0) {
            declare(writer, "adam", tower, ".first");
            declare(writer, "adam", tower, ".second");
        }
    }
}

static void put_floats(ar_tensor_writer *writer, const float *values, int64_t count) {
    ar_tensor_writer_put(writer, values, count * (int64_t)sizeof *values);
}

static void put_all(ar_tensor_writer *writer, const alterrec_trainer *trainer) {
    int64_t counts[COUNTS];
    double metrics[METRICS] = {trainer->best_metric, trainer->own_best[0], trainer->own_best[1]};
    get_counts(counts, trainer);
    ar_tensor_writer_put(writer, counts, sizeof counts);
    ar_tensor_writer_put(writer, metrics, sizeof metrics);
    for (int64_t r = 0; r < trainer->report_count; r++) {
        double row[REPORT_FIELDS];
        report_to_row(row, &trainer->reports[r]);
        ar_tensor_writer_put(writer, row, sizeof row);
    }
    for (int side = 0; side < 2; side++) {
        const ar_tower *tower = tower_of(trainer, side);
        ar_parameters_put(writer, &tower->list, tower->block);
        if (trainer->best[side] != NULL)
            put_floats(writer, trainer->best[side], tower->list.count);
        if (trainer->learners[side].kind != 0) {
            put_floats(writer, trainer->learners[side].adam.first, tower->list.count);
            put_floats(writer, trainer->learners[side].adam.second, tower->list.count);
        }
    }
}

static alterrec_status save(alterrec_trainer *trainer, const char *path) {
    AR_TRY(ar_trainer_settle(trainer));
    char fingerprint[17], threads[16];
    ar_checkpoint_fingerprint(fingerprint, trainer);
    (void)snprintf(threads, sizeof threads, "%d", trainer->options.threads);
    ar_text config = {0};
    ar_tensor_writer writer;
    alterrec_status status = ar_config_print(&config, trainer->config, "data");
    if (status == ALTERREC_OK)
        status = ar_tensor_writer_open(&writer, path);
    if (status == ALTERREC_OK) {
        ar_tensor_writer_metadata(&writer, "format", ar_file_kind_format(AR_FILE_CHECKPOINT));
        ar_tensor_writer_metadata(&writer, "format_version", FORMAT_VERSION);
        ar_tensor_writer_metadata(&writer, "data", fingerprint);
        ar_tensor_writer_metadata(&writer, "threads", threads);
        ar_tensor_writer_metadata(&writer, "config", config.bytes);
        declare_all(&writer, trainer);
        put_all(&writer, trainer);
        status = ar_tensor_writer_commit(&writer);
    }
    ar_text_free(&config);
    return status == ALTERREC_OK ? ar_log_tell(trainer, ALTERREC_LOG_INFO,
                                               "checkpoint written (epochs done: %lld): %s",
                                               (long long)trainer->report_count, path)
                                 : status;
}

alterrec_status alterrec_trainer_save(alterrec_trainer *trainer, const char *path) {
    AR_NOT_NULL(trainer);
    AR_NOT_NULL(path);
    if (atomic_load(&trainer->between_epochs)) /* the epoch's call has entered */
        return save(trainer, path);
    int previous;
    AR_TRY(ar_trainer_enter(&previous, trainer, __func__));
    alterrec_status status = save(trainer, path);
    ar_trainer_leave(previous, trainer);
    return status;
}

/* What a checkpoint holds, read aside before anything of the trainer changes. */
typedef struct contents {
    int64_t counts[COUNTS];
    double metrics[METRICS];
    alterrec_epoch_report *reports;
    int64_t report_count;
    float *blocks[2], *best[2], *first[2], *second[2];
} contents;

static void free_contents(contents *c) {
    ar_free(c->reports);
    for (int side = 0; side < 2; side++) {
        ar_free(c->blocks[side]);
        ar_free(c->best[side]);
        ar_free(c->first[side]);
        ar_free(c->second[side]);
    }
}

/* Groups whose options may differ on resume: where the data lie, and how results are reported. */
static bool may_differ(const char *key) {
    return strncmp(key, "data.", 5) == 0 || strncmp(key, "eval.", 5) == 0;
}

static alterrec_status compare_options(const alterrec_trainer *trainer, const ar_tensor_file *file,
                                       const char *text) {
    alterrec_config *saved;
    AR_TRY(alterrec_config_create(&saved));
    alterrec_status status = ar_config_read_named(saved, file->path, text, strlen(text));
    for (int64_t i = 0; i < alterrec_option_count() && status == ALTERREC_OK; i++) {
        alterrec_option option = {.struct_size = sizeof option};
        status = alterrec_option_describe(&option, i);
        const char *here = ar_config_text_at(trainer->config, i);
        const char *there = ar_config_text_at(saved, i);
        if (status == ALTERREC_OK && !may_differ(option.key) && strcmp(here, there) != 0)
            status = ar_fail(ALTERREC_ERROR_MISMATCH,
                             "%s: option %s is \"%s\" in the checkpoint, \"%s\" in the trainer",
                             file->path, option.key, there, here);
    }
    alterrec_config_free(saved);
    return status;
}

static alterrec_status check_metadata(const alterrec_trainer *trainer, const ar_tensor_file *file) {
    const char *version = ar_tensor_file_metadata(file, "format_version");
    const char *data = ar_tensor_file_metadata(file, "data");
    const char *threads = ar_tensor_file_metadata(file, "threads");
    const char *config = ar_tensor_file_metadata(file, "config");
    AR_TRY(ar_file_check_kind(file, AR_FILE_CHECKPOINT));
    if (version == NULL || strcmp(version, FORMAT_VERSION) != 0)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "%s: checkpoint format version \"%s\", this library reads " FORMAT_VERSION,
                       file->path, version != NULL ? version : "(none)");
    if (data == NULL || threads == NULL || config == NULL)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: metadata \"%s\" is missing", file->path,
                       data == NULL      ? "data"
                       : threads == NULL ? "threads"
                                         : "config");
    AR_TRY(compare_options(trainer, file, config));
    char here[17];
    ar_checkpoint_fingerprint(here, trainer);
    if (strcmp(here, data) != 0)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: was made with other items, text features or sessions (%s, here %s)",
                       file->path, data, here);
    int64_t count;
    if (!ar_text_to_int(&count, threads, strlen(threads)) || count != trainer->options.threads)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: was made with %s threads, the trainer has %d: the bits would differ; "
                       "set compute.threads",
                       file->path, threads, trainer->options.threads);
    return ALTERREC_OK;
}

static alterrec_status read_floats(float **values, const ar_tensor_file *file, const char *kind,
                                   const ar_tower *tower, const char *suffix) {
    char name[48];
    const ar_tensor_view *view;
    (void)snprintf(name, sizeof name, "%s.%s%s", kind, ar_tower_name(tower->shape.kind), suffix);
    AR_TRY(ar_tensor_file_expect(&view, file, name, AR_DTYPE_F32, 1, &tower->list.count));
    AR_NEW(*values, view->count);
    memcpy(*values, view->data, (size_t)view->bytes);
    return ALTERREC_OK;
}

static alterrec_status read_tower(contents *c, const alterrec_trainer *trainer,
                                  const ar_tensor_file *file, int side) {
    const ar_tower *tower = tower_of(trainer, side);
    const ar_parameter_list *list = &tower->list;
    AR_TRY(ar_parameters_check(file, list));
    AR_NEW(c->blocks[side], list->count);
    ar_parameters_copy(c->blocks[side], list, file);
    if (c->counts[COUNT_BEST_EPOCH] >= 0 && list->count > 0)
        AR_TRY(read_floats(&c->best[side], file, "best", tower, ""));
    if (c->counts[COUNT_ADAM_STEPS + side] >= 0 && list->count > 0) {
        AR_TRY(read_floats(&c->first[side], file, "adam", tower, ".first"));
        AR_TRY(read_floats(&c->second[side], file, "adam", tower, ".second"));
    }
    return ALTERREC_OK;
}

static alterrec_status read_contents(contents *c, alterrec_trainer *trainer,
                                     const ar_tensor_file *file) {
    const ar_tensor_view *counts, *metrics, *reports;
    AR_TRY(ar_tensor_file_verify(file));
    AR_TRY(check_metadata(trainer, file));
    AR_TRY(
        ar_tensor_file_expect(&counts, file, "state.counts", AR_DTYPE_I64, 1, (int64_t[]){COUNTS}));
    AR_TRY(ar_tensor_file_expect(&metrics, file, "state.metrics", AR_DTYPE_F64, 1,
                                 (int64_t[]){METRICS}));
    AR_TRY(ar_tensor_file_expect(&reports, file, "reports", AR_DTYPE_F64, 2,
                                 (int64_t[]){-1, REPORT_FIELDS}));
    memcpy(c->counts, counts->data, sizeof c->counts);
    memcpy(c->metrics, metrics->data, sizeof c->metrics);
    c->report_count = reports->shape[0];
    AR_NEW(c->reports, c->report_count);
    for (int64_t r = 0; r < c->report_count; r++) {
        double row[REPORT_FIELDS];
        memcpy(row, (const char *)reports->data + (size_t)r * sizeof row, sizeof row);
        c->reports[r] = report_from_row(row);
    }
    for (int side = 0; side < 2; side++)
        AR_TRY(read_tower(c, trainer, file, side));
    /* The last thing that can fail: after this, everything has its place. */
    ar_learner *learner;
    for (int side = 0; side < 2; side++)
        if (c->first[side] != NULL)
            AR_TRY(ar_trainer_learner(&learner, trainer, tower_of(trainer, side)->shape.kind));
    return ALTERREC_OK;
}

/* Exchanges two arrays, so that what is not wanted is freed with the contents. */
static void swap(float **a, float **b) {
    float *held = *a;
    *a = *b;
    *b = held;
}

static void take_contents(alterrec_trainer *trainer, contents *c) {
    set_counts(trainer, c->counts);
    trainer->best_metric = c->metrics[METRIC_BEST];
    for (int side = 0; side < 2; side++) {
        ar_adam *adam = &trainer->learners[side].adam;
        trainer->own_best[side] = c->metrics[METRIC_OWN_BEST + side];
        ar_tower *tower = ar_model_side(trainer->model, side);
        if (tower->list.count > 0) /* a joint model has none on its other side */
            memcpy(tower->block, c->blocks[side], (size_t)tower->list.count * sizeof *tower->block);
        swap(&trainer->best[side], &c->best[side]);
        if (c->first[side] != NULL) {
            swap(&adam->first, &c->first[side]);
            swap(&adam->second, &c->second[side]);
            adam->steps = c->counts[COUNT_ADAM_STEPS + side];
            ar_adam_rows_free(&trainer->learners[side].embedding); /* all rows stand there, too */
        } else if (trainer->learners[side].kind != 0) {
            ar_learner_free(&trainer->learners[side]);
        }
    }
    alterrec_epoch_report *held = trainer->reports;
    trainer->reports = c->reports;
    c->reports = held;
    trainer->report_count = trainer->report_capacity = c->report_count;
    trainer->running = (ar_running){0};
    ar_trainer_drop_teachers(trainer);
}

static alterrec_status resume(alterrec_trainer *trainer, const char *path) {
    ar_tensor_file file;
    contents c = {0};
    AR_TRY(ar_tensor_file_open(&file, path));
    alterrec_status status = read_contents(&c, trainer, &file);
    if (status == ALTERREC_OK) {
        take_contents(trainer, &c);
        ar_trainer_order(trainer);
    }
    free_contents(&c);
    ar_tensor_file_close(&file);
    return status == ALTERREC_OK
               ? ar_log_tell(trainer, ALTERREC_LOG_INFO, "resumed (epochs done: %lld): %s",
                             (long long)trainer->report_count, path)
               : status;
}

alterrec_status alterrec_trainer_resume(alterrec_trainer *trainer, const char *path) {
    AR_NOT_NULL(trainer);
    AR_NOT_NULL(path);
    int previous;
    AR_TRY(ar_trainer_enter(&previous, trainer, __func__));
    alterrec_status status = resume(trainer, path);
    ar_trainer_leave(previous, trainer);
    return status;
}
