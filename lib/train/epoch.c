#include "train/epoch.h"

#include "core/host_struct.h"
#include "core/memory.h"
#include "core/threads.h"
#include "model/metrics.h"
#include "model/ranker.h"
#include "train/log.h"
#include "train/step.h"

#include <string.h>

/* The bits of `tower` in a plan or a report: ALTERREC_FUSED is both, as is a joint tower. */
static const int kinds[2] = {ALTERREC_ID, ALTERREC_TEXT};

/* Tells the host where the work stands: the host's answer, or 1 if another thread has cancelled. */
static int32_t relay(const alterrec_progress *progress, void *user_data) {
    alterrec_trainer *trainer = user_data;
    int32_t answer =
        trainer->progress != NULL ? trainer->progress(progress, trainer->progress_data) : 0;
    bool cancelled = atomic_exchange(&trainer->cancelled, false);
    return answer == 0 && cancelled ? 1 : answer;
}

/* *stop is set if the host wants to stop. A negative answer is returned. */
static alterrec_status tell(bool *stop, alterrec_trainer *trainer,
                            const alterrec_progress *progress) {
    uint64_t errors = ar_fail_count();
    int32_t answer = relay(progress, trainer);
    *stop = *stop || answer > 0;
    return answer < 0 ? ar_fail_answer(answer, "progress", errors) : ALTERREC_OK;
}

/* A step on every batch of the order. *stopped: the host wanted it so. */
static alterrec_status train(bool *stopped, alterrec_trainer *trainer, const alterrec_plan *plan) {
    double start = ar_clock_seconds();
    alterrec_progress progress = {.struct_size = sizeof progress,
                                  .stage = ALTERREC_STAGE_TRAIN,
                                  .epoch = (int32_t)trainer->state.epoch,
                                  .epochs = (int32_t)trainer->schedule.epochs,
                                  .steps = trainer->batch_count};
    *stopped = false;
    for (int64_t b = 0; b < trainer->batch_count && !*stopped; b++) {
        ar_example_batch batch;
        ar_step_result result;
        AR_TRY(ar_examples_pack(&batch, &trainer->memory, &trainer->examples, trainer->batches[b],
                                trainer->batches[b + 1]));
        AR_TRY(ar_trainer_step(&result, trainer, &batch, plan, NULL, 0));
        progress.step = b + 1;
        progress.examples = trainer->running.examples;
        progress.loss = trainer->running.loss / (double)progress.examples;
        progress.seconds = ar_clock_seconds() - start;
        AR_TRY(tell(stopped, trainer, &progress));
    }
    return ALTERREC_OK;
}

/* The report of the steps since the last end of an epoch. */
static alterrec_epoch_report report_of(const alterrec_trainer *trainer) {
    const ar_running *running = &trainer->running;
    double examples = (double)running->examples;
    return (alterrec_epoch_report){
        .struct_size = sizeof(alterrec_epoch_report),
        .epoch = (int32_t)trainer->state.epoch,
        .tower = running->tower,
        .negatives = running->negatives,
        .examples = running->examples,
        .steps = running->steps,
        .learning_rate = running->learning_rate,
        .loss = running->loss / examples,
        .positives_loss = running->positives_loss / examples,
        .part_loss = {running->part_loss[0] / examples, running->part_loss[1] / examples},
        .seconds = running->seconds};
}

/* Fills the validation fields of the report. */
static alterrec_status validate(alterrec_epoch_report *report, alterrec_trainer *trainer) {
    const ar_trainer_options *options = &trainer->options;
    ar_ranks ranks = {0};
    ar_held_out_progress progress = {.call = relay,
                                     .user_data = trainer,
                                     .epoch = report->epoch,
                                     .epochs = (int32_t)trainer->schedule.epochs};
    double start = ar_clock_seconds();
    AR_TRY(ar_ranker_run(&ranks, trainer->model, trainer->valid, &trainer->fusion, &progress));
    const int32_t *by_scorer[3] = {ranks.fused, ranks.id, ranks.text};
    for (int i = 0; i < 3; i++)
        report->valid_metric[i] =
            ar_metric_mean(options->valid_metric, options->valid_k, by_scorer[i], ranks.count);
    report->stopped = ranks.stopped ? 1 : 0;
    report->valid_seconds = ar_clock_seconds() - start;
    ar_ranks_free(&ranks);
    return ALTERREC_OK;
}

/* Keeps the weights of all towers as the best. */
static alterrec_status keep_best(alterrec_trainer *trainer) {
    const ar_tower *towers[AR_MODEL_SIDES];
    for (int side = 0; side < AR_MODEL_SIDES; side++) {
        towers[side] = ar_model_side(trainer->model, side);
        if (trainer->best[side] == NULL && towers[side]->list.count > 0)
            AR_NEW(trainer->best[side], towers[side]->list.count);
    }
    for (int side = 0; side < AR_MODEL_SIDES; side++)
        if (towers[side]->list.count > 0)
            memcpy(trainer->best[side], towers[side]->block,
                   (size_t)towers[side]->list.count * sizeof(float));
    return ALTERREC_OK;
}

/* A tower's learning rate falls when its own metric stands still. */
static void judge_tower(alterrec_trainer *trainer, int side, double metric) {
    if (metric > trainer->own_best[side]) {
        trainer->own_best[side] = metric;
        trainer->own_stale[side] = 0;
    } else if (++trainer->own_stale[side] >= trainer->schedule.decay_epochs[side]) {
        trainer->state.plateaus[side]++;
        trainer->own_stale[side] = 0;
    }
}

/* What a validated epoch means for best weights, early stopping and decay. */
static alterrec_status judge(alterrec_epoch_report *report, alterrec_trainer *trainer) {
    double metric = report->valid_metric[trainer->options.valid_scorer];
    if (trainer->best_epoch < 0 || metric > trainer->best_metric) {
        AR_TRY(keep_best(trainer));
        trainer->best_metric = metric;
        trainer->best_epoch = report->epoch;
        report->best = 1;
    }
    report->epochs_since_best = report->epoch - (int32_t)trainer->best_epoch;
    trainer->state.patience_exhausted =
        trainer->options.patience > 0 && report->epochs_since_best >= trainer->options.patience;
    for (int side = 0; side < 2; side++)
        if ((report->tower & kinds[side]) != 0)
            judge_tower(trainer, side,
                        report->valid_metric[trainer->model->is_joint ? 0 : 1 + side]);
    return ALTERREC_OK;
}

/* Validates, judges, counts. */
static alterrec_status end_epoch(alterrec_epoch_report *report, alterrec_trainer *trainer) {
    void *reports = trainer->reports;
    AR_TRY(ar_trainer_settle(trainer));
    AR_TRY(ar_grow(&reports, &trainer->report_capacity, trainer->report_count + 1,
                   sizeof *trainer->reports));
    trainer->reports = reports;
    *report = report_of(trainer);
    bool was_exhausted = trainer->state.patience_exhausted;
    if (trainer->valid != NULL) {
        AR_TRY(validate(report, trainer));
        if (report->stopped != 0)
            return ALTERREC_OK;
        AR_TRY(judge(report, trainer));
    }
    trainer->state.epoch++;
    for (int side = 0; side < 2; side++)
        trainer->state.trained[side] += (report->tower & kinds[side]) != 0 ? 1 : 0;
    trainer->reports[trainer->report_count++] = *report;
    ar_trainer_order(trainer);
    AR_TRY(ar_log_epoch(trainer, report, was_exhausted));
    alterrec_progress progress = {.struct_size = sizeof progress,
                                  .stage = ALTERREC_STAGE_EPOCH,
                                  .epoch = report->epoch,
                                  .epochs = (int32_t)trainer->schedule.epochs,
                                  .step = report->steps,
                                  .steps = report->steps,
                                  .examples = report->examples,
                                  .loss = report->loss,
                                  .seconds = report->seconds,
                                  .report = report};
    bool stop = false;
    atomic_store(&trainer->between_epochs, true);
    alterrec_status status = tell(&stop, trainer, &progress);
    atomic_store(&trainer->between_epochs, false);
    report->stopped = stop ? 1 : 0;
    return status;
}

/* Whether it ended or broke off: the next epoch starts from nothing. */
static void forget_running(alterrec_trainer *trainer) {
    trainer->running = (ar_running){0};
    ar_trainer_drop_teachers(trainer);
}

alterrec_status alterrec_trainer_end_epoch(alterrec_epoch_report *report,
                                           alterrec_trainer *trainer) {
    AR_NOT_NULL(trainer);
    if (report != NULL)
        AR_TRY(ar_host_struct_check(&ar_epoch_report_struct, report, __func__));
    int previous;
    alterrec_epoch_report filled = {.struct_size = sizeof filled};
    AR_TRY(ar_trainer_enter(&previous, trainer, __func__));
    int64_t ended = trainer->report_count;
    alterrec_status status =
        trainer->running.steps > 0
            ? end_epoch(&filled, trainer)
            : ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                      "%s: no step has been taken since the last epoch ended", __func__);
    if (status == ALTERREC_OK || trainer->report_count > ended)
        forget_running(trainer);
    ar_trainer_leave(previous, trainer);
    if (report != NULL && status == ALTERREC_OK)
        ar_host_struct_fill(report, &filled, &ar_epoch_report_struct);
    return status;
}

alterrec_status ar_trainer_epoch(alterrec_epoch_report *report, alterrec_trainer *trainer,
                                 const alterrec_plan *plan, const char *function) {
    alterrec_plan chosen;
    alterrec_epoch_report filled = {.struct_size = sizeof filled};
    bool stopped = false;
    forget_running(trainer);
    alterrec_status status = ar_trainer_choose_plan(&chosen, trainer, plan, function);
    if (status == ALTERREC_OK)
        status = ar_log_plan(trainer, &chosen);
    if (status == ALTERREC_OK)
        status = train(&stopped, trainer, &chosen);
    if (status == ALTERREC_OK && !stopped)
        status = end_epoch(&filled, trainer);
    else if (status == ALTERREC_OK)
        filled = report_of(trainer);
    if (status == ALTERREC_OK)
        status = ar_trainer_settle(trainer);
    filled.stopped = stopped ? 1 : filled.stopped;
    forget_running(trainer);
    if (report != NULL && status == ALTERREC_OK)
        ar_host_struct_fill(report, &filled, &ar_epoch_report_struct);
    return status;
}

alterrec_status alterrec_trainer_epoch(alterrec_epoch_report *report, alterrec_trainer *trainer,
                                       const alterrec_plan *plan) {
    AR_NOT_NULL(trainer);
    if (report != NULL)
        AR_TRY(ar_host_struct_check(&ar_epoch_report_struct, report, __func__));
    int previous;
    AR_TRY(ar_trainer_enter(&previous, trainer, __func__));
    alterrec_status status = ar_trainer_epoch(report, trainer, plan, __func__);
    ar_trainer_leave(previous, trainer);
    return status;
}
