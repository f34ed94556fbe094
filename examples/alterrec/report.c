/* alterrec report: from the log of a training to one page that shows how it went. */
#include "arguments.h"
#include "histogram.h"
#include "program.h"
#include "report_page.h"
#include "settings.h"

#include <alterrec/alterrec.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reporting {
    const char *log_path;
    const char *evaluation_path; /* NULL: the test is the log's */
    const char *out;
    const char *title;
    text_list configs;
    report_log log;
    report_source evaluation_source;
    json_value *evaluation_tree;
    report_evaluation evaluation;
} reporting;

static void reporting_close(reporting *work) {
    log_free(&work->log);
    json_free(work->evaluation_tree);
    source_close(&work->evaluation_source);
}

/* What alterrec evaluate --json printed. */
static int read_evaluation(reporting *work) {
    json_problem problem;
    report_source *source = &work->evaluation_source;
    int code = source_open(source, work->evaluation_path);
    if (code != PROGRAM_OK)
        return code;
    work->evaluation_tree = json_read(&problem, source->text, source->size);
    if (work->evaluation_tree == NULL) {
        source_fail(source, problem.offset, "%s", problem.what);
        return PROGRAM_ERROR;
    }
    return evaluation_read(&work->evaluation, source, work->evaluation_tree) ? PROGRAM_OK
                                                                             : PROGRAM_ERROR;
}

/* Whether the data are those that the log is of, as far as it says. */
static bool is_same_data(const report_log *log, const alterrec_data_report *report) {
    for (int split = 0; split < 3; split++) {
        if ((log->sessions[split] >= 0 && log->sessions[split] != report->sessions[split]) ||
            (log->interactions[split] >= 0 &&
             log->interactions[split] != report->interactions[split]))
            return false;
    }
    int64_t items = log_data(log, "items");
    return items < 0 || items == report->items;
}

static void take_bins(histogram_bin **to, int64_t *to_count, const histogram_bin *bins,
                      int64_t count) {
    *to = program_resize(*to, count, sizeof *bins);
    memcpy(*to, bins, (size_t)count * sizeof *bins);
    *to_count = count;
}

static int count_dataset(reporting *work, const alterrec_dataset *dataset) {
    alterrec_data_report report = {.struct_size = sizeof report};
    data_histograms histograms;
    if (alterrec_dataset_report(&report, dataset) != ALTERREC_OK ||
        histograms_count(&histograms, dataset) != ALTERREC_OK)
        return program_library_error();
    if (!is_same_data(&work->log, &report))
        return program_error("%s: the log is of other data than the options of --config lead to",
                             work->log_path);
    take_bins(&work->log.lengths, &work->log.length_count, histograms.lengths, HISTOGRAM_LENGTHS);
    take_bins(&work->log.occurrences, &work->log.occurrence_count, histograms.occurrences,
              HISTOGRAM_OCCURRENCES);
    return PROGRAM_OK;
}

/* Counts the data again, for a log that has no histograms; counting needs no text features. */
static int count_data(reporting *work, const command_line *line) {
    const text_list none = {0};
    alterrec_config *config;
    alterrec_dataset *dataset = NULL;
    if (alterrec_config_create(&config) != ALTERREC_OK)
        return program_library_error();
    int code = settings_apply(config, line, &work->configs, &none);
    if (code == PROGRAM_OK && (alterrec_config_set(config, "text.source", "none") != ALTERREC_OK ||
                               alterrec_dataset_read(&dataset, config) != ALTERREC_OK))
        code = program_library_error();
    if (code == PROGRAM_OK)
        code = count_dataset(work, dataset);
    alterrec_dataset_free(dataset);
    alterrec_config_free(config);
    return code;
}

static int write_page(const reporting *work) {
    char title[512];
    const char *slash = strrchr(work->log_path, '/');
    snprintf(title, sizeof title, "Training report: %.400s",
             slash != NULL ? slash + 1 : work->log_path);
    const report_page page = {.title = work->title != NULL ? work->title : title,
                              .log = &work->log,
                              .test = work->evaluation_path != NULL ? &work->evaluation
                                                                    : &work->log.test,
                              .test_path = work->evaluation_path};
    FILE *stream = fopen(work->out, "w");
    if (stream == NULL)
        return program_error("%s: %s", work->out, strerror(errno));
    page_write(stream, &page);
    bool failed = ferror(stream) != 0;
    failed |= fclose(stream) != 0;
    return failed ? program_error("%s: can't be written", work->out) : PROGRAM_OK;
}

int report_command(int argc, char **argv) {
    reporting work = {0};
    const cli_flag flags[] = {
        {.name = "log",
         .value_name = "FILE",
         .text = &work.log_path,
         .required = true,
         .help = "what alterrec train --log wrote"},
        {.name = "out",
         .value_name = "FILE",
         .text = &work.out,
         .required = true,
         .help = "where the page goes, an .html file"},
        {.name = "evaluation",
         .value_name = "FILE",
         .text = &work.evaluation_path,
         .help = "what alterrec evaluate --json printed, in the place of the log's test"},
        {.name = "config",
         .value_name = "FILE",
         .list = &work.configs,
         .help = "the YAML file of the training, may be given several times: the data are counted "
                 "again, for a log without histograms"},
        {.name = "title", .value_name = "TEXT", .text = &work.title, .help = "the page's title"},
    };
    command_line line = {
        .name = "report",
        .synopsis = "--log FILE --out FILE [--evaluation FILE] [--config FILE ...]",
        .about = "Makes one HTML page of the log of a training: curves of validation and loss, "
                 "metrics, popularity groups, the weight of the fusion, data and options. The page "
                 "needs no network and no script, and says what the log does not hold.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    code = log_read(&work.log, work.log_path);
    if (code == PROGRAM_OK && work.evaluation_path != NULL)
        code = read_evaluation(&work);
    if (code == PROGRAM_OK && work.configs.count > 0)
        code = count_data(&work, &line);
    if (code == PROGRAM_OK)
        code = write_page(&work);
    reporting_close(&work);
    arguments_free(&line);
    return code;
}
