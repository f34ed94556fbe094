#include "report_epochs.h"
#include "program.h"
#include "report_figure.h"
#include "report_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Three series over the epochs: what the loss and the validation draw. */
typedef struct epoch_lines {
    double *x;    /* [count]: epochs counted from 1, as people do */
    double *y[3]; /* [count] each: SERIES_FUSED, _ID, _TEXT */
    int64_t count;
    bool has[3];
} epoch_lines;

static void lines_create(epoch_lines *lines, const report_log *log) {
    lines->count = log->epoch_count;
    lines->x = program_resize(NULL, 4 * lines->count, sizeof *lines->x);
    for (int s = 0; s < 3; s++)
        lines->y[s] = lines->x + (s + 1) * lines->count;
    for (int64_t i = 0; i < lines->count; i++)
        lines->x[i] = (double)(log->epochs[i].epoch + 1);
}

/* The range of the series that are drawn; false if nothing is. */
static bool lines_extent(double *low, double *high, const epoch_lines *lines) {
    bool found = false;
    for (int s = 0; s < 3; s++) {
        double least = 0, most = 0;
        if (!lines->has[s] || !figure_extent(&least, &most, lines->y[s], lines->count))
            continue;
        *low = found ? fmin(*low, least) : least;
        *high = found ? fmax(*high, most) : most;
        found = true;
    }
    return found;
}

/* Which tower trained: runs of epochs of the same one, shaded. */
static void draw_bands(const svg_chart *chart, const report_log *log) {
    static const char *const bands[3] = {"band-fused", "band-id", "band-text"};
    static const char *const names[3] = {"both", "ID", "text"};
    static const char *const short_names[3] = {"", "I", "T"};
    int64_t from = 0;
    for (int64_t i = 1; i <= log->epoch_count; i++) {
        const log_epoch *first = &log->epochs[from], *last = &log->epochs[i - 1];
        if (i < log->epoch_count && log->epochs[i].tower == first->tower)
            continue;
        svg_band(chart, (double)first->epoch + 0.5, (double)last->epoch + 1.5, bands[first->tower],
                 names[first->tower], short_names[first->tower]);
        from = i;
    }
}

/* Its name stands where this kind of line seldom is. */
static void draw_best(const svg_chart *chart, const report_log *log, double share) {
    int64_t best = log_best(log);
    char name[48];
    if (best < 0)
        return;
    snprintf(name, sizeof name, "best: epoch %" PRId64, log->epochs[best].epoch + 1);
    svg_mark(chart, (double)(log->epochs[best].epoch + 1), share, name);
}

/* The last finite value of a series, which its label stands beside. */
static double last_value(const double *y, int64_t count) {
    while (count > 0 && !isfinite(y[count - 1]))
        count--;
    return count > 0 ? y[count - 1] : (double)NAN;
}

static void draw_lines(svg_chart *chart, const epoch_lines *lines, const report_log *log,
                       const char *y_name) {
    svg_label labels[3];
    char texts[3][32];
    draw_bands(chart, log);
    svg_axes(chart, "epoch", y_name);
    draw_best(chart, log, 0.04);
    for (int s = 0; s < 3; s++) {
        labels[s] =
            (svg_label){.text = texts[s], .class_name = series_label_classes[s], .y = (double)NAN};
        if (!lines->has[s])
            continue;
        svg_line(chart, lines->x, lines->y[s], lines->count, series_classes[s], s);
        labels[s].y = last_value(lines->y[s], lines->count);
        snprintf(texts[s], sizeof texts[s], "%s %.3f", series_names[s], labels[s].y);
    }
    svg_labels(chart, labels, 3);
}

static svg_axis epoch_axis(const report_log *log) {
    return svg_axis_places(log->epochs[0].epoch + 1, log->epochs[log->epoch_count - 1].epoch + 1,
                           8);
}

static void validation_table(FILE *stream, const report_log *log) {
    details_open(stream, "Validation as a table");
    table_open(stream, "epoch|trained|fused|ID|text|best so far");
    for (int64_t i = 0; i < log->epoch_count; i++) {
        const log_epoch *epoch = &log->epochs[i];
        row_open(stream);
        cell_count(stream, epoch->epoch + 1);
        cell_text(stream, epoch->tower == SERIES_FUSED ? "both" : series_names[epoch->tower]);
        for (int s = 0; s < 3; s++)
            cell_number(stream, log_has_series(log, s) ? epoch->valid[s] : (double)NAN, 4);
        cell_text(stream, epoch->best ? "yes" : "");
        row_close(stream);
    }
    table_close(stream);
    details_close(stream);
}

static void describe_best(char *text, size_t size, const report_log *log, const char *metric) {
    int64_t best = log_best(log);
    int used =
        snprintf(text, size, "%s of the validation sessions after each of %" PRId64 " epochs.",
                 metric, log->epoch_count);
    if (best >= 0 && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used,
                 " The best is epoch %" PRId64 ", with %.4f by the fused scores.",
                 log->epochs[best].epoch + 1, log->epochs[best].valid[SERIES_FUSED]);
}

void chart_validation(FILE *stream, const report_log *log) {
    const char *metric = log->metric != NULL ? log->metric : "metric";
    char title[96], about[256];
    epoch_lines lines = {0};
    double low = 0, high = 0;
    snprintf(title, sizeof title, "Validation %s by epoch", metric);
    describe_best(about, sizeof about, log, metric);
    lines_create(&lines, log);
    for (int s = 0; s < 3; s++) {
        lines.has[s] = log_has_series(log, s);
        for (int64_t i = 0; i < lines.count; i++)
            lines.y[s][i] = log->epochs[i].valid[s];
    }
    if (!lines_extent(&low, &high, &lines)) {
        figure_missing(stream, title,
                       log->epoch_count == 0
                           ? "The log holds no epoch: training ended before the first was done."
                           : "The log holds no validation: there were no validation sessions.");
    } else {
        svg_chart chart;
        figure_open(stream, title);
        svg_open(&chart, stream, "validation", title, about, figure_margins, FIGURE_HEIGHT);
        chart.x = epoch_axis(log);
        chart.y = svg_axis_round(0, high, 5);
        draw_lines(&chart, &lines, log, metric);
        svg_close(&chart);
        figure_caption(stream, "Shaded and named at the top: the tower that the epoch trained. "
                               "The tower that rests keeps its line level.");
        validation_table(stream, log);
        figure_end(stream);
    }
    free(lines.x);
}

static void loss_table(FILE *stream, const report_log *log) {
    bool has_positives = false;
    for (int64_t i = 0; i < log->epoch_count; i++)
        has_positives |= log->epochs[i].positives_loss > 0;
    details_open(stream, "Loss as a table");
    table_open(stream, has_positives
                           ? "epoch|trained|negatives|loss|positives' loss|learning rate|seconds"
                           : "epoch|trained|negatives|loss|learning rate|seconds");
    for (int64_t i = 0; i < log->epoch_count; i++) {
        const log_epoch *epoch = &log->epochs[i];
        char rate[32] = "";
        row_open(stream);
        cell_count(stream, epoch->epoch + 1);
        cell_text(stream, epoch->tower == SERIES_FUSED ? "both" : series_names[epoch->tower]);
        cell_text(stream, epoch->negatives);
        cell_number(stream, epoch->loss, 4);
        if (has_positives)
            cell_number(stream, epoch->positives_loss, 4);
        snprintf(rate, sizeof rate, "%.3g", epoch->learning_rate);
        cell_text(stream, isfinite(epoch->learning_rate) ? rate : NULL);
        cell_number(stream, epoch->seconds, 1);
        row_close(stream);
    }
    table_close(stream);
    details_close(stream);
}

/* Of an epoch that trained both towers in one loss, the parts' own losses are drawn too. */
static void take_losses(epoch_lines *lines, const report_log *log) {
    for (int64_t i = 0; i < lines->count; i++) {
        const log_epoch *epoch = &log->epochs[i];
        for (int s = 0; s < 3; s++)
            lines->y[s][i] = epoch->tower == s ? epoch->loss : (double)NAN;
        for (int part = 0; part < 2 && epoch->tower == SERIES_FUSED; part++) {
            if (epoch->part_loss[part] > 0)
                lines->y[SERIES_ID + part][i] = epoch->part_loss[part];
        }
    }
}

/* Between the epochs in which a tower trained, its line goes straight on: the points of the others
 * are left out, not gaps. */
static void draw_loss(svg_chart *chart, epoch_lines *lines, const report_log *log) {
    svg_label labels[3];
    char texts[3][32];
    double *x = program_resize(NULL, 2 * lines->count, sizeof *x);
    double *y = x + lines->count;
    draw_bands(chart, log);
    svg_axes(chart, "epoch", "mean loss of the examples");
    draw_best(chart, log, 0.94);
    for (int s = 0; s < 3; s++) {
        int64_t count = 0;
        for (int64_t i = 0; i < lines->count; i++) {
            if (isfinite(lines->y[s][i])) {
                x[count] = lines->x[i];
                y[count++] = lines->y[s][i];
            }
        }
        labels[s] =
            (svg_label){.text = texts[s], .class_name = series_label_classes[s], .y = (double)NAN};
        if (count == 0)
            continue;
        svg_line(chart, x, y, count, series_classes[s], s);
        labels[s].y = y[count - 1];
        snprintf(texts[s], sizeof texts[s], "%s %.3f", series_names[s], labels[s].y);
    }
    svg_labels(chart, labels, 3);
    free(x);
}

/* Losses over other negatives are not to be compared: where they change, the chart says so. */
static void mark_negatives(const svg_chart *chart, const report_log *log) {
    int marks = 0;
    for (int64_t i = 1; i < log->epoch_count; i++) {
        const char *before = log->epochs[i - 1].negatives, *after = log->epochs[i].negatives;
        if (before == NULL || after == NULL || strcmp(before, after) == 0 || marks++ > 1)
            continue;
        char name[64];
        snprintf(name, sizeof name, "%.20s negatives", after);
        svg_mark(chart, (double)log->epochs[i].epoch + 0.5, 0.8 - 0.07 * marks, name);
    }
}

void chart_loss(FILE *stream, const report_log *log) {
    static const char title[] = "Training loss by epoch";
    epoch_lines lines = {0};
    double low = 0, high = 0;
    lines_create(&lines, log);
    take_losses(&lines, log);
    for (int s = 0; s < 3; s++)
        lines.has[s] = true;
    if (!lines_extent(&low, &high, &lines)) {
        figure_missing(stream, title, "The log holds no epoch with a loss.");
    } else {
        svg_chart chart;
        figure_open(stream, title);
        svg_open(&chart, stream, "loss", title,
                 "The mean loss of each epoch, of the tower that it trained.", figure_margins,
                 FIGURE_HEIGHT);
        chart.x = epoch_axis(log);
        chart.y = svg_axis_round(low, high, 5);
        draw_loss(&chart, &lines, log);
        mark_negatives(&chart, log);
        svg_close(&chart);
        figure_caption(stream,
                       "Each point is the tower that the epoch trained; of both in one loss, "
                       "the parts alone too. Losses compare only within a tower and over "
                       "the same kind of negatives.");
        loss_table(stream, log);
        figure_end(stream);
    }
    free(lines.x);
}
