/* alterrec bench train: what a step of training costs, by its parts, beside what the machine
 * allows.
 */
#include "bench.h"
#include "bench_model.h"
#include "json.h"
#include "program.h"
#include "settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_STEPS = 2, CHOICES = 6, PROGRAM_BYTES = 24 << 20 /* code, threads, small arrays */ };

/* What is varied: each combination of the chosen values is a row. */
typedef struct step_choice {
    const char *flag;
    const char *values[2];
    const char *text; /* what was asked for: one value or both, with a comma between them */
    const char *help;
    bool chosen[2];
} step_choice;

enum { TOWER, NEGATIVES, POSITIVES, BATCHING, SHARING, PRECISION };

typedef struct train_settings {
    bench_setup setup;
    step_choice choices[CHOICES];
    int64_t steps;
} train_settings;

/* The parts of a step that have a column. */
enum { PARTS = ALTERREC_PART_OPTIMIZER + 1 };

/* One row of the report: a kind of step, and what was measured. */
typedef struct train_row {
    int picked[CHOICES]; /* index of each choice's value */
    int64_t items, threads, positives;
    bench_times times;             /* of steps */
    bench_times batching;          /* of putting batches together */
    int64_t peak_memory;           /* bytes */
    double examples, tokens, rows; /* a step's, on average */
    double seconds[PARTS];
} train_row;

static const char *const part_names[PARTS] = {"rows",  "teach", "table", "encod",
                                              "score", "loss",  "optim"};

/* Operations that a step cannot do without: those of its products. */
typedef struct step_operations {
    double own, teacher; /* of the tower in training, of the frozen one */
} step_operations;

static step_operations operations_of(const train_row *row, const train_settings *settings) {
    double dim = bench_option(&settings->setup, "model.dim");
    double blocks = bench_option(&settings->setup, "model.blocks");
    double encode = row->tokens * blocks * 12.0 * dim * dim * 2.0; /* forward */
    double score = row->examples * row->rows * dim * 2.0;
    double project = row->rows * (double)settings->setup.features * dim * 2.0;
    bool hard = row->picked[NEGATIVES] == 1, positive = row->picked[POSITIVES] == 1;
    /* Behind its last keys and values the teacher needs the states of examples alone. */
    double unasked = (row->tokens - row->examples) * 10.0 * dim * dim * 2.0;
    double teach = hard || positive ? encode - unasked : 0.0;
    if (hard)
        teach += score;
    if (positive && (!hard || row->picked[SHARING] == 1))
        teach += row->examples * (double)row->items * dim * 2.0;
    return (step_operations){.own = 3.0 * encode + 3.0 * score +
                                    (row->picked[TOWER] == 1 ? 2.0 * project : 0.0),
                             .teacher = teach};
}

/* Whether the frozen tower's products are of bf16 numbers. */
static bool ranks_in_bf16(const train_row *row, const train_settings *settings) {
    const char *ranking = NULL;
    return row->picked[PRECISION] == 1 || (alterrec_config_get(&ranking, settings->setup.config,
                                                               "compute.ranking") == ALTERREC_OK &&
                                           strcmp(ranking, "bf16") == 0);
}

/* Bytes that training with the row's kind of step needs, by the formula of docs/performance.md. The
 * shapes in numbers of f32: N items, d and f their vectors and features, R rows that a step
 * touches, B examples, P parameters that are no row of an item. */
static double step_memory(const train_row *row, const train_settings *settings) {
    const bench_setup *setup = &settings->setup;
    double n = (double)row->items, d = bench_option(setup, "model.dim");
    double f = (double)setup->features, blocks = bench_option(setup, "model.blocks");
    double encoder = blocks * 12.0 * d * d, threads = (double)row->threads;
    bool text = row->picked[TOWER] == 1, shared = row->picked[SHARING] == 1;
    bool bf16 = row->picked[PRECISION] == 1, ranked_bf16 = ranks_in_bf16(row, settings);
    bool teacher = row->picked[NEGATIVES] == 1 || row->picked[POSITIVES] == 1;
    double r = shared ? row->rows : n;
    double tile = fmax(fmin(640.0 * r, 16777216.0), 16.0 * r); /* scores held together */
    double part = text ? encoder + f * d : encoder;

    double model = n * (f + d) + 2.0 * encoder + f * d;
    double adam = 2.0 * (text ? part : n * d + part);
    double step = part + (text ? 4.0 : 2.0) * r * d + tile + r * (2.0 * threads + 3.0);
    if (shared)
        step += r * (text ? (bf16 ? 0.5 : 1.0) * f : d) + 3.0 * n;
    if (teacher)
        step += (ranked_bf16 ? 1.5 : 1.0) * n * d +
                (shared ? (ranked_bf16 ? 0.5 : 1.0) * r * d : 0.0) + tile;
    if (bf16)
        step += 0.5 * tile + r * (text ? (shared ? d : d + f) : 0.5 * d) + r * threads;
    double states = row->tokens * d * (7.0 + 12.0 * blocks) * (teacher ? 2.0 : 1.0);
    double catalog = 40.0 * n;
    return 4.0 * (model + adam + step + states) + catalog + PROGRAM_BYTES;
}

/* ---- one row ---- */

static alterrec_status set(alterrec_config *config, const char *key, const char *value) {
    return alterrec_config_set(config, key, value);
}

/* The options of the row, over those of the command line. */
static alterrec_status row_config(alterrec_config **config, const train_row *row,
                                  const train_settings *settings) {
    static const char *const keys[CHOICES] = {[BATCHING] = "train.batching",
                                              [SHARING] = "negatives.sharing",
                                              [PRECISION] = "compute.precision"};
    char threads[24];
    snprintf(threads, sizeof threads, "%" PRId64, row->threads);
    alterrec_status status = alterrec_config_clone(config, settings->setup.config);
    if (status == ALTERREC_OK)
        status = set(*config, "compute.threads", threads);
    for (int c = 0; c < CHOICES && status == ALTERREC_OK; c++)
        if (keys[c] != NULL)
            status = set(*config, keys[c], settings->choices[c].values[row->picked[c]]);
    return status;
}

/* The plan of the row: the built-in one, changed. */
static alterrec_status row_plan(alterrec_plan *plan, const train_row *row,
                                const alterrec_trainer *trainer) {
    plan->struct_size = sizeof *plan;
    alterrec_status status = alterrec_trainer_plan(plan, trainer);
    plan->tower = row->picked[TOWER] == 0 ? ALTERREC_ID : ALTERREC_TEXT;
    plan->negatives =
        row->picked[NEGATIVES] == 0 ? ALTERREC_NEGATIVES_RANDOM : ALTERREC_NEGATIVES_HARD;
    plan->positive_count = row->positives;
    return status;
}

static alterrec_status take_steps(train_row *row, alterrec_trainer *trainer, int64_t steps) {
    alterrec_plan plan;
    alterrec_batch *batch;
    alterrec_status status = row_plan(&plan, row, trainer);
    if (status == ALTERREC_OK)
        status = alterrec_batch_create(&batch);
    if (status != ALTERREC_OK)
        return status;
    for (int64_t s = 0; s < WARM_STEPS + steps && status == ALTERREC_OK; s++) {
        alterrec_step_report report = {.struct_size = sizeof report};
        double begin = machine_seconds();
        status = alterrec_trainer_batch(batch, trainer, s % alterrec_trainer_batches(trainer));
        double made = machine_seconds();
        if (status == ALTERREC_OK)
            status = alterrec_trainer_step(&report, trainer, batch, &plan);
        double done = machine_seconds();
        if (s < WARM_STEPS)
            continue;
        bench_times_add(&row->times, done - made);
        bench_times_add(&row->batching, made - begin);
        row->examples += (double)report.examples / (double)steps;
        row->tokens += (double)report.tokens / (double)steps;
        row->rows += (double)report.rows / (double)steps;
        for (int part = 0; part < PARTS; part++)
            row->seconds[part] += report.seconds[part] / (double)steps;
    }
    alterrec_batch_free(batch);
    bench_times_sort(&row->times);
    bench_times_sort(&row->batching);
    return status;
}

static int measure(train_row *row, const train_settings *settings, alterrec_model *model,
                   const alterrec_sessions *sessions) {
    alterrec_config *config = NULL;
    alterrec_trainer *trainer = NULL;
    machine_forget_peak();
    alterrec_status status = row_config(&config, row, settings);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_create(&trainer, model, sessions, NULL, config);
    if (status == ALTERREC_OK)
        status = take_steps(row, trainer, settings->steps);
    row->peak_memory = machine_peak_memory();
    alterrec_trainer_free(trainer);
    alterrec_config_free(config);
    return status == ALTERREC_OK ? PROGRAM_OK : program_library_error();
}

/* ---- report ---- */

static void print_head(FILE *stream) {
    fprintf(stream, "%8s %-4s %-6s %3s %-7s %-7s %-4s %3s %8s %8s %6s %6s %6s", "items", "towr",
            "negat", "pos", "batch", "sharing", "prec", "thr", "ms/step", "exampl/s", "rows k",
            "GF/s", "% rate");
    for (int part = 0; part < PARTS; part++)
        fprintf(stream, " %5s", part_names[part]);
    fprintf(stream, " %5s %6s %6s\n", "batch", "MB", "formul");
}

static double rate_of(bool bf16, const machine_rates *rates) {
    return bf16 && rates->bf16 > 0.0 ? rates->bf16 : rates->f32;
}

/* The seconds that the step's products take at the machine's rates, of its seconds. */
static double share_of_rate(const train_row *row, const machine_rates *rates,
                            const train_settings *settings) {
    step_operations operations = operations_of(row, settings);
    double least = operations.own / rate_of(row->picked[PRECISION] == 1, rates) +
                   operations.teacher / rate_of(ranks_in_bf16(row, settings), rates);
    return least / bench_quantile(&row->times, 0.5);
}

static double all_operations(const train_row *row, const train_settings *settings) {
    step_operations operations = operations_of(row, settings);
    return operations.own + operations.teacher;
}

static void print_row(FILE *stream, const train_row *row, const machine_rates *rates,
                      const train_settings *settings) {
    double median = bench_quantile(&row->times, 0.5), sum = 0.0;
    const step_choice *choices = settings->choices;
    for (int part = 0; part < PARTS; part++)
        sum += row->seconds[part];
    fprintf(stream, "%8" PRId64 " %-4s %-6s %3" PRId64 " %-7s %-7s %-4s %3" PRId64, row->items,
            choices[TOWER].values[row->picked[TOWER]],
            choices[NEGATIVES].values[row->picked[NEGATIVES]], row->positives,
            choices[BATCHING].values[row->picked[BATCHING]],
            choices[SHARING].values[row->picked[SHARING]],
            choices[PRECISION].values[row->picked[PRECISION]], row->threads);
    fprintf(stream, " %8.1f %8.0f %6.1f %6.0f %6.1f", median * 1e3, row->examples / median,
            row->rows * 1e-3, all_operations(row, settings) / median * 1e-9,
            100.0 * share_of_rate(row, rates, settings));
    for (int part = 0; part < PARTS; part++)
        fprintf(stream, " %4.1f%%", 100.0 * row->seconds[part] / sum);
    fprintf(stream, " %4.1f%% %6.0f %6.0f\n", 100.0 * bench_quantile(&row->batching, 0.5) / median,
            (double)row->peak_memory * 1e-6, step_memory(row, settings) * 1e-6);
    fflush(stream);
}

static void json_row(FILE *stream, const train_row *row, const machine_rates *rates,
                     const train_settings *settings) {
    double median = bench_quantile(&row->times, 0.5);
    fprintf(stream, "{\"items\":%" PRId64, row->items);
    for (int c = 0; c < CHOICES; c++) {
        fprintf(stream, ",\"%s\":", settings->choices[c].flag);
        json_string(stream, settings->choices[c].values[row->picked[c]]);
    }
    bench_json_field(stream, "threads", (double)row->threads);
    bench_json_field(stream, "steps", (double)row->times.count);
    bench_json_field(stream, "ms", median * 1e3);
    bench_json_field(stream, "ms_p10", bench_quantile(&row->times, 0.1) * 1e3);
    bench_json_field(stream, "ms_p90", bench_quantile(&row->times, 0.9) * 1e3);
    bench_json_field(stream, "examples", row->examples);
    bench_json_field(stream, "tokens", row->tokens);
    bench_json_field(stream, "rows", row->rows);
    bench_json_field(stream, "examples_per_second", row->examples / median);
    bench_json_field(stream, "operations", all_operations(row, settings));
    bench_json_field(stream, "rate", rate_of(row->picked[PRECISION] == 1, rates));
    bench_json_field(stream, "share_of_rate", share_of_rate(row, rates, settings));
    for (int part = 0; part < PARTS; part++) {
        char name[24];
        snprintf(name, sizeof name, "ms_%s", part_names[part]);
        bench_json_field(stream, name, row->seconds[part] * 1e3);
    }
    bench_json_field(stream, "ms_batching", bench_quantile(&row->batching, 0.5) * 1e3);
    bench_json_field(stream, "peak_memory", (double)row->peak_memory);
    bench_json_field(stream, "memory_by_formula", step_memory(row, settings));
    fputs("}\n", stream);
    fflush(stream);
}

/* ---- all rows ---- */

static int measure_row(train_row *row, const train_settings *settings, const bench_machine *machine,
                       alterrec_model *model, const alterrec_sessions *sessions) {
    row->positives = strtoll(settings->choices[POSITIVES].values[row->picked[POSITIVES]], NULL, 10);
    int code = measure(row, settings, model, sessions);
    if (code == PROGRAM_OK) {
        const machine_rates *rates = &machine->rates[row->threads];
        print_row(bench_stream(settings->setup.json), row, rates, settings);
        if (settings->setup.json != NULL)
            json_row(settings->setup.json, row, rates, settings);
    }
    bench_times_free(&row->times);
    bench_times_free(&row->batching);
    return code;
}

/* Every combination of the chosen values. */
static int measure_rows(const train_settings *settings, const bench_machine *machine,
                        alterrec_model *model, const alterrec_sessions *sessions, int64_t items) {
    int code = PROGRAM_OK;
    for (int64_t t = 0; t < settings->setup.threads.count; t++)
        for (int combination = 0; combination < 1 << CHOICES && code == PROGRAM_OK; combination++) {
            train_row row = {.items = items, .threads = settings->setup.threads.numbers[t]};
            bool chosen = true;
            for (int c = 0; c < CHOICES; c++) {
                row.picked[c] = combination >> (CHOICES - 1 - c) & 1;
                chosen = chosen && settings->choices[c].chosen[row.picked[c]];
            }
            if (chosen)
                code = measure_row(&row, settings, machine, model, sessions);
        }
    return code;
}

static int measure_items(const train_settings *settings, const bench_machine *machine,
                         int64_t items) {
    const bench_setup *setup = &settings->setup;
    alterrec_model *model = NULL;
    alterrec_sessions *sessions = NULL;
    int code = bench_model_create(&model, setup->config, items, setup->features);
    /* Enough for every step to have a batch of its own. */
    int64_t batch = (int64_t)bench_option(setup, "train.batch_size");
    if (code == PROGRAM_OK)
        code = bench_sessions_create(&sessions, model, batch * (settings->steps + WARM_STEPS),
                                     setup->length);
    if (code == PROGRAM_OK)
        code = measure_rows(settings, machine, model, sessions, items);
    alterrec_sessions_free(sessions);
    alterrec_model_free(model);
    return code;
}

static int measure_all(void *argument) {
    const train_settings *settings = argument;
    FILE *stream = bench_stream(settings->setup.json);
    bench_machine machine = {0};
    if (!bench_machine_measure(&machine, &settings->setup.threads, stream))
        return PROGRAM_ERROR;
    print_head(stream);
    int code = PROGRAM_OK;
    for (int64_t i = 0; i < settings->setup.items.count && code == PROGRAM_OK; i++)
        code = measure_items(settings, &machine, settings->setup.items.numbers[i]);
    fprintf(stream,
            "\nGF/s: the step's products alone, no padding; %% rate: of the machine's at the "
            "row's precision\nparts of a step: rows chosen and copied, other tower, item "
            "table, encoder, scores and their gradients,\nnegatives and softmax, Adam; "
            "beside it, putting the batch together\nMB: the most memory of the process in "
            "that row, and by the formula of performance.md\n");
    return code;
}

/* ---- command line ---- */

static int read_choice(step_choice *choice, const command_line *line) {
    size_t first = strlen(choice->values[0]);
    bool both = strncmp(choice->text, choice->values[0], first) == 0 &&
                choice->text[first] == ',' &&
                strcmp(choice->text + first + 1, choice->values[1]) == 0;
    choice->chosen[0] = both || strcmp(choice->text, choice->values[0]) == 0;
    choice->chosen[1] = both || strcmp(choice->text, choice->values[1]) == 0;
    if (!choice->chosen[0] && !choice->chosen[1])
        return arguments_wrong(line, "--%s is %s, it must be %s, %s or %s,%s", choice->flag,
                               choice->text, choice->values[0], choice->values[1],
                               choice->values[0], choice->values[1]);
    return PROGRAM_OK;
}

int bench_train_command(int argc, char **argv) {
    train_settings settings = {
        .setup = {.items_text = "44577",
                  .threads_text = "2",
                  .features = 512,
                  .least_features = 1,
                  .length = 5,
                  .least_length = 2},
        .steps = 7,
        .choices = {
            [TOWER] = {"tower", {"id", "text"}, "id,text", "towers in training", {0}},
            [NEGATIVES] = {"negatives", {"random", "hard"}, "random,hard", "negatives", {0}},
            [POSITIVES] = {"positives", {"0", "5"}, "0", "augmented positives an example", {0}},
            [BATCHING] = {"batching", {"prefix", "session"}, "session", "train.batching", {0}},
            [SHARING] = {"sharing", {"example", "batch"}, "example", "negatives.sharing", {0}},
            [PRECISION] = {"precision", {"f32", "bf16"}, "f32", "compute.precision", {0}}}};
    cli_flag flags[BENCH_SETUP_FLAGS + 1 + CHOICES] = {
        [BENCH_SETUP_FLAGS] = {.name = "steps",
                               .value_name = "S",
                               .number = &settings.steps,
                               .low = 1,
                               .high = 100000,
                               .help = "steps of each kind, of which the median counts (7)"}};
    bench_setup_flags(flags, &settings.setup);
    char helps[CHOICES][80];
    for (int c = 0; c < CHOICES; c++) {
        step_choice *choice = &settings.choices[c];
        snprintf(helps[c], sizeof helps[c], "%s: %s, %s or both (%s)", choice->help,
                 choice->values[0], choice->values[1], choice->text);
        flags[BENCH_SETUP_FLAGS + 1 + c] = (cli_flag){
            .name = choice->flag, .value_name = "LIST", .text = &choice->text, .help = helps[c]};
    }
    command_line line = {
        .name = "bench train",
        .synopsis = "[CONFIG.yaml ...] [--items LIST] [--tower LIST] [--negatives LIST] [flags]",
        .about =
            "Takes steps of training on random sessions and reports how long each kind of step "
            "takes, where the time goes, and what share of this machine's arithmetic, measured "
            "in the same run, its products use.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .operands_low = 0,
        .operands_high = -1,
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    for (int c = 0; c < CHOICES && code == PROGRAM_OK; c++)
        code = read_choice(&settings.choices[c], &line);
    if (code == PROGRAM_OK)
        code = bench_setup_run(&settings.setup, &line, measure_all, &settings);
    arguments_free(&line);
    return code;
}
