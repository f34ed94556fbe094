/* A whole training: alterrec_trainer_run. */
#include "data/config.h"
#include "model/alpha.h"
#include "train/epoch.h"
#include "train/log.h"

/* The plan of the next epoch: the built-in one, as the callback changes it. *stop: there is none.
 */
static alterrec_status next_plan(alterrec_plan *plan, bool *stop, const alterrec_trainer *trainer,
                                 const alterrec_epoch_report *last) {
    AR_TRY(alterrec_trainer_plan(plan, trainer));
    if (trainer->schedule_callback != NULL) {
        alterrec_plan built_in = *plan;
        uint64_t errors = ar_fail_count();
        int32_t answer = trainer->schedule_callback(plan, last, trainer->schedule_data);
        if (answer < 0)
            return ar_fail_answer(answer, "schedule", errors);
        if (plan->tower != built_in.tower && plan->learning_rate == built_in.learning_rate)
            plan->learning_rate =
                ar_schedule_learning_rate(&trainer->schedule, &trainer->state, plan->tower);
        *stop = answer > 0;
    }
    *stop = *stop || plan->stop != 0;
    return ALTERREC_OK;
}

/* fusion.alpha "auto": the model's own becomes the best on the validation sessions. */
static alterrec_status choose_alpha(alterrec_trainer *trainer) {
    bool possible = trainer->model->has_text && trainer->valid != NULL &&
                    ar_held_out_examples(trainer->valid) > 0;
    if (!ar_config_is_auto(trainer->config, "fusion.alpha") || !possible ||
        trainer->fusion.call != NULL)
        return ALTERREC_OK;
    const char *alpha;
    double curve[AR_ALPHA_POINTS];
    AR_TRY(ar_model_choose_alpha(curve, trainer->model, trainer->valid, AR_ALPHA_POINTS,
                                 trainer->config));
    AR_TRY(alterrec_config_get(&alpha, trainer->model->config, "fusion.alpha"));
    return ar_log_tell(trainer, ALTERREC_LOG_INFO, "fusion.alpha %s is the best, and the model's",
                       alpha);
}

static alterrec_status finish(alterrec_trainer *trainer) {
    AR_TRY(ar_trainer_use_best(trainer));
    return choose_alpha(trainer);
}

/* The error that ended training is the one to report, whatever giving back the weights makes the
 * log callback do. */
static alterrec_status give_up(alterrec_trainer *trainer, alterrec_status status) {
    char text[AR_FAIL_TEXT_SIZE];
    (void)alterrec_last_error_copy(text, sizeof text);
    (void)ar_trainer_use_best(trainer);
    return ar_fail(status, "%s", text);
}

static alterrec_status run(alterrec_trainer *trainer, const char *function) {
    alterrec_epoch_report report = {.struct_size = sizeof report};
    int64_t epochs = alterrec_trainer_epochs(trainer);
    alterrec_status status = ALTERREC_OK;
    if (epochs > 0)
        status = alterrec_trainer_report(&report, trainer, epochs - 1);
    for (bool stop = false; status == ALTERREC_OK && !stop;) {
        alterrec_plan plan = {.struct_size = sizeof plan};
        bool first = alterrec_trainer_epochs(trainer) == 0;
        status = next_plan(&plan, &stop, trainer, first ? NULL : &report);
        if (status != ALTERREC_OK || stop)
            break;
        status = ar_trainer_epoch(&report, trainer, &plan, function);
        stop = report.stopped != 0;
    }
    return status == ALTERREC_OK ? finish(trainer) : give_up(trainer, status);
}

alterrec_status alterrec_trainer_run(alterrec_trainer *trainer) {
    AR_NOT_NULL(trainer);
    int previous;
    AR_TRY(ar_trainer_enter(&previous, trainer, __func__));
    alterrec_status status = run(trainer, __func__);
    ar_trainer_leave(previous, trainer);
    return status;
}
