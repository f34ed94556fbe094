/* One epoch of training: alterrec_trainer_epoch. */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "model/metrics.h"
#include "model/ranker.h"
#include "train/trainer.h"

#include <string.h>

/* The random streams of one epoch. */
enum { STREAM_ORDER, STREAM_STEPS };

static int side_of(int tower) {
    return tower == ALTERREC_ID ? 0 : 1;
}

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
    int32_t answer = relay(progress, trainer);
    *stop = *stop || answer > 0;
    return answer < 0 ? answer : ALTERREC_OK;
}

/* The frozen towers that an epoch needs. labeller is ranker where both are the same tower. */
typedef struct teachers {
    ar_teacher own[2];
    ar_teacher *ranker, *labeller;
} teachers;

static void free_teachers(teachers *t) {
    for (int i = 0; i < 2; i++)
        if (t->own[i].kind != 0)
            ar_teacher_free(&t->own[i]);
}

static alterrec_status make_teachers(teachers *t, const alterrec_trainer *trainer,
                                     const alterrec_plan *plan) {
    int other = plan->tower == ALTERREC_ID ? ALTERREC_TEXT : ALTERREC_ID;
    int labeller = trainer->options.positives_from_id ? ALTERREC_ID : other;
    *t = (teachers){0};
    if (plan->negatives == ALTERREC_NEGATIVES_HARD) {
        AR_TRY(ar_teacher_create(&t->own[0], trainer->model, other, false));
        t->ranker = &t->own[0];
    }
    if (plan->positives > 0) {
        if (t->ranker != NULL && labeller == other) {
            t->labeller = t->ranker;
        } else {
            AR_TRY(
                ar_teacher_create(&t->own[1], trainer->model, labeller, labeller == plan->tower));
            t->labeller = &t->own[1];
        }
    }
    return ALTERREC_OK;
}

static ar_step_options step_options(const alterrec_trainer *trainer, const alterrec_plan *plan,
                                    const teachers *t) {
    ar_step_options options = {.negatives = plan->negatives,
                               .k1 = plan->k1,
                               .k2 = plan->k2,
                               .negative_count = plan->negative_count,
                               .hard_share = plan->hard_share,
                               .positives = plan->positives,
                               .positives_weight = plan->positives_weight,
                               .dropout = trainer->options.dropout,
                               .adam = trainer->options.adam,
                               .ranker = t->ranker,
                               .labeller = t->labeller};
    options.adam.learning_rate = plan->learning_rate;
    return options;
}

/* Trains on every example once. Fills examples, steps, losses, stopped of the report. */
static alterrec_status train(alterrec_epoch_report *report, alterrec_trainer *trainer,
                             const alterrec_plan *plan, const teachers *t) {
    ar_learner *learner = &trainer->learners[side_of(plan->tower)];
    ar_examples *examples = &trainer->examples;
    ar_step_options options = step_options(trainer, plan, t);
    uint64_t seed = ar_random_key(trainer->options.seed, (uint64_t)trainer->state.epoch);
    double start = ar_clock_seconds(), loss = 0.0, positives_loss = 0.0;
    bool stop = false;
    ar_examples_shuffle(examples, ar_random_key(seed, STREAM_ORDER));
    alterrec_progress progress = {.struct_size = sizeof progress,
                                  .stage = ALTERREC_STAGE_TRAIN,
                                  .epoch = report->epoch,
                                  .epochs = (int32_t)trainer->schedule.epochs,
                                  .steps =
                                      ar_examples_batches(examples, trainer->options.batch_size)};
    for (int64_t unit = 0; unit < examples->unit_count && !stop;) {
        ar_example_batch batch;
        ar_step_result result;
        int64_t next = ar_examples_next(examples, unit, trainer->options.batch_size);
        AR_TRY(ar_examples_pack(&batch, &trainer->memory, examples, unit, next));
        options.seed = ar_random_key(ar_random_key(seed, STREAM_STEPS), (uint64_t)progress.step);
        AR_TRY(ar_learner_step(&result, learner, &batch, &options));
        unit = next;
        loss += result.loss * (double)batch.count;
        positives_loss += result.positives_loss * (double)batch.count;
        progress.step++;
        progress.examples += batch.count;
        progress.loss = loss / (double)progress.examples;
        progress.seconds = ar_clock_seconds() - start;
        AR_TRY(tell(&stop, trainer, &progress));
    }
    report->stopped = stop ? 1 : 0;
    report->examples = progress.examples;
    report->steps = progress.step;
    report->loss = progress.loss;
    report->positives_loss = positives_loss / (double)progress.examples;
    report->seconds = ar_clock_seconds() - start;
    return ALTERREC_OK;
}

/* Fills the validation fields of the report. */
static alterrec_status validate(alterrec_epoch_report *report, alterrec_trainer *trainer) {
    const ar_trainer_options *options = &trainer->options;
    ar_ranks ranks = {0};
    ar_ranker_progress progress = {.call = relay,
                                   .user_data = trainer,
                                   .epoch = report->epoch,
                                   .epochs = (int32_t)trainer->schedule.epochs};
    double start = ar_clock_seconds();
    AR_TRY(ar_ranker_run(&ranks, trainer->model, trainer->valid, options->alpha, &progress));
    const int32_t *by_scorer[3] = {ranks.fused, ranks.id, ranks.text};
    for (int i = 0; i < 3; i++)
        report->valid_metric[i] =
            ar_metric_mean(options->valid_metric, options->valid_k, by_scorer[i], ranks.count);
    report->stopped = ranks.stopped ? 1 : 0;
    report->valid_seconds = ar_clock_seconds() - start;
    ar_ranks_free(&ranks);
    return ALTERREC_OK;
}

/* Keeps the weights of both towers as the best. */
static alterrec_status keep_best(alterrec_trainer *trainer) {
    const ar_tower *towers[2] = {&trainer->model->id, &trainer->model->text};
    for (int side = 0; side < 2; side++)
        if (trainer->best[side] == NULL && towers[side]->list.count > 0)
            AR_NEW(trainer->best[side], towers[side]->list.count);
    for (int side = 0; side < 2; side++)
        if (towers[side]->list.count > 0)
            memcpy(trainer->best[side], towers[side]->block,
                   (size_t)towers[side]->list.count * sizeof(float));
    return ALTERREC_OK;
}

/* What a validated epoch means for best weights, early stopping and decay. */
static alterrec_status judge(alterrec_epoch_report *report, alterrec_trainer *trainer) {
    int side = side_of(report->tower);
    double metric = report->valid_metric[trainer->options.valid_scorer];
    double own = report->valid_metric[1 + side];
    if (trainer->best_epoch < 0 || metric > trainer->best_metric) {
        AR_TRY(keep_best(trainer));
        trainer->best_metric = metric;
        trainer->best_epoch = report->epoch;
        report->best = 1;
    }
    report->epochs_since_best = report->epoch - (int32_t)trainer->best_epoch;
    trainer->state.patience_exhausted =
        trainer->options.patience > 0 && report->epochs_since_best >= trainer->options.patience;
    if (own > trainer->own_best[side]) {
        trainer->own_best[side] = own;
        trainer->own_stale[side] = 0;
    } else if (++trainer->own_stale[side] >= trainer->schedule.decay_epochs[side]) {
        trainer->state.plateaus[side]++;
        trainer->own_stale[side] = 0;
    }
    return ALTERREC_OK;
}

static alterrec_status run_epoch(alterrec_epoch_report *report, alterrec_trainer *trainer,
                                 const alterrec_plan *plan) {
    int side = side_of(plan->tower);
    teachers t = {0};
    void *reports = trainer->reports;
    AR_TRY(ar_grow(&reports, &trainer->report_capacity, trainer->report_count + 1,
                   sizeof *trainer->reports));
    trainer->reports = reports;
    ar_learner *learner;
    AR_TRY(ar_trainer_learner(&learner, trainer, plan->tower));
    alterrec_status status = make_teachers(&t, trainer, plan);
    if (status == ALTERREC_OK)
        status = train(report, trainer, plan, &t);
    free_teachers(&t);
    if (status != ALTERREC_OK || report->stopped != 0)
        return status;
    if (trainer->valid != NULL) {
        AR_TRY(validate(report, trainer));
        if (report->stopped != 0)
            return ALTERREC_OK;
        AR_TRY(judge(report, trainer));
    }
    trainer->state.epoch++;
    trainer->state.trained[side]++;
    trainer->reports[trainer->report_count++] = *report;
    bool stop = false;
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
    atomic_store(&trainer->between_epochs, true);
    alterrec_status status_of_host = tell(&stop, trainer, &progress);
    atomic_store(&trainer->between_epochs, false);
    report->stopped = stop ? 1 : 0;
    return status_of_host;
}

alterrec_status alterrec_trainer_epoch(alterrec_epoch_report *report, alterrec_trainer *trainer,
                                       const alterrec_plan *plan) {
    AR_NOT_NULL(trainer);
    alterrec_plan chosen = {.struct_size = sizeof chosen};
    if (report != NULL)
        AR_TRY(ar_check_struct_size(report->struct_size, sizeof *report, __func__));
    if (plan != NULL) {
        AR_TRY(ar_check_struct_size(plan->struct_size, sizeof *plan, __func__));
        chosen = *plan;
    } else {
        ar_schedule_plan(&chosen, &trainer->schedule, &trainer->state);
    }
    const alterrec_model *model = trainer->model;
    chosen.k2 = chosen.k2 < model->catalog->items ? chosen.k2 : model->catalog->items;
    AR_TRY(ar_plan_check(&chosen, model->catalog->items, model->has_text));
    if (atomic_exchange(&trainer->busy, true))
        return ar_fail(ALTERREC_ERROR_BUSY, "%s: the trainer is inside a call", __func__);
    atomic_store(&trainer->model->busy, true);
    int previous = ar_threads_enter(trainer->options.threads);
    alterrec_epoch_report filled = {.struct_size = sizeof filled,
                                    .epoch = (int32_t)trainer->state.epoch,
                                    .tower = chosen.tower,
                                    .negatives = chosen.negatives,
                                    .learning_rate = chosen.learning_rate};
    alterrec_status status = run_epoch(&filled, trainer, &chosen);
    ar_threads_leave(previous);
    atomic_store(&trainer->model->busy, false);
    atomic_store(&trainer->busy, false);
    if (report != NULL && status == ALTERREC_OK)
        *report = filled;
    return status;
}
