#include "progress.h"
#include "json.h"
#include "names.h"
#include "terminal.h"

#include <inttypes.h>
#include <signal.h>
#include <time.h>

enum { BAR_WIDTH = 20 };

static const double REDRAW_SECONDS = 0.1;

static volatile sig_atomic_t interrupted;

/* The handler takes itself off, so that a second Ctrl-C ends the program at once. */
static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static const int signals[] = {SIGINT, SIGTERM};

enum { SIGNALS = sizeof signals / sizeof signals[0] };

static struct sigaction previous[SIGNALS];

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, &previous[i]);
}

static void give_signals_back(void) {
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &previous[i], NULL);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_open(cli_progress *progress, const alterrec_trainer *trainer,
                   const alterrec_config *config, bool quiet) {
    *progress = (cli_progress){.trainer = trainer, .quiet = quiet, .epoch = -1, .best_epoch = -1};
    names_valid_metric(progress->metric, sizeof progress->metric, config);
    progress->bar = !quiet && terminal_is_live(stderr);
    catch_signals();
}

bool progress_was_interrupted(void) {
    return interrupted != 0;
}

static void erase_bar(const cli_progress *progress) {
    if (progress->bar && progress->drawn_at > 0)
        fputs("\r\033[K", stderr);
}

void progress_close(cli_progress *progress) {
    erase_bar(progress);
    give_signals_back();
}

/* The tower of a running epoch is what the schedule plans next, as long as the epoch runs. */
static void find_tower(cli_progress *progress, int32_t epoch) {
    if (progress->epoch == epoch)
        return;
    alterrec_plan plan = {.struct_size = sizeof plan};
    progress->epoch = epoch;
    progress->tower = 0;
    if (alterrec_trainer_plan(&plan, progress->trainer) == ALTERREC_OK)
        progress->tower = plan.tower;
}

/* What is going on: "epoch 3/30 text", "epoch 3/30 validate", "evaluate". */
static void name_stage(char *name, size_t size, const cli_progress *progress,
                       const alterrec_progress *state) {
    if (progress->trainer == NULL) {
        snprintf(name, size, "evaluate");
        return;
    }
    const char *doing = "train";
    if (state->stage == ALTERREC_STAGE_VALIDATE)
        doing = "validate";
    else if (progress->tower != 0)
        doing = names_scorer(progress->tower);
    snprintf(name, size, "epoch %" PRId32 "/%" PRId32 " %s", state->epoch + 1, state->epochs,
             doing);
}

static void draw_bar(cli_progress *progress, const alterrec_progress *state) {
    double now = seconds_now();
    if (now - progress->drawn_at < REDRAW_SECONDS)
        return;
    progress->drawn_at = now;
    double share = state->steps > 0 ? (double)state->step / (double)state->steps : 0;
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < (int)(share * BAR_WIDTH) ? '#' : '.';
    bar[BAR_WIDTH] = '\0';

    char stage[64];
    name_stage(stage, sizeof stage, progress, state);
    char loss[32] = "";
    if (state->loss > 0)
        snprintf(loss, sizeof loss, "  loss %.3f", state->loss);
    char speed[96] = "";
    if (state->seconds > 0 && share > 0)
        snprintf(speed, sizeof speed, "  %s examples/s  left %s",
                 terminal_count((int64_t)((double)state->examples / state->seconds)),
                 terminal_duration(state->seconds * (1 - share) / share));
    char line[320];
    snprintf(line, sizeof line, "%s [%s] %s/%s%s%s", stage, bar, terminal_count(state->step),
             terminal_count(state->steps), loss, speed);
    fputs("\r\033[K", stderr);
    terminal_print_cut(stderr, line, terminal_width(stderr) - 1);
    fflush(stderr);
}

static void print_epoch(cli_progress *progress, const alterrec_progress *state) {
    const alterrec_epoch_report *report = state->report;
    if (!progress->head_shown) {
        char metric[40];
        snprintf(metric, sizeof metric, "%s: fused", progress->metric);
        printf("%9s  %-5s %-9s %8s  %16s %8s %8s %8s\n", "epoch", "tower", "negatives", "loss",
               metric, "ID", "text", "seconds");
        progress->head_shown = true;
    }
    printf("%4" PRId32 "/%-4" PRId32 "  %-5s %-9s %8.4f", report->epoch + 1, state->epochs,
           names_scorer(report->tower), names_negatives(report->negatives), report->loss);
    const double *metric = report->valid_metric;
    if (metric[0] > 0 || metric[1] > 0 || metric[2] > 0)
        printf("  %16.4f %8.4f %8.4f", metric[0], metric[1], metric[2]);
    else
        printf("  %16s %8s %8s", "-", "-", "-");
    printf(" %8.1f%s\n", report->seconds + report->valid_seconds, report->best ? "  *" : "");
    fflush(stdout);
}

static void keep_epoch(cli_progress *progress, const alterrec_epoch_report *report) {
    if (report->best)
        progress->best_epoch = report->epoch;
    if (progress->log != NULL) {
        json_epoch(progress->log, report, progress->metric);
        fputc('\n', progress->log);
        fflush(progress->log);
    }
}

void progress_take_up(cli_progress *progress) {
    alterrec_epoch_report report = {.struct_size = sizeof report};
    for (int64_t e = 0; e < alterrec_trainer_epochs(progress->trainer); e++) {
        if (alterrec_trainer_report(&report, progress->trainer, e) == ALTERREC_OK)
            keep_epoch(progress, &report);
    }
}

static void finish_epoch(cli_progress *progress, const alterrec_progress *state) {
    if (!progress->quiet) {
        erase_bar(progress);
        print_epoch(progress, state);
    }
    keep_epoch(progress, state->report);
}

int32_t progress_callback(const alterrec_progress *state, void *user_data) {
    cli_progress *progress = user_data;
    if (state->stage == ALTERREC_STAGE_EPOCH && state->report != NULL) {
        finish_epoch(progress, state);
    } else if (progress->bar) {
        if (progress->trainer != NULL && state->stage == ALTERREC_STAGE_TRAIN)
            find_tower(progress, state->epoch);
        draw_bar(progress, state);
    }
    return interrupted ? 1 : 0;
}
