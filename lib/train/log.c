#include "train/log.h"

#include "core/text.h"
#include "data/config.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_SIZE = 1024, NUMBER_SIZE = 32 };

alterrec_status ar_log_tell(alterrec_trainer *trainer, int32_t level, const char *format, ...) {
    if (trainer->log == NULL)
        return ALTERREC_OK;
    char message[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    bool between = atomic_exchange(&trainer->between_epochs, false);
    uint64_t errors = ar_fail_count();
    int32_t answer = trainer->log(level, message, trainer->log_data);
    atomic_store(&trainer->between_epochs, between);
    if (answer > 0)
        atomic_store(&trainer->cancelled, true);
    return answer < 0 ? ar_fail_answer(answer, "log", errors) : ALTERREC_OK;
}

/* The number, alike in every locale. */
static const char *number(char buffer[NUMBER_SIZE], double value) {
    ar_text text = {0};
    ar_text_put_double(&text, value);
    (void)snprintf(buffer, NUMBER_SIZE, "%s", text.status == ALTERREC_OK ? text.bytes : "?");
    ar_text_free(&text);
    return buffer;
}

static const char *trained_name(int32_t tower, const alterrec_model *model) {
    if (model->is_joint)
        return "the joint tower";
    return tower == ALTERREC_ID     ? "the ID tower"
           : tower == ALTERREC_TEXT ? "the text tower"
                                    : "both towers at once";
}

static const char *negatives_name(int32_t negatives) {
    static const char *const names[] = {"random", "hard", "all other items as", "the batch's",
                                        "the host's"};
    return names[negatives];
}

/* What the catalog is too small for. */
static alterrec_status tell_clipping(alterrec_trainer *trainer) {
    const ar_schedule *schedule = &trainer->schedule;
    int64_t k1 = ar_config_int(trainer->config, "negatives.k1");
    int64_t k2 = ar_config_int(trainer->config, "negatives.k2");
    if (schedule->k1 == k1 && schedule->k2 == k2)
        return ALTERREC_OK;
    return ar_log_tell(
        trainer, ALTERREC_LOG_WARNING,
        "%lld items are few for negatives.k1 %lld and k2 %lld: the window is k1 %lld, "
        "k2 %lld",
        (long long)trainer->model->catalog->items, (long long)k1, (long long)k2,
        (long long)schedule->k1, (long long)schedule->k2);
}

/* The last report of an epoch that trained `tower`, or NULL. */
static const alterrec_epoch_report *last_of(const alterrec_trainer *trainer, int32_t tower) {
    for (int64_t e = trainer->report_count; e-- > 0;)
        if (trainer->reports[e].tower == tower)
            return &trainer->reports[e];
    return NULL;
}

alterrec_status ar_log_plan(alterrec_trainer *trainer, const alterrec_plan *plan) {
    int64_t epoch = trainer->state.epoch, count = trainer->report_count;
    if (trainer->log == NULL)
        return ALTERREC_OK;
    if (count == 0)
        AR_TRY(tell_clipping(trainer));
    const alterrec_epoch_report *last = count > 0 ? &trainer->reports[count - 1] : NULL;
    if (last == NULL || last->tower != plan->tower || last->negatives != plan->negatives)
        AR_TRY(ar_log_tell(trainer, ALTERREC_LOG_INFO, "epoch %lld: %s, %s negatives",
                           (long long)epoch, trained_name(plan->tower, trainer->model),
                           negatives_name(plan->negatives)));
    const alterrec_epoch_report *own = last_of(trainer, plan->tower);
    char before[NUMBER_SIZE], now[NUMBER_SIZE];
    if (own != NULL && plan->learning_rate < own->learning_rate)
        return ar_log_tell(trainer, ALTERREC_LOG_INFO,
                           "epoch %lld: the learning rate of %s falls from %s to %s",
                           (long long)epoch, trained_name(plan->tower, trainer->model),
                           number(before, own->learning_rate), number(now, plan->learning_rate));
    return ALTERREC_OK;
}

alterrec_status ar_log_epoch(alterrec_trainer *trainer, const alterrec_epoch_report *report,
                             bool was_exhausted) {
    char metric[NUMBER_SIZE];
    if (trainer->log == NULL)
        return ALTERREC_OK;
    if (report->best != 0)
        AR_TRY(ar_log_tell(trainer, ALTERREC_LOG_INFO, "epoch %d: the best so far, validation %s",
                           (int)report->epoch,
                           number(metric, report->valid_metric[trainer->options.valid_scorer])));
    if (trainer->state.patience_exhausted && !was_exhausted)
        return ar_log_tell(trainer, ALTERREC_LOG_INFO,
                           "epoch %d: none better for %d epochs, the patience is exhausted",
                           (int)report->epoch, (int)report->epochs_since_best);
    return ALTERREC_OK;
}
