/* alterrec bench serve: latency and throughput of a recommender, beside what the machine allows. */
#include "bench_client.h"
#include "json.h"
#include "program.h"
#include "settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SESSION_POOL = 4096 }; /* made once, asked for in turn */

static const char *const mode_names[] = {"sessions", "live"};

/* What is asked of the benchmark. */
typedef struct serve_settings {
    bench_setup setup;
    bench_list batches, rates;
    const char *precisions[3];
    int precision_count;
    bool modes[2];
    int64_t k, clients, seconds;
    const char *model;    /* a file, or NULL: random tables */
    const char *snapshot; /* a file to serve from, or NULL */
} serve_settings;

/* ---- what the machine allows ---- */

static double bytes_of(const char *precision) {
    return strcmp(precision, "int8") == 0 ? 1.0 : strcmp(precision, "bf16") == 0 ? 2.0 : 4.0;
}

static double rate_of(const machine_rates *rates, const char *precision) {
    if (strcmp(precision, "int8") == 0 && rates->int8 > 0.0)
        return rates->int8;
    return strcmp(precision, "bf16") == 0 && rates->bf16 > 0.0 ? rates->bf16 : rates->f32;
}

/* Operations that encoding a request cannot do without: every token needs keys and values of each
 * block, and all of the blocks but the last; of the last one only the last token of a session is
 * asked for. */
static double encoder_operations(const serve_row *row, const bench_setup *setup) {
    double dim = bench_option(setup, "model.dim");
    double blocks = bench_option(setup, "model.blocks");
    double towers = (double)row->width / dim;
    double square = 2.0 * dim * dim; /* one product of a token with a matrix [dim, dim] */
    return towers * (row->tokens * ((blocks - 1.0) * 12.0 + 2.0) + (double)row->batch * 10.0) *
           square;
}

static double scan_operations(const serve_row *row) {
    return 2.0 * (double)row->batch * (double)row->items * (double)row->width;
}

/* Of memory an item, at most: the f32 row, and its compact copy with the numbers that belong to it
 * and what fills a row's cache lines up. */
static double item_bytes(const serve_row *row) {
    bool compact = strcmp(row->precision, "f32") != 0;
    return (double)row->width * (4.0 + (compact ? bytes_of(row->precision) : 0.0)) +
           (compact ? 20.0 + 71.0 : 0.0);
}

/* Seconds that reading the whole table once takes. */
static double read_floor(const serve_row *row, const machine_rates *rates) {
    return (double)row->items * (double)row->width * bytes_of(row->precision) / rates->bandwidth;
}

/* Seconds that the products with the whole table take at the measured rates of the encoder's and
 * the table's precision. */
static double product_floor(const serve_row *row, const machine_rates *rates,
                            const bench_setup *setup) {
    const char *encoder = settings_get(setup->config, "serve.encoder");
    /* An int8 weight is multiplied with both bytes of what it meets. */
    double times = strcmp(encoder, "int8") == 0 ? 2.0 : 1.0;
    return times * encoder_operations(row, setup) / rate_of(rates, encoder) +
           scan_operations(row) / rate_of(rates, row->precision);
}

/* ---- report ---- */

static void print_head(FILE *stream) {
    fprintf(stream, "%9s %-5s %-8s %5s %3s %3s %7s %9s %9s %9s %10s %8s %8s %8s %7s\n", "items",
            "table", "mode", "batch", "thr", "cli", "rate", "p50 ms", "p90 ms", "p99 ms",
            "sessions/s", "x read", "% prod", "rerank", "B/item");
}

static void print_row(FILE *stream, const serve_row *row, const machine_rates *rates,
                      const bench_setup *setup) {
    double p50 = bench_quantile(&row->times, 0.5);
    double answered = (double)(row->times.count * row->batch);
    char rate[24] = "-";
    if (row->rate > 0.0)
        snprintf(rate, sizeof rate, "%.0f", row->rate);
    fprintf(stream,
            "%9" PRId64 " %-5s %-8s %5" PRId64 " %3" PRId64 " %3" PRId64
            " %7s %9.3f %9.3f %9.3f %10.0f %8.2f %8.1f %8.0f %7.0f\n",
            row->items, row->precision, mode_names[row->mode], row->batch, row->threads,
            row->clients, rate, p50 * 1e3, bench_quantile(&row->times, 0.9) * 1e3,
            bench_quantile(&row->times, 0.99) * 1e3, answered / row->seconds,
            p50 / read_floor(row, rates), 100.0 * product_floor(row, rates, setup) / p50,
            (double)row->reranked / answered, item_bytes(row));
    fflush(stream);
}

static void json_row(FILE *stream, const serve_row *row, const machine_rates *rates,
                     const bench_setup *setup, double open_seconds) {
    double p50 = bench_quantile(&row->times, 0.5);
    double answered = (double)(row->times.count * row->batch);
    fprintf(stream, "{\"mode\":\"%s\",\"precision\":\"%s\"", mode_names[row->mode], row->precision);
    bench_json_field(stream, "items", (double)row->items);
    bench_json_field(stream, "width", (double)row->width);
    bench_json_field(stream, "batch", (double)row->batch);
    bench_json_field(stream, "threads", (double)row->threads);
    bench_json_field(stream, "clients", (double)row->clients);
    bench_json_field(stream, "rate", row->rate);
    bench_json_field(stream, "requests", (double)row->times.count);
    bench_json_field(stream, "p50_ms", p50 * 1e3);
    bench_json_field(stream, "p90_ms", bench_quantile(&row->times, 0.9) * 1e3);
    bench_json_field(stream, "p99_ms", bench_quantile(&row->times, 0.99) * 1e3);
    bench_json_field(stream, "sessions_per_second", answered / row->seconds);
    bench_json_field(stream, "tokens_per_request", row->tokens);
    bench_json_field(stream, "read_floor_ms", read_floor(row, rates) * 1e3);
    bench_json_field(stream, "product_floor_ms", product_floor(row, rates, setup) * 1e3);
    bench_json_field(stream, "guaranteed", (double)row->guaranteed / answered);
    bench_json_field(stream, "reranked_per_session", (double)row->reranked / answered);
    bench_json_field(stream, "rescans_per_session", (double)row->rescans / answered);
    bench_json_field(stream, "bytes_per_item", item_bytes(row));
    bench_json_field(stream, "open_ms", open_seconds * 1e3);
    bench_json_field(stream, "bandwidth", rates->bandwidth);
    bench_json_field(stream, "f32_rate", rates->f32);
    bench_json_field(stream, "bf16_rate", rates->bf16);
    bench_json_field(stream, "int8_rate", rates->int8);
    fputs("}\n", stream);
    fflush(stream);
}

/* ---- all rows ---- */

/* What one recommender is measured with. */
typedef struct serve_subject {
    const serve_settings *settings;
    const bench_machine *machine;
    alterrec_recommender *recommender;
    const char *precision;
    bench_sessions pool;
    int64_t items;
    double open_seconds;
} serve_subject;

static int measure_row(const serve_subject *subject, serve_mode mode, int64_t batch,
                       int64_t threads, int64_t rate) {
    const serve_settings *settings = subject->settings;
    serve_row row = {.mode = mode,
                     .precision = subject->precision,
                     .items = subject->items,
                     .width = alterrec_recommender_width(subject->recommender),
                     .batch = batch,
                     .threads = threads,
                     .clients = settings->clients,
                     .k = settings->k,
                     .least_seconds = (double)settings->seconds,
                     .rate = (double)rate};
    int code = bench_clients_run(&row, subject->recommender, &subject->pool);
    if (code == PROGRAM_OK && row.times.count == 0)
        code = program_error("at %" PRId64 " requests a second none arrives in %" PRId64 " seconds",
                             rate, settings->seconds);
    if (code == PROGRAM_OK) {
        const machine_rates *rates = &subject->machine->rates[threads];
        print_row(bench_stream(settings->setup.json), &row, rates, &settings->setup);
        if (settings->setup.json != NULL)
            json_row(settings->setup.json, &row, rates, &settings->setup, subject->open_seconds);
    }
    bench_times_free(&row.times);
    return code;
}

static int measure_rows(const serve_subject *subject) {
    const serve_settings *settings = subject->settings;
    int code = PROGRAM_OK;
    for (int mode = 0; mode < 2; mode++)
        for (int64_t b = 0; settings->modes[mode] && b < settings->batches.count; b++)
            for (int64_t t = 0; t < settings->setup.threads.count; t++)
                for (int64_t r = 0; r < settings->rates.count && code == PROGRAM_OK; r++)
                    code =
                        measure_row(subject, (serve_mode)mode, settings->batches.numbers[b],
                                    settings->setup.threads.numbers[t], settings->rates.numbers[r]);
    return code;
}

static int measure_precision(serve_subject *subject, const alterrec_model *model) {
    const serve_settings *settings = subject->settings;
    const char *snapshot = settings->snapshot;
    alterrec_status status =
        alterrec_config_set(settings->setup.config, "serve.precision", subject->precision);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_create(&subject->recommender, model, settings->setup.config);
    if (status == ALTERREC_OK && snapshot != NULL) {
        status = alterrec_recommender_save(subject->recommender, snapshot);
        alterrec_recommender_free(subject->recommender);
        subject->recommender = NULL;
        double begin = machine_seconds();
        if (status == ALTERREC_OK)
            status =
                alterrec_recommender_open(&subject->recommender, snapshot, settings->setup.config);
        subject->open_seconds = machine_seconds() - begin;
    }
    int code = status == ALTERREC_OK ? measure_rows(subject) : program_library_error();
    alterrec_recommender_free(subject->recommender);
    subject->recommender = NULL;
    return code;
}

static int measure_model(const serve_settings *settings, const bench_machine *machine,
                         const alterrec_model *model) {
    cli_dice dice = {7};
    serve_subject subject = {.settings = settings,
                             .machine = machine,
                             .items = alterrec_catalog_items(alterrec_model_catalog(model)),
                             .open_seconds = (double)NAN};
    bench_sessions_make(&subject.pool, SESSION_POOL, (double)settings->setup.length, subject.items,
                        &dice);
    int code = PROGRAM_OK;
    for (int p = 0; p < settings->precision_count && code == PROGRAM_OK; p++) {
        subject.precision = settings->precisions[p];
        code = measure_precision(&subject, model);
    }
    bench_sessions_free(&subject.pool);
    return code;
}

static int measure_all(void *argument) {
    const serve_settings *settings = argument;
    FILE *stream = bench_stream(settings->setup.json);
    bench_machine machine = {0};
    if (!bench_machine_measure(&machine, &settings->setup.threads, stream))
        return PROGRAM_ERROR;
    print_head(stream);
    int code = PROGRAM_OK;
    int64_t models = settings->model == NULL ? settings->setup.items.count : 1;
    for (int64_t i = 0; i < models && code == PROGRAM_OK; i++) {
        alterrec_model *model = NULL;
        if (settings->model == NULL)
            code = bench_model_create(&model, settings->setup.config,
                                      settings->setup.items.numbers[i], settings->setup.features);
        else if (alterrec_model_load(&model, settings->model) != ALTERREC_OK)
            code = program_library_error();
        if (code == PROGRAM_OK)
            code = measure_model(settings, &machine, model);
        alterrec_model_free(model);
    }
    fprintf(stream,
            "\nx read: the median request beside reading the whole table once at the measured "
            "bandwidth\n%% prod: what the products with all of it alone take at the measured "
            "rates, of the median request\n(a search that needs few columns of most items is below "
            "1 and above 100)\nrerank: items scored exactly for a session\n"
            "most memory in use: %.0f MB\n",
            (double)machine_peak_memory() * 1e-6);
    return code;
}

/* ---- command line ---- */

/* The texts of the flags that take lists. */
typedef struct serve_texts {
    const char *precisions, *modes, *batches, *rates;
} serve_texts;

static int read_precisions(serve_settings *settings, const command_line *line, const char *text) {
    static const char *const known[] = {"f32", "bf16", "int8"};
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        int found = 0;
        while (found < 3 &&
               (strlen(known[found]) != length || memcmp(known[found], at, length) != 0))
            found++;
        if (found == 3 || settings->precision_count == 3)
            return arguments_wrong(line, "--precision is %s, it must be some of f32,bf16,int8",
                                   text);
        settings->precisions[settings->precision_count++] = known[found];
        at += length;
        if (*at == '\0')
            return PROGRAM_OK;
    }
}

static int read_modes(serve_settings *settings, const command_line *line, const char *text) {
    settings->modes[MODE_SESSIONS] = strcmp(text, "live") != 0;
    settings->modes[MODE_LIVE] = strcmp(text, "sessions") != 0;
    if (settings->modes[0] && settings->modes[1] && strcmp(text, "sessions,live") != 0)
        return arguments_wrong(line, "--mode is %s, it must be sessions, live or sessions,live",
                               text);
    return PROGRAM_OK;
}

static int read_texts(serve_settings *settings, const command_line *line,
                      const serve_texts *texts) {
    int code = bench_list_read(&settings->batches, line, "batch", texts->batches, 1, 65536);
    if (code == PROGRAM_OK)
        code = bench_list_read(&settings->rates, line, "rate", texts->rates, 0, 10000000);
    if (code == PROGRAM_OK)
        code = read_precisions(settings, line, texts->precisions);
    if (code == PROGRAM_OK)
        code = read_modes(settings, line, texts->modes);
    return code;
}

int bench_serve_command(int argc, char **argv) {
    serve_settings settings = {.setup = {.items_text = "44577",
                                         .threads_text = "1,2",
                                         .features = 32,
                                         .length = 5,
                                         .least_length = 1},
                               .k = 20,
                               .clients = 1,
                               .seconds = 2};
    serve_texts texts = {
        .precisions = "f32,bf16,int8", .modes = "sessions,live", .batches = "1,64", .rates = "0"};
    enum { OWN_FLAGS = 9 };
    cli_flag flags[BENCH_SETUP_FLAGS + OWN_FLAGS];
    const cli_flag own[OWN_FLAGS] = {
        {.name = "model",
         .value_name = "FILE",
         .text = &settings.model,
         .help = "a trained model instead of random tables"},
        {.name = "precision",
         .value_name = "LIST",
         .text = &texts.precisions,
         .help = "tables (f32,bf16,int8)"},
        {.name = "mode",
         .value_name = "LIST",
         .text = &texts.modes,
         .help = "whole sessions, or live ones that are pushed one item each (sessions,live)"},
        {.name = "batch",
         .value_name = "LIST",
         .text = &texts.batches,
         .help = "sessions of a request (1,64)"},
        {.name = "clients",
         .value_name = "N",
         .number = &settings.clients,
         .low = 1,
         .high = CLIENTS_MOST,
         .help = "threads of the host that ask at once, each with its own sessions (1)"},
        {.name = "rate",
         .value_name = "LIST",
         .text = &texts.rates,
         .help = "requests that arrive a second, answered or not; 0: one after the other (0)"},
        {.name = "k",
         .value_name = "K",
         .number = &settings.k,
         .low = 1,
         .high = 1000,
         .help = "items asked for (20)"},
        {.name = "seconds",
         .value_name = "S",
         .number = &settings.seconds,
         .low = 0,
         .high = 3600,
         .help = "how long each row is measured, but for at least 20 requests (2)"},
        {.name = "snapshot",
         .value_name = "FILE",
         .text = &settings.snapshot,
         .help = "write the recommender there, and serve from the mapped file"},
    };
    bench_setup_flags(flags, &settings.setup);
    memcpy(flags + BENCH_SETUP_FLAGS, own, sizeof own);
    command_line line = {
        .name = "bench serve",
        .synopsis = "[CONFIG.yaml ...] [--items LIST] [--precision LIST] [--batch LIST] [flags]",
        .about = "Asks a recommender for the best items of random sessions and reports latencies, "
                 "sessions a second, and how both compare to what this machine's memory and "
                 "arithmetic allow, measured in the same run.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .operands_low = 0,
        .operands_high = -1,
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    code = read_texts(&settings, &line, &texts);
    if (code == PROGRAM_OK)
        code = bench_setup_run(&settings.setup, &line, measure_all, &settings);
    arguments_free(&line);
    return code;
}
