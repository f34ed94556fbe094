#include "report_page.h"
#include "report_charts.h"
#include "report_epochs.h"
#include "report_svg.h"
#include "report_table.h"
#include "terminal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void paragraph(FILE *stream, const char *class_name, const char *text) {
    fprintf(stream, "<p class=\"%s\">", class_name);
    svg_text(stream, text);
    fputs("</p>\n", stream);
}

static void section(FILE *stream, const char *title) {
    fputs("<h2>", stream);
    svg_text(stream, title);
    fputs("</h2>\n", stream);
}

static void card(FILE *stream, const char *name, const char *value, const char *beside) {
    fputs("<div><dt>", stream);
    svg_text(stream, name);
    fputs("</dt><dd>", stream);
    svg_text(stream, value);
    if (beside[0] != '\0') {
        fputs(" <small>", stream);
        svg_text(stream, beside);
        fputs("</small>", stream);
    }
    fputs("</dd></div>\n", stream);
}

/* "ID 0.5489, text 0.4864": the towers' figures beside the fused one. */
static void towers_beside(char *text, size_t size, const double *figures) {
    text[0] = '\0';
    for (int s = SERIES_ID; s <= SERIES_TEXT; s++) {
        size_t used = strlen(text);
        if (isfinite(figures[s]))
            snprintf(text + used, size - used, "%s%s\xC2\xA0%.4f", used > 0 ? ", " : "",
                     series_names[s], figures[s]);
    }
}

static void test_card(FILE *stream, const report_evaluation *test) {
    if (test->figures == NULL)
        return;
    double figures[3];
    char name[48], value[32], beside[96];
    int64_t k = evaluation_k(test);
    for (int s = 0; s < 3; s++)
        figures[s] = evaluation_figure(test->figures, s, 0, k);
    snprintf(name, sizeof name, "test Hits@%" PRId64, k);
    snprintf(value, sizeof value, "%.4f", figures[SERIES_FUSED]);
    towers_beside(beside, sizeof beside, figures);
    card(stream, name, value, beside);
}

static void epoch_cards(FILE *stream, const report_log *log) {
    char name[96], value[64], beside[96];
    double seconds = 0;
    for (int64_t i = 0; i < log->epoch_count; i++) {
        const log_epoch *epoch = &log->epochs[i];
        seconds += isfinite(epoch->seconds) ? epoch->seconds : 0;
        seconds += isfinite(epoch->valid_seconds) ? epoch->valid_seconds : 0;
    }
    int64_t best = log_best(log);
    if (best >= 0) {
        const log_epoch *epoch = &log->epochs[best];
        double figures[3];
        for (int s = 0; s < 3; s++)
            figures[s] = log_has_series(log, s) ? epoch->valid[s] : (double)NAN;
        snprintf(name, sizeof name, "validation %s", log->metric != NULL ? log->metric : "metric");
        snprintf(value, sizeof value, "%.4f", epoch->valid[SERIES_FUSED]);
        towers_beside(beside, sizeof beside, figures);
        card(stream, name, value, beside);
        snprintf(value, sizeof value, "%" PRId64, epoch->epoch + 1);
        snprintf(beside, sizeof beside, "of %" PRId64 " trained", log->epoch_count);
        card(stream, "best epoch", value, beside);
    } else {
        card(stream, "epochs", terminal_count(log->epoch_count), "");
    }
    if (seconds > 0)
        card(stream, "time", terminal_duration(seconds), "training and validation");
}

static void data_cards(FILE *stream, const report_log *log) {
    char beside[96] = "";
    int64_t items = log_data(log, "items"), with_text = log_data(log, "items_with_text");
    if (items >= 0) {
        if (with_text >= 0)
            snprintf(beside, sizeof beside, "%s with text", terminal_count(with_text));
        card(stream, "items", terminal_count(items), beside);
    }
    if (log->sessions[0] >= 0) {
        snprintf(beside, sizeof beside, "and %s to validate, %s to test",
                 terminal_count(log->sessions[1]), terminal_count(log->sessions[2]));
        card(stream, "training sessions", terminal_count(log->sessions[0]), beside);
    }
}

/* What stopped the training or keeps the log from being whole. */
static void notes(FILE *stream, const report_page *page) {
    const report_log *log = page->log;
    if (log->library == NULL)
        paragraph(stream, "missing", "The log has no start: options and data are not known.");
    if (log->cut_off)
        paragraph(
            stream, "missing",
            "The last line of the log is cut off and left out: the training was stopped while "
            "it was written.");
    else if (!log->has_test && page->test_path == NULL && log->sessions[2] != 0)
        paragraph(stream, "missing",
                  "The log ends without a test: the training is still running, or was stopped.");
}

static void metric_table(FILE *stream, const report_evaluation *test, int metric) {
    char heads[16 * FIGURE_KS_MOST] = "";
    size_t used = (size_t)snprintf(heads, sizeof heads, "%s", figure_metrics[metric]);
    for (int64_t i = 0; i < test->k_count && used < sizeof heads; i++)
        used += (size_t)snprintf(heads + used, sizeof heads - used, "|@%" PRId64, test->ks[i]);
    table_open(stream, heads);
    for (int s = 0; s < SERIES; s++) {
        if (!test->has[s])
            continue;
        row_open(stream);
        cell_name(stream, series_names[s]);
        for (int64_t i = 0; i < test->k_count; i++)
            cell_number(stream, evaluation_figure(test->figures, s, metric, test->ks[i]), 4);
        row_close(stream);
    }
    table_close(stream);
}

static void results(FILE *stream, const report_page *page) {
    const report_evaluation *test = page->test;
    char text[512];
    section(stream, "Result");
    if (test->figures == NULL) {
        paragraph(stream, "missing",
                  page->log->sessions[2] == 0
                      ? "There were no test sessions. With --evaluation, what alterrec evaluate "
                        "--json printed takes the test's place."
                      : "The log holds no test.");
        return;
    }
    snprintf(text, sizeof text, "%s examples, ranked against the whole catalog%s%.300s",
             terminal_count(test->examples), page->test_path != NULL ? ", from " : "",
             page->test_path != NULL ? page->test_path : "");
    paragraph(stream, "quiet", text);
    fputs("<div class=\"grid narrow\">\n", stream);
    for (int m = 0; m < FIGURE_METRICS; m++)
        metric_table(stream, test, m);
    fputs("</div>\n", stream);
}

static void data_table(FILE *stream, const report_log *log) {
    static const struct {
        const char *field;
        const char *words;
    } rows[] = {
        {"rows_read", "rows read"},
        {"rows_condition", "rows dropped: value not above 0"},
        {"rows_missing", "rows dropped: no session or no item"},
        {"rows_unknown_item", "rows dropped: unknown item"},
        {"repeats_dropped", "repeated items dropped"},
        {"rare_items_dropped", "rare items dropped"},
        {"rare_interactions", "interactions dropped with them"},
        {"sessions_read", "sessions read"},
        {"sessions_too_short", "sessions dropped: too short"},
        {"sessions_too_long", "sessions dropped or cut: too long"},
    };
    static const char *const splits[3] = {"training", "validation", "test"};
    if (log->data == NULL) {
        paragraph(stream, "missing", "The log does not say what was read.");
        return;
    }
    fputs("<div class=\"grid\">\n", stream);
    table_open(stream, "set|sessions|interactions");
    for (int split = 0; split < 3; split++) {
        row_open(stream);
        cell_name(stream, splits[split]);
        cell_count(stream, log->sessions[split]);
        cell_count(stream, log->interactions[split]);
        row_close(stream);
    }
    table_close(stream);
    table_open(stream, "reading|count");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t count = log_data(log, rows[i].field);
        bool is_read = strstr(rows[i].field, "_read") != NULL;
        if (count < 0 || (count == 0 && !is_read))
            continue;
        row_open(stream);
        cell_name(stream, rows[i].words);
        cell_count(stream, count);
        row_close(stream);
    }
    table_close(stream);
    fputs("</div>\n", stream);
}

/* What this program's library says of the option; "" if it does not know it. */
static const char *option_help(const char *key, const char **initial) {
    static alterrec_option option;
    option.struct_size = sizeof option;
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        if (alterrec_option_describe(&option, i) == ALTERREC_OK && strcmp(option.key, key) == 0) {
            *initial = option.default_value;
            return option.help;
        }
    }
    *initial = NULL;
    return "";
}

static void code_cell(FILE *stream, const char *tag, const char *text, const char *beside) {
    fprintf(stream, "<%s><code>", tag);
    svg_text(stream, text[0] != '\0' ? text : "\"\"");
    fputs("</code>", stream);
    if (beside[0] != '\0') {
        fputs("<small>", stream);
        svg_text(stream, beside);
        fputs("</small>", stream);
    }
    fprintf(stream, "</%s>", tag);
}

/* The default of an option whose value is another one; NULL if it is the default. A log without
 * defaults is compared with this program's. */
static const char *changed_from(const report_log *log, const log_option *option) {
    const char *initial;
    if (log->has_defaults)
        return option->initial;
    option_help(option->key, &initial);
    return initial != NULL && strcmp(initial, option->value) != 0 ? initial : NULL;
}

static void options_table(FILE *stream, const report_log *log, bool changed) {
    const char *unused;
    fputs("<div class=\"table\"><table class=\"options\">\n<thead><tr><th scope=\"col\">option</th>"
          "<th scope=\"col\">value</th>",
          stream);
    fputs(changed ? "<th scope=\"col\">default</th></tr></thead>\n<tbody>\n"
                  : "</tr></thead>\n<tbody>\n",
          stream);
    for (int64_t i = 0; i < log->option_count; i++) {
        const log_option *option = &log->options[i];
        const char *initial = changed_from(log, option);
        if ((initial != NULL) != changed)
            continue;
        row_open(stream);
        code_cell(stream, "th", option->key, changed ? option_help(option->key, &unused) : "");
        code_cell(stream, "td", option->value, "");
        if (changed)
            code_cell(stream, "td", initial, "");
        row_close(stream);
    }
    fputs("</tbody>\n</table></div>\n", stream);
}

static void options(FILE *stream, const report_log *log) {
    section(stream, "Options");
    if (log->option_count == 0) {
        paragraph(stream, "missing", "The log does not hold the options.");
        return;
    }
    int64_t changed = 0;
    for (int64_t i = 0; i < log->option_count; i++)
        changed += changed_from(log, &log->options[i]) != NULL ? 1 : 0;
    if (!log->has_defaults)
        paragraph(stream, "missing",
                  "The log does not hold the defaults of its time: compared with this version's.");
    if (changed > 0)
        options_table(stream, log, true);
    else
        paragraph(stream, "quiet", "Every option has its default.");
    char summary[96];
    snprintf(summary, sizeof summary, "%s options that have their default",
             terminal_count(log->option_count - changed));
    details_open(stream, summary);
    options_table(stream, log, false);
    details_close(stream);
}

static void head(FILE *stream, const report_page *page) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>",
          stream);
    svg_text(stream, page->title);
    fprintf(stream, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>", page_style);
    svg_text(stream, page->title);
    fputs("</h1>\n", stream);
    if (page->log->library != NULL)
        paragraph(stream, "quiet", page->log->library);
    fputs("<dl class=\"cards\">\n", stream);
    test_card(stream, page->test);
    epoch_cards(stream, page->log);
    data_cards(stream, page->log);
    fputs("</dl>\n</header>\n<main>\n", stream);
    notes(stream, page);
}

void page_write(FILE *stream, const report_page *page) {
    const report_log *log = page->log;
    head(stream, page);
    results(stream, page);
    section(stream, "Training");
    fputs("<div class=\"grid\">\n", stream);
    chart_validation(stream, log);
    chart_loss(stream, log);
    fputs("</div>\n", stream);
    section(stream, "Rare and popular, ID and text");
    fputs("<div class=\"grid\">\n", stream);
    chart_groups(stream, page->test);
    chart_alpha(stream, log);
    fputs("</div>\n", stream);
    section(stream, "Data");
    data_table(stream, log);
    fputs("<div class=\"grid\">\n", stream);
    chart_lengths(stream, log);
    chart_occurrences(stream, log);
    fputs("</div>\n", stream);
    options(stream, log);
    fputs("</main>\n</body>\n</html>\n", stream);
}
