/* A training log as alterrec train --log writes it, read for a report: docs/formats.md. */
#ifndef REPORT_LOG_H
#define REPORT_LOG_H

#include "histogram.h"
#include "report_evaluation.h"

/* A number that the log does not have is NAN, a count -1, a text NULL. */
typedef struct log_epoch {
    int64_t epoch; /* from 0 */
    int tower;     /* SERIES_ID, SERIES_TEXT, or SERIES_FUSED: both in one loss */
    const char *negatives;
    int64_t examples;
    double learning_rate;
    double loss;
    double positives_loss;
    double part_loss[2]; /* ID, text */
    double seconds;
    double valid_seconds;
    double valid[3]; /* SERIES_FUSED, _ID, _TEXT */
    bool best;
} log_epoch;

typedef struct log_option {
    const char *key;
    const char *value;
    const char *initial; /* the default; NULL if the value is it, or if it is not known */
} log_option;

typedef struct report_log {
    report_source source;
    json_value **lines; /* what the rest points into */
    int64_t line_count;
    bool cut_off; /* the last line is not whole: the training was killed while it wrote */

    const char *library;
    log_option *options;
    int64_t option_count;
    bool has_defaults;
    const json_value *data; /* fields of alterrec_data_report, or NULL */
    int64_t sessions[3];
    int64_t interactions[3];
    histogram_bin *lengths;
    int64_t length_count;
    histogram_bin *occurrences;
    int64_t occurrence_count;

    log_epoch *epochs;
    int64_t epoch_count;
    const char *metric; /* of the validation, such as "Hits@20" */

    bool has_test;
    report_evaluation test;
    double alpha;  /* the weight of the fusion that the test used */
    double *curve; /* the validation metric at curve_count weights from 0 to 1 */
    int64_t curve_count;
} report_log;

/* Reads the log; an exit code. A zeroed log may be freed, and so must one that failed. */
int log_read(report_log *log, const char *path);

void log_free(report_log *log);

/* A count of the data's, such as "rows_read"; -1 if the log does not have it. */
int64_t log_data(const report_log *log, const char *name);

/* The option's value as text; NULL if the log does not have it. */
const char *log_option_value(const report_log *log, const char *key);

/* The last epoch that was the best so far; -1 if there is none. */
int64_t log_best(const report_log *log);

/* Whether the epochs have been validated by this series' scores. */
bool log_has_series(const report_log *log, int series);

#endif
