/* alterrec bench evaluate: what an evaluation by full ranking costs, beside what the machine
 * allows.
 */
#include "bench.h"
#include "bench_model.h"
#include "json.h"
#include "program.h"

#include <inttypes.h>
#include <string.h>

enum { UNIT = 512 /* examples that a time is given for */ };

typedef struct evaluate_settings {
    bench_setup setup;
    int64_t examples, runs;
} evaluate_settings;

/* One row of the report. */
typedef struct evaluate_row {
    int64_t items, threads, examples;
    bool has_text;
    bench_times whole;   /* of an evaluation */
    bench_times ranking; /* of that, all but the item tables: encoding, scores and ranks */
} evaluate_row;

/* Operations that the examples cannot do without: one pass over a session serves its prefixes, so
 * each adds a token; then every item's score. */
static double ranking_operations(const evaluate_row *row, const bench_setup *setup) {
    double dim = bench_option(setup, "model.dim"), blocks = bench_option(setup, "model.blocks");
    double towers = row->has_text ? 2.0 : 1.0;
    return (double)row->examples * towers *
           (blocks * 12.0 * dim * dim * 2.0 + (double)row->items * dim * 2.0);
}

static double table_operations(const evaluate_row *row, const bench_setup *setup) {
    return 2.0 * (double)row->items * (double)setup->features * bench_option(setup, "model.dim");
}

/* ---- one row ---- */

static int32_t note_seconds(const alterrec_progress *progress, void *user_data) {
    *(double *)user_data = progress->seconds;
    return 0;
}

/* The first evaluation warms up. */
static alterrec_status evaluate(evaluate_row *row, const alterrec_model *model,
                                const alterrec_sessions *sessions, const alterrec_config *config,
                                int64_t runs) {
    for (int64_t run = 0; run <= runs; run++) {
        alterrec_evaluation *evaluation;
        double ranking = 0.0, begin = machine_seconds();
        alterrec_status status =
            alterrec_evaluate(&evaluation, model, sessions, NULL, config, note_seconds, &ranking);
        if (status != ALTERREC_OK)
            return status;
        row->examples = alterrec_evaluation_examples(evaluation);
        alterrec_evaluation_free(evaluation);
        if (run > 0) {
            bench_times_add(&row->whole, machine_seconds() - begin);
            bench_times_add(&row->ranking, ranking);
        }
    }
    bench_times_sort(&row->whole);
    bench_times_sort(&row->ranking);
    return ALTERREC_OK;
}

static int measure(evaluate_row *row, const evaluate_settings *settings,
                   const alterrec_model *model, const alterrec_sessions *sessions) {
    alterrec_config *config = NULL;
    char threads[24];
    machine_forget_peak();
    snprintf(threads, sizeof threads, "%" PRId64, row->threads);
    alterrec_status status = alterrec_config_clone(&config, settings->setup.config);
    if (status == ALTERREC_OK)
        status = alterrec_config_set(config, "compute.threads", threads);
    if (status == ALTERREC_OK)
        status = evaluate(row, model, sessions, config, settings->runs);
    alterrec_config_free(config);
    return status == ALTERREC_OK ? PROGRAM_OK : program_library_error();
}

/* ---- report ---- */

static void print_head(FILE *stream) {
    fprintf(stream, "%9s %6s %3s %9s %9s %9s %9s %7s %7s %9s %7s\n", "items", "towers", "thr",
            "examples", "ms/512", "exampl/s", "GF/s", "% rate", "% all", "tables ms", "MB");
}

static void report_row(const evaluate_row *row, const machine_rates *rates,
                       const bench_setup *setup) {
    double whole = bench_quantile(&row->whole, 0.5), ranking = bench_quantile(&row->ranking, 0.5);
    double operations = ranking_operations(row, setup), speed = operations / ranking;
    double all = (operations + table_operations(row, setup)) / whole;
    double unit = ranking * UNIT / (double)row->examples;
    int towers = row->has_text ? 2 : 1;
    FILE *stream = bench_stream(setup->json), *json = setup->json;
    fprintf(
        stream,
        "%9" PRId64 " %6d %3" PRId64 " %9" PRId64 " %9.1f %9.0f %9.0f %7.1f %7.1f %9.1f %7.0f\n",
        row->items, towers, row->threads, row->examples, unit * 1e3,
        (double)row->examples / ranking, speed * 1e-9, 100.0 * speed / rates->f32,
        100.0 * all / rates->f32, (whole - ranking) * 1e3, (double)machine_peak_memory() * 1e-6);
    fflush(stream);
    if (json == NULL)
        return;
    fprintf(json, "{\"items\":%" PRId64, row->items);
    bench_json_field(json, "towers", towers);
    bench_json_field(json, "threads", (double)row->threads);
    bench_json_field(json, "examples", (double)row->examples);
    bench_json_field(json, "runs", (double)row->whole.count);
    bench_json_field(json, "ms", whole * 1e3);
    bench_json_field(json, "ms_ranking", ranking * 1e3);
    bench_json_field(json, "ms_ranking_p10", bench_quantile(&row->ranking, 0.1) * 1e3);
    bench_json_field(json, "ms_ranking_p90", bench_quantile(&row->ranking, 0.9) * 1e3);
    bench_json_field(json, "ms_tables", (whole - ranking) * 1e3);
    bench_json_field(json, "ms_of_512_examples", unit * 1e3);
    bench_json_field(json, "examples_per_second", (double)row->examples / ranking);
    bench_json_field(json, "operations", operations);
    bench_json_field(json, "rate", rates->f32);
    bench_json_field(json, "share_of_rate", speed / rates->f32);
    bench_json_field(json, "share_of_rate_with_tables", all / rates->f32);
    bench_json_field(json, "peak_memory", (double)machine_peak_memory());
    fputs("}\n", json);
    fflush(json);
}

/* ---- all rows ---- */

static int measure_rows(const evaluate_settings *settings, const bench_machine *machine,
                        const alterrec_model *model, const alterrec_sessions *sessions,
                        int64_t items) {
    const bench_setup *setup = &settings->setup;
    int code = PROGRAM_OK;
    for (int64_t t = 0; t < setup->threads.count && code == PROGRAM_OK; t++) {
        evaluate_row row = {
            .items = items, .threads = setup->threads.numbers[t], .has_text = setup->features > 0};
        code = measure(&row, settings, model, sessions);
        if (code == PROGRAM_OK)
            report_row(&row, &machine->rates[row.threads], setup);
        bench_times_free(&row.whole);
        bench_times_free(&row.ranking);
    }
    return code;
}

static int measure_items(const evaluate_settings *settings, const bench_machine *machine,
                         int64_t items) {
    const bench_setup *setup = &settings->setup;
    alterrec_model *model = NULL;
    alterrec_sessions *sessions = NULL;
    int code = bench_model_create(&model, setup->config, items, setup->features);
    if (code == PROGRAM_OK)
        code = bench_sessions_create(&sessions, model, settings->examples, setup->length);
    if (code == PROGRAM_OK)
        code = measure_rows(settings, machine, model, sessions, items);
    alterrec_sessions_free(sessions);
    alterrec_model_free(model);
    return code;
}

static int measure_all(void *argument) {
    const evaluate_settings *settings = argument;
    const bench_setup *setup = &settings->setup;
    FILE *stream = bench_stream(setup->json);
    bench_machine machine = {0};
    if (!bench_machine_measure(&machine, &setup->threads, stream))
        return PROGRAM_ERROR;
    print_head(stream);
    int code = PROGRAM_OK;
    for (int64_t i = 0; i < setup->items.count && code == PROGRAM_OK; i++)
        code = measure_items(settings, &machine, setup->items.numbers[i]);
    fprintf(stream,
            "\nms/512, exampl/s, GF/s and %% rate: encoding, scores and ranks, of the f32 rate; "
            "GF/s: products alone, no padding\n"
            "%% all: with the item tables, which are computed once an evaluation\n"
            "MB: the most memory of the process in that row\n");
    return code;
}

int bench_evaluate_command(int argc, char **argv) {
    evaluate_settings settings = {.setup = {.items_text = "44577",
                                            .threads_text = "1,2",
                                            .features = 512,
                                            .length = 5,
                                            .least_length = 2},
                                  .examples = 8192,
                                  .runs = 3};
    cli_flag flags[BENCH_SETUP_FLAGS + 2] = {
        [BENCH_SETUP_FLAGS] = {.name = "examples",
                               .value_name = "E",
                               .number = &settings.examples,
                               .low = 1,
                               .high = 100000000,
                               .help = "examples that are evaluated, about (8192)"},
        [BENCH_SETUP_FLAGS + 1] = {.name = "runs",
                                   .value_name = "R",
                                   .number = &settings.runs,
                                   .low = 1,
                                   .high = 1000,
                                   .help = "evaluations, of which the median counts (3)"}};
    bench_setup_flags(flags, &settings.setup);
    command_line line = {
        .name = "bench evaluate",
        .synopsis = "[CONFIG.yaml ...] [--items LIST] [--threads LIST] [--examples E] [flags]",
        .about = "Ranks every item for each prefix of random sessions, as an evaluation does, and "
                 "reports how long it takes and what share of this machine's arithmetic, measured "
                 "in the same run, its products use.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .operands_low = 0,
        .operands_high = -1,
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    code = bench_setup_run(&settings.setup, &line, measure_all, &settings);
    arguments_free(&line);
    return code;
}
