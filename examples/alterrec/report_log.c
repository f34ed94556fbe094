#include "report_log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void log_free(report_log *log) {
    for (int64_t i = 0; i < log->line_count; i++)
        json_free(log->lines[i]);
    free(log->lines);
    free(log->options);
    free(log->lengths);
    free(log->occurrences);
    free(log->epochs);
    free(log->curve);
    source_close(&log->source);
    *log = (report_log){0};
}

/* An option's value as the options' table writes it. */
static bool option_text(const char **text, const report_log *log, const json_value *value) {
    *text = value->kind == JSON_TRUTH ? (value->truth ? "true" : "false") : value->text;
    return *text != NULL ||
           source_fail(&log->source, value->offset, "option \"%s\" is no single value", value->key);
}

static bool read_options(report_log *log, const json_value *start) {
    const json_value *options, *defaults;
    if (!source_nested(&options, &log->source, start, "options", JSON_OBJECT, false) ||
        !source_nested(&defaults, &log->source, start, "defaults", JSON_OBJECT, false))
        return false;
    log->has_defaults = defaults != NULL;
    log->options = program_resize(NULL, options != NULL ? options->count : 0, sizeof *log->options);
    for (const json_value *value = options != NULL ? options->first : NULL; value != NULL;
         value = value->next) {
        log_option *option = &log->options[log->option_count++];
        const json_value *initial = json_member(defaults, value->key);
        *option = (log_option){.key = value->key};
        if (!option_text(&option->value, log, value) ||
            (initial != NULL && !option_text(&option->initial, log, initial)))
            return false;
    }
    return true;
}

/* Three counts: of the training, validation and test sessions. */
static bool read_splits(int64_t counts[3], const report_log *log, const char *name) {
    const json_value *splits;
    if (!source_nested(&splits, &log->source, log->data, name, JSON_ARRAY, false))
        return false;
    if (splits == NULL)
        return true;
    if (splits->count != 3)
        return source_fail(&log->source, splits->offset, "\"%s\" is not three numbers", name);
    const json_value *count = splits->first;
    for (int i = 0; i < 3; i++, count = count->next) {
        if (!source_whole(&counts[i], &log->source, count))
            return false;
    }
    return true;
}

static bool read_data(report_log *log, const json_value *start) {
    if (!source_nested(&log->data, &log->source, start, "data", JSON_OBJECT, false))
        return false;
    for (const json_value *field = log->data != NULL ? log->data->first : NULL; field != NULL;
         field = field->next) {
        int64_t count;
        if (field->kind == JSON_NUMBER && !source_whole(&count, &log->source, field))
            return false;
    }
    return log->data == NULL || (read_splits(log->sessions, log, "sessions") &&
                                 read_splits(log->interactions, log, "interactions"));
}

static bool read_bin(histogram_bin *bin, const report_log *log, const json_value *value) {
    if (value->kind != JSON_ARRAY || value->count != 3)
        return source_fail(&log->source, value->offset, "a bin is [low, high, count]");
    const json_value *high = value->first->next;
    bin->high = -1;
    return source_whole(&bin->low, &log->source, value->first) &&
           (high->kind == JSON_NULL || source_whole(&bin->high, &log->source, high)) &&
           source_whole(&bin->count, &log->source, high->next);
}

static bool read_histogram(histogram_bin **bins, int64_t *count, const report_log *log,
                           const json_value *histograms, const char *name) {
    const json_value *values;
    if (!source_nested(&values, &log->source, histograms, name, JSON_ARRAY, false))
        return false;
    *bins = program_resize(NULL, values != NULL ? values->count : 0, sizeof **bins);
    for (const json_value *value = values != NULL ? values->first : NULL; value != NULL;
         value = value->next) {
        if (!read_bin(&(*bins)[(*count)++], log, value))
            return false;
    }
    return true;
}

static bool read_start(report_log *log, const json_value *start) {
    const json_value *histograms;
    if (log->library != NULL || log->epoch_count > 0)
        return source_fail(&log->source, start->offset,
                           "a start in the middle: a report is made of one training's log");
    log->library = "unknown";
    return source_text(&log->library, &log->source, start, "library", false) &&
           read_options(log, start) && read_data(log, start) &&
           source_nested(&histograms, &log->source, start, "histograms", JSON_OBJECT, false) &&
           read_histogram(&log->lengths, &log->length_count, log, histograms, "lengths") &&
           read_histogram(&log->occurrences, &log->occurrence_count, log, histograms,
                          "occurrences");
}

static bool read_tower(log_epoch *epoch, const report_log *log, const json_value *line) {
    const char *name = NULL;
    if (!source_text(&name, &log->source, line, "tower", true))
        return false;
    for (epoch->tower = 0; epoch->tower < SERIES_POPULARITY; epoch->tower++) {
        if (strcmp(name, series_names[epoch->tower]) == 0)
            return true;
    }
    return source_fail(&log->source, json_member(line, "tower")->offset,
                       "\"%.40s\" is no tower: ID, text or fused", name);
}

static bool read_epoch(report_log *log, const json_value *line) {
    const double unknown = (double)NAN;
    log_epoch epoch = {.examples = -1,
                       .learning_rate = unknown,
                       .positives_loss = unknown,
                       .part_loss = {unknown, unknown},
                       .seconds = unknown,
                       .valid_seconds = unknown,
                       .valid = {unknown, unknown, unknown}};
    const report_source *source = &log->source;
    if (!source_count(&epoch.epoch, source, line, "epoch", true) ||
        !read_tower(&epoch, log, line) || !source_number(&epoch.loss, source, line, "loss", true) ||
        !source_text(&epoch.negatives, source, line, "negatives", false) ||
        !source_count(&epoch.examples, source, line, "examples", false) ||
        !source_number(&epoch.learning_rate, source, line, "learning_rate", false) ||
        !source_number(&epoch.positives_loss, source, line, "positives_loss", false) ||
        !source_number(&epoch.part_loss[0], source, line, "ID_loss", false) ||
        !source_number(&epoch.part_loss[1], source, line, "text_loss", false) ||
        !source_number(&epoch.seconds, source, line, "seconds", false) ||
        !source_number(&epoch.valid_seconds, source, line, "valid_seconds", false) ||
        !source_text(&log->metric, source, line, "metric", false) ||
        !source_truth(&epoch.best, source, line, "best"))
        return false;
    for (int s = 0; s < 3; s++) {
        if (!source_number(&epoch.valid[s], source, line, series_names[s], false))
            return false;
    }
    if (log->epoch_count > 0 && epoch.epoch <= log->epochs[log->epoch_count - 1].epoch)
        return source_fail(source, line->offset, "epoch %" PRId64 " stands behind epoch %" PRId64,
                           epoch.epoch, log->epochs[log->epoch_count - 1].epoch);
    log->epochs = program_resize(log->epochs, log->epoch_count + 1, sizeof *log->epochs);
    log->epochs[log->epoch_count++] = epoch;
    return true;
}

static bool read_curve(report_log *log, const json_value *line) {
    const json_value *curve;
    if (!source_nested(&curve, &log->source, line, "alpha_curve", JSON_ARRAY, false))
        return false;
    if (curve == NULL)
        return true;
    if (curve->count < 2)
        return source_fail(&log->source, curve->offset, "\"alpha_curve\" has less than 2 values");
    log->curve = program_resize(NULL, curve->count, sizeof *log->curve);
    for (const json_value *value = curve->first; value != NULL; value = value->next) {
        if (value->kind != JSON_NUMBER && value->kind != JSON_NULL)
            return source_fail(&log->source, value->offset,
                               "\"alpha_curve\" is no list of numbers");
        log->curve[log->curve_count++] = value->kind == JSON_NUMBER ? value->number : (double)NAN;
    }
    return true;
}

static bool read_test(report_log *log, const json_value *line) {
    const json_value *figures;
    if (log->has_test)
        return source_fail(&log->source, line->offset, "a second test");
    log->has_test = true;
    return source_nested(&figures, &log->source, line, "evaluation", JSON_OBJECT, true) &&
           evaluation_read(&log->test, &log->source, figures) &&
           source_number(&log->alpha, &log->source, line, "alpha", false) && read_curve(log, line);
}

/* Events that are not known are those of a later version. */
static bool read_event(report_log *log, const json_value *line) {
    const char *event = NULL;
    if (line->kind != JSON_OBJECT)
        return source_fail(&log->source, line->offset, "a line of a log is an object");
    if (!source_text(&event, &log->source, line, "event", true))
        return false;
    if (strcmp(event, "start") == 0)
        return read_start(log, line);
    if (strcmp(event, "epoch") == 0)
        return read_epoch(log, line);
    return strcmp(event, "test") != 0 || read_test(log, line);
}

static bool is_blank(const char *text, size_t size) {
    return strspn(text, " \t\r") >= size;
}

static bool read_line(report_log *log, size_t size, bool has_end) {
    json_problem problem;
    const char *text = log->source.text + log->source.begin;
    if (is_blank(text, size))
        return true;
    json_value *line = json_read(&problem, text, size);
    if (line == NULL && !has_end && log->line_count > 0) {
        log->cut_off = true;
        return true;
    }
    if (line == NULL)
        return source_fail(&log->source, problem.offset, "%s", problem.what);
    log->lines = program_resize(log->lines, log->line_count + 1, sizeof(json_value *));
    log->lines[log->line_count++] = line;
    return read_event(log, line);
}

int log_read(report_log *log, const char *path) {
    *log =
        (report_log){.alpha = (double)NAN, .sessions = {-1, -1, -1}, .interactions = {-1, -1, -1}};
    int code = source_open(&log->source, path);
    report_source *source = &log->source;
    while (code == PROGRAM_OK && source->begin < source->size) {
        const char *text = source->text + source->begin;
        const char *end = memchr(text, '\n', source->size - source->begin);
        size_t size = end != NULL ? (size_t)(end - text) : source->size - source->begin;
        if (!read_line(log, size, end != NULL))
            code = PROGRAM_ERROR;
        source->begin += size + 1;
    }
    if (code == PROGRAM_OK && log->library == NULL && log->epoch_count == 0 && !log->has_test)
        code = program_error("%s: no start, no epoch, no test: this is no training log", path);
    return code;
}

int64_t log_data(const report_log *log, const char *name) {
    const json_value *field = json_member(log->data, name);
    return field != NULL && field->kind == JSON_NUMBER ? (int64_t)field->number : -1;
}

const char *log_option_value(const report_log *log, const char *key) {
    for (int64_t i = 0; i < log->option_count; i++) {
        if (strcmp(log->options[i].key, key) == 0)
            return log->options[i].value;
    }
    return NULL;
}

int64_t log_best(const report_log *log) {
    int64_t best = -1;
    for (int64_t i = 0; i < log->epoch_count; i++)
        best = log->epochs[i].best ? i : best;
    return best;
}

bool log_has_series(const report_log *log, int series) {
    for (int64_t i = 0; i < log->epoch_count; i++) {
        if (log->epochs[i].valid[series] > 0)
            return true;
    }
    return false;
}
