#include "train/step.h"

#include "core/host_struct.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "data/batch.h"

#include <math.h>
#include <string.h>

enum { RANKER, LABELLER };

alterrec_status ar_trainer_choose_plan(alterrec_plan *chosen, const alterrec_trainer *trainer,
                                       const alterrec_plan *plan, const char *function) {
    const alterrec_model *model = trainer->model;
    if (plan != NULL) {
        AR_TRY(ar_host_struct_check(&ar_plan_struct, plan, function));
        ar_host_struct_read(chosen, plan, &ar_plan_struct);
    } else {
        ar_schedule_plan(chosen, &trainer->schedule, &trainer->state);
    }
    chosen->k2 = chosen->k2 < model->catalog->items ? chosen->k2 : model->catalog->items;
    AR_TRY(ar_plan_check(chosen, model));
    if (chosen->negatives == ALTERREC_NEGATIVES_HOST && trainer->negatives_callback == NULL)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: plan.negatives is HOST, but there is no negatives callback", function);
    return ALTERREC_OK;
}

static int64_t steps_of(const alterrec_trainer *trainer, int kind) {
    return trainer->learners[kind == ALTERREC_ID ? 0 : 1].adam.steps;
}

/* The tower `kind`, frozen. One that is not in training is looked at again once it has been
 * trained; a copy of the one in training keeps until the epoch ends. */
static alterrec_status teacher_of(ar_teacher **teacher, alterrec_trainer *trainer, int slot,
                                  int kind, bool copy) {
    ar_teacher_slot *held = &trainer->teachers[slot];
    bool fresh = held->teacher.kind == kind && held->copy == copy &&
                 (copy || held->steps == steps_of(trainer, kind));
    *teacher = &held->teacher;
    if (fresh)
        return ALTERREC_OK;
    if (held->teacher.kind != 0)
        ar_teacher_free(&held->teacher);
    AR_TRY(ar_trainer_settle(trainer));
    held->copy = copy;
    held->steps = steps_of(trainer, kind);
    AR_TRY(ar_teacher_create(&held->teacher, trainer->model, kind, copy));
    return trainer->options.rank_bf16 ? ar_teacher_use_bf16(&held->teacher) : ALTERREC_OK;
}

static alterrec_status choose_teachers(ar_step_options *options, alterrec_trainer *trainer,
                                       const alterrec_plan *plan) {
    int other = plan->tower == ALTERREC_ID ? ALTERREC_TEXT : ALTERREC_ID;
    int labeller = trainer->options.positives_from_id ? ALTERREC_ID : other;
    if (plan->negatives == ALTERREC_NEGATIVES_HARD)
        AR_TRY(teacher_of(&options->ranker, trainer, RANKER, other, false));
    if (plan->positive_count > 0 && options->ranker != NULL && labeller == other)
        options->labeller = options->ranker;
    else if (plan->positive_count > 0)
        AR_TRY(
            teacher_of(&options->labeller, trainer, LABELLER, labeller, labeller == plan->tower));
    return ALTERREC_OK;
}

/* Has the ranker rank a pool of the catalog, and shrinks the window with it: an item of rank k in
 * the catalog stands, on average, at the pool's share of k in the pool. */
static alterrec_status choose_pool(ar_step_options *options, const alterrec_trainer *trainer) {
    int64_t items = trainer->model->catalog->items, pool = trainer->options.pool;
    if (options->ranker == NULL || pool == 0 || pool >= items || ar_objective_is_shared(options))
        return ALTERREC_OK;
    double share = (double)pool / (double)items;
    int64_t k1 = llround(share * (double)options->k1), k2 = llround(share * (double)options->k2);
    options->k2 = k2 > 1 ? k2 : 1;
    options->k1 = k1 < options->k2 ? k1 : options->k2 - 1;
    return ar_teacher_draw_pool(options->ranker, pool,
                                ar_random_key(options->seed, AR_STREAM_POOL));
}

/* The sampler of random draws, made anew when the exponent changes. BATCH negatives come as often
 * as their item is a label: by popularity itself. */
static alterrec_status choose_sampler(ar_step_options *options, alterrec_trainer *trainer,
                                      const alterrec_plan *plan) {
    bool in_batch = plan->negatives == ALTERREC_NEGATIVES_BATCH;
    double exponent = in_batch ? 1.0 : plan->popularity;
    if (!(exponent > 0.0) && plan->correct == 0)
        return ALTERREC_OK;
    ar_sampler *sampler = &trainer->sampler;
    if (sampler->items == 0 || sampler->exponent < exponent || sampler->exponent > exponent) {
        int64_t items = trainer->model->catalog->items, *counts;
        AR_NEW(counts, items);
        ar_sessions_count_items(counts, trainer->train);
        ar_sampler_free(sampler);
        alterrec_status status = ar_sampler_create(sampler, counts, items, exponent);
        ar_free(counts);
        if (status != ALTERREC_OK)
            return status;
    }
    options->sampler = sampler;
    return ALTERREC_OK;
}

/* Where each example's prefix begins and how long it is. */
static void find_prefixes(int64_t *starts, int64_t *lengths, const ar_example_batch *batch) {
    int64_t s = 0;
    for (int64_t e = 0; e < batch->count; e++) {
        while (batch->rows[e] >= batch->packed.offsets[s + 1])
            s++;
        starts[e] = batch->packed.offsets[s];
        lengths[e] = batch->rows[e] - starts[e] + 1;
    }
}

static alterrec_status check_named(const int32_t *negatives, int64_t count, int64_t items) {
    for (int64_t i = 0; i < count; i++)
        if (negatives[i] < -1 || negatives[i] >= items)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "negative %d at place %lld is outside the catalog, 0..%lld",
                           (int)negatives[i], (long long)i, (long long)(items - 1));
    return ALTERREC_OK;
}

/* Has the host name the negatives: *named [examples, plan's number], to be freed; NULL if the host
 * leaves it to us. */
static alterrec_status ask_host(int32_t **named, const alterrec_trainer *trainer,
                                const ar_example_batch *batch, const alterrec_plan *plan) {
    int64_t places = batch->count * plan->negative_count;
    int64_t *starts = ar_new(batch->count, sizeof *starts);
    int64_t *lengths = ar_new(batch->count, sizeof *lengths);
    int32_t *negatives = ar_new(places, sizeof *negatives);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    int32_t answer = 0;
    if (starts != NULL && lengths != NULL && negatives != NULL) {
        find_prefixes(starts, lengths, batch);
        memset(negatives, 0xFF, (size_t)places * sizeof *negatives); /* -1 everywhere */
        alterrec_examples examples = {.struct_size = sizeof examples,
                                      .count = batch->count,
                                      .items = batch->packed.items,
                                      .starts = starts,
                                      .lengths = lengths,
                                      .labels = batch->labels,
                                      .item_count = batch->packed.tokens};
        uint64_t errors = ar_fail_count();
        answer = trainer->negatives_callback(negatives, &examples, plan->negative_count,
                                             trainer->negatives_data);
        status = answer < 0    ? ar_fail_answer(answer, "negatives", errors)
                 : answer == 0 ? check_named(negatives, places, trainer->model->catalog->items)
                               : ALTERREC_OK;
    }
    ar_free(starts);
    ar_free(lengths);
    if (status != ALTERREC_OK || answer > 0) {
        ar_free(negatives);
        negatives = NULL;
    }
    *named = negatives;
    return status;
}

static alterrec_status choose_learners(ar_learner **learner, ar_learner **partner,
                                       alterrec_trainer *trainer, int tower) {
    *partner = NULL;
    if (tower != ALTERREC_FUSED || trainer->model->is_joint)
        return ar_trainer_learner(learner, trainer, tower);
    AR_TRY(ar_trainer_learner(learner, trainer, ALTERREC_ID));
    return ar_trainer_learner(partner, trainer, ALTERREC_TEXT);
}

static void add_to_running(alterrec_trainer *trainer, const ar_step_result *result,
                           const alterrec_plan *plan, int64_t examples, double seconds) {
    ar_running *running = &trainer->running;
    double weight = (double)examples;
    running->tower = plan->tower;
    running->negatives = plan->negatives;
    running->learning_rate = plan->learning_rate;
    running->steps++;
    running->examples += examples;
    running->loss += result->loss * weight;
    running->positives_loss += result->positives_loss * weight;
    running->part_loss[0] += result->part_loss[0] * weight;
    running->part_loss[1] += result->part_loss[1] * weight;
    running->seconds += seconds;
}

alterrec_status ar_trainer_step(ar_step_result *result, alterrec_trainer *trainer,
                                const ar_example_batch *batch, const alterrec_plan *plan,
                                const int32_t *negatives, int64_t count) {
    uint64_t seed = ar_random_key(trainer->options.seed, (uint64_t)trainer->state.epoch);
    double start = ar_clock_seconds();
    ar_learner *learner, *partner;
    int32_t *named = NULL;
    AR_TRY(choose_learners(&learner, &partner, trainer, plan->tower));
    ar_step_options options = {.negatives = plan->negatives,
                               .k1 = plan->k1,
                               .k2 = plan->k2,
                               .negative_count = plan->negative_count,
                               .hard_share = plan->hard_share,
                               .shared = plan->shared != 0,
                               .correct = plan->correct != 0,
                               .positives = plan->positive_count,
                               .positives_weight = plan->positives_weight,
                               .dropout = trainer->options.dropout,
                               .seed = ar_random_key(ar_random_key(seed, AR_STREAM_STEPS),
                                                     (uint64_t)trainer->running.steps),
                               .adam = trainer->options.adam,
                               .partner = partner,
                               .explicit_negatives = negatives,
                               .explicit_count = count};
    options.adam.learning_rate = plan->learning_rate;
    AR_TRY(choose_teachers(&options, trainer, plan));
    AR_TRY(choose_pool(&options, trainer));
    AR_TRY(choose_sampler(&options, trainer, plan));
    if (plan->negatives == ALTERREC_NEGATIVES_HOST && negatives == NULL) {
        AR_TRY(ask_host(&named, trainer, batch, plan));
        options.explicit_negatives = named;
        options.explicit_count = plan->negative_count;
        options.negatives = ALTERREC_NEGATIVES_RANDOM; /* if the host has left it to us */
    }
    alterrec_status status = ar_learner_step(result, learner, batch, &options);
    ar_free(named);
    if (status == ALTERREC_OK)
        add_to_running(trainer, result, plan, batch->count, ar_clock_seconds() - start);
    return status;
}

/* The batch's labelled sessions as examples; rows and labels stand in `memory`. */
static alterrec_status examples_of(ar_example_batch *examples, ar_batch_memory *memory,
                                   const alterrec_batch *batch, const alterrec_model *model) {
    int64_t tokens = batch->offsets[batch->count], items = model->catalog->items, count = 0;
    if (batch->examples == 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "alterrec_trainer_step: the batch has no label: use "
                       "alterrec_batch_add_labelled");
    AR_TRY(ar_batch_check(batch, items, "alterrec_trainer_step"));
    for (int64_t s = 0; s < batch->count; s++)
        if (batch->offsets[s + 1] - batch->offsets[s] > model->shape.max_len)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "alterrec_trainer_step: session %lld has %lld items, model.max_len is "
                           "%lld",
                           (long long)s, (long long)(batch->offsets[s + 1] - batch->offsets[s]),
                           (long long)model->shape.max_len);
    AR_TRY(ar_batch_memory_reserve(memory, 0, 0, batch->examples));
    for (int64_t t = 0; t < tokens; t++) {
        if (batch->labels[t] >= items)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "alterrec_trainer_step: label %d is outside the catalog, 0..%lld",
                           (int)batch->labels[t], (long long)(items - 1));
        if (batch->labels[t] < 0)
            continue;
        memory->rows[count] = t;
        memory->labels[count++] = batch->labels[t];
    }
    *examples = (ar_example_batch){.packed = {.items = batch->items,
                                              .offsets = batch->offsets,
                                              .sequences = batch->count,
                                              .tokens = tokens},
                                   .rows = memory->rows,
                                   .labels = memory->labels,
                                   .count = count};
    return check_named(batch->negatives, batch->examples * batch->negative_count, items);
}

static void fill_report(alterrec_step_report *report, const ar_step_result *result,
                        const alterrec_plan *plan, int64_t examples) {
    alterrec_step_report known = {.tower = plan->tower,
                                  .examples = examples,
                                  .loss = result->loss,
                                  .positives_loss = result->positives_loss,
                                  .part_loss = {result->part_loss[0], result->part_loss[1]},
                                  .rows = result->rows,
                                  .tokens = result->tokens};
    memcpy(known.seconds, result->seconds, sizeof result->seconds);
    ar_host_struct_fill(report, &known, &ar_step_report_struct);
}

alterrec_status alterrec_trainer_step(alterrec_step_report *report, alterrec_trainer *trainer,
                                      alterrec_batch *batch, const alterrec_plan *plan) {
    AR_NOT_NULL(trainer);
    AR_NOT_NULL(batch);
    if (report != NULL)
        AR_TRY(ar_host_struct_check(&ar_step_report_struct, report, __func__));
    int previous;
    AR_TRY(ar_trainer_enter(&previous, trainer, __func__));
    alterrec_plan chosen;
    ar_example_batch examples;
    ar_step_result result = {0};
    alterrec_status status = ar_batch_enter(batch, __func__);
    if (status != ALTERREC_OK) {
        ar_trainer_leave(previous, trainer);
        return status;
    }
    status = ar_trainer_choose_plan(&chosen, trainer, plan, __func__);
    if (status == ALTERREC_OK)
        status = examples_of(&examples, &trainer->memory, batch, trainer->model);
    if (status == ALTERREC_OK)
        status = ar_trainer_step(&result, trainer, &examples, &chosen,
                                 batch->negative_count > 0 ? batch->negatives : NULL,
                                 batch->negative_count);
    ar_batch_leave(batch);
    ar_trainer_leave(previous, trainer);
    if (status == ALTERREC_OK && report != NULL)
        fill_report(report, &result, &chosen, examples.count);
    return status;
}
