/* alterrec inspect: what a model file, an options file or a session file holds. */
#include "arguments.h"
#include "histogram.h"
#include "program.h"
#include "settings.h"
#include "terminal.h"

#include <alterrec/alterrec.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_SHOWN = 5, BAR_WIDTH = 40 };

static bool ends_with(const char *path, const char *suffix) {
    size_t length = strlen(path);
    size_t suffix_length = strlen(suffix);
    return length >= suffix_length && strcmp(path + length - suffix_length, suffix) == 0;
}

static void print_changed_options(const alterrec_config *config) {
    printf("options that are not the default:\n");
    alterrec_option option = {.struct_size = sizeof option};
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        if (alterrec_option_describe(&option, i) != ALTERREC_OK)
            continue;
        const char *value = settings_get(config, option.key);
        if (strcmp(value, option.default_value) != 0)
            printf("  %-28s %s\n", option.key, value);
    }
}

static void print_items(const alterrec_catalog *catalog) {
    int64_t items = alterrec_catalog_items(catalog);
    printf("\nitems:\n");
    for (int32_t item = 0; item < items && item < KEYS_SHOWN; item++) {
        const char *text = alterrec_catalog_text(catalog, item);
        printf(text[0] != '\0' ? "  %-12s %s\n" : "  %s%s\n", alterrec_catalog_key(catalog, item),
               text);
    }
    if (items > KEYS_SHOWN)
        printf("  and %s more\n", terminal_count(items - KEYS_SHOWN));
}

static int inspect_model(const char *path) {
    alterrec_model *model;
    if (alterrec_model_load(&model, path) != ALTERREC_OK)
        return program_library_error();
    const alterrec_catalog *catalog = alterrec_model_catalog(model);
    printf("%s: a model of %s items\n\n", path, terminal_count(alterrec_catalog_items(catalog)));
    print_changed_options(alterrec_model_config(model));

    printf("\nparameters:\n");
    int64_t parameters = 0;
    alterrec_tensor tensor = {.struct_size = sizeof tensor};
    for (int64_t i = 0; i < alterrec_model_tensor_count(model); i++) {
        if (alterrec_model_tensor_describe(&tensor, model, i) != ALTERREC_OK)
            continue;
        char shape[48];
        snprintf(shape, sizeof shape, tensor.dims > 1 ? "%" PRId64 " x %" PRId64 : "%" PRId64,
                 tensor.shape[0], tensor.shape[1]);
        printf("  %-48s %16s\n", tensor.name, shape);
        parameters += tensor.count;
    }
    printf("  %-48s %16s\n", "altogether", terminal_count(parameters));
    printf("  %-48s %16s\n", "text features an item (not trained)",
           terminal_count(alterrec_catalog_feature_dim(catalog)));
    print_items(catalog);
    alterrec_model_free(model);
    return PROGRAM_OK;
}

/* Prints the bins from the first to the last that is not empty. */
static void print_bins(const histogram_bin *bins, int64_t count) {
    count = histogram_trim(&bins, count);
    int64_t most = histogram_most(bins, count);
    for (int64_t i = 0; i < count; i++) {
        char range[48];
        histogram_range(range, sizeof range, bins[i].low, bins[i].high);
        printf("  %-13s %12s", range, terminal_count(bins[i].count));
        terminal_bar(stdout, (double)bins[i].count / (double)most, BAR_WIDTH);
    }
}

static int print_histograms(const alterrec_dataset *dataset) {
    data_histograms histograms;
    if (histograms_count(&histograms, dataset) != ALTERREC_OK)
        return program_library_error();
    printf("\nsessions by length:\n");
    print_bins(histograms.lengths, HISTOGRAM_LENGTHS);
    printf("\nitems by number of occurrences:\n");
    print_bins(histograms.occurrences, HISTOGRAM_OCCURRENCES);
    return PROGRAM_OK;
}

static int inspect_data(const alterrec_config *config) {
    alterrec_dataset *dataset;
    alterrec_data_report report = {.struct_size = sizeof report};
    if (alterrec_dataset_read(&dataset, config) != ALTERREC_OK)
        return program_library_error();
    int code = PROGRAM_OK;
    if (alterrec_dataset_report(&report, dataset) != ALTERREC_OK)
        code = program_library_error();
    if (code == PROGRAM_OK) {
        settings_print_report(&report, config);
        code = print_histograms(dataset);
        print_items(alterrec_dataset_catalog(dataset));
    }
    alterrec_dataset_free(dataset);
    return code;
}

/* Counting needs no text features. */
static int inspect_sessions(const command_line *line, const text_list *assignments) {
    const char *path = line->operands.texts[0];
    text_list files = {0};
    alterrec_config *config;
    alterrec_status status = alterrec_config_create(&config);
    bool is_options = ends_with(path, ".yaml") || ends_with(path, ".yml");
    if (status == ALTERREC_OK)
        status = alterrec_config_set(config, "text.source", "none");
    if (status == ALTERREC_OK && !is_options)
        status = alterrec_config_set(config, "data.interactions", path);
    if (status == ALTERREC_OK && !is_options)
        status = alterrec_config_set(config, "data.split", "none");
    int code = status == ALTERREC_OK ? PROGRAM_OK : program_library_error();
    if (is_options)
        text_list_add(&files, path);
    if (code == PROGRAM_OK)
        code = settings_apply(config, line, &files, assignments);
    if (code == PROGRAM_OK)
        code = inspect_data(config);
    free(files.texts);
    alterrec_config_free(config);
    return code;
}

/* A safetensors file: eight bytes of header length, then JSON. */
static bool is_model(const char *path) {
    unsigned char head[9] = {0};
    FILE *stream = fopen(path, "rb");
    size_t count = stream != NULL ? fread(head, 1, sizeof head, stream) : 0;
    if (stream != NULL)
        fclose(stream);
    return ends_with(path, ".safetensors") ||
           (count == sizeof head && head[7] == 0 && head[8] == '{');
}

int inspect_command(int argc, char **argv) {
    text_list assignments = {0};
    const cli_flag flags[] = {
        {.name = "set",
         .value_name = "KEY=VALUE",
         .list = &assignments,
         .help = "an option for reading the data, may be given several times"},
    };
    command_line line = {
        .name = "inspect",
        .synopsis = "FILE [--set KEY=VALUE ...]",
        .about = "Prints what a file holds: a model (options, parameters, items), the data that a "
                 "YAML file of options names, or one session file (lengths, popularity).",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .operands_low = 1,
        .operands_high = 1,
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    const char *path = line.operands.texts[0];
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        code = program_error("%s: %s", path, strerror(errno));
    } else {
        fclose(stream);
        code = is_model(path) ? inspect_model(path) : inspect_sessions(&line, &assignments);
    }
    arguments_free(&line);
    return code;
}
