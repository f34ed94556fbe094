#include "train/log.h"

#include "core/host_struct.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "data/batch.h"
#include "data/config.h"

#include <string.h>

static void read_options(ar_trainer_options *options, const alterrec_config *config) {
    *options = (ar_trainer_options){
        .seed = (uint64_t)ar_config_int(config, "train.seed"),
        .batch_size = ar_config_int(config, "train.batch_size"),
        .patience = ar_config_int(config, "train.patience"),
        .valid_metric = ar_config_choice(config, "train.valid_metric"),
        .valid_k = ar_config_int(config, "train.valid_k"),
        .valid_scorer = ar_config_choice(config, "train.valid_scorer"),
        .dropout = (float)ar_config_float(config, "model.dropout"),
        .use_bf16 = ar_config_choice(config, "compute.precision") == 1,
        .rank_bf16 = ar_config_choice(config, "compute.precision") == 1 ||
                     ar_config_choice(config, "compute.ranking") == 1,
        .positives_from_id = ar_config_choice(config, "positives.source") == 1,
        .pool = ar_config_int(config, "negatives.pool"),
        .threads = ar_threads_wanted(ar_config_int(config, "compute.threads")),
        .adam = {.beta1 = ar_config_float(config, "optimizer.beta1"),
                 .beta2 = ar_config_float(config, "optimizer.beta2"),
                 .epsilon = ar_config_float(config, "optimizer.epsilon"),
                 .weight_decay = ar_config_float(config, "optimizer.weight_decay")}};
}

static alterrec_status check_catalog(const alterrec_model *model, const alterrec_sessions *sessions,
                                     const char *name) {
    if (sessions != NULL && !ar_catalog_same(sessions->catalog, model->catalog))
        return ar_fail(
            ALTERREC_ERROR_MISMATCH,
            "alterrec_trainer_create: the items of the sessions `%s` are not the model's", name);
    return ALTERREC_OK;
}

/* What follows from the config. */
static alterrec_status set_up(alterrec_trainer *trainer) {
    const alterrec_config *config = trainer->config;
    trainer->fusion.alpha = (float)ar_fusion_alpha(config, NULL);
    read_options(&trainer->options, config);
    if (trainer->options.rank_bf16)
        AR_TRY(ar_onednn_check_bf16(trainer->options.use_bf16 ? "compute.precision"
                                                              : "compute.ranking"));
    AR_TRY(ar_schedule_read(&trainer->schedule, config, trainer->model));
    AR_TRY(ar_examples_create(&trainer->examples, trainer->train, trainer->model->shape.max_len,
                              ar_config_choice(config, "train.batching") == 1));
    /* Every batch but the last of an order holds batch_size examples or more. */
    int64_t most_batches = (trainer->examples.count - 1) / trainer->options.batch_size + 1;
    AR_NEW(trainer->batches, most_batches + 1);
    ar_trainer_order(trainer);
    return ALTERREC_OK;
}

alterrec_status alterrec_trainer_create(alterrec_trainer **trainer, alterrec_model *model,
                                        const alterrec_sessions *train,
                                        const alterrec_sessions *valid,
                                        const alterrec_config *config) {
    AR_NOT_NULL(trainer);
    *trainer = NULL;
    AR_NOT_NULL(model);
    AR_NOT_NULL(train);
    AR_TRY(check_catalog(model, train, "train"));
    AR_TRY(check_catalog(model, valid, "valid"));
    alterrec_trainer *made;
    AR_NEW(made, 1);
    made->model = ar_model_hold(model);
    made->train = ar_sessions_hold(train);
    made->valid = valid != NULL ? ar_sessions_hold(valid) : NULL;
    made->best_epoch = -1;
    alterrec_status status = ar_config_merge(&made->config, model->config, config);
    if (status == ALTERREC_OK)
        status = set_up(made);
    if (status != ALTERREC_OK) {
        alterrec_trainer_free(made);
        return status;
    }
    *trainer = made;
    return ALTERREC_OK;
}

void ar_trainer_drop_teachers(alterrec_trainer *trainer) {
    for (int slot = 0; slot < 2; slot++)
        if (trainer->teachers[slot].teacher.kind != 0)
            ar_teacher_free(&trainer->teachers[slot].teacher);
}

void alterrec_trainer_free(alterrec_trainer *trainer) {
    if (trainer == NULL)
        return;
    for (int side = 0; side < 2; side++) {
        if (trainer->learners[side].kind != 0)
            ar_learner_free(&trainer->learners[side]);
        ar_free(trainer->best[side]);
    }
    ar_trainer_drop_teachers(trainer);
    ar_sampler_free(&trainer->sampler);
    ar_examples_free(&trainer->examples);
    ar_free(trainer->batches);
    ar_batch_memory_free(&trainer->memory);
    ar_free(trainer->reports);
    alterrec_config_free(trainer->config);
    alterrec_sessions_free(trainer->train);
    alterrec_sessions_free(trainer->valid);
    alterrec_model_free(trainer->model);
    ar_free(trainer);
}

static alterrec_status check_items(const alterrec_trainer *trainer, const char *function) {
    int64_t items = trainer->train->catalog->items;
    if (trainer->model->catalog->items != items)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: the model has got items since the trainer was made, %lld instead of "
                       "%lld: make a new one",
                       function, (long long)trainer->model->catalog->items, (long long)items);
    return ALTERREC_OK;
}

alterrec_status ar_trainer_learner(ar_learner **learner, alterrec_trainer *trainer, int kind) {
    *learner = &trainer->learners[kind == ALTERREC_TEXT ? 1 : 0];
    if ((*learner)->kind != 0)
        return ALTERREC_OK;
    AR_TRY(ar_learner_create(*learner, trainer->model, kind, trainer->options.threads));
    alterrec_status status =
        trainer->options.use_bf16 ? ar_learner_use_bf16(*learner) : ALTERREC_OK;
    if (status != ALTERREC_OK)
        ar_learner_free(*learner);
    return status;
}

alterrec_status ar_trainer_settle(alterrec_trainer *trainer) {
    for (int side = 0; side < AR_MODEL_SIDES; side++)
        AR_TRY(ar_learner_settle(&trainer->learners[side]));
    return ALTERREC_OK;
}

void ar_trainer_order(alterrec_trainer *trainer) {
    ar_examples *examples = &trainer->examples;
    uint64_t seed = ar_random_key(trainer->options.seed, (uint64_t)trainer->state.epoch);
    ar_examples_shuffle(examples, ar_random_key(seed, AR_STREAM_ORDER));
    int64_t count = 0;
    for (int64_t unit = 0; unit < examples->unit_count; trainer->batches[++count] = unit)
        unit = ar_examples_next(examples, unit, trainer->options.batch_size);
    trainer->batch_count = count;
}

static alterrec_status busy_error(const char *function) {
    return ar_fail(ALTERREC_ERROR_BUSY, "%s: the trainer is inside a call", function);
}

alterrec_status ar_trainer_check_idle(const alterrec_trainer *trainer, const char *function) {
    return atomic_load(&trainer->busy) ? busy_error(function) : ALTERREC_OK;
}

alterrec_status ar_trainer_enter(int *previous, alterrec_trainer *trainer, const char *function) {
    *previous = 0;
    if (atomic_exchange(&trainer->busy, true))
        return busy_error(function);
    alterrec_status status = ar_model_enter(trainer->model, function);
    if (status != ALTERREC_OK) {
        atomic_store(&trainer->busy, false);
        return status;
    }
    status = check_items(trainer, function);
    *previous = ar_threads_enter(trainer->options.threads);
    if (status != ALTERREC_OK)
        ar_trainer_leave(*previous, trainer);
    return status;
}

void ar_trainer_leave(int previous, alterrec_trainer *trainer) {
    ar_threads_leave(previous);
    ar_model_leave(trainer->model);
    atomic_store(&trainer->busy, false);
}

alterrec_status alterrec_trainer_on_progress(alterrec_trainer *trainer,
                                             alterrec_progress_fn progress, void *user_data) {
    AR_NOT_NULL(trainer);
    AR_TRY(ar_trainer_check_idle(trainer, __func__));
    trainer->progress = progress;
    trainer->progress_data = user_data;
    return ALTERREC_OK;
}

alterrec_status alterrec_trainer_on_fusion(alterrec_trainer *trainer, alterrec_fusion_fn fusion,
                                           void *user_data) {
    AR_NOT_NULL(trainer);
    AR_TRY(ar_trainer_check_idle(trainer, __func__));
    trainer->fusion.call = fusion;
    trainer->fusion.user_data = user_data;
    return ALTERREC_OK;
}

alterrec_status alterrec_trainer_on_schedule(alterrec_trainer *trainer,
                                             alterrec_schedule_fn schedule, void *user_data) {
    AR_NOT_NULL(trainer);
    AR_TRY(ar_trainer_check_idle(trainer, __func__));
    trainer->schedule_callback = schedule;
    trainer->schedule_data = user_data;
    return ALTERREC_OK;
}

alterrec_status alterrec_trainer_on_negatives(alterrec_trainer *trainer,
                                              alterrec_negatives_fn negatives, void *user_data) {
    AR_NOT_NULL(trainer);
    AR_TRY(ar_trainer_check_idle(trainer, __func__));
    trainer->negatives_callback = negatives;
    trainer->negatives_data = user_data;
    return ALTERREC_OK;
}

alterrec_status alterrec_trainer_on_log(alterrec_trainer *trainer, alterrec_log_fn log,
                                        void *user_data) {
    AR_NOT_NULL(trainer);
    AR_TRY(ar_trainer_check_idle(trainer, __func__));
    trainer->log = log;
    trainer->log_data = user_data;
    return ALTERREC_OK;
}

alterrec_status alterrec_trainer_cancel(alterrec_trainer *trainer) {
    AR_NOT_NULL(trainer);
    atomic_store(&trainer->cancelled, true);
    return ALTERREC_OK;
}

alterrec_status alterrec_trainer_plan(alterrec_plan *plan, const alterrec_trainer *trainer) {
    AR_NOT_NULL(plan);
    AR_NOT_NULL(trainer);
    AR_TRY(ar_host_struct_check(&ar_plan_struct, plan, __func__));
    alterrec_plan known;
    ar_schedule_plan(&known, &trainer->schedule, &trainer->state);
    ar_host_struct_fill(plan, &known, &ar_plan_struct);
    return ALTERREC_OK;
}

alterrec_status ar_trainer_use_best(alterrec_trainer *trainer) {
    ar_trainer_drop_teachers(trainer);
    for (int side = 0; side < AR_MODEL_SIDES; side++) {
        ar_tower *tower = ar_model_side(trainer->model, side);
        if (trainer->best[side] != NULL)
            memcpy(tower->block, trainer->best[side],
                   (size_t)tower->list.count * sizeof *tower->block);
    }
    if (trainer->best_epoch >= 0)
        return ar_log_tell(trainer, ALTERREC_LOG_INFO, "the model has the weights of epoch %lld",
                           (long long)trainer->best_epoch);
    return ALTERREC_OK;
}

alterrec_status alterrec_trainer_use_best(alterrec_trainer *trainer) {
    AR_NOT_NULL(trainer);
    int previous;
    AR_TRY(ar_trainer_enter(&previous, trainer, __func__));
    alterrec_status status = ar_trainer_use_best(trainer);
    ar_trainer_leave(previous, trainer);
    return status;
}

int64_t alterrec_trainer_batches(const alterrec_trainer *trainer) {
    return trainer != NULL ? trainer->batch_count : 0;
}

static alterrec_status add_unit(alterrec_batch *batch, int32_t *labels, const int32_t *items,
                                const ar_unit *unit) {
    int32_t first_label = unit->length - unit->examples;
    for (int32_t t = 0; t < unit->length; t++)
        labels[t] = t >= first_label ? items[t + 1] : -1;
    return alterrec_batch_add_labelled(batch, items, labels, unit->length);
}

alterrec_status alterrec_trainer_batch(alterrec_batch *batch, const alterrec_trainer *trainer,
                                       int64_t index) {
    AR_NOT_NULL(batch);
    AR_NOT_NULL(trainer);
    if (index < 0 || index >= trainer->batch_count)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: batch %lld is outside 0..%lld",
                       __func__, (long long)index, (long long)trainer->batch_count - 1);
    const ar_examples *examples = &trainer->examples;
    int32_t *labels;
    AR_NEW(labels, trainer->model->shape.max_len);
    alterrec_status status = alterrec_batch_clear(batch);
    for (int64_t u = trainer->batches[index];
         u < trainer->batches[index + 1] && status == ALTERREC_OK; u++) {
        const ar_unit *unit = &examples->units[examples->order[u]];
        status = add_unit(batch, labels, examples->items + unit->first, unit);
    }
    ar_free(labels);
    return status;
}

int64_t alterrec_trainer_epochs(const alterrec_trainer *trainer) {
    return trainer != NULL ? trainer->report_count : 0;
}

alterrec_status alterrec_trainer_report(alterrec_epoch_report *report,
                                        const alterrec_trainer *trainer, int64_t epoch) {
    AR_NOT_NULL(report);
    AR_NOT_NULL(trainer);
    AR_TRY(ar_host_struct_check(&ar_epoch_report_struct, report, __func__));
    if (epoch < 0 || epoch >= trainer->report_count)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: epoch %lld is outside the %lld epochs trained", __func__,
                       (long long)epoch, (long long)trainer->report_count);
    ar_host_struct_fill(report, &trainer->reports[epoch], &ar_epoch_report_struct);
    return ALTERREC_OK;
}
