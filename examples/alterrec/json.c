#include "json.h"
#include "names.h"
#include "settings.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void json_string(FILE *stream, const char *text) {
    fputc('"', stream);
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\')
            fprintf(stream, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7F)
            fprintf(stream, "\\u%04x", byte);
        else
            fputc(byte, stream);
    }
    fputc('"', stream);
}

void json_number(FILE *stream, double number, int digits) {
    if (isfinite(number))
        fprintf(stream, "%.*g", digits, number);
    else
        fputs("null", stream);
}

/* Whether a value of this option may stand in JSON without quotes. */
static bool is_bare(const alterrec_option *option, const char *value) {
    if (strcmp(option->type, "bool") == 0)
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
    bool is_number = strcmp(option->type, "int") == 0 || strcmp(option->type, "float") == 0;
    return is_number && value[0] != '\0' && strspn(value, "0123456789.eE+-") == strlen(value);
}

static void option_member(FILE *stream, const alterrec_option *option, const char *value) {
    json_string(stream, option->key);
    fputc(':', stream);
    if (is_bare(option, value))
        fputs(value, stream);
    else
        json_string(stream, value);
}

void json_options(FILE *stream, const alterrec_config *config) {
    alterrec_option option = {.struct_size = sizeof option};
    const char *separator = "";
    fputc('{', stream);
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        if (alterrec_option_describe(&option, i) != ALTERREC_OK)
            continue;
        fputs(separator, stream);
        separator = ",";
        option_member(stream, &option, settings_get(config, option.key));
    }
    fputc('}', stream);
}

void json_defaults(FILE *stream, const alterrec_config *config) {
    alterrec_option option = {.struct_size = sizeof option};
    const char *separator = "";
    fputc('{', stream);
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        if (alterrec_option_describe(&option, i) != ALTERREC_OK ||
            strcmp(settings_get(config, option.key), option.default_value) == 0)
            continue;
        fputs(separator, stream);
        separator = ",";
        option_member(stream, &option, option.default_value);
    }
    fputc('}', stream);
}

typedef struct field {
    const char *name;
    int64_t value;
} field;

void json_data_report(FILE *stream, const alterrec_data_report *report) {
    const field fields[] = {
        {"rows_read", report->rows_read},
        {"rows_condition", report->rows_condition},
        {"rows_missing", report->rows_missing},
        {"rows_unknown_item", report->rows_unknown_item},
        {"interactions_read", report->interactions_read},
        {"repeats_dropped", report->repeats_dropped},
        {"rare_items_dropped", report->rare_items_dropped},
        {"rare_interactions", report->rare_interactions},
        {"sessions_read", report->sessions_read},
        {"sessions_too_short", report->sessions_too_short},
        {"sessions_too_long", report->sessions_too_long},
        {"items", report->items},
        {"items_with_text", report->items_with_text},
    };
    fputc('{', stream);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        fprintf(stream, "\"%s\":%" PRId64 ",", fields[i].name, fields[i].value);
    const int64_t *sessions = report->sessions;
    const int64_t *interactions = report->interactions;
    fprintf(stream, "\"sessions\":[%" PRId64 ",%" PRId64 ",%" PRId64 "],", sessions[0], sessions[1],
            sessions[2]);
    fprintf(stream, "\"interactions\":[%" PRId64 ",%" PRId64 ",%" PRId64 "]}", interactions[0],
            interactions[1], interactions[2]);
}

static void bins_member(FILE *stream, const char *name, const histogram_bin *bins, int count) {
    fprintf(stream, "\"%s\":[", name);
    for (int i = 0; i < count; i++) {
        fprintf(stream, "%s[%" PRId64 ",", i > 0 ? "," : "", bins[i].low);
        if (bins[i].high < 0)
            fputs("null", stream);
        else
            fprintf(stream, "%" PRId64, bins[i].high);
        fprintf(stream, ",%" PRId64 "]", bins[i].count);
    }
    fputc(']', stream);
}

void json_histograms(FILE *stream, const data_histograms *histograms) {
    fputc('{', stream);
    bins_member(stream, "lengths", histograms->lengths, HISTOGRAM_LENGTHS);
    fputc(',', stream);
    bins_member(stream, "occurrences", histograms->occurrences, HISTOGRAM_OCCURRENCES);
    fputc('}', stream);
}

void json_epoch(FILE *stream, const alterrec_epoch_report *report, const char *metric) {
    fprintf(stream,
            "{\"event\":\"epoch\",\"epoch\":%" PRId32 ",\"tower\":\"%s\",\"negatives\":\"%s\"",
            report->epoch, names_scorer(report->tower), names_negatives(report->negatives));
    fprintf(stream,
            ",\"examples\":%" PRId64 ",\"steps\":%" PRId64 ",\"learning_rate\":", report->examples,
            report->steps);
    json_number(stream, report->learning_rate, 9);
    fputs(",\"loss\":", stream);
    json_number(stream, report->loss, 9);
    fputs(",\"positives_loss\":", stream);
    json_number(stream, report->positives_loss, 9);
    fputs(",\"ID_loss\":", stream);
    json_number(stream, report->part_loss[0], 9);
    fputs(",\"text_loss\":", stream);
    json_number(stream, report->part_loss[1], 9);
    fputs(",\"seconds\":", stream);
    json_number(stream, report->seconds, 6);
    fputs(",\"valid_seconds\":", stream);
    json_number(stream, report->valid_seconds, 6);
    fputs(",\"metric\":", stream);
    json_string(stream, metric);
    static const char *const scorers[3] = {"fused", "ID", "text"};
    for (int i = 0; i < 3; i++) {
        fprintf(stream, ",\"%s\":", scorers[i]);
        json_number(stream, report->valid_metric[i], 9);
    }
    fprintf(stream, ",\"best\":%s,\"epochs_since_best\":%" PRId32 "}",
            report->best ? "true" : "false", report->epochs_since_best);
}
