#include "report_charts.h"
#include "program.h"
#include "report_figure.h"
#include "report_table.h"
#include "terminal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { ROW = 17, HEADING = 22 };

static const svg_margins bar_margins = {.left = 92, .right = 96, .top = 4, .bottom = 4};

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
        svg_bar(chart, top, figure, series_classes[s], series_names[s], value);
        top += ROW;
    }
    return top + 6;
}

void chart_groups(FILE *stream, const report_evaluation *test) {
    char title[96];
    if (test->figures == NULL || test->group_count == 0) {
        figure_missing(stream, "Hits by popularity of the label",
                       test->figures == NULL
                           ? "The log holds no test."
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
    figure_caption(stream,
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
    svg_line(chart, alphas, log->curve, log->curve_count, series_classes[SERIES_FUSED], 0);
    svg_ring(chart, alphas[best], log->curve[best]);
    snprintf(found, sizeof found, "best %.4f", log->curve[best]);
    svg_label label = {
        .text = found, .class_name = series_label_classes[SERIES_FUSED], .y = log->curve[best]};
    svg_labels(chart, &label, 1);
    if (isfinite(log->alpha)) {
        snprintf(used, sizeof used, "used: %.3g", log->alpha);
        svg_mark(chart, log->alpha, 0.04, used);
    }
}

void chart_alpha(FILE *stream, const report_log *log) {
    static const char title[] = "The weight of the fusion";
    double low, high;
    if (log->curve == NULL || !figure_extent(&low, &high, log->curve, log->curve_count)) {
        figure_missing(stream, title,
                       log->has_test
                           ? "The log holds no curve of alpha: there were not two towers or no "
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
    svg_open(&chart, stream, "alpha", title, about, figure_margins, FIGURE_HEIGHT);
    chart.x = (svg_axis){.low = 0, .high = 1, .step = 0.2, .decimals = 1};
    chart.y = svg_axis_round(low, high, 5);
    draw_alpha(&chart, log, alphas, metric);
    svg_close(&chart);
    figure_caption(stream, caption);
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
        figure_missing(stream, words->title, words->none);
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
    figure_caption(stream, words->about);
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
