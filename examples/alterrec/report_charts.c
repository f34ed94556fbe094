#include "report_charts.h"
#include "program.h"
#include "report_svg.h"
#include "report_table.h"
#include "terminal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLOT_HEIGHT = 232, ROW = 17, HEADING = 22 };

static const svg_margins line_margins = {.left = 46, .right = 104, .top = 46, .bottom = 42};
static const svg_margins bar_margins = {.left = 92, .right = 96, .top = 4, .bottom = 4};

/* The style sheet's names of the series. */
static const char *const classes[SERIES] = {"fused", "id", "text", "popularity"};
static const char *const label_classes[SERIES] = {"label fused", "label id", "label text",
                                                  "label popularity"};

static void figure_open(FILE *stream, const char *title) {
    fputs("<figure>\n<h3>", stream);
    svg_text(stream, title);
    fputs("</h3>\n", stream);
}

static void figure_close(FILE *stream, const char *caption) {
    fputs("<figcaption>", stream);
    svg_text(stream, caption);
    fputs("</figcaption>\n", stream);
}

static void figure_end(FILE *stream) {
    fputs("</figure>\n", stream);
}

static void missing(FILE *stream, const char *title, const char *why) {
    figure_open(stream, title);
    fputs("<p class=\"missing\">", stream);
    svg_text(stream, why);
    fputs("</p>\n", stream);
    figure_end(stream);
}

/* The smallest and the largest finite value; false if there is none. */
static bool extent(double *low, double *high, const double *values, int64_t count) {
    bool found = false;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        *low = found ? fmin(*low, values[i]) : values[i];
        *high = found ? fmax(*high, values[i]) : values[i];
        found = true;
    }
    return found;
}

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
        if (!lines->has[s] || !extent(&least, &most, lines->y[s], lines->count))
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
        labels[s] = (svg_label){.text = texts[s], .class_name = label_classes[s], .y = (double)NAN};
        if (!lines->has[s])
            continue;
        svg_line(chart, lines->x, lines->y[s], lines->count, classes[s], s);
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
        missing(stream, title,
                log->epoch_count == 0
                    ? "The log holds no epoch: training ended before the first was done."
                    : "The log holds no validation: there were no validation sessions.");
    } else {
        svg_chart chart;
        figure_open(stream, title);
        svg_open(&chart, stream, "validation", title, about, line_margins, PLOT_HEIGHT);
        chart.x = epoch_axis(log);
        chart.y = svg_axis_round(0, high, 5);
        draw_lines(&chart, &lines, log, metric);
        svg_close(&chart);
        figure_close(stream, "Shaded and named at the top: the tower that the epoch trained. "
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
        labels[s] = (svg_label){.text = texts[s], .class_name = label_classes[s], .y = (double)NAN};
        if (count == 0)
            continue;
        svg_line(chart, x, y, count, classes[s], s);
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
        missing(stream, title, "The log holds no epoch with a loss.");
    } else {
        svg_chart chart;
        figure_open(stream, title);
        svg_open(&chart, stream, "loss", title,
                 "The mean loss of each epoch, of the tower that it trained.", line_margins,
                 PLOT_HEIGHT);
        chart.x = epoch_axis(log);
        chart.y = svg_axis_round(low, high, 5);
        draw_loss(&chart, &lines, log);
        mark_negatives(&chart, log);
        svg_close(&chart);
        figure_close(stream, "Each point is the tower that the epoch trained; of both in one loss, "
                             "the parts alone too. Losses compare only within a tower and over "
                             "the same kind of negatives.");
        loss_table(stream, log);
        figure_end(stream);
    }
    free(lines.x);
}

static void groups_table(FILE *stream, const report_evaluation *test, int64_t k) {
    details_open(stream, "Groups as a table");
    table_open(stream, "occurrences|labels|fused|ID|text|popularity");
    for (int64_t g = 0; g < test->group_count; g++) {
        const figure_group *group = &test->groups[g];
        char range[48];
        histogram_range(range, sizeof range, group->low, group->high);
        row_open(stream);
        cell_name(stream, range);
        cell_count(stream, group->examples);
        for (int s = 0; s < SERIES; s++)
            cell_number(stream, evaluation_figure(group->figures, s, 0, k), 4);
        row_close(stream);
    }
    table_close(stream);
    details_close(stream);
}

static double draw_group(const svg_chart *chart, double top, const figure_group *group,
                         const report_evaluation *test, int64_t k) {
    char range[48], heading[128];
    histogram_range(range, sizeof range, group->low, group->high);
    snprintf(heading, sizeof heading, "%s occurrences (%s labels)", range,
             terminal_count(group->examples));
    svg_heading(chart, top, heading);
    top += HEADING;
    for (int s = 0; s < SERIES; s++) {
        double figure = evaluation_figure(group->figures, s, 0, k);
        char value[24];
        if (!test->has[s] || !isfinite(figure))
            continue;
        snprintf(value, sizeof value, "%.4f", figure);
        svg_bar(chart, top, figure, classes[s], series_names[s], value);
        top += ROW;
    }
    return top + 6;
}

void chart_groups(FILE *stream, const report_evaluation *test) {
    char title[96];
    if (test->figures == NULL || test->group_count == 0) {
        missing(stream, "Hits by popularity of the label",
                test->figures == NULL ? "The log holds no test."
                                      : "The test has no popularity groups (option eval.groups).");
        return;
    }
    int64_t k = evaluation_k(test);
    int series = 0;
    for (int s = 0; s < SERIES; s++)
        series += test->has[s] ? 1 : 0;
    snprintf(title, sizeof title, "Test Hits@%" PRId64 " by popularity of the label", k);
    svg_chart chart;
    figure_open(stream, title);
    svg_open(&chart, stream, "groups", title,
             "For each group of labels by how often they occur in training, a bar for each scorer.",
             bar_margins, (double)(test->group_count * (HEADING + ROW * series + 6)));
    double top = 0;
    for (int64_t g = 0; g < test->group_count; g++)
        top = draw_group(&chart, top, &test->groups[g], test, k);
    svg_close(&chart);
    figure_close(stream,
                 "The full breadth is 1. Grouped by how often the wanted item occurs in the "
                 "training sessions; groups may overlap.");
    groups_table(stream, test, k);
    figure_end(stream);
}

/* The best of the curve, of equally good ones the nearest to 1/2: as the library chooses. */
static int64_t best_alpha(const report_log *log) {
    int64_t best = -1;
    for (int64_t i = 0; i < log->curve_count; i++) {
        int64_t from_middle = llabs(2 * i - (log->curve_count - 1));
        if (!isfinite(log->curve[i]))
            continue;
        if (best < 0 || log->curve[i] > log->curve[best] ||
            (log->curve[i] >= log->curve[best] &&
             from_middle < llabs(2 * best - (log->curve_count - 1))))
            best = i;
    }
    return best;
}

static void alpha_table(FILE *stream, const report_log *log, const double *alphas) {
    details_open(stream, "Weights as a table");
    table_open(stream, "alpha|metric");
    for (int64_t i = 0; i < log->curve_count; i++) {
        row_open(stream);
        cell_number(stream, alphas[i], 3);
        cell_number(stream, log->curve[i], 4);
        row_close(stream);
    }
    table_close(stream);
    details_close(stream);
}

static void draw_alpha(svg_chart *chart, const report_log *log, const double *alphas,
                       const char *metric) {
    int64_t best = best_alpha(log);
    char used[48], found[48];
    svg_axes(chart, "alpha: 0 is text alone, 1 is ID alone", metric);
    svg_line(chart, alphas, log->curve, log->curve_count, classes[SERIES_FUSED], 0);
    svg_ring(chart, alphas[best], log->curve[best]);
    snprintf(found, sizeof found, "best %.4f", log->curve[best]);
    svg_label label = {
        .text = found, .class_name = label_classes[SERIES_FUSED], .y = log->curve[best]};
    svg_labels(chart, &label, 1);
    if (isfinite(log->alpha)) {
        snprintf(used, sizeof used, "used: %.3g", log->alpha);
        svg_mark(chart, log->alpha, 0.04, used);
    }
}

void chart_alpha(FILE *stream, const report_log *log) {
    static const char title[] = "The weight of the fusion";
    double low, high;
    if (log->curve == NULL || !extent(&low, &high, log->curve, log->curve_count)) {
        missing(stream, title,
                log->has_test ? "The log holds no curve of alpha: there were not two towers or no "
                                "validation, or an older version wrote it."
                              : "The log holds no curve of alpha: it is written with the test.");
        return;
    }
    const char *metric = log->metric != NULL ? log->metric : "metric";
    char about[160], caption[256];
    double *alphas = program_resize(NULL, log->curve_count, sizeof *alphas);
    for (int64_t i = 0; i < log->curve_count; i++)
        alphas[i] = (double)i / (double)(log->curve_count - 1);
    int64_t best = best_alpha(log);
    snprintf(about, sizeof about,
             "The validation %s at each weight alpha of the ID scores; the best "
             "is %.4f at alpha %.3g.",
             metric, log->curve[best], alphas[best]);
    snprintf(caption, sizeof caption,
             "Validation %s of fused scores, alpha times the ID score plus "
             "1 - alpha times the text score. The ring: the best, at alpha %.3g.",
             metric, alphas[best]);
    svg_chart chart;
    figure_open(stream, title);
    svg_open(&chart, stream, "alpha", title, about, line_margins, PLOT_HEIGHT);
    chart.x = (svg_axis){.low = 0, .high = 1, .step = 0.2, .decimals = 1};
    chart.y = svg_axis_round(low, high, 5);
    draw_alpha(&chart, log, alphas, metric);
    svg_close(&chart);
    figure_close(stream, caption);
    alpha_table(stream, log, alphas);
    figure_end(stream);
    free(alphas);
}

typedef struct histogram_words {
    const char *id;
    const char *title;
    const char *about;
    const char *heads; /* of the table */
    const char *none;
} histogram_words;

static void chart_histogram(FILE *stream, const histogram_words *words, const histogram_bin *bins,
                            int64_t count) {
    count = histogram_trim(&bins, count);
    if (count == 0) {
        missing(stream, words->title, words->none);
        return;
    }
    int64_t all = 0, most = histogram_most(bins, count);
    for (int64_t i = 0; i < count; i++)
        all += bins[i].count;
    svg_chart chart;
    figure_open(stream, words->title);
    svg_open(&chart, stream, words->id, words->title, words->about, bar_margins,
             (double)(count * (ROW + 3)));
    for (int64_t i = 0; i < count; i++) {
        char range[48], value[64];
        histogram_range(range, sizeof range, bins[i].low, bins[i].high);
        double percent = 100 * (double)bins[i].count / (double)all;
        snprintf(value, sizeof value, "%s (%.*f%%)", terminal_count(bins[i].count),
                 percent < 1 ? 1 : 0, percent);
        svg_bar(&chart, (double)(i * (ROW + 3)), (double)bins[i].count / (double)most, "data",
                range, value);
    }
    svg_close(&chart);
    figure_close(stream, words->about);
    details_open(stream, "Histogram as a table");
    table_open(stream, words->heads);
    for (int64_t i = 0; i < count; i++) {
        char range[48];
        histogram_range(range, sizeof range, bins[i].low, bins[i].high);
        row_open(stream);
        cell_name(stream, range);
        cell_count(stream, bins[i].count);
        row_close(stream);
    }
    table_close(stream);
    details_close(stream);
    figure_end(stream);
}

static const char no_histogram[] = "The log holds no histograms: an older version wrote it. With "
                                   "--config, the YAML file of the training, the data are counted.";

void chart_lengths(FILE *stream, const report_log *log) {
    const histogram_words words = {.id = "lengths",
                                   .title = "Sessions by length",
                                   .about = "Training, validation and test sessions by their "
                                            "number of items.",
                                   .heads = "items|sessions",
                                   .none = no_histogram};
    chart_histogram(stream, &words, log->lengths, log->length_count);
}

void chart_occurrences(FILE *stream, const report_log *log) {
    const histogram_words words = {.id = "occurrences",
                                   .title = "Items by popularity",
                                   .about = "Items by how often they occur in all sessions.",
                                   .heads = "occurrences|items",
                                   .none = no_histogram};
    chart_histogram(stream, &words, log->occurrences, log->occurrence_count);
}
